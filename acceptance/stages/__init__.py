"""What each stage does. Every one raises PlayError where something doesn't hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from acceptance.environment import Environment
from acceptance.play import script
from acceptance.report import Conditions
from acceptance.stages import edge, failover, mesh
from operations import pulumi_cli
from operations import verify as live
from operations.stack import declared, prepare
from swarm import process, ssh
from swarm.declare.reader import ConfigurationError, Problem
from swarm.errors import PlayError
from swarm.finding import Verdict, summed
from swarm.run import Run
from swarm.ssh import config_file

ANSWER_SECONDS = 60  # an SSH connection to an emulated machine included

VIRTUAL = {  # what systemd calls it; what isn't here it calls as others do
    "qemu": "QEMU, emulated in software",
    "kvm": "QEMU with hardware virtualisation",
    "oracle": "VirtualBox",
}


def destroy(environment: Environment) -> None:
    """No swarm, no hosts, nothing in the state."""
    environment.pulumi(*pulumi_cli.SELECT, environment.stack)
    try:
        if resources(environment.stack) and environment.up():
            environment.operation("destroy")
            if left := resources(environment.stack):
                raise PlayError(f"resources are left after the destroy: {', '.join(left)}")
            environment.log.passed("every host is out of the swarm, and nothing is left in Pulumi's state")
    finally:
        environment.run(*environment.ground.destroy)
    if resources(environment.stack):
        environment.log.say("What Pulumi's state has was on machines that are gone; it is forgotten.")
        environment.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", environment.stack)
    environment.log.passed("no host is left")


def resources(stack: str) -> list[str]:
    """The names of the resources in the state, but for the stack's own."""
    found = [one["urn"].split("::") for one in pulumi_cli.export(stack)["deployment"].get("resources") or ()]
    return [name for _, _, kind, name in found if kind != "pulumi:pulumi:Stack"]


def validate(environment: Environment) -> None:
    """Syntax, lint, types, the Vagrantfile; the configuration, as far as it can be read without machines."""
    environment.run("tests/run", "static")
    environment.log.passed("lint, types and the Vagrantfile")
    environment.pulumi(*pulumi_cli.SELECT, environment.stack)
    try:
        _, stacks = declared(environment.stack)
        services = sum(len(stack.services) for stack in stacks)
    except ConfigurationError as error:
        if problems := [str(one) for one in error.problems if not to_be_made(one)]:
            raise PlayError("\n".join(problems)) from None
        environment.log.passed(
            "the configuration has no problems; keys and known hosts are made with the machines"
        )
    else:
        environment.log.passed(f"the configuration has no problems, its {services} services neither")


def to_be_made(problem: Problem) -> bool:
    """Whether it is only that the machines' keys aren't there yet."""
    key = problem.key.endswith(("privateKeyFile", "knownHostsFile"))
    return (key and problem.rule == "there is no such file") or problem.rule.startswith(
        "no ed25519 or ecdsa host key"
    )


def create(environment: Environment) -> None:
    """The machines."""
    environment.run(*environment.ground.create)
    environment.narrow()
    if not environment.up():
        raise PlayError(f"not all machines are up: see `{' '.join(environment.ground.status)}`")
    environment.log.passed(f"they are up: {', '.join(environment.machines())}")


def converge(environment: Environment) -> None:
    """The swarm and its services."""
    environment.operation("up")
    environment.log.passed("one up made all of it")


def idempotence(environment: Environment) -> None:
    """Nothing to change."""
    environment.pulumi(*pulumi_cli.PREVIEW, shown="Diagnostics:")
    environment.log.passed("the preview finds nothing to change")


def verify(environment: Environment) -> None:
    """What `make verify` checks."""
    found = prepare(environment.stack)
    environment.conditions = conditions(environment, found)
    told = {one: f"{one.check}, {', '.join(one.where)}: {one.what}" for one in summed(live.verify(found))}
    if wrong := [words for one, words in told.items() if one.verdict is Verdict.FAILED]:
        raise PlayError("\n".join(wrong))
    for one, words in told.items():
        tell = environment.log.unchecked if one.verdict is Verdict.UNKNOWN else environment.log.passed
        tell(words)


def conditions(environment: Environment, found: Run) -> Conditions:
    """On what it runs, as the hosts themselves have it."""
    path, name = config_file(environment.stack), found.settings.leader.name
    command = ssh.command(path, name, "systemd-detect-virt 2>/dev/null")
    try:
        kind = process.run(command, ANSWER_SECONDS).stdout.strip()
    except subprocess.TimeoutExpired:
        kind = ""
    hosts = (
        f"{len(found.settings.nodes)} of {environment.ground.what} ({VIRTUAL.get(kind, kind or 'unknown')})"
    )
    engines = ", ".join(sorted({host.engine for host in found.observation.values() if host.engine}))
    return Conditions(
        stack=environment.stack,
        hosts=f"{hosts}, on {len(os.sched_getaffinity(0))} cores",
        versions=f"Docker Engine {engines}, Pulumi {pulumi_cli.version()}",
        day=datetime.now(UTC).date(),
    )


def play(environment: Environment) -> None:
    """What `make play` does, but for the acts in which hosts fail: in failover they are destroyed. `make up`
    takes away what is left of one that fails."""
    stage = environment.stage()
    services = stage.swarm.services()
    script.give(stage, failures=False)
    script.restore(stage, services, broken=False)


DOES: Mapping[str, Callable[[Environment], None]] = {
    "destroy": destroy,
    "validate": validate,
    "create": create,
    "converge": converge,
    "idempotence": idempotence,
    "verify": verify,
    "mesh": lambda environment: mesh.give(environment.stage()),
    "play": play,
    "failover": lambda environment: failover.give(environment),
    "edge": lambda environment: edge.give(environment.stage()),
}
