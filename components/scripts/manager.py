"""The scripts that a live manager runs for the whole swarm, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from components.scripts.host import SCRIPTS
from swarm.decide.plan import Action
from swarm.script import render

AWAIT_SECONDS = 120  # until a node that is a member is Ready


def tokens(evictions: Iterable[Action], drain_seconds: int) -> str:
    """Labels the swarm, and removes entries that stand in the way of joins; gives the tokens, by role."""
    return _manager([*calls(evictions, {}), ("tokens",)], drain_seconds)


def convergence(work: Iterable[Action], node_ids: Mapping[str, str], drain_seconds: int) -> str:
    """Does the work; `node_ids` are those of the nodes that joined in this run, by name."""
    return _manager(calls(work, node_ids), drain_seconds)


def _manager(work: Iterable[Sequence[str]], drain_seconds: int) -> str:
    return render(SCRIPTS / "manager.sh", work, await_seconds=AWAIT_SECONDS, drain_seconds=drain_seconds)


def calls(work: Iterable[Action], node_ids: Mapping[str, str]) -> list[Sequence[str]]:
    """A call per task: its verb, the node's name, its ID, the arguments."""
    return [
        (task.verb, task.name, task.node_id or node_ids.get(task.name, "-"), *task.arguments) for task in work
    ]
