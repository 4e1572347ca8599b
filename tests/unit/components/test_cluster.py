"""The resources that a plan becomes, as the engine is told of them."""

import asyncio
import base64
import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime import mocks, rpc

from components.cluster import ClusterArgs, SwarmCluster
from components.scripts import host as host_scripts
from components.stack import SwarmStack, deploy
from swarm.decide import images
from swarm.decide.decisions import decide, give_up
from swarm.decide.ownership import Known
from swarm.decide.plan import Plan
from swarm.declare import compose
from swarm.declare.settings import Settings, Ssh
from swarm.observe.model import Cluster, Host, Service
from tests.unit.builders import (
    KNOWN,
    OWNER,
    cluster,
    declared,
    down,
    entry,
    idle,
    member,
    node,
    observed,
    silent,
)

TOKENS = {"manager": "token-of-managers", "worker": "token-of-workers"}
COMMAND = "command:remote:Command"
ALL_INPUTS = {"addPreviousOutputInEnv", "connection", "create", "delete", "logging", "stdin"}
BACKEND = (compose.Attachment("backend", ("page",)),)
STACK = compose.Stack(
    "demo",
    (
        compose.Service("redis", "redis:7.0.15", replicas=3, networks=BACKEND),
        compose.Service("page", "nginx:1.26.3", networks=BACKEND, ports=(compose.Port(80, 8080),)),
    ),
    (compose.Network("backend", "demo_backend"),),
)
WHOLE = (
    Service("s1", "demo_redis", "demo", "redis:7.0.15@sha256:1", 3, 3),
    Service("s2", "demo_page", "demo", "nginx:1.26.3@sha256:2", 1, 1, "completed"),
)
SHORT = (WHOLE[0], replace(WHOLE[1], running=0))
STUCK = (WHOLE[0], replace(WHOLE[1], update="paused"))


class Registered:
    """A resource as the engine is told of it."""

    def __init__(self, urn: str, request: Any) -> None:
        self.urn, self.request = urn, request
        self.type, self.name = request.type, request.name
        self.parent, self.deleted_with = request.parent.rpartition("::")[2], request.deletedWith
        self.after = {urn.rpartition("::")[2] for urn in request.dependencies}
        self.ignored = set(request.ignoreChanges)
        self.retained = request.retainOnDelete
        self.hidden = set(request.additionalSecretOutputs)
        self.inputs = rpc.deserialize_properties(request.object)
        self.secret = {key for key, value in self.inputs.items() if rpc.is_rpc_secret(value)}

    def __getitem__(self, key: str) -> Any:
        return rpc.unwrap_rpc_secret(self.inputs[key])


class Engine(mocks.Mocks, mocks.MockMonitor):
    """Stands for the engine: runs no command, and prints what they would."""

    def __init__(self) -> None:
        mocks.MockMonitor.__init__(self, self)
        self.seen: dict[str, Registered] = {}
        self.outputs: dict[str, Any] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        kind = f"{parent.split('::')[2]}${type_}" if parent and "pulumi:pulumi:Stack" not in parent else type_
        return f"urn:pulumi:lab::swarm::{kind}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.seen[request.name] = Registered(response.urn, request)
        return response

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        printed = TOKENS
        if args.name.endswith("-membership"):
            printed = {"node": f"new-{args.name.removesuffix('-membership')}", "cluster": "cluster-1"}
        marker = str(args.inputs.get("create")).rpartition(" ")[2]
        stdout = f"noise of a login shell\n{marker} {json.dumps(printed)}"
        return f"{args.name}-id", {"name": f"{args.name}-suffix", **args.inputs, "stdout": stdout}

    def RegisterResourceOutputs(self, request: Any) -> Empty:  # noqa: N802
        self.outputs[request.urn.rpartition("::")[2]] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def call(self, args: Any) -> Any:
        return {}


@pytest.fixture(autouse=True)
def _loop() -> Iterator[None]:
    """Pulumi asks for the thread's event loop, and `asyncio.run` in another test leaves none."""
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        yield


