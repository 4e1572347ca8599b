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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from components.connection import config_file
from components.observation import (
    NAMESPACE_LABEL,
    STACK_LABEL,
    Cluster,
    Entry,
    Host,
    Object,
    Observation,
    Service,
    under_way,
)
from components.settings import Settings

STEADY_SECONDS = 120
BRIEF_SECONDS = 40  # for what may never come: tasks of a service that can't be whole, whose repair must
# not be held up; a leader, while most managers are silent

# Tasks that are meant to run, or to be started again: a service's own count has those, too, of nodes that
# are down.
WANTED_TASKS = "/tasks?filters=" + quote('{"desired-state":["ready","running"]}')
SWARM_NETWORKS = "/networks?filters=" + quote('{"scope":["swarm"]}')
DATA_ROOT = "/var/lib/docker"

FACTS = f"""\
PATH=$PATH:/usr/sbin:/sbin
echo "clock $(date +%s.%N)"
echo "booted $(stat -c %Y /proc/1)"
stat -f -c 'free %a %S' {DATA_ROOT} 2>/dev/null
modules=/lib/modules/$(uname -r)
config() {{ zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null; }}
# A module, a file that is there while the kernel has it in use, its key in the kernel's configuration.
kernel() {{
  if [ -e "/sys/module/$1" ] || [ -e "$2" ]; then found=yes
  elif grep -qs "/$1[.]ko" "$modules/modules.dep" "$modules/modules.builtin"; then found=yes
  elif [ -e "$modules/modules.dep" ]; then found=no
  else
    case $(config) in
      *"CONFIG_$3=y"*) found=yes ;;
      "" | *"CONFIG_$3=m"*) found=unknown ;;
      *) found=no ;;
    esac
  fi
  echo "kernel $1 $found"
}}
kernel overlay /sys/fs/overlay OVERLAY_FS
kernel vxlan /sys/module/vxlan VXLAN
kernel br_netfilter /proc/sys/net/bridge BRIDGE_NETFILTER
kernel ip_vs /proc/net/ip_vs IP_VS
kernel ip_vs_rr /sys/module/ip_vs_rr IP_VS_RR
ip -4 route show | while read -r net rest; do echo "route $net $rest"; done
echo
exec docker system dial-stdio
"""


def observe(
    settings: Settings,
    stacks: Collection[str],
    say: Callable[[str], None],
    patience: float = STEADY_SECONDS,
    awaited: Callable[[Observation, Collection[str]], Iterator[str]] = under_way,
) -> Observation:
    """All hosts that aren't lost, as many at a time as the settings say. While there is something to be
    awaited it looks again, for `patience` seconds at most, BRIEF_SECONDS for what may never come, and says
    what it waits for."""
    nodes = [node for node in settings.nodes if not node.lost]
    path = config_file(settings.stack)
    deadline = time.monotonic() + patience
    brief_deadline = min(deadline, time.monotonic() + BRIEF_SECONDS)
    said = ""
    with ThreadPoolExecutor(max_workers=settings.parallel or len(nodes) or 1) as pool:
        while True:
            began = time.monotonic()
            hosts = pool.map(lambda node: look(node.name, path, node.ssh.look_timeout), nodes)
            observation = {host.name: host for host in hosts}
            now = time.monotonic()
            nodes_move = any(awaited(observation, ())) and not _majority_is_silent(settings, observation)
            if nodes_move:
                brief_deadline = min(deadline, now + BRIEF_SECONDS)
            bound = deadline if nodes_move else brief_deadline
            waiting = "; ".join(awaited(observation, stacks))
            if not waiting or now >= bound:
                return observation
            if waiting != said:
                say(f"waiting, {bound - now:.0f} s at most: {waiting}")
                said = waiting
            # Hosts that are slow to answer get as long without being asked.
            time.sleep(max(1, now - began))


def _majority_is_silent(settings: Settings, observation: Observation) -> bool:
    """Whether no leader can be elected: half of the declared managers or more don't answer at all."""
    managers = [observation[node.name] for node in settings.nodes if node.manager and not node.lost]
    silent = [host for host in managers if host.problem and not host.answers]
    return 2 * len(silent) >= len(managers)


def look(name: str, ssh_config: Path, limit: float) -> Host:
    """One host, in one session of `limit` seconds at most; a failure is a Host with a problem."""
    began = time.time()
    facts: Facts = {}
    with session(name, ssh_config, FACTS, limit) as (ssh, watchdog):
        try:
            facts = _read_facts(cast(BinaryIO, ssh.stdout))
            clock = float(facts["clock"][0])
            # It was read at some moment of the session: what a slow one alone explains is no skew.
            skew = clock - min(max(clock, began), time.time())
            return _host(name, facts, skew, Engine(ssh))
        except (OSError, KeyError, ValueError, http.client.HTTPException, EngineError) as error:
            late = not watchdog.is_alive()
            said = f"its Docker Engine answers: {error}" if isinstance(error, EngineError) else None
            return Host(
                name,
                problem=said or _problem(ssh, "clock" in facts, limit if late else None),
                answers=bool(facts),
                late=late and bool(facts),
                age=_age(facts),
            )


