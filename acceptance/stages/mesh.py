"""The routing mesh, the swarm's DNS, and large packets between tasks; services of its own come and go."""

from __future__ import annotations

import itertools
import re
import shlex
import subprocess
from collections import Counter
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path

from acceptance import tasks
from acceptance.driver import Driver
from acceptance.play import script
from operations.doctor import overlay
from operations.doctor.examination import ask
from operations.doctor.ports import Hosts
from swarm import process, ssh
from swarm.declare.settings import Node
from swarm.errors import PlayError
from swarm.finding import Verdict
from swarm.script import render
from swarm.ssh import config_file

STACK = "mesh"
REQUESTS = 1000
LEAST = 400  # of which each of two replicas has, where they are spread
NAMES = 20  # requests by which all replicas are met: DNS gives their addresses in any order
ASK_SECONDS = 180
ENCRYPTED_MTU = overlay.MTU - 26  # bytes: Docker leaves room for the encryption

ESP = Path(__file__).with_name("esp.sh")


def give(stage: Driver) -> None:
    """The complete stage. PlayError: a check fails; `make up` then takes away what is left."""
    port = script.free_port(stage)
    stage.open()
    stage.set("name", STACK)
    stage.set("compose", "stacks/mesh/mesh.yaml")
    stage.set("variables.PORT", port)
    stage.up()
    without = [name for name, host in stage.found.observation.items() if not host.ip_vs]
    if without:
        why = f"no IP_VS in the kernel of {of(without, stage.found.observation)}"
        stage.transcript.unchecked(
            f"ports through the mesh on every node, and how it spreads requests: {why}"
        )
    else:
        every_node(stage, port)
        spread(stage, port)
    addresses(stage, answers=not without)
    packets(stage)
    stage.unset()
    stage.up()
    stage.until("nothing left", lambda: not stage.swarm.remains(STACK))
    stage.transcript.passed("nothing is left of it")
    stage.close()


def of(names: Collection[str], everyone: Collection[str]) -> str:
    """Names of hosts, in words."""
    return "any host" if len(names) == len(everyone) else ", ".join(names)


def every_node(stage: Driver, own: int) -> None:
    """Every published port on every node, with a task and without."""
    published = {
        (stack.full(service.name), port.published or 0)
        for stack in stage.found.stacks
        for service in stack.services
        for port in service.ports
        if port.published and port.mode == "ingress" and port.protocol == "tcp"
    }
    nodes = [node for node in stage.found.settings.nodes if not node.lost]
    for service, port in sorted({*published, (f"{STACK}_vip", own)}):
        busy = tasks.by_node(stage.swarm.tasks(service))
        for node in nodes:
            found = stage.until(f"an answer of {node.name}:{port}", partial(answer, node, port))
            stage.transcript.output(f"http://{node.host}:{port}/: {found}")
        managers = sum(node.manager for node in nodes)
        stage.transcript.passed(
            f"port {port} answers on all {len(nodes)} nodes, {managers} managers among them; "
            f"tasks: {tasks.counted(busy)}"
        )


def answer(node: Node, port: int) -> str | None:
    """The first line of a page, asked from here; None: there is none."""
    try:
        with script.page(node, port) as page:
            return str(page.readline().decode(errors="replace").strip()) or "an empty line"
    except OSError:
        return None


def spread(stage: Driver, port: int) -> None:
    """How many requests each replica answers, asked on all nodes in turn."""
    nodes = [node for node in stage.found.settings.nodes if not node.lost]
    turns = itertools.islice(itertools.cycle(nodes), REQUESTS)
    answers = Counter(answer(node, port) for node in turns)  # one by one: emulated machines have enough to do
    told = ", ".join(f"{number} {words or 'without an answer'}" for words, number in answers.items())
    what = f"{REQUESTS} requests, on {len(nodes)} nodes in turn: {told}"
    stage.check(what, evenly(answers), "that isn't evenly over two replicas")


def evenly(answers: Mapping[str | None, int]) -> bool:
    """Whether two replicas answered all requests between them, each its share."""
    return len(answers) == 2 and None not in answers and min(answers.values()) >= LEAST


