"""Real labs: containers that are hosts, over real SSH."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import Lab
from swarm.errors import LabError
from tests.integration.deployment import temporary

CHECKOUT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab of one manager and one worker."""
    with temporary("a", 1, 1) as lab:
        yield lab


def containers(lab: Lab) -> dict[str, str]:
    """The identities of a lab's containers by name."""
    listed = lab._engine("ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.ID}}")
    found = dict(line.split() for line in listed.splitlines())
    return {name: identity for name, identity in found.items() if name.startswith(f"{lab.name}-")}


def traces(lab: Lab) -> str:
    """What the engine and the checkout have that carries the lab's name."""
    listings = [
        lab._engine("ps", "--all", "--format", "{{.Names}}"),
        lab._engine("volume", "ls", "--format", "{{.Name}}"),
        lab._engine("network", "ls", "--format", "{{.Name}}"),
        *(str(path) for path in (CHECKOUT / ".labs").iterdir()),
        *(str(path) for path in Path("/var/lib/cni/networks").glob("*")),
    ]
    return "\n".join(line for text in listings for line in text.splitlines() if lab.name in line)


def test_every_node_is_a_host_with_an_engine_of_its_own(lab: Lab) -> None:
    engines = {lab.run(n.name, "hostname; docker info -f '{{.ID}}'") for n in lab.nodes}
    assert len(engines) == 2
    for node in lab.nodes:
        assert lab.run(node.name, "hostname").strip() == node.name


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    before = containers(lab), lab.known_hosts.read_text()
    lab.up(1, 1)
    assert (containers(lab), lab.known_hosts.read_text()) == before


def test_a_failed_command_raises_with_what_it_wrote_to_stderr(lab: Lab) -> None:
    with pytest.raises(LabError, match=r"swarm-worker-01.*status 3.*no luck"):
        lab.run("swarm-worker-01", "echo no luck >&2; exit 3")


def test_a_command_reads_the_input_it_is_given(lab: Lab) -> None:
    assert lab.run("swarm-worker-01", "cat", input="said\n") == "said\n"


def test_an_unknown_node_is_answered_with_those_there_are(lab: Lab) -> None:
    with pytest.raises(LabError, match="swarm-manager-01, swarm-worker-01"):
        lab.run("swarm-worker-09", "true")


def test_nodes_pull_and_run_images_by_their_usual_names(lab: Lab) -> None:
    run = "docker run --rm -d --name redis redis:7.0.15 >/dev/null"
    lab.run("swarm-worker-01", f"{run} && docker exec redis redis-server --version")
    ping = "until docker exec redis redis-cli ping; do sleep 0.2; done 2>/dev/null"
    assert "PONG" in lab.run("swarm-worker-01", f"timeout 20 sh -c '{ping}'")
    lab.run("swarm-worker-01", "docker rm -f redis")


def test_a_node_that_lost_its_power_comes_back_as_the_same_host(lab: Lab) -> None:
    identity = lab.run("swarm-worker-01", "docker info -f '{{.ID}}'")
    lab.stop("swarm-worker-01")
    assert lab.status()["swarm-worker-01"] == "stopped"
    lab.start("swarm-worker-01")
    assert lab.run("swarm-worker-01", "docker info -f '{{.ID}}'") == identity
    # The other nodes reach it at once too.
    address = lab.node("swarm-worker-01").address
    lab.run("swarm-manager-01", f"timeout 3 bash -c '</dev/tcp/{address}/22'")


def test_up_starts_a_node_that_is_stopped(lab: Lab) -> None:
    before = containers(lab)
    lab.stop("swarm-manager-01")
    lab.up(1, 1)
    assert lab.status()["swarm-manager-01"].startswith("up")
    assert containers(lab) == before


def test_an_engine_that_is_killed_comes_back_by_itself(lab: Lab) -> None:
    lab.run("swarm-worker-01", "pkill -9 -x dockerd; while pgrep -x dockerd; do sleep 0.1; done")
    lab.run("swarm-worker-01", "timeout 30 sh -c 'until docker version; do sleep 0.2; done'")


def test_an_engine_that_is_stopped_stays_away_until_it_is_started(lab: Lab) -> None:
    lab.stop_engine("swarm-worker-01")
    with pytest.raises(LabError, match="status 1"):
        lab.run("swarm-worker-01", "sleep 2; docker version")
    lab.start_engine("swarm-worker-01")
    lab.run("swarm-worker-01", "docker version")


def test_a_console_answers_where_the_network_does_not(lab: Lab) -> None:
    lab.console("swarm-worker-01", "ip link set eth0 down")
    assert lab.console("swarm-worker-01", "hostname") == "swarm-worker-01"
    lab.console("swarm-worker-01", "ip link set eth0 up")
    assert lab.run("swarm-worker-01", "hostname").strip() == "swarm-worker-01"


def test_a_reimaged_node_is_another_host_of_the_same_name_and_address(lab: Lab) -> None:
    what = "hostname; hostname -I; cat /etc/ssh/ssh_host_ed25519_key.pub; docker info -f '{{.ID}}'"
    before = lab.run("swarm-worker-01", what).splitlines()
    lab.reimage("swarm-worker-01")
    after = lab.run("swarm-worker-01", what).splitlines()
    assert after[:2] == before[:2]
    assert not set(after[2:]) & set(before[2:])


def test_a_lab_grows_and_shrinks_without_touching_the_other_nodes(lab: Lab) -> None:
    before = containers(lab)
    lab.up(1, 2)
    grown = containers(lab)
    assert set(grown) - set(before) == {f"{lab.name}-swarm-worker-02"}
    assert grown.items() > before.items()
    assert lab.run("swarm-worker-02", "hostname").strip() == "swarm-worker-02"
    lab.up(1, 1)
    assert containers(lab) == before
    with pytest.raises(LabError, match="has no node swarm-worker-02"):
        lab.run("swarm-worker-02", "true")


def test_a_lab_beside_it_has_a_subnet_of_its_own_and_goes_without_a_trace(lab: Lab) -> None:
    before = containers(lab)
    with temporary("b", 1, 0) as beside:
        assert not {n.address for n in beside.nodes} & {n.address for n in lab.nodes}
        assert beside.run("swarm-manager-01", "hostname").strip() == "swarm-manager-01"
    assert traces(beside) == ""
    assert containers(lab) == before


def test_a_lab_whose_process_was_killed_is_removed_by_the_next_run(lab: Lab) -> None:
    script = (
        "import os, signal\n"
        "from lab import Lab\n"
        "lab = Lab.for_tests()\n"
        "lab.up(1, 0)\n"
        "print(lab.name, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    orphan = Lab(killed.stdout.strip())
    Lab.for_tests("next")
    assert traces(orphan) == ""
    assert lab.status().keys() == {"swarm-manager-01", "swarm-worker-01"}