@pytest.fixture(scope="module")
def way(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Ssh:
    """A way to hosts whose keys are known."""
    known = tmp_path_factory.mktemp("known") / "known_hosts"
    key = (keys / "id.pub").read_text()
    known.write_text("".join(f"10.0.0.{number} {key}" for number in range(1, 40)))
    return Ssh(private_key_file=keys / "id", known_hosts_file=known)


Ran = tuple[dict[str, Registered], dict[str, Any]]
Run = Callable[..., Ran]


@pytest.fixture
def run(way: Ssh) -> Run:
    """Runs the components for settings and hosts; gives the resources by name, and the outputs."""

    def program(
        settings: Settings,
        swarm: Cluster | None,
        *hosts: Host,
        planned: Callable[..., Plan] = decide,
        stack: compose.Stack | None = None,
        known: Known = KNOWN,
    ) -> Ran:
        settings = replace(settings, nodes=tuple(replace(one, ssh=way) for one in settings.nodes))
        plan = planned(settings, known, observed(settings, swarm, *hosts), [stack] if stack else [])
        assert not plan.refusals
        engine = Engine()
        outputs: dict[str, Any] = {}
        mocks.set_mocks(engine, "swarm", "lab", monitor=engine)

        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def declare() -> pulumi.Output[Any]:
            made = SwarmCluster("swarm", ClusterArgs(settings, plan))
            if stack:
                deploy([stack], settings, plan, made, images.resolved([stack], plan.cluster, {}))
            return pulumi.Output.all(id=made.cluster_id, nodes=made.nodes).apply(outputs.update)

        declare()
        return engine.seen, {**outputs, "registered": engine.outputs}

    return program


FRESH = declared("m1 m2 w1"), None
IN_PLACE = declared("m1 m2 w1"), cluster("m1 m2 w1")


def test_every_membership_is_under_its_node_and_all_else_under_the_cluster(run: Run) -> None:
    seen, _ = run(*FRESH)
    assert {(one.type, one.name, one.parent) for one in seen.values()} == {
        ("pulumi:pulumi:Stack", "swarm-lab", ""),
        ("swarm:index:Cluster", "swarm", "swarm-lab"),
        *(("swarm:index:Node", name, "swarm") for name in ("m1", "m2", "w1")),
        *((COMMAND, f"{name}-membership", name) for name in ("m1", "m2", "w1")),
        *((COMMAND, f"{name}-departure", name) for name in ("m1", "m2", "w1")),
        (COMMAND, "tokens", "swarm"),
        (COMMAND, "convergence", "swarm"),
    }


def test_on_fresh_hosts_the_leader_comes_first_then_the_tokens_then_the_others_then_the_convergence(
    run: Run,
) -> None:
    seen, outputs = run(*FRESH)
    assert seen["m1-membership"].after == set()
    assert "m1-membership" in seen["tokens"].after
    assert seen["m2-membership"].after == seen["w1-membership"].after == {"tokens"}
    assert seen["convergence"].after >= {"m1-membership", "m2-membership", "w1-membership"}
    labels = f'"Labels": {{"swarm.pulumi.stack": "swarm/lab", "swarm.pulumi.owner": "{OWNER}"}}'
    assert labels in seen["m1-membership"]["stdin"]
    assert outputs["registered"]["swarm"] == {"owner": OWNER}
    assert outputs["registered"]["m2"] == {"nodeId": "new-m2"}
    assert outputs["id"] == "cluster-1"
    assert [(one["name"], one["id"], one["role"], one["address"]) for one in outputs["nodes"]] == [
        ("m1", "new-m1", "leader", "10.0.0.11"),
        ("m2", "new-m2", "manager", "10.0.0.12"),
        ("w1", "new-w1", "worker", "10.0.0.21"),
    ]


def test_managers_and_workers_join_each_with_the_token_of_their_role(run: Run) -> None:
    seen, _ = run(*FRESH)
    assert (TOKENS["manager"] in seen["m2-membership"]["stdin"]) is True
    assert (TOKENS["worker"] in seen["m2-membership"]["stdin"]) is False
    assert (TOKENS["worker"] in seen["w1-membership"]["stdin"]) is True
    assert (TOKENS["manager"] in seen["w1-membership"]["stdin"]) is False


def test_the_convergence_is_told_the_ids_of_the_nodes_that_joined(run: Run) -> None:
    seen, _ = run(*FRESH)
    assert "await w1 new-w1\n" in seen["convergence"]["stdin"]


def both(*names: str) -> set[str]:
    """The commands of these nodes."""
    return {f"{name}-{kind}" for name in names for kind in ("membership", "departure")}


def test_managers_join_one_by_one_and_workers_after_all_of_them(run: Run) -> None:
    """And leave in the other order, for the engine deletes against the dependencies; also where the one
    between them stays."""
    seen, _ = run(declared("w1 m1 m2 m3 w2"), None)
    assert seen["m2"].after == both("m1")
    assert seen["m3"].after == both("m1", "m2")
    for worker in ("w1", "w2"):
        assert seen[worker].after == both("m1", "m2", "m3")


@pytest.mark.parametrize(
    ("settings", "swarm", "line"),
    [
        (declared("m1 w1", task_history_limit=7), {}, "swarm lab - --task-history-limit=7"),
        (declared("m1 w1", certificate_expiry=7200), {}, "swarm lab - --cert-expiry=7200s"),
        (declared("m1 w1", dispatcher_heartbeat=9), {}, "swarm lab - --dispatcher-heartbeat=9s"),
    ],
    ids=["taskHistoryLimit", "certificateExpiry", "dispatcherHeartbeat"],
)
def test_the_convergence_has_work_on_the_swarm_itself_while_nobody_joins(
    run: Run, settings: Settings, swarm: dict[str, Any], line: str
) -> None:
    seen, _ = run(settings, cluster("m1 w1", **swarm))
    assert seen["convergence"]["stdin"].endswith(f"\n{line}\n")


def test_a_swarm_that_is_taken_over_is_labelled_before_anything_else_is_done_to_it(run: Run) -> None:
    swarm = cluster("m1 w1", labels={"team": "a"}, label_configs={"other-prod": "other/prod"}, version=17)
    seen, _ = run(declared("m1 w1 w2", adopt=True), swarm)
    spec = {"team": "a", "swarm.pulumi.stack": "swarm/lab", "swarm.pulumi.owner": OWNER}
    (line,) = [one for one in seen["tokens"]["stdin"].splitlines() if one.startswith("claim ")]
    verb, stack, node_id, version, request, *marks = shlex.split(line)
    assert (verb, stack, node_id, version, marks) == ("claim", "lab", "-", "17", ["other-prod"])
    assert json.loads(request) == {"Name": "default", "Labels": spec}
    assert "tokens" in seen["w2-membership"].after


def test_the_convergence_comes_after_every_membership_that_is_there_already_too(run: Run) -> None:
    seen, _ = run(declared("m1 m2 w1"), cluster("m1 m2", entry("w1", availability="drain")))
    assert seen["convergence"].after >= {"m1-membership", "m2-membership", "w1-membership"}


def test_where_the_swarm_lives_the_leader_too_joins_with_a_token(run: Run) -> None:
    swarm = cluster("m2 m3 w1", down("m1"), entry("m2", leader=True))
    seen, outputs = run(declared("m1 m2 m3 w1"), swarm, idle("m1"))
    assert seen["tokens"].after == set()
    assert seen["m1-membership"].after == {"tokens"}
    assert "/swarm/init" not in seen["m1-membership"]["stdin"]
    assert TOKENS["manager"] in seen["m1-membership"]["stdin"]
    assert '"RemoteAddrs": ["10.0.0.12:2377", "10.0.0.13:2377"]' in seen["m1-membership"]["stdin"]
    assert {seen[name]["connection"]["host"] for name in ("tokens", "convergence")} == {"10.0.0.12"}
    assert outputs["id"] == "ours"


LOST = node("w1", lost=True)
IN_STATE = replace(KNOWN, node_ids={"w1": "id-w1"})


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "ignored", "runs"),
    [
        (declared("m1 w1"), None, (), set(), True),
        (declared("m1 w1"), cluster("m1 w1"), (), ALL_INPUTS - {"delete"}, False),
        (declared("m1 w1"), cluster("m1", down("w1")), (idle("w1"),), set(), True),
        (declared("m1 w1"), cluster("m1", down("w1")), (), ALL_INPUTS, False),
        (declared("m1 w1", LOST), cluster("m1", down("w1")), (), ALL_INPUTS, False),
    ],
    ids=["joins", "is in place", "joins anew", "is silent", "is lost"],
)
def test_what_counts_as_a_difference_of_a_node_that(
    run: Run,
    settings: Settings,
    swarm: Cluster | None,
    hosts: tuple[Host, ...],
    ignored: set[str],
    runs: bool,
) -> None:
    one = run(settings, swarm, *hosts)[0]["w1-membership"]
    assert one.ignored == ignored
    assert set(one.inputs) <= ALL_INPUTS, "an input that isn't in the list would be a difference"
    assert ("create" in one.inputs, "stdin" in one.inputs) == (runs, runs), "who isn't to join isn't dialed"
    assert one.retained == (settings.nodes[-1].lost), "one of an earlier version has a delete"
    if not runs:
        assert "privateKey" not in one["connection"]


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "ignored", "retained", "node_id"),
    [
        (declared("m1 w1"), None, (), set(), False, "new-w1"),
        (declared("m1 w1"), cluster("m1 w1"), (), set(), False, "id-w1"),
        (declared("m1 w1"), cluster("m1", down("w1")), (), set(), False, "id-w1"),
        (declared("m1 w1", LOST), cluster("m1", down("w1")), (), ALL_INPUTS, True, "id-w1"),
        (declared("m1 w1", unreachable=("w1",)), cluster("m1"), (silent("w1"),), ALL_INPUTS, False, ""),
    ],
    ids=["joins", "is in place", "is silent", "is lost", "is left out, and was a member once"],
)
def test_a_departure_dials_nobody_before_and_then_ends_the_membership_that_was_made(
    run: Run,
    settings: Settings,
    swarm: Cluster | None,
    hosts: tuple[Host, ...],
    ignored: set[str],
    retained: bool,
    node_id: str,
) -> None:
    one = run(settings, swarm, *hosts, known=IN_STATE)[0]["w1-departure"]
    assert (one.ignored, one.retained) == (ignored, retained)
    assert not {"create", "update", "triggers"} & set(one.inputs)
    assert one["delete"] == host_scripts.leave(node_id)
    assert "docker swarm leave --force" in one["stdin"]
    if not ignored:
        assert one["connection"]["hostKey"].startswith("ssh-ed25519 ")