def addresses(stage: Driver, *, answers: bool) -> None:
    """What the names of services mean to a task of another; `answers`: a virtual address does."""
    _, printed = stage.swarm.docker(
        "service inspect --format '{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}' " + f"{STACK}_vip"
    )
    virtual = {address.partition("/")[0] for address in printed.split()}
    met, said = asked(stage, "dnsrr", "vip", NAMES if answers else 1)
    stage.check(
        f"vip: one address, the service's own: {told(met)}", len(met) == 1 and met <= virtual, virtual
    )
    if answers:
        stage.check(f"its two replicas answer there: {told(said)}", len(said) == 2, said)
    else:
        stage.transcript.unchecked("answers at a virtual address: no IP_VS in the kernel")
    met, said = asked(stage, "vip", "dnsrr", NAMES)
    stage.check(
        f"dnsrr: the addresses of its two tasks: {told(met)}", len(met) == 2 and not met & virtual, met
    )
    stage.check(f"both answer: {told(said)}", len(said) == 2, said)


def told(found: Collection[str]) -> str:
    """Some words, in order."""
    return ", ".join(sorted(found))


def asked(stage: Driver, client: str, name: str, times: int) -> tuple[set[str], set[str]]:
    """The addresses that a service's name has for a task of another, and the replicas that answer: one
    session."""
    ask = f"curl --silent --verbose --connect-timeout 2 --max-time 10 http://{name}/ 2>&1"
    loop = f"n=0; while [ $n -lt {times} ]; do {ask}; n=$((n + 1)); done"
    task = stage.until(f"a task of {client}", lambda: tasks.running(stage.swarm.tasks(f"{STACK}_{client}")))
    node = task[0].node
    find = f"docker ps --quiet --filter label=com.docker.swarm.service.name={STACK}_{client} | head -n 1"
    command = f"docker exec $({find}) sh -c {shlex.quote(loop)}"
    path = config_file(stage.found.settings.stack)
    stage.transcript.command(f"docker exec {STACK}_{client} curl http://{name}/", prompt=node)
    try:
        done = process.run(ssh.command(path, node, command), ASK_SECONDS)
    except subprocess.TimeoutExpired:
        raise PlayError(f"{node}: asking {name} took longer than {ASK_SECONDS} s") from None
    return read(done.stdout)


def read(said: str) -> tuple[set[str], set[str]]:
    """Addresses that curl tried, and who answered."""
    return set(re.findall(r"Trying ([\d.]+):", said)), set(re.findall(r"answered by (\S+)", said))


def packets(stage: Driver) -> None:
    """Small packets, and such as exceed the MTU, from each node that takes tasks to each other."""
    found = stage.found
    known = Hosts(found.settings, found.observation, ask(found))
    nodes = [node.name for node in known.nodes if not overlay.hindrance(known, found.plan, node.name)]
    if len(nodes) < 2:
        stage.transcript.unchecked("packets between tasks: it takes two nodes that tasks get to")
        return
    through(stage, known, nodes, f"{STACK}_plain", overlay.MTU)
    without = [name for name in nodes if not encrypts(stage, name)]
    if without:
        why = f"no ESP in the kernel of {of(without, nodes)}"
        stage.transcript.unchecked(f"packets through an encrypted network: {why}")
        return
    through(stage, known, nodes, f"{STACK}_encrypted", ENCRYPTED_MTU)


def encrypts(stage: Driver, node: str) -> bool:
    """Whether a node's kernel can encrypt what it sends to others."""
    path = config_file(stage.found.settings.stack)
    try:
        done = process.run(ssh.command(path, node, "sh -s"), ASK_SECONDS, render(ESP))
    except subprocess.TimeoutExpired:
        return False
    return done.stdout.strip() == "yes"


def through(stage: Driver, known: Hosts, nodes: list[str], network: str, mtu: int) -> None:
    """One network."""
    sent, outcome = overlay.between(known, nodes, network, mtu)
    findings = list(overlay.findings(sent, outcome))
    bad = [str(one) for one in findings if one.verdict is not Verdict.OK]
    good = "; ".join(one.what for one in findings if one.verdict is Verdict.OK)
    stage.check(f"{network}: {good}", bool(findings) and not bad, "; ".join(bad) or "nothing was sent")
