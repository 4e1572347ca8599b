"""How it is found out: every host looked at over SSH, all at once, and nothing changed.

A look is one SSH session. It prints a few facts of the host, then speaks the Docker Engine's API
(https://docs.docker.com/reference/api/engine/) through `docker system dial-stdio`, as the Docker
client itself does for ssh:// hosts.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

from components.connection import config_file
from components.observation import (
    NAMESPACE_LABEL,
    STACK_LABEL,
    Cluster,
    Entry,
    Host,
    Observation,
    Service,
    under_way,
)
from components.settings import Settings

LOOK_SECONDS = 8
STEADY_SECONDS = 120
TASKS_SECONDS = 40  # tasks alone: a service that can't be whole must not hold up its own repair

FACTS = """\
echo "clock $(date +%s.%N)"
echo "booted $(stat -c %Y /proc/1)"
if [ -e /proc/net/ip_vs ] || modprobe -n -q ip_vs 2>/dev/null; then echo ip_vs yes; else echo ip_vs no; fi
ip -4 route show | while read -r net rest; do echo "route $net $rest"; done
echo
exec docker system dial-stdio
"""


def observe(
    settings: Settings,
    stacks: Collection[str],
    say: Callable[[str], None],
    patience: float = STEADY_SECONDS,
) -> Observation:
    """All hosts that aren't lost. While something is about to change by itself it looks again, for
    `patience` seconds at most, TASKS_SECONDS for tasks alone, and says what it waits for."""
    names = [node.name for node in settings.nodes if not node.lost]
    path = config_file(settings.stack)
    deadline = time.monotonic() + patience
    tasks_deadline = min(deadline, time.monotonic() + TASKS_SECONDS)
    said = ""
    with ThreadPoolExecutor(max_workers=len(names) or 1) as pool:
        while True:
            hosts = pool.map(lambda name: look(name, path), names)
            observation = {host.name: host for host in hosts}
            now = time.monotonic()
            nodes_move = any(under_way(observation, ()))
            if nodes_move:
                tasks_deadline = min(deadline, now + TASKS_SECONDS)
            bound = deadline if nodes_move else tasks_deadline
            waiting = "; ".join(under_way(observation, stacks))
            if not waiting or now >= bound:
                return observation
            if waiting != said:
                say(f"waiting, {bound - now:.0f} s at most: {waiting}")
                said = waiting
            time.sleep(1)


def look(name: str, ssh_config: Path) -> Host:
    """One host, in one session of LOOK_SECONDS at most; a failure is a Host with a problem."""
    began = time.time()
    session = subprocess.Popen(
        ["ssh", "-F", str(ssh_config), name, FACTS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a jump host's own client is ended with it
    )
    watchdog = threading.Timer(LOOK_SECONDS, _end, [session])
    watchdog.start()
    facts: Facts = {}
    try:
        facts = _read_facts(cast(BinaryIO, session.stdout))
        skew = float(facts["clock"][0]) - (began + time.time()) / 2
        return _host(name, facts, skew, Engine(session))
    except (OSError, KeyError, ValueError, http.client.HTTPException, EngineError) as error:
        late = not watchdog.is_alive()
        said = f"its Docker Engine answers: {error}" if isinstance(error, EngineError) else None
        return Host(
            name,
            problem=said or _problem(session, bool(facts), late),
            answers=bool(facts),
            late=late and bool(facts),
            age=_age(facts),
        )
    finally:
        watchdog.cancel()
        _end(session)
        session.communicate()


Facts = dict[str, list[str]]


def _read_facts(lines: BinaryIO) -> Facts:
    facts: Facts = {}
    for line in iter(lines.readline, b""):
        if line == b"\n":
            break
        key, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
        facts.setdefault(key, []).append(value)
    return facts


def _end(session: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session.pid, signal.SIGKILL)


def _age(facts: Facts) -> float:
    """Seconds since the host was started; a host that doesn't say so counts as old."""
    try:
        return float(facts["clock"][0]) - float(facts["booted"][0])
    except (KeyError, ValueError):
        return float("inf")


def _problem(session: subprocess.Popen[bytes], answered: bool, late: bool) -> str:
    if late:
        return f"{'its Docker Engine' if answered else 'it'} gave no answer within {LOOK_SECONDS} s"
    _end(session)
    said = cast(BinaryIO, session.stderr).read().decode(errors="replace").strip().splitlines()
    return said[-1] if said else "the SSH session ended early"


