"""What each command does in a run, and which of its inputs are ignored."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from swarm.decide.commands import ALL_BUT_DELETE, EVERY_INPUT, IGNORED, NOTHING
from swarm.decide.decisions import decide, give_up
from swarm.decide.plan import Step
from swarm.declare import compose
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster, Host, Service
from tests.unit.builders import KNOWN, cluster, declared, down, entry, idle, node, observed, silent

SHOP = compose.Stack("shop", (compose.Service("web", "nginx:1.26.3", replicas=1),))
WEB = Service("id", "shop_web", "shop", "nginx:1.26.3", 1, 1)
THERE = cluster("m1 w1", services=(WEB,))
LOST = declared("m1 w1", node("w1", lost=True))
ABSENT = declared("m1 w1", unreachable=("w1",))
STATE = replace(KNOWN, node_ids={"w1": "id-w1"})
WORDS = {NOTHING: "runs", EVERY_INPUT: "-", ALL_BUT_DELETE: "loses a delete"}


def test_every_step_says_what_its_commands_ignore() -> None:
    assert set(IGNORED) == set(Step)


# What is a difference: of w1's membership and departure; of tokens, convergence and the wait for services.
CASES = {
    "all is in place": (declared("m1 w1"), THERE, (), "loses a delete/runs", "-/-/-"),
    "a swarm is started": (declared("m1 w1"), None, (), "runs/runs", "runs/runs/runs"),
    "a node joins": (declared("m1 w1"), cluster("m1"), (), "runs/runs", "runs/runs/runs"),
    "a node's host is made anew": (
        declared("m1 w1"),
        cluster("m1", down("w1"), services=(WEB,)),
        (idle("w1"),),
        "runs/runs",
        "runs/runs/runs",
    ),
    "a member is silent": (
        declared("m1 w1"),
        cluster("m1", down("w1"), services=(WEB,)),
        (),
        "-/runs",
        "-/-/-",
    ),
    "a node is lost": (LOST, cluster("m1", down("w1"), services=(WEB,)), (), "-/-", "-/runs/runs"),
    "a node that the state knows is left out": (ABSENT, cluster("m1"), (silent("w1"),), "-/-", "-/-/runs"),
    "a node was drained by hand": (
        declared("m1 w1"),
        cluster("m1", entry("w1", availability="drain"), services=(WEB,)),
        (),
        "loses a delete/runs",
        "-/runs/runs",
    ),
    "a service lacks a task": (
        declared("m1 w1"),
        cluster("m1 w1", services=(replace(WEB, running=0),)),
        (),
        "loses a delete/runs",
        "-/-/runs",
    ),
}


@pytest.mark.parametrize(
    ("settings", "swarm", "hosts", "of_node", "of_managers"), CASES.values(), ids=CASES.keys()
)
def test_what_is_a_difference_where(
    settings: Settings, swarm: Cluster | None, hosts: Sequence[Host], of_node: str, of_managers: str
) -> None:
    commands = decide(settings, STATE, observed(settings, swarm, *hosts), [SHOP]).commands
    said = {name: WORDS[one.ignored] for name, one in commands.items()}
    assert f"{said['w1-membership']}/{said['w1-departure']}" == of_node
    assert f"{said['tokens']}/{said['convergence']}/{said['shop-settle']}" == of_managers


def test_a_script_runs_where_it_is_dialed_and_gets_its_seconds() -> None:
    settings = declared("m1 m2 w1", drain_timeout=77)
    swarm = cluster("m1 m2 w2", entry("m1", leader=False), entry("m2", leader=True))
    commands = decide(settings, KNOWN, observed(settings, swarm), [SHOP]).commands
    assert {name: (one.node.name, one.seconds, one.dialed) for name, one in commands.items()} == {
        "m1-membership": ("m1", 0, False),
        "m1-departure": ("m1", 0, True),
        "m2-membership": ("m2", 0, False),
        "m2-departure": ("m2", 0, True),
        "w1-membership": ("w1", 180, True),
        "w1-departure": ("w1", 0, True),
        "tokens": ("m2", 120, True),
        "convergence": ("m2", 600 + 77, True),  # w2 is drained
        "shop-settle": ("m2", 360, True),
    }
    assert commands["convergence"].wait == 77


def test_a_node_of_which_nothing_is_known_has_no_command() -> None:
    commands = decide(ABSENT, KNOWN, observed(ABSENT, cluster("m1"), silent("w1"))).commands
    assert not [name for name in commands if name.startswith("w1")]


def test_a_destroy_runs_no_command_of_a_node_that_the_state_lacks_and_retains_who_stays() -> None:
    known = replace(KNOWN, commands=frozenset({"m1-departure", "w1-departure"}))
    settings = declared("m1 w1")
    commands = give_up(settings, known, observed(settings, THERE, silent("w1")), [SHOP]).commands
    assert set(commands) == {"m1-departure", "w1-departure", "tokens", "convergence", "shop-settle"}
    assert {name for name, one in commands.items() if one.retained} == {"w1-departure"}
