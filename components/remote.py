"""The connection of the engine's commands to a host."""

from __future__ import annotations

import pulumi
from pulumi_command import remote

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
