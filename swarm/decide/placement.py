"""Whether what services ask of nodes and networks can be had: rules. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from swarm.decide.actions import labels
from swarm.decide.plan import Plan
from swarm.decide.world import World
from swarm.declare.compose import Network, Service
from swarm.finding import Finding, failed, warning

LABEL = "node.labels."


@dataclass(frozen=True)
class Spot:
    """A node that takes tasks, as constraints see it; what is empty isn't known yet."""

    role: str
    labels: Mapping[str, str]
    hostname: str = ""
    node_id: str = ""

    def fits(self, constraint: str) -> bool:
        """Whether tasks with this constraint may run there; what isn't known may fit. Values are compared as
        swarmkit's constraint package does, whatever their case."""
        key, operator, wanted = (one.strip() for one in re.split("(==|!=)", constraint, maxsplit=1))
        value = self._value(key)
        return value is None or (value.lower() == wanted.lower()) == (operator == "==")

    def _value(self, key: str) -> str | None:
        if key.lower().startswith(LABEL):
            return self.labels.get(key[len(LABEL) :], "")
        known = {"node.role": self.role, "node.hostname": self.hostname, "node.id": self.node_id}
        return known.get(key.lower()) or None


def spots(world: World, plan: Plan) -> list[Spot]:
    """The nodes that take tasks when the plan is carried out: those declared, and others of the swarm."""
    found = []
    for node in world.settings.nodes:
        if node.availability == "active" and not node.lost:
            node_id, role = plan.nodes[node.name].node_id or "", "manager" if node.manager else "worker"
            seen = world.entries.get(node_id) or world.observation.get(node.name)
            found.append(Spot(role, labels(world, node), seen.hostname if seen else "", node_id))
    ours = {one.node_id for one in plan.nodes.values()}
    ours |= {entry.id for _, entry in (*plan.roster.stale, *plan.roster.leavers)}
    others = [one for one in world.entries.values() if one.id not in ours and one.availability == "active"]
    return found + [Spot(one.role, one.labels, one.hostname, one.id) for one in others]


def fitting(service: Service, nodes: list[Spot]) -> list[Spot]:
    """Those that fulfil all of a service's constraints."""
    return [one for one in nodes if all(one.fits(constraint) for constraint in service.constraints)]


def nowhere(world: World, plan: Plan) -> Iterator[Finding]:
    """Constraints that no node fulfils: the service's tasks stay pending."""
    nodes = spots(world, plan)
    for stack in world.stacks:
        for service in stack.services:
            if not fitting(service, nodes):
                alone = [one for one in service.constraints if not any(node.fits(one) for node in nodes)]
                which = " and ".join(alone or service.constraints) or "having to be active"
                what = f"no node that takes tasks fulfils {which}: its tasks would stay pending"
                remedy = (
                    "Declare a node that does, with its labels and availability, or change the constraints"
                )
                yield warning("placement", stack.full(service.name), what, remedy)


def stuck(world: World, plan: Plan) -> Iterator[Finding]:
    """An update that starts a task before it stops one, where no node may have one more."""
    nodes = spots(world, plan)
    for stack in world.stacks:
        for service in stack.services:
            most, count = service.max_replicas, len(fitting(service, nodes))
            first = service.update is not None and service.update.order == "start-first"
            if first and most and count and service.replicas and service.replicas >= most * count:
                what = (
                    f"start-first starts a task before it stops one, and there is no room: {count} fitting "
                    f"nodes with {most} each take {most * count}, and {service.replicas} replicas run already"
                )
                remedy = "Raise max_replicas_per_node, run fewer replicas, or use stop-first"
                yield failed("placement", stack.full(service.name), what, remedy)


def narrow(world: World, plan: Plan) -> Iterator[Finding]:
    """Subnets that have fewer addresses than what is on them needs."""
    nodes = spots(world, plan)
    users: dict[str, list[Service]] = defaultdict(list)
    made: dict[str, Network] = {}
    for stack in world.stacks:
        full = {one.name: one.full for one in stack.networks}
        made |= {one.full: one for one in stack.networks if not one.external and one.subnets}
        for service in stack.services:
            for attached in service.networks:
                users[full.get(attached.network, "")].append(service)
    for name, network in made.items():
        yield from _narrow(network, users[name], nodes)


def _narrow(network: Network, services: list[Service], nodes: list[Spot]) -> Iterator[Finding]:
    """Each task has an address, each service a virtual one, and each node that runs one of the tasks."""
    room = sum(max(ip_network(one).num_addresses - 3, 0) for one in network.subnets)
    fit = [len(fitting(one, nodes)) for one in services]
    tasks = sum(
        count if one.replicas is None else one.replicas for one, count in zip(services, fit, strict=True)
    )
    virtual = sum(one.endpoint_mode == "vip" for one in services)
    hosts = min(tasks, max(fit, default=0))
    if tasks + virtual + hosts > room:
        what = (
            f"no room in {', '.join(network.subnets)}: {room} addresses beside the network's own, the "
            f"gateway's and the broadcast's, for {tasks} tasks, {virtual} virtual addresses and {hosts} nodes"
        )
        remedy = (
            f"Give it a subnet with {tasks + virtual + hosts} or more; an update with start-first needs more"
        )
        yield failed("subnet", f"network {network.full}", what, remedy)
