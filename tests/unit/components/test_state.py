"""What the stack's state knows of the swarm."""

from components.state import COMMAND, known, of_export

NODE, CLUSTER = "swarm:index:Node", "swarm:index:Cluster"
PARENT = "urn:pulumi:lab::swarm::swarm:index:Cluster"


def test_owner_node_ids_and_services_are_told() -> None:
    found = known(
        [
            (f"{PARENT}::swarm", CLUSTER, {"owner": "beef"}),
            (f"{PARENT}${NODE}::m1", NODE, {"nodeId": "id-m1"}),
            (f"{PARENT}${NODE}${COMMAND}::m1-membership", COMMAND, {"stdout": 'beef {"node": "id-m1"}'}),
            (f"{PARENT}::demo_redis", "docker:index/service:Service", {"name": "demo_redis"}),
        ]
    )
    assert (found.owner, dict(found.node_ids), set(found.services)) == (
        "beef",
        {"m1": "id-m1"},
        {"demo_redis"},
    )
    assert found.commands == {"m1-membership"}


def test_a_state_from_before_there_were_owners_tells_node_ids_by_what_was_printed() -> None:
    urn = f"{PARENT}${NODE}${COMMAND}::m1-membership"
    found = known([(f"{PARENT}::swarm", CLUSTER, {}), (urn, COMMAND, {"stdout": "id-m1\ncluster-1"})])
    assert found.node_ids == {"m1": "id-m1"}


def test_a_run_that_was_cut_off_after_a_join_is_known_by_what_that_printed() -> None:
    urn = f"{PARENT}${NODE}${COMMAND}::m1-membership"
    printed = {"create": "timeout 180 sh -s 'm1 joins' c0de", "stdout": 'hello\nc0de {"node": "id-m1"}'}
    assert known([(urn, COMMAND, printed)]).node_ids == {"m1": "id-m1"}
    assert known([(urn, COMMAND, {**printed, "stdout": "hello there"})]).node_ids == {}


def test_a_new_state_gets_an_id_that_no_other_has() -> None:
    one, other = of_export({"deployment": {}}), of_export({"deployment": {"resources": None}})
    assert len(one.owner) == 16
    assert one.owner != other.owner
    assert (one.node_ids, one.services) == ({}, frozenset())


def test_what_was_replaced_and_waits_to_be_deleted_is_known_no_more() -> None:
    service = {"urn": f"{PARENT}::demo_redis", "type": "docker:index/service:Service"}
    old, new = service | {"outputs": {"name": "old"}, "delete": True}, service | {"outputs": {"name": "new"}}
    assert of_export({"deployment": {"resources": [new, old]}}).services == {"new"}


def test_what_is_secret_in_an_exported_state_is_no_node_id() -> None:
    urn = f"{PARENT}${NODE}${COMMAND}::m1-membership"
    exported = {"urn": urn, "type": COMMAND, "outputs": {"stdout": {"ciphertext": "v1:x"}}}
    assert of_export({"deployment": {"resources": [exported, {"urn": urn, "type": NODE}]}}).node_ids == {}