@contextlib.contextmanager
def session(
    name: str, ssh_config: Path, command: str, seconds: float
) -> Iterator[tuple[subprocess.Popen[bytes], threading.Timer]]:
    """An SSH session to a host, and the watchdog that ends it when the seconds are over."""
    ssh = subprocess.Popen(
        ["ssh", "-F", str(ssh_config), name, command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # a jump host's own client is ended with it
    )
    watchdog = threading.Timer(seconds, _end, [ssh])
    watchdog.start()
    try:
        yield ssh, watchdog
    finally:
        watchdog.cancel()
        _end(ssh)
        ssh.communicate()


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


def _problem(session: subprocess.Popen[bytes], answered: bool, late: float | None) -> str:
    if late:
        return f"{'its Docker Engine' if answered else 'it'} gave no answer within {late} s"
    _end(session)
    said = cast(BinaryIO, session.stderr).read().decode(errors="replace").strip().splitlines()
    why = said[-1] if said else "the SSH session ended early"
    return f"its Docker Engine gives no answer: {why}" if answered else why


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
    kernel = dict(line.split() for line in facts.get("kernel", ()))
    return Host(
        name,
        engine=info["ServerVersion"],
        # A manager whose link to the leader fails says 503 as well.
        leaderless=nodes is None and swarm["ControlAvailable"],
        state=swarm["LocalNodeState"],
        node_id=swarm["NodeID"],
        manager=swarm["ControlAvailable"],
        address=swarm["NodeAddr"],
        managers=tuple(m["Addr"].rpartition(":")[0] for m in swarm["RemoteManagers"] or ()),
        cluster=None if nodes is None else _cluster(engine, nodes, swarm["Cluster"]),
        routes=tuple(facts.get("route", ())),
        kernel=kernel,
        ip_vs=kernel.get("ip_vs") == "yes",
        skew=skew,
        engine_id=info.get("ID", ""),
        hostname=info.get("Name", ""),
        live_restore=info.get("LiveRestoreEnabled", False),
        data_root=info.get("DockerRootDir", ""),
        free=_free(facts) if info.get("DockerRootDir") == DATA_ROOT else None,
    )


def _free(facts: Facts) -> int | None:
    """Octets that are free where the engine usually keeps its images."""
    if "free" not in facts:
        return None
    blocks, size = facts["free"][0].split()
    return int(blocks) * int(size)


def _cluster(engine: Engine, nodes: list[Any], cluster: Mapping[str, Any]) -> Cluster:
    services = engine.get("/services")
    tasks = engine.get(WANTED_TASKS)
    ending = [service["ID"] for service in services if _ends(service)]
    tasks += engine.get(ended_tasks(ending)) if ending else []
    networks = engine.get(SWARM_NETWORKS)
    configs = engine.get("/configs")
    secrets = engine.get("/secrets")
    marks = (config["Spec"]["Labels"].get(STACK_LABEL) for config in configs)
    spec = cluster["Spec"]
    return Cluster(
        id=cluster["ID"],
        entries={node["ID"]: _entry(node) for node in nodes},
        index=max(node["Version"]["Index"] for node in nodes),
        services=tuple(_service(service, tasks) for service in services),
        networks={network["Name"]: _network(network) for network in networks},
        secrets={one["Spec"]["Name"]: Object(one["ID"]) for one in secrets},
        configs={one["Spec"]["Name"]: Object(one["ID"]) for one in configs},
        marks=tuple(mark for mark in marks if mark),
        bare=not (services or configs or secrets),
        address_pool=(cluster.get("DefaultAddrPool") or [None])[0],
        data_path_port=cluster.get("DataPathPort"),
        task_history_limit=spec["Orchestration"]["TaskHistoryRetentionLimit"],
        certificate_expiry=spec["CAConfig"]["NodeCertExpiry"] // 10**9,
        dispatcher_heartbeat=spec["Dispatcher"]["HeartbeatPeriod"] // 10**9,
    )


def _network(network: Mapping[str, Any]) -> Object:
    subnets = (network.get("IPAM") or {}).get("Config") or ()
    gateways = {one["Subnet"]: one["Gateway"] for one in subnets if one.get("Gateway")}
    return Object(network["Id"], network.get("Options") or {}, gateways)


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


def ended_tasks(services: Collection[str]) -> str:
    """The path of the tasks of these services, by ID, that aren't to run any more."""
    return "/tasks?filters=" + quote(json.dumps({"desired-state": ["shutdown"], "service": services}))


def _ends(service: Mapping[str, Any]) -> bool:
    """Whether its tasks may end well, and aren't started again then."""
    policy = service["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    return policy.get("Condition") in ("none", "on-failure")


def _service(service: Mapping[str, Any], tasks: Iterable[Mapping[str, Any]]) -> Service:
    """Its tasks are the newest of each slot; a global service has a slot on each node that it is for."""
    own = (task for task in tasks if task["ServiceID"] == service["ID"])
    newest = {
        task.get("Slot") or task["NodeID"]: task
        for task in sorted(own, key=lambda task: task["CreatedAt"].rstrip("Z"))
    }
    alive = [task["Status"]["State"] for task in newest.values() if task["DesiredState"] != "shutdown"]
    ended = [task["Status"]["State"] for task in newest.values() if task["DesiredState"] == "shutdown"]
    wanted = len(alive) + sum(ended.count(state) for state in ("complete", "failed", "rejected"))
    return Service(
        id=service["ID"],
        name=service["Spec"]["Name"],
        stack=(service["Spec"].get("Labels") or {}).get(NAMESPACE_LABEL),
        image=service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"],
        running=alive.count("running") + ended.count("complete"),
        desired=service["Spec"]["Mode"].get("Replicated", {}).get("Replicas", wanted),
        update=(service.get("UpdateStatus") or {}).get("State"),
    )
