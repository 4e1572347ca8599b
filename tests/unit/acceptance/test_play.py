"""What the play makes of tasks that it sees, and the page that it writes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance import hosts, tasks
from acceptance.driver import DONE
from acceptance.play import script
from acceptance.tasks import Sight, Task
from acceptance.transcript import Transcript
from swarm.declare.compose import Port, Service, Stack

OLD, NEW = "redis:7.0.15", "redis:8.0.2"
KEY = Path("/somebody/id_ed25519")


def task(
    id_: str = "t",
    node: str = "w1",
    image: str = OLD,
    state: str = "running",
    desired: str = "running",
    created: float = 0.0,
) -> Task:
    return Task(id_, node, image, state, desired, created)


def many(**nodes: int) -> list[Task]:
    return [task(node=name) for name, number in nodes.items() for _ in range(number)]


def test_a_task_is_read_from_what_the_engine_lists() -> None:
    listed = {
        "ID": "t1",
        "CreatedAt": "1970-01-01T00:01:00.250000000Z",
        "Spec": {"ContainerSpec": {"Image": f"{OLD}@sha256:f00"}},
        "Status": {"State": "running"},
        "DesiredState": "shutdown",
    }
    placed, waiting = tasks.parse([{**listed, "NodeID": "n1"}, listed], {"n1": "w1"})
    assert placed == task("t1", "w1", OLD, "running", "shutdown", 60.25)
    assert waiting.node == ""


def test_a_task_of_a_node_that_is_down_does_not_run() -> None:
    assert tasks.running([task(desired="shutdown"), task(state="assigned"), task("here")]) == [task("here")]


def test_tasks_are_counted_by_node() -> None:
    found = tasks.by_node([*many(w2=1, w1=2), task(node="w3", state="failed")])
    assert found == {"w1": 2, "w2": 1}
    assert tasks.counted(found) == "2 on w1, 1 on w2"
    assert tasks.counted({}) == "none runs"


@pytest.mark.parametrize(
    ("nodes", "even"),
    [
        ({"w1": 4, "w2": 4, "w3": 3}, True),
        ({"w1": 1, "w2": 1, "w3": 1}, True),
        ({"w1": 5, "w2": 3, "w3": 3}, False),
        ({"w1": 6, "w2": 5}, False),
        ({"w1": 3, "w2": 3, "w3": 3, "m1": 3}, False),
        ({}, False),
    ],
    ids=["as even as can be", "one each", "two more", "a node without", "a node too many", "none runs"],
)
def test_tasks_are_spread_evenly_or_not(nodes: dict[str, int], even: bool) -> None:
    assert tasks.even(nodes, ["w1", "w2", "w3"]) is even


def test_the_states_of_an_update_are_told_in_the_order_in_which_they_were_seen() -> None:
    seen = [Sight(state, []) for state in ("", "updating", "updating", "completed", "completed")]
    assert tasks.updates(seen) == ["updating", "completed"]
    assert tasks.updates([*seen, Sight("updating", [])]) == ["updating", "completed", "updating"]


def test_the_fewest_running_tasks_are_those_of_one_moment() -> None:
    assert tasks.fewest([Sight("", many(w1=3)), Sight("", many(w1=2)), Sight("", many(w1=3))]) == 2


def test_gaps_are_between_tasks_of_one_image_by_when_they_were_created() -> None:
    found = [task(image=NEW, created=seconds) for seconds in (24.5, 0.0, 12.0)]
    assert list(tasks.gaps([*found, task(created=13.0)], NEW)) == [12.0, 12.5]


def test_a_sight_is_told_in_words() -> None:
    found = [*many(w1=2), task(image=NEW), task(image=NEW, state="starting")]
    assert str(Sight("updating", found)) == f"updating, 2 of {OLD}, 1 of {NEW}"
    assert str(Sight("", found[:2])) == f"2 of {OLD}"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (" +  docker:index:Service play_redis created (2s) ", True),
        (" ~  command:remote:Command play-settle updated (67s) [diff: ~create]; waiting", True),
        (" -  docker:index:Network play_default deleted (2s) ", True),
        (" +  docker:index:Service play_redis creating (0s) ", False),
        (" ~  docker:index:Network demo_backend refresh (2s) ", False),
        ("    docker:index:Network demo_backend  ", False),
    ],
)
def test_what_pulumi_has_done_is_shown(line: str, shown: bool) -> None:
    assert bool(DONE.match(line)) is shown


@pytest.mark.parametrize(
    ("published", "port"), [([], 8080), ([8080, 8081], 8082), ([8081], 8080)], ids=["free", "taken", "next"]
)
def test_the_page_is_published_on_a_port_that_no_service_has(published: list[int], port: int) -> None:
    ports = tuple(Port(80, number) for number in published)
    stack = Stack("demo", (Service("web", "nginx", ports=ports),), ())
    stage: Any = SimpleNamespace(found=SimpleNamespace(stacks=[stack]))
    assert script.free_port(stage) == port


def test_no_power_is_taken_from_hosts_that_are_no_lab_s() -> None:
    assert hosts.of("no-such-lab", {KEY}) is None
    assert hosts.of("No lab can have this name", {KEY}) is None
    assert hosts.of("dev", {KEY, Path(".machines/m1.key")}) is None
    assert hosts.of("dev", {Path(".machines/m1.key"), Path(".machines/m2.key")})


def test_the_transcript_is_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    transcript = Transcript()
    transcript.act("Scale")
    transcript.say("One.")
    transcript.say("Two.")
    transcript.command("docker service ls", prompt="m1")
    transcript.output("\nID   \n  [x]\n\n")
    transcript.passed("it runs")
    transcript.passed("it is even")
    transcript.act("End")
    transcript.command("true")
    assert transcript.markdown() == (
        "## 1. Scale\n\nOne.\n\nTwo.\n\n```\nm1$ docker service ls\nID\n  [x]\n```\n\n"
        "- ✓ it runs\n- ✓ it is even\n\n## 2. End\n\n```\n$ true\n```\n"
    )
    assert "m1$ docker service ls\nID\n  [x]\n✓ it runs" in capsys.readouterr().out
