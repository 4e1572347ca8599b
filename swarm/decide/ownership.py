"""Whose a swarm is, and whose a host's membership: one rule, asked everywhere. Pure.

A swarm is ours if it carries our owner label, whose ID is in this stack's state, and no other owner's; or,
where it carries no ID at all, if the state knows one of its nodes. A membership is ours if its swarm is, if
its node ID is among those of our swarm or of the state, or if its managers are. Anything else is a
stranger's, in whatever state the host's engine is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swarm.declare.labels import OWNER_LABEL, STACK_LABEL
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster, Host, SwarmNode


class Standing(StrEnum):
    """What a host's membership is to us."""

    NONE = "in no swarm"
    OURS = "in our swarm"
    FOREIGN = "in another swarm"
    UNKNOWN = "on its way into a swarm that isn't known"


@dataclass(frozen=True)
class Known:
    """What this stack's state knows: the ID by which it owns a swarm (a new one where it has none), the node
    IDs of the memberships that it has made, by name, and the names of its services and its commands."""

    owner: str
    node_ids: Mapping[str, str] = field(default_factory=dict)
    services: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()

    @property
    def ids(self) -> set[str]:
        """The node IDs."""
        return set(self.node_ids.values())


@dataclass(frozen=True)
class Owner:
    """Who looks after a swarm: a program's `project/stack`, and the ID in its state; programs before the
    IDs have none."""

    stack: str
    id: str = ""

    def __str__(self) -> str:
        return f"{self.stack} (owner ID {self.id})" if self.id else self.stack


def owner_labels(settings: Settings, known: Known) -> dict[str, str]:
    """The labels by which a swarm is this stack's."""
    return {STACK_LABEL: settings.owner_label, OWNER_LABEL: known.owner}


def owners(cluster: Cluster) -> list[Owner]:
    """The owners by a swarm's own labels, and by the configs that marked it before there were IDs."""
    stack, owner_id = cluster.labels.get(STACK_LABEL, ""), cluster.labels.get(OWNER_LABEL, "")
    found = [Owner(stack, owner_id)] if stack or owner_id else []
    return found + [Owner(one) for one in sorted(set(cluster.label_configs.values())) if one != stack]


def is_ours(settings: Settings, known: Known, cluster: Cluster) -> bool:
    """Whether a swarm is known to be this stack's."""
    found = owners(cluster)
    if any(one.id for one in found):
        return found == [Owner(settings.owner_label, known.owner)]
    return found in ([], [Owner(settings.owner_label)]) and bool(known.ids & cluster.entries.keys())


def is_claimed(settings: Settings, known: Known, cluster: Cluster) -> bool:
    """Whether a swarm carries our labels, and nothing of before."""
    return (
        is_ours(settings, known, cluster)
        and bool(cluster.labels.get(OWNER_LABEL))
        and not cluster.label_configs
    )


def is_labelled(known: Known, entry: SwarmNode) -> bool:
    """Whether a node of the swarm is this stack's: by its label, or by its ID in the state."""
    owner = entry.labels.get(OWNER_LABEL)
    return owner == known.owner if owner else entry.id in known.ids


def standing(known: Known, cluster: Cluster | None, swarms: Iterable[Cluster], host: Host) -> Standing:
    """What a host's membership is to us; `cluster` is our swarm among those that are seen, if it is."""
    if not host.member:
        return Standing.NONE
    others = [one for one in swarms if not cluster or one.id != cluster.id]
    theirs = {node_id for one in others for node_id in one.entries}
    ours = (known.ids | set(cluster.entries if cluster else ())) - theirs
    swarm_id = host.cluster.id if host.cluster else host.cluster_id
    if cluster and swarm_id:
        return Standing.OURS if swarm_id == cluster.id else Standing.FOREIGN
    if host.node_id in ours or ours & set(host.manager_ids):
        return Standing.OURS
    if cluster and not host.manager_ids and _addresses(cluster) & set(host.managers):
        return Standing.OURS
    unsaid = host.state == "pending" and not {host.node_id, *host.manager_ids} & theirs
    return Standing.UNKNOWN if unsaid else Standing.FOREIGN


def _addresses(cluster: Cluster) -> set[str]:
    return {entry.address for entry in cluster.entries.values() if entry.role == "manager"}