def test_a_node_that_is_lost_from_the_start_needs_no_host_key_and_gets_no_token(run: Run, way: Ssh) -> None:
    stranger = node("w1", lost=True, host="192.0.2.9")
    seen, _ = run(declared("m1 w1", stranger), cluster("m1"))
    for one in (seen["w1-membership"], seen["w1-departure"]):
        assert one["connection"] == {
            "host": "192.0.2.9",
            "hostKey": "none",
            "port": 22.0,
            "user": "root",
        } or (one["connection"]["hostKey"] == "none" and "privateKey" not in one["connection"])
        assert not [token for token in TOKENS.values() if token in str(one.inputs)]


def having(*names: str) -> Known:
    """A state that has these nodes' commands."""
    return replace(KNOWN, commands=frozenset(both(*names)))


def test_destroying_dials_no_host_of_another_swarm(run: Run) -> None:
    foreign = member("w1", cluster("m8 w8", id="theirs", labels={}), "id-w8")
    seen, _ = run(declared("m1 w1"), cluster("m1"), foreign, planned=give_up, known=having("m1", "w1"))
    assert seen["w1-departure"].retained
    assert not seen["m1-departure"].retained
    assert "delete" not in seen["w1-membership"].inputs
    assert seen["w1-membership"].retained, "one of an earlier version has a delete"


