"""The two programs that run on hosts, in perl and in python3: a host has one or the other.

LISTEN SECONDS PROTOCOL/PORT...: opens the ports, then prints `taken PROTOCOL/PORT REASON` for those
that it couldn't, `ready`, and for each message `got PROTOCOL/PORT TOKEN SENDER SIZE`. It ends with
its standard input, that is with the session, and after SECONDS at the latest.

SEND TOKEN SENDER WAY/ADDRESS/PORT/SIZE...: sends to all at once; prints `failed WAY/ADDRESS/PORT/SIZE
REASON` where it couldn't. Ways: `connect` and no more, a message by `tcp` or `udp`, or `whole`, which is
udp that no router may cut into fragments. What is sent by udp is sent three times, for it may be lost.
"""

from __future__ import annotations

from pathlib import Path

from swarm.script import program

TOOLS = {"perl": ("perl", "-e", ".pl"), "python3": ("python3", "-c", ".py")}


def listen(tool: str, seconds: int, ports: list[str]) -> list[str]:
    """The command, as words, that listens on ports such as `udp/7946`."""
    return [*_run(tool, "listen"), str(seconds), *ports]


def send(tool: str, token: str, sender: str, targets: list[str]) -> list[str]:
    """The command, as words, that sends to targets such as `udp/10.0.0.11/7946/64`."""
    return [*_run(tool, "send"), token, sender, *targets]


def _run(tool: str, name: str) -> list[str]:
    command, option, ending = TOOLS[tool]
    return [command, option, program(Path(__file__).with_name(name + ending))]
