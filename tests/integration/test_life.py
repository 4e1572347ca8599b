"""A stack's life on the lab, in the order of the tests: each goes on from where the last one ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml

from lab import Lab
from tests.integration.deployment import Deployment, changed

REDIS, PAGE = "demo_redis", "demo_amazing-web-server"
DEMO = {REDIS: "1/1", PAGE: "2/2"}
OUTSIDE = "inactive"


def replicas(deployment: Deployment) -> dict[str, str]:
    listed = deployment.docker("service ls --format '{{.Name}} {{.Replicas}}'")
    return dict(line.split()[:2] for line in listed.splitlines())


def tasks(deployment: Deployment, service: str) -> set[str]:
    return set(deployment.docker(f"service ps -q --filter desired-state=running {service}").split())


def containers(deployment: Deployment, service: str) -> list[tuple[str, str]]:
    """The nodes that run a task of a service, and there what names its container to a shell."""
    listed = deployment.docker(
        f"service ps --filter desired-state=running --format '{{{{.Node}}}}' {service}"
    )
    container = f"$(docker ps -q --filter label=com.docker.swarm.service.name={service})"
    return [(node, container) for node in listed.split()]


def counted(deployment: Deployment) -> set[int]:
    """The starts of the page's tasks, by the pages: each has its own as soon as it could ask redis."""
    starts = set()
    for node, container in containers(deployment, PAGE):
        page = f"docker exec {container} curl -s http://localhost/"
        deployment.until(f"{page} | grep -q 'counted: [0-9]'", node)
        starts.add(int(deployment.lab.run(node, page).split()[-1]))
    return starts


@contextmanager
def process_lists(lab: Lab, node: str) -> Iterator[list[str]]:
    """What was in a node's process list at any time; filled in at the end."""
    seen: list[str] = []
    recorder = lab.run(
        node, "nohup sh -c 'while ps -eo args; do sleep 0.02; done' >/root/ps.log 2>&1 </dev/null & echo $!"
    )
    try:
        yield seen
    finally:
        lab.run(node, f"kill {recorder}")
        seen += lab.run(node, "sort -u /root/ps.log; rm /root/ps.log").splitlines()


def test_up_makes_six_ready_nodes_and_the_demo_stack(deployment: Deployment) -> None:
    output = deployment.up()

    nodes = {node["Hostname"]: node for node in deployment.node_list()}
    assert len(nodes) == 6
    assert {node["Status"] for node in nodes.values()} == {"Ready"}
    managers = {name: node for name, node in nodes.items() if "manager" in name}
    assert {node["Availability"] for node in managers.values()} == {"Drain"}
    assert sorted(node["ManagerStatus"] for node in managers.values()) == ["Leader", "Reachable", "Reachable"]
    workers = [node for name, node in nodes.items() if "worker" in name]
    assert {(node["Availability"], node["ManagerStatus"]) for node in workers} == {("Active", "")}
    assert replicas(deployment) == DEMO
    assert "demo" in deployment.docker("stack ls")
    assert "SWMTKN" not in output
    assert "PRIVATE KEY" not in output


def test_the_outputs_name_the_nodes_the_cluster_the_services_and_the_endpoints(
    deployment: Deployment,
) -> None:
    outputs = json.loads(deployment.pulumi("stack", "output", "--json"))
    assert [(node["name"], node["role"]) for node in outputs["nodes"]][:2] == [
        ("swarm-manager-01", "leader"),
        ("swarm-manager-02", "manager"),
    ]
    assert {node["id"] for node in outputs["nodes"]} == {node["ID"] for node in deployment.node_list()}
    assert outputs["cluster"] == deployment.docker("info --format '{{.Swarm.Cluster.ID}}'").strip()
    assert set(outputs["services"]) == set(DEMO)
    assert {endpoint["mode"] for endpoint in outputs["endpoints"]} == {"ingress", "host"}


def test_no_token_and_no_key_is_in_the_state_or_the_outputs(deployment: Deployment) -> None:
    assert "SWMTKN" in deployment.pulumi("stack", "export", "--show-secrets")
    for text in (deployment.export(), deployment.pulumi("stack", "output", "--json")):
        assert "SWMTKN" not in text
        assert "PRIVATE KEY" not in text


def test_a_preview_of_what_is_in_place_has_no_changes(deployment: Deployment) -> None:
    deployment.preview()


def test_a_second_up_changes_nothing(deployment: Deployment) -> None:
    before = tasks(deployment, REDIS) | tasks(deployment, PAGE)
    assert changed(deployment.up()) == {}
    assert tasks(deployment, REDIS) | tasks(deployment, PAGE) == before


def test_verify_passes_and_says_so_to_machines(deployment: Deployment) -> None:
    done = deployment.operation("verify", "--json")
    assert done.returncode == 0, done.stdout
    checks = json.loads(done.stdout)
    pages = [check for check in checks if check["check"] == "port 8081 (host)"]
    assert sum(len(check["where"]) for check in pages) == 2
    assert all("200 OK, asked from 6 nodes" in check["finding"] for check in pages)