def test_destroying_a_state_of_an_earlier_version_needs_no_result_of_its_scripts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_scripts, "result", lambda *_: {})
    seen, outputs = run(*IN_PLACE, planned=give_up, known=having("m1", "m2", "w1"))
    assert {"m1-departure", "m2-departure", "w1-departure"} <= seen.keys()
    assert outputs["id"] == ""


def test_destroying_declares_no_command_that_the_state_does_not_have(run: Run) -> None:
    """With one that it doesn't have the engine skips all that depend on it, which then isn't retained."""
    known = replace(KNOWN, commands=frozenset({"m1-membership", "w1-membership", "w1-departure"}))
    seen, _ = run(*IN_PLACE, planned=give_up, known=known)
    made = {name for name in seen if name.endswith(("-membership", "-departure"))}
    assert made == known.commands


def test_nothing_is_retained_but_what_can_not_be_dialled(run: Run) -> None:
    seen, _ = run(*IN_PLACE, stack=STACK)
    assert not [one.name for one in seen.values() if one.retained]


AGAIN = cluster("m1 m3", down("m2"), entry("m2", id="id-again"))


@pytest.mark.parametrize(
    ("case", "tokens", "convergence"),
    [
        (FRESH, set(), set()),
        (IN_PLACE, ALL_INPUTS, ALL_INPUTS),
        ((declared("m1 w1"), cluster("m1", entry("w1", availability="drain"))), ALL_INPUTS, set()),
        ((declared("m1 w1"), cluster("m1")), set(), set()),
        ((declared("m1"), cluster("m1 w1")), ALL_INPUTS, set()),
        ((declared("m1 m2 m3"), AGAIN, member("m2", AGAIN, "id-again")), set(), ALL_INPUTS),
    ],
    ids=[
        "on fresh hosts",
        "all in place",
        "a node was drained by hand",
        "a node is new",
        "a node left",
        "an old entry of a manager is all that is wrong",
    ],
)
def test_tokens_are_read_only_for_joins_and_evictions_and_the_convergence_runs_only_for_work(
    run: Run, case: tuple[Settings | Cluster | Host | None, ...], tokens: set[str], convergence: set[str]
) -> None:
    seen, _ = run(*case)
    assert seen["tokens"].ignored == tokens
    assert seen["convergence"].ignored == convergence
    for name in ("tokens", "convergence"):
        assert set(seen[name].inputs) <= ALL_INPUTS - {"delete"}, (
            "a dead manager must not be in the way of a delete"
        )


