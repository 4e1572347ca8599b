"""The scripts that run on a host, as pure functions; they need `sh`, flock and Docker. Those that a manager
runs for the swarm are in manager.py.

A command's line is short, and the same to every login shell; its script comes by standard input, where a
token is safe, and prints its results in one line, after a marker that is the run's own. All are safe to run
again, also after being cut off. No wait is without a bound, and what is waited for is said on standard error.
"""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swarm.script import render

SCRIPTS = Path(__file__).parent
LEAVE_SECONDS = 120

LEAVING = render(SCRIPTS / "leave.sh")


def line(purpose: str, seconds: int) -> str:
    """The command line that runs the script on its standard input, bounded. Its last word is the marker of
    this run, after which results come; being random it is a difference wherever the engine doesn't ignore
    it, so that the command runs again (docs/adr/0002)."""
    return f"timeout {seconds} sh -s {shlex.quote(purpose)} {secrets.token_hex(8)}"


def result(line_: str, stdout: str) -> dict[str, Any]:
    """What a script printed as its result, by the command line that ran it; nothing where it printed none.
    A login shell may have printed anything before, a line without an end, too."""
    marker = line_.rpartition(" ")[2]
    said = stdout.rpartition(f"{marker} ")[2] if marker and f"{marker} " in stdout else "{}"
    return dict(json.loads(said.splitlines()[0]))


def leave(node_id: str) -> str:
    """The command line of `LEAVING`: it takes a host out of the swarm in which it is this node, and waits
    until all of it is gone. A host that is another node by now is left alone."""
    return f"timeout {LEAVE_SECONDS} sh -s leave {shlex.quote(node_id)}"


def init(
    labels: Mapping[str, str],
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    pool: str | None,
    data_path_port: int | None,
) -> str:
    """Starts a swarm that carries these labels from the start, on a host that is in none; prints its node
    ID and the cluster's ID."""
    request = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": address or "",
        "DataPathAddr": data_path or "",
        "DataPathPort": data_path_port or 0,
        "DefaultAddrPool": [pool] if pool else [],
        "SubnetSize": 24 if pool else 0,
        "Availability": availability,
        "Spec": {"Labels": dict(labels)},
    }
    return render(SCRIPTS / "init.sh", request=json.dumps(request))


def join(
    token: str,
    managers: Iterable[str],
    *,
    address: str | None,
    data_path: str | None,
    availability: str,
    stale_id: str | None,
    pending: bool,
) -> str:
    """Joins the swarm of the managers at these addresses; prints the node ID. Holds the token. `stale_id` is
    the node that the host is now and is to be no more; `pending`: it is on its way into this swarm."""
    request = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": address or "",
        "DataPathAddr": data_path or "",
        "RemoteAddrs": [f"{manager}:2377" for manager in managers],
        "JoinToken": token,
        "Availability": availability,
    }
    return render(
        SCRIPTS / "join.sh",
        request=json.dumps(request),
        stale=stale_id or "",
        pending="yes" if pending else "",
    )