def test_redis_counts_on_from_what_its_volume_has_kept(deployment: Deployment) -> None:
    before = counted(deployment)
    assert len(before) == 2, "each of the two pages reaches redis by its name, and is counted"
    old = tasks(deployment, REDIS) | tasks(deployment, PAGE)
    for node, container in containers(deployment, REDIS) + containers(deployment, PAGE):
        deployment.lab.run(node, f"docker kill {container}")
    running = f"docker service ps -q --filter desired-state=running {REDIS} {PAGE}"
    deployment.until(f"! {running} | grep -qE '{'|'.join(old)}'")
    deployment.preview()  # which waits until all tasks run
    assert min(counted(deployment)) > max(before) > 0


def test_a_preview_after_every_host_was_restarted_has_no_changes(deployment: Deployment) -> None:
    lab = deployment.lab
    with ThreadPoolExecutor() as pool:
        list(pool.map(lab.stop, [node.name for node in lab.nodes]))
        list(pool.map(lab.start, [node.name for node in lab.nodes]))
    deployment.preview()


def test_a_worker_that_left_is_seen_by_preview_and_brought_back_by_up(deployment: Deployment) -> None:
    deployment.lab.run("swarm-worker-02", "docker swarm leave")
    assert "swarm-worker-02-membership" in deployment.preview(changes=True)
    assert deployment.operation("verify").returncode == 1

    assert changed(deployment.up())["updated"] == {
        "swarm-worker-02-membership",
        "swarm-worker-02-departure",
        "tokens",
        "convergence",
        "demo-settle",
    }
    assert [node["Status"] for node in deployment.node_list()] == ["Ready"] * 6
    deployment.preview()


def test_a_service_scaled_by_hand_is_seen_and_repaired_without_new_tasks(deployment: Deployment) -> None:
    before = tasks(deployment, PAGE)
    deployment.docker(f"service scale --detach {PAGE}=3")
    assert PAGE in deployment.preview(changes=True)

    assert changed(deployment.up())["updated"] == {PAGE, "demo-settle"}
    assert replicas(deployment) == DEMO
    kept = tasks(deployment, PAGE) & before
    assert kept, "a change of scale must not replace the tasks that stay"


def test_a_node_that_is_added_touches_nothing_else(deployment: Deployment) -> None:
    lab = deployment.lab
    lab.up(3, 4)
    deployment.configure(nodes=deployment.nodes())
    with (
        process_lists(lab, "swarm-worker-04") as on_worker,
        process_lists(lab, "swarm-manager-01") as on_manager,
    ):
        output = deployment.up()

    assert changed(output) == {
        "created": {"swarm-worker-04-membership", "swarm-worker-04-departure"},
        "updated": {"tokens", "convergence", "demo-settle"},
    }
    assert len(deployment.node_list()) == 7
    assert any("docker system dial-stdio" in line for line in on_worker), "the join was not recorded"
    assert not any("SWMTKN" in line for line in (*on_worker, *on_manager))


def test_a_node_that_is_taken_out_is_drained_and_leaves_no_entry(deployment: Deployment) -> None:
    stays = [node for node in deployment.nodes() if node["name"] != "swarm-worker-04"]
    deployment.configure(nodes=stays)
    output = deployment.up()

    assert changed(output) == {
        "updated": {"convergence", "demo-settle"},
        "deleted": {"swarm-worker-04-membership", "swarm-worker-04-departure"},
    }
    drained, removed = (output.index(said) for said in ("run elsewhere", "removing swarm-worker-04"))
    assert drained < removed < output.index("swarm-worker-04-departure deleted")
    assert len(deployment.node_list()) == 6
    state = deployment.docker("info --format '{{.Swarm.LocalNodeState}}'", "swarm-worker-04").strip()
    assert state == OUTSIDE
    deployment.preview()
    deployment.lab.up(3, 3)


def test_a_service_that_cannot_start_fails_the_up_with_the_reason(deployment: Deployment) -> None:
    broken = {"services": {"app": {"image": "redis:no-such-tag"}}}
    (deployment.folder / "broken.yaml").write_text(yaml.safe_dump(broken))
    demo = deployment.settings["swarm:stacks"]
    deployment.configure(stacks=[*demo, {"name": "broken", "compose": "broken.yaml"}])
    output = deployment.up(fails=True)

    assert "service broken_app doesn't settle" in output
    assert "No such image: redis:no-such-tag" in output
    assert "Traceback" not in output

    deployment.configure(stacks=demo)
    assert "broken_app" in changed(deployment.up())["deleted"]
    assert replicas(deployment) == DEMO


def test_destroy_leaves_nothing_on_any_host(deployment: Deployment) -> None:
    deployment.destroy()

    assert deployment.resources() == []
    left = (
        "docker info --format '{{.Swarm.LocalNodeState}}';"
        "docker ps -aq; docker network ls -q --filter driver=overlay"
    )
    assert {deployment.lab.run(node.name, left).strip() for node in deployment.lab.nodes} == {OUTSIDE}


@pytest.mark.usefixtures("lab")
def test_up_after_a_destroy_works_as_typed_by_a_user(deployment: Deployment) -> None:
    deployment.pulumi("up", "--yes", "--stack", deployment.stack)
    assert replicas(deployment) == DEMO
    deployment.pulumi("preview", "--expect-no-changes", "--stack", deployment.stack)
    deployment.pulumi("destroy", "--yes", "--stack", deployment.stack)
    assert deployment.resources() == []