def test_no_membership_has_an_update_or_a_delete_of_its_own(run: Run) -> None:
    seen, _ = run(*FRESH)
    for name in ("m1", "m2", "w1"):
        assert not {"update", "triggers", "environment", "delete"} & set(seen[f"{name}-membership"].inputs)


def test_keys_and_tokens_are_secret_and_in_no_command_line(run: Run, way: Ssh) -> None:
    seen, _ = run(*FRESH, stack=STACK)
    commands = [one for one in seen.values() if one.type == COMMAND]
    assert len(commands) == 9
    key = way.private_key_file.read_text()
    for one in commands:
        assert "connection" in one.secret, one.name
        assert one["connection"]["privateKey"] == key
        assert one["connection"]["hostKey"].startswith("ssh-ed25519 "), "host keys are always checked"
        shown = json.dumps(
            {name: value for name, value in one.inputs.items() if name not in one.secret}, default=str
        )
        assert not [token for token in TOKENS.values() if token in shown]
        assert one["logging"] == "stderr", "tokens and IDs are on standard output"
    memberships = [one for one in commands if one.name.endswith("-membership")]
    assert all("stdin" in one.secret and "stdin" in one.hidden for one in memberships)
    assert "stdout" in seen["tokens"].hidden


def test_an_absent_node_is_not_declared(run: Run) -> None:
    settings = declared("m1 w1 w2", unreachable=("w2",))
    seen, outputs = run(settings, None, silent("w2"))
    assert not [name for name in seen if name.startswith("w2")]
    assert [one["name"] for one in outputs["nodes"]] == ["m1", "w1"]
    assert "w2" not in seen["convergence"]["stdin"]


def test_a_change_of_role_changes_no_urn(run: Run) -> None:
    before, _ = run(*IN_PLACE)
    turned = [node("m1", role="worker"), node("m2", role="leader"), node("w1", role="manager")]
    after, _ = run(declared("m1 m2 w1", *turned), cluster("m1 m2 w1"))
    assert {one.urn for one in before.values()} == {one.urn for one in after.values()}
    assert {one.type for name, one in before.items() if name in ("m1", "m2", "w1")} == {"swarm:index:Node"}
    words = " ".join(one.urn for one in before.values())
    assert not [role for role in ("leader", "manager", "worker") if role in words]
    assert not any(one.request.aliases for one in after.values())