class EngineError(Exception):
    """The Docker Engine refused a request."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Engine:
    """The Docker Engine's API at the other end of an SSH session."""

    def __init__(self, session: subprocess.Popen[bytes]) -> None:
        self.connection = http.client.HTTPConnection("docker")
        self.connection.sock = cast(Any, _Pipes(session))

    def get(self, path: str) -> Any:
        """The JSON that the engine gives for a path; raises EngineError."""
        self.connection.request("GET", path)
        with self.connection.getresponse() as response:
            body = json.loads(response.read())
        if response.status != http.client.OK:
            raise EngineError(response.status, body["message"])
        return body


class _Pipes:
    """A session's pipes, in the shape of the socket that http.client wants."""

    def __init__(self, session: subprocess.Popen[bytes]) -> None:
        self.requests = cast(BinaryIO, session.stdin)
        self.replies = cast(BinaryIO, session.stdout).fileno()

    def sendall(self, data: bytes) -> None:
        self.requests.write(data)
        self.requests.flush()

    def makefile(self, *_: Any) -> BinaryIO:
        return open(self.replies, "rb", closefd=False)

    def close(self) -> None:
        """The session's end is its owner's."""


def _host(name: str, facts: Facts, skew: float, engine: Engine) -> Host:
    """Managers first answer for the nodes: where there is no leader that fails at once, while
    /info would block."""
    try:
        nodes = engine.get("/nodes")
    except EngineError as error:
        if error.status != http.client.SERVICE_UNAVAILABLE:  # which means: not a manager
            return Host(name, state="active", manager=True, leaderless=True)
        nodes = None
    info = engine.get("/info")
    swarm = info["Swarm"]
    return Host(
        name,
        engine=info["ServerVersion"],
        state=swarm["LocalNodeState"],
        node_id=swarm["NodeID"],
        manager=swarm["ControlAvailable"],
        managers=tuple(m["Addr"].rpartition(":")[0] for m in swarm["RemoteManagers"] or ()),
        cluster=None if nodes is None else _cluster(engine, nodes, swarm["Cluster"]),
        routes=tuple(facts.get("route", ())),
        ip_vs=facts["ip_vs"] == ["yes"],
        skew=skew,
    )


def _cluster(engine: Engine, nodes: list[Any], cluster: Mapping[str, Any]) -> Cluster:
    services = engine.get("/services?status=true")
    configs = engine.get("/configs")
    secrets = engine.get("/secrets")
    marks = (config["Spec"]["Labels"].get(STACK_LABEL) for config in configs)
    spec = cluster["Spec"]
    return Cluster(
        id=cluster["ID"],
        entries={node["ID"]: _entry(node) for node in nodes},
        services=tuple(_service(service) for service in services),
        marks=tuple(mark for mark in marks if mark),
        bare=not (services or configs or secrets),
        address_pool=(cluster.get("DefaultAddrPool") or [None])[0],
        data_path_port=cluster.get("DataPathPort"),
        task_history_limit=spec["Orchestration"]["TaskHistoryRetentionLimit"],
        certificate_expiry=spec["CAConfig"]["NodeCertExpiry"] // 10**9,
    )


def _entry(node: Mapping[str, Any]) -> Entry:
    manager = node.get("ManagerStatus") or {}
    address, _, _ = manager.get("Addr", "").rpartition(":")
    return Entry(
        id=node["ID"],
        hostname=node["Description"].get("Hostname", ""),
        role=node["Spec"]["Role"],
        state=node["Status"]["State"],
        availability=node["Spec"]["Availability"],
        address=address or node["Status"].get("Addr", ""),
        labels=node["Spec"].get("Labels") or {},
        leader=manager.get("Leader", False),
        reachable=manager.get("Reachability") == "reachable",
    )


def _service(service: Mapping[str, Any]) -> Service:
    status = service["ServiceStatus"]
    return Service(
        id=service["ID"],
        name=service["Spec"]["Name"],
        stack=(service["Spec"].get("Labels") or {}).get(NAMESPACE_LABEL),
        image=service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
        running=status["RunningTasks"],
        desired=status["DesiredTasks"],
        update=(service.get("UpdateStatus") or {}).get("State"),
    )
