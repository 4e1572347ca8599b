"""The words in which decisions are said: a step per node, tasks for managers, findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swarm.decide.ownership import Known
from swarm.declare.settings import Node
from swarm.finding import Finding, Verdict
from swarm.observe.model import Cluster, SwarmNode


class Step(StrEnum):
    """What becomes of a node's membership."""

    IN_PLACE = "is in place"
    INIT = "starts the swarm"
    JOIN = "joins"
    UNREACHABLE = "is a member that gives no answer, and is left alone"
    ABSENT = "gives no answer and isn't known as a member, and is left out"
    LOST = "is lost, and taken out of the swarm without being dialled"
    FOREIGN = "is in another swarm, and is left alone"


@dataclass(frozen=True)
class NodePlan:
    """A node's step. `node_id` is that of its entry, None until it has one; `stale_id` is a
    membership of its host that has no future, to be left before it joins. `pending`: the host is on its way
    into our swarm already. `retained`: it isn't dialed when the node is deleted."""

    step: Step
    node_id: str | None = None
    stale_id: str | None = None
    pending: bool = False
    retained: bool = False


Nodes = Mapping[str, NodePlan]  # by name


@dataclass(frozen=True)
class Roster:
    """Entries of the swarm's list beside those of the declared nodes in their places: old ones of nodes whose
    hosts are other members by now, or none; those of nodes that left the configuration or are lost; and those
    that nobody declares. The first two with the nodes' names."""

    stale: tuple[tuple[str, SwarmNode], ...] = ()
    leavers: tuple[tuple[str, SwarmNode], ...] = ()
    strangers: tuple[SwarmNode, ...] = ()


@dataclass(frozen=True)
class Action:
    """One line of work for a manager: `verb` is a function of the manager's script, `node_id`
    is None for a node that joins in this very run. `words` say it where its arguments would not."""

    verb: str
    name: str
    node_id: str | None = None
    arguments: tuple[str, ...] = ()
    words: str = ""

    def __str__(self) -> str:
        return self.words or " ".join((self.verb, self.name, *self.arguments))


@dataclass(frozen=True)
class Start:
    """What is settled when a swarm is started; `labels` are its own."""

    labels: Mapping[str, str] = field(default_factory=dict)
    address_pool: str | None = None
    data_path_port: int | None = None


@dataclass(frozen=True)
class Order:
    """The nodes that are declared, in the order in which they join: before there are tokens, then managers
    one by one, then workers. They leave in the other order."""

    starters: tuple[Node, ...] = ()
    managers: tuple[Node, ...] = ()
    workers: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Command:
    """What a command does this time: its script runs on the node, within `seconds`, and waits for tasks
    `wait` seconds at most; 0 `seconds`: it has none. A difference of `ignored` inputs is none. `dialed`: the
    way to the node is declared. `retained`: it is forgotten where it would be deleted."""

    node: Node
    purpose: str
    seconds: int
    ignored: tuple[str, ...]
    wait: int = 0
    dialed: bool = True
    retained: bool = False


@dataclass(frozen=True)
class Plan:
    """All that a run is to do to the nodes; nothing may be done while it has refusals."""

    nodes: Nodes
    known: Known  # by the state
    control: str | None = None  # the node whose manager takes the control commands
    cluster: Cluster | None = None  # ours, where it lives already
    roster: Roster = Roster()
    start: Start = Start()
    # Before the joins: our labels on a swarm that lacks them, entries of managers that join anew.
    evictions: tuple[Action, ...] = ()
    work: tuple[Action, ...] = ()  # after the joins
    findings: tuple[Finding, ...] = ()
    order: Order = Order()
    commands: Mapping[str, Command] = field(default_factory=dict)  # by name; no other is declared

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """What speaks against it."""
        return tuple(one for one in self.findings if one.verdict is Verdict.FAILED)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What works but should be known."""
        return tuple(one for one in self.findings if one.verdict is Verdict.WARNING)

    @property
    def managers(self) -> tuple[str, ...]:
        """The addresses of the managers that answer, and that joins go to."""
        entries = self.cluster.entries.values() if self.cluster else ()
        gone = {action.node_id for action in self.evictions}
        return tuple(
            one.address for one in entries if one.role == "manager" and one.ready and one.id not in gone
        )

    @property
    def complete(self) -> bool:
        """Whether all nodes that are to run tasks take part when it is done: services can have theirs."""
        actions = (*self.evictions, *self.work)
        handled = {action.node_id for action in actions if action.verb in ("await", "remove")}
        return not self.cluster or all(one.id in handled for one in self.cluster.missing)

    def outline(self) -> str:
        """What will be done, in words; empty where there is nothing to do."""
        joining = self.steps(Step.INIT, Step.JOIN)
        joins = [f"{name} {self.nodes[name].step}" for name in joining]
        # What is done to a node that has no ID yet goes with its joining; where it has one, or had, that
        # is another entry.
        evictions, work = (
            [
                f"{action.verb} {action.name}'s old entry" if self._is_old(action) else str(action)
                for action in actions
                if action.node_id or action.name not in self.nodes
            ]
            for actions in (self.evictions, self.work)
        )
        return "; ".join((*evictions, *joins, *work))

    def _is_old(self, action: Action) -> bool:
        plan = self.nodes.get(action.name)
        return bool(plan and plan.step is not Step.LOST and plan.node_id != action.node_id)

    def steps(self, *wanted: Step) -> list[str]:
        """The names of the nodes with one of these steps."""
        return [name for name, node in self.nodes.items() if node.step in wanted]
