"""The engine's commands on hosts: what they are declared by, and the connection that they take."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_command import remote

from components.scripts import host as host_scripts
from swarm.decide.plan import Command
from swarm.declare.settings import Node, Ssh
from swarm.declare.ssh_files import host_key

FEWEST_DIAL_ERRORS = 2


def dial_errors(ssh: Ssh) -> int:
    """How many dials may fail before the last error counts.

    The provider pauses between dials for 0.1 s at first, each time half as long again, 5 s at most
    (pulumi/pulumi, sdk/go/common/util/retry/until.go). So twelve errors that come at once (no route to host,
    too many logins at a time) are tried again for 21 s. A host that is silent takes its time-out with each
    dial: about a minute in all, or three dials.
    """
    return max(FEWEST_DIAL_ERRORS, min(12, 60 // ssh.connect_timeout))


def no_connection(node: Node) -> remote.ConnectionArgs:
    """What stands for the connection of a command that dials nobody: nothing can be reached by it."""
    return remote.ConnectionArgs(host=node.host, host_key="none")


def command_connection(node: Node) -> pulumi.Output[remote.ConnectionArgs]:
    """The connection of a remote command to the node: secret, for it holds the private key. KeyError: no key
    of the host is known by which it could be checked."""
    ssh = node.ssh
    proxy = None
    if ssh.proxy:
        jump = ssh.proxy.ssh
        proxy = remote.ProxyConnectionArgs(
            host=ssh.proxy.host,
            user=jump.user,
            port=jump.port,
            private_key=jump.private_key_file.read_text(encoding="utf-8"),
            host_key=_checked_key(ssh.proxy.host, jump),
            dial_error_limit=dial_errors(jump),
            per_dial_timeout=jump.connect_timeout,
        )
    return pulumi.Output.secret(
        remote.ConnectionArgs(
            host=node.host,
            user=ssh.user,
            port=ssh.port,
            private_key=ssh.private_key_file.read_text(encoding="utf-8"),
            host_key=_checked_key(node.host, ssh),
            # Nothing bounds a dial from the jump host but TCP's own two minutes: so it is tried seldom.
            dial_error_limit=FEWEST_DIAL_ERRORS if proxy else dial_errors(ssh),
            per_dial_timeout=ssh.connect_timeout,
            proxy=proxy,
        )
    )


def _checked_key(host: str, ssh: Ssh) -> str:
    """The host's key. Without one the provider would take any."""
    key = host_key(host, ssh)
    if key is None:
        raise KeyError(f"no host key of {host} is known")
    return key


class RemoteScript(remote.Command):
    """A script that a host runs, as the plan's `command` says. Its line ends in a random word, which is a
    difference unless it is ignored, so that the script runs again (docs/adr/0002). `delete`: the line on
    delete."""

    def __init__(
        self,
        name: str,
        command: Command,
        stdin: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
        delete: pulumi.Input[str] | None = None,
    ) -> None:
        ignored, retained = list(command.ignored), command.retained
        said = pulumi.ResourceOptions(ignore_changes=ignored, retain_on_delete=retained)
        super().__init__(
            name,
            connection=command_connection(command.node) if command.dialed else no_connection(command.node),
            create=host_scripts.line(command.purpose, command.seconds) if command.seconds else None,
            delete=delete,
            stdin=stdin,
            logging=remote.Logging.STDERR,  # tokens and IDs are on standard output
            add_previous_output_in_env=False,  # sshd takes no variables that it wasn't told of
            opts=pulumi.ResourceOptions.merge(said, opts),
        )

    @property
    def results(self) -> pulumi.Output[dict[str, Any]]:
        """What the script printed: this time, or when it last ran."""
        return pulumi.Output.all(self.create, self.stdout).apply(
            lambda both: host_scripts.result(both[0] or "", both[1] or "")
        )