@pytest.mark.parametrize("control", ["m1", "m2"])
def test_the_provider_s_inputs_do_not_tell_which_manager_it_goes_through(run: Run, control: str) -> None:
    swarm = cluster("", *(entry(name, leader=name == control) for name in ("m1", "m2", "w1")), services=WHOLE)
    seen, _ = run(declared("m1 m2 w1"), swarm, stack=STACK)
    assert seen["control"].type == "pulumi:providers:docker"
    assert seen["control"]["host"] == "ssh://_control"
    assert json.loads(seen["control"]["sshOpts"]) == ["-F", ".swarm/lab/ssh_config"]
    assert "convergence" in seen["control"].after


def test_a_stack_comes_after_the_cluster_and_goes_with_it(run: Run) -> None:
    seen, _ = run(*FRESH, stack=STACK)
    ours = {"demo_backend", "demo_redis", "demo_page", "demo-settle"}
    assert {one.name for one in seen.values() if one.parent == "demo"} == ours
    for name in ours:
        assert seen[name].deleted_with == seen["swarm"].urn, name
    for name in ours - {"demo-settle"}:
        assert "convergence" in seen[name].after, name
        assert "::control::" in seen[name].request.provider, name
    assert "demo_backend" in seen["demo_redis"].after
    assert seen["demo-settle"].after >= {"demo_redis", "demo_page"}
    assert seen["demo-settle"]["stdin"].endswith("\nsettle demo_redis demo_page\n")
    assert "delete" not in seen["demo-settle"].inputs


def test_a_service_is_declared_as_in_the_compose_file(run: Run) -> None:
    page = run(*FRESH, stack=STACK)[0]["demo_page"]
    assert page["name"] == "demo_page"
    assert page["mode"] == {"replicated": {"replicas": 1}}
    assert page["taskSpec"]["containerSpec"]["image"] == "nginx:1.26.3"
    assert page["taskSpec"]["networksAdvanceds"] == [{"id": "demo_backend-id", "aliases": ["page"]}]
    (port,) = page["endpointSpec"]["ports"]
    assert (port["targetPort"], port["publishedPort"], port["publishMode"]) == (80, 8080, "ingress")
    assert {"label": "com.docker.stack.namespace", "value": "demo"} in page["labels"]
    assert "convergeConfig" not in page.inputs, "it deletes a service that fails to create"


def with_files(content: bytes = b"swordfish") -> compose.Stack:
    """The stack, where the page gets a secret, and a config of the same content."""
    redis, page = STACK.services
    return replace(
        STACK,
        services=(
            redis,
            replace(
                page,
                secrets=(compose.Reference("key", "key"),),
                configs=(compose.Reference("site", "/site"),),
            ),
        ),
        secrets=(compose.File("key", content),),
        configs=(compose.File("site", content),),
    )


def test_secrets_and_configs_are_files_of_root_s_that_all_may_read_where_docker_puts_them(run: Run) -> None:
    root = {"fileUid": "0", "fileGid": "0", "fileMode": 0o444}
    seen, _ = run(*FRESH, stack=with_files())
    container = seen["demo_page"]["taskSpec"]["containerSpec"]
    assert container["secrets"] == [
        {"secretId": "demo_key-id", "secretName": "demo_key-suffix", "fileName": "key", **root}
    ]
    assert container["configs"] == [
        {"configId": "demo_site-id", "configName": "demo_site-suffix", "fileName": "/site", **root}
    ]
    assert {"demo_key", "demo_site"} <= seen["demo_page"].after
    assert not {"demo_key", "demo_site"} & seen["demo_redis"].after
    assert not {"secrets", "configs"} & set(seen["demo_redis"]["taskSpec"]["containerSpec"])
    for name, kind in (("demo_key", "secret:Secret"), ("demo_site", "serviceConfig:ServiceConfig")):
        assert seen[name].type == f"docker:index/{kind}"
        assert seen[name]["labels"] == [{"label": "com.docker.stack.namespace", "value": "demo"}]
        assert seen[name].deleted_with == seen["swarm"].urn
        assert "convergence" in seen[name].after


def test_contents_are_secret_and_no_name_tells_anything_of_them(run: Run) -> None:
    seen, _ = run(*FRESH, stack=with_files())
    for name in ("demo_key", "demo_site"):
        assert base64.b64decode(seen[name]["data"]) == b"swordfish"
        assert "data" in seen[name].secret
        assert "data" in seen[name].hidden, "a refresh reads it, and would show it"
        assert "name" not in seen[name].inputs, "Pulumi's own has a random suffix, by which it rotates"


