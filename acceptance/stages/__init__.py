"""What each stage does. Every one raises PlayError where something doesn't hold."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from acceptance.play import script
from acceptance.report import Conditions
from acceptance.site import Site
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


def destroy(site: Site) -> None:
    """No swarm, no hosts, nothing in the state."""
    site.pulumi(*pulumi_cli.SELECT, site.stack)
    try:
        if resources(site.stack) and site.up():
            site.operation("destroy")
            if left := resources(site.stack):
                raise PlayError(f"resources are left after the destroy: {', '.join(left)}")
            site.log.passed("every host is out of the swarm, and nothing is left in Pulumi's state")
    finally:
        site.run(*site.ground.destroy)
    if resources(site.stack):
        site.log.say("What Pulumi's state has was on machines that are gone; it is forgotten.")
        site.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", site.stack)
    site.log.passed("no host is left")


def resources(stack: str) -> list[str]:
    """The names of the resources in the state, but for the stack's own."""
    found = [one["urn"].split("::") for one in pulumi_cli.export(stack)["deployment"].get("resources") or ()]
    return [name for _, _, kind, name in found if kind != "pulumi:pulumi:Stack"]


def validate(site: Site) -> None:
    """Syntax, lint, types, the Vagrantfile; the configuration, as far as it can be read without machines."""
    site.run("tests/run", "static")
    site.log.passed("lint, types and the Vagrantfile")
    site.pulumi(*pulumi_cli.SELECT, site.stack)
    try:
        _, stacks = declared(site.stack)
        services = sum(len(stack.services) for stack in stacks)
    except ConfigurationError as error:
        if problems := [str(one) for one in error.problems if not to_be_made(one)]:
            raise PlayError("\n".join(problems)) from None
        site.log.passed("the configuration has no problems; keys and known hosts are made with the machines")
    else:
        site.log.passed(f"the configuration has no problems, its {services} services neither")


def to_be_made(problem: Problem) -> bool:
    """Whether it is only that the machines' keys aren't there yet."""
    key = problem.key.endswith(("privateKeyFile", "knownHostsFile"))
    return (key and problem.rule == "there is no such file") or problem.rule.startswith(
        "no ed25519 or ecdsa host key"
    )


def create(site: Site) -> None:
    """The machines."""
    site.run(*site.ground.create)
    site.narrow()
    if not site.up():
        raise PlayError(f"not all machines are up: see `{' '.join(site.ground.status)}`")
    site.log.passed(f"they are up: {', '.join(site.machines())}")


def converge(site: Site) -> None:
    """The swarm and its services."""
    site.operation("up")
    site.log.passed("one up made all of it")


def idempotence(site: Site) -> None:
    """Nothing to change."""
    site.pulumi(*pulumi_cli.PREVIEW, shown="Diagnostics:")
    site.log.passed("the preview finds nothing to change")


def verify(site: Site) -> None:
    """What `make verify` checks."""
    found = prepare(site.stack)
    site.conditions = conditions(site, found)
    told = {one: f"{one.check}, {', '.join(one.where)}: {one.what}" for one in summed(live.verify(found))}
    if wrong := [words for one, words in told.items() if one.verdict is Verdict.FAILED]:
        raise PlayError("\n".join(wrong))
    for one, words in told.items():
        tell = site.log.unchecked if one.verdict is Verdict.UNKNOWN else site.log.passed
        tell(words)


def conditions(site: Site, found: Run) -> Conditions:
    """On what it runs, as the hosts themselves have it."""
    path, name = config_file(site.stack), found.settings.leader.name
    command = ssh.command(path, name, "systemd-detect-virt 2>/dev/null")
    try:
        kind = process.run(command, ANSWER_SECONDS).stdout.strip()
    except subprocess.TimeoutExpired:
        kind = ""
    hosts = f"{len(found.settings.nodes)} of {site.ground.what} ({VIRTUAL.get(kind, kind or 'unknown')})"
    engines = ", ".join(sorted({host.engine for host in found.observation.values() if host.engine}))
    return Conditions(
        stack=site.stack,
        hosts=f"{hosts}, on {len(os.sched_getaffinity(0))} cores",
        versions=f"Docker Engine {engines}, Pulumi {pulumi_cli.version()}",
        day=datetime.now(UTC).date(),
    )


def play(site: Site) -> None:
    """What `make play` does, but for the acts in which hosts fail: in failover they are destroyed. `make up`
    takes away what is left of one that fails."""
    stage = site.stage()
    services = stage.swarm.services()
    script.give(stage, failures=False)
    script.restore(stage, services, broken=False)


DOES: Mapping[str, Callable[[Site], None]] = {
    "destroy": destroy,
    "validate": validate,
    "create": create,
    "converge": converge,
    "idempotence": idempotence,
    "verify": verify,
    "mesh": lambda site: mesh.give(site.stage()),
    "play": play,
    "failover": lambda site: failover.give(site),
    "edge": lambda site: edge.give(site.stage()),
}
