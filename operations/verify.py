"""Role by role, whether the live nodes are as declared.

A leader leads, managers are Reachable, workers are Ready and neither; services have their tasks;
published ports answer, asked from every node. The exit code is 0 only if all of it holds.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from shlex import quote

from operations import table
from operations.stack import prepare
from swarm import process, ssh
from swarm.declare.compose import Port, Service, Stack
from swarm.declare.settings import Node
from swarm.errors import CommandError
from swarm.faults import doing
from swarm.finding import Finding, Verdict, summed, unknown
from swarm.observe.model import Cluster
from swarm.run import Run
from swarm.ssh import config_file

ANSWER_SECONDS = 10  # the SSH connection aside
WORDS_MOST = 200  # characters of what a port answers


def main(stack: str, *, json: bool) -> int:
    """Prints the checks; gives the exit code."""
    found = prepare(stack)
    doing("asking the live nodes")
    code = table.tell(summed(verify(found)), "where", found.observation, machine=json)
    if not json:
        control = found.plan.control or found.settings.leader.name
        print(f"\nlook: ssh -F {config_file(stack)} {control} docker service ls")
    return code


def verify(found: Run) -> Iterator[Finding]:
    """All checks of a stack."""
    cluster = found.plan.cluster
    if cluster is None:
        why = "; ".join(map(str, found.plan.refusals)) or "no host is in a swarm"
        yield checked("swarm", found.settings.stack, why, passed=False)
        return
    leaders = [entry.name for entry in cluster.entries.values() if entry.leader]
    yield checked("one leader", "swarm", ", ".join(leaders) or "none", len(leaders) == 1)
    for node in found.settings.nodes:
        if not node.lost:
            yield node_check(node, found.plan.nodes[node.name].node_id, cluster)
    for stack in found.stacks:
        for service in stack.services:
            yield service_check(stack.full(service.name), service, cluster)
        yield from port_checks(found, cluster, stack)


def checked(check: str, where: str, what: str, passed: bool) -> Finding:
    """What was found of one assertion."""
    return Finding(check, (where,), what, Verdict.OK if passed else Verdict.FAILED)


def node_check(node: Node, node_id: str | None, cluster: Cluster) -> Finding:
    """A node's role in the swarm, and that it takes part: managers drained, if so declared."""
    what = "manager, Leader or Reachable" if node.manager else "worker, neither Leader nor Reachable"
    entry = cluster.entries.get(node_id or "")
    if entry is None:
        return checked(what, node.name, "not in the swarm", passed=False)
    consensus = "Leader" if entry.leader else "Reachable" if entry.reachable else "neither"
    finding = f"{entry.state.capitalize()}, {entry.availability}, {consensus}"
    in_role = (entry.role == "manager") == node.manager == entry.reachable
    passed = in_role and entry.ready and entry.availability == node.availability
    return checked(what, node.name, finding, passed)


def service_check(name: str, declared: Service, cluster: Cluster) -> Finding:
    """A service's tasks, against those declared."""
    live = next((service for service in cluster.services if service.name == name), None)
    if live is None:
        return checked("service", name, "not there", passed=False)
    wanted = live.desired if declared.replicas is None else declared.replicas
    finding = f"{live.running}/{wanted} tasks, {live.image.partition('@')[0]}"
    nowhere = declared.replicas is None and not wanted  # a global service that no node is for
    return checked("service", name, finding, live.settled and live.desired == wanted and not nowhere)


def port_checks(found: Run, cluster: Cluster, stack: Stack) -> Iterator[Finding]:
    """Every published TCP port, asked from every node that answers: in host mode on the nodes that
    run a task, through the mesh on the asking node itself."""
    path = config_file(found.settings.stack)
    asking = [
        node for node in found.settings.nodes if (h := found.observation.get(node.name)) and not h.problem
    ]
    published = [(one, port) for one in stack.services for port in one.ports if port.protocol == "tcp"]
    for service, port in published:
        what = f"port {port.published} ({port.mode})"
        if port.mode == "host":
            try:
                targets = task_addresses(found, stack.full(service.name), cluster)
            except CommandError as error:
                why = f"no manager tells where its tasks are: {error}"
                yield checked(what, stack.full(service.name), why, passed=False)
                continue
            asked = [(node, address) for node in asking for address in targets]
            if not asked:
                yield checked(what, stack.full(service.name), "no node runs a task of it", passed=False)
        else:
            capable = [node for node in asking if found.observation[node.name].ip_vs]
            asked = [(node, node.address) for node in capable]
            without = [node.name for node in asking if node not in capable]
            if without:
                yield unknown(what, without, "no IP_VS in the kernel there")
        with ThreadPoolExecutor(max_workers=8) as pool:
            nodes, addresses = [node for node, _ in asked], [address for _, address in asked]
            answers = list(pool.map(partial(ask, path, port), nodes, addresses))
        yield from agreeing(what, asked, answers)


def agreeing(
    what: str, asked: Sequence[tuple[Node, str]], answers: Sequence[tuple[bool, str]]
) -> Iterator[Finding]:
    """One line for all that agree: the same answer from the same address, with who asked."""
    lines: dict[tuple[str, bool, str], list[str]] = {}
    for (node, address), (passed, finding) in zip(asked, answers, strict=True):
        lines.setdefault((address, passed, finding), []).append(node.name)
    for (address, passed, finding), names in lines.items():
        who = f"{len(names)} nodes" if len(names) > 1 else names[0]
        yield checked(what, address, f"{finding}, asked from {who}", passed)


def task_addresses(found: Run, service: str, cluster: Cluster) -> list[str]:
    """The addresses of the nodes that run a task of the service. CommandError: nobody tells."""
    command = (
        f"docker service ps -q --filter desired-state=running {quote(service)} |"
        " xargs -r docker inspect --type task --format '{{.NodeID}}'"
    )
    control = found.settings.node(found.plan.control)
    asked = ssh.command(config_file(found.settings.stack), control.name, command)
    listed = process.output(asked, control.ssh.connect_timeout + ANSWER_SECONDS)
    return sorted({cluster.entries[one].address for one in listed.split() if one in cluster.entries})


def ask(path: Path, port: Port, node: Node, address: str) -> tuple[bool, str]:
    """Whether address:port answers, asked from the node, through its sshd; and what it says."""
    seconds = node.ssh.connect_timeout + ANSWER_SECONDS
    request = f"GET / HTTP/1.0\r\nHost: {address}\r\n\r\n"
    command = ssh.command(path, node.name, options=("-W", f"{address}:{port.published}"))
    try:
        asked = process.run(command, seconds, request)
    except subprocess.TimeoutExpired:
        return False, f"no answer within {seconds} s"
    if asked.returncode:
        said = asked.stderr.strip().splitlines()
        return False, said[0][:WORDS_MOST] if said else "ssh ended early"
    status = asked.stdout.partition("\n")[0]
    return True, status[:WORDS_MOST] if status.startswith("HTTP/") else "accepts connections"