@pytest.mark.parametrize(
    ("observed_image", "image"),
    [
        ("nginx:1.26.3@sha256:2", "nginx:1.26.3@sha256:2"),
        ("nginx:1.26.3", "nginx:1.26.3"),
        ("nginx:1.25.0@sha256:2", "nginx:1.26.3"),
    ],
)
def test_the_digest_that_a_manager_added_to_the_same_image_is_no_difference(
    run: Run, observed_image: str, image: str
) -> None:
    swarm = cluster("m1 m2 w1", services=(WHOLE[0], replace(WHOLE[1], image=observed_image)))
    page = run(declared("m1 m2 w1"), swarm, stack=STACK)[0]["demo_page"]
    assert page["taskSpec"]["containerSpec"]["image"] == image


@pytest.mark.parametrize(
    ("services", "ignored"),
    [
        (WHOLE, ALL_INPUTS),
        (WHOLE[:1], set()),
        (SHORT, set()),
        (STUCK, set()),
    ],
    ids=["all is whole", "a service is missing", "a task is missing", "an update is stuck"],
)
def test_the_wait_for_services_is_no_difference_only_when(
    run: Run, services: tuple[Service, ...], ignored: set[str]
) -> None:
    seen, _ = run(declared("m1 m2 w1"), cluster("m1 m2 w1", services=services), stack=STACK)
    assert seen["demo-settle"].ignored == ignored


@pytest.mark.parametrize(
    ("known", "hosts", "services", "ignored"),
    [
        (cluster("m1 m2 w1"), (), WHOLE, set()),
        (cluster("m1 m2 w1", down("w2")), (idle("w2"),), SHORT, set()),
        (cluster("m1 m2 w1", down("w2")), (), SHORT, ALL_INPUTS),
        (cluster("m1 m2 w1", down("w2")), (), STUCK, set()),
        (cluster("m1 m2", down("w1"), down("w2")), (idle("w2"),), SHORT, ALL_INPUTS),
    ],
    ids=[
        "a node is new",
        "a node's host is made anew",
        "a node stays down",
        "a node stays down, and an update is stuck",
        "a node's host is made anew, and another node stays down",
    ],
)
def test_the_wait_for_services_runs_with_what_is_done_to_nodes_unless(
    run: Run, known: Cluster, hosts: tuple[Host, ...], services: tuple[Service, ...], ignored: set[str]
) -> None:
    seen, _ = run(declared("m1 m2 w1 w2"), replace(known, services=services), *hosts, stack=STACK)
    assert seen["demo-settle"].ignored == ignored


def test_the_wait_for_services_runs_when_one_of_them_changes_in_this_run(run: Run) -> None:
    """The engine calls a hook after a change, and then, before the wait, the transform."""
    seen, _ = run(declared("m1 m2 w1"), cluster("m1 m2 w1", services=WHOLE), stack=STACK)
    for name in ("demo_redis", "demo_page"):
        hooks = seen[name].request.hooks
        assert list(hooks.after_create) == list(hooks.after_update) == ["demo-changed"]
    assert len(seen["demo-settle"].request.transforms) == 1


@pytest.mark.parametrize("changed", [False, True])
def test_a_change_makes_the_wait_forget_what_it_was_to_ignore_and_tells_it_who_changed(changed: bool) -> None:
    stack: Any = object.__new__(SwarmStack)
    stack.changed, stack.services = set(), {"demo_redis": None, "demo_page": None}
    stack.args = SimpleNamespace(settle=SimpleNamespace(wait=300))
    if changed:
        stack._note_change(SimpleNamespace(name="demo_page"))
    options = pulumi.ResourceOptions(ignore_changes=["create"])
    args = pulumi.ResourceTransformArgs(True, COMMAND, "demo-settle", {"create": "line"}, options)
    result = stack._settle_after_changes(args)
    assert (result and result.opts.ignore_changes) == ([] if changed else None)
    if result:
        assert result.props["create"] == "line"
        assert "\nchanged=demo_page\n" in str(result.props["stdin"])
