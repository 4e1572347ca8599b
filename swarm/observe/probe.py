"""How it is found out: every host probed over SSH, many at once, and nothing changed.

A probe is one SSH session. It prints a few facts of the host, then asks its Docker Engine. What all managers
of a swarm tell alike is asked of one of them, the leader where its host answers.
"""

from __future__ import annotations

import json
import random
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.client import NOT_FOUND, SERVICE_UNAVAILABLE
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

from swarm.declare.labels import NAMESPACE_LABEL, STACK_LABEL
from swarm.declare.settings import Node, Settings
from swarm.docker_api import FAILURES, Bounds, Engine, EngineError, Session
from swarm.observe import facts
from swarm.observe.facts import DATA_ROOT, Facts
from swarm.observe.model import Cluster, Host, Observation, Service, SwarmNode, SwarmObject, views
from swarm.observe.settling import under_way
from swarm.ssh import config_file

STEADY_SECONDS = 120
BRIEF_SECONDS = 40  # for what may never come: tasks of a service that can't be whole, whose repair must
# not be held up; a leader, while most managers are silent

TOTAL_SECONDS = 60  # that a probe may take which isn't silent
AT_ONCE_BY_JUMP_HOST = 8  # sshd drops connections at random while ten or more of them haven't logged in yet
FILES_SPARED, FILES_PER_PROBE = 64, 8  # open ones, for all else and while a probe begins
STARTING_SECONDS = 60  # that an engine may take to find its swarm's leader

# Tasks that are meant to run, or to be started again: a service's own count has those, too, of nodes that
# are down.
WANTED_TASKS = "/tasks?filters=" + quote('{"desired-state":["ready","running"]}')
UNWANTED = "no longer meets constraints"  # what Docker says of a task on a node that its service has left
SWARM_NETWORKS = "/networks?filters=" + quote('{"scope":["swarm"]}')
MARKED_CONFIGS = "/configs?filters=" + quote(json.dumps({"label": [STACK_LABEL]}))


def observe(
    settings: Settings,
    stacks: Collection[str],
    say: Callable[[str], None],
    patience: float = STEADY_SECONDS,
    awaited: Callable[[Observation, Collection[str]], Iterator[str]] = under_way,
    configs: Collection[str] = (),
) -> Observation:
    """All hosts that aren't lost, as many at a time as may be. While there is something to be awaited it
    probes again, for `patience` seconds at most, BRIEF_SECONDS for what may never come, and says what it
    waits for. `configs`: the names of those that may be there; others aren't looked for."""
    probes = Probes(settings, configs)
    deadline = time.monotonic() + patience
    brief_deadline = min(deadline, time.monotonic() + BRIEF_SECONDS)
    said = ""
    with ThreadPoolExecutor(max_workers=probes.at_once) as pool:
        while True:
            began = time.monotonic()
            observation = probes.all(pool)
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


class Probes:
    """A probe of each host, again and again; `configs` are the names of those that matter."""

    def __init__(self, settings: Settings, configs: Collection[str] = ()) -> None:
        self.settings = settings
        self.configs = configs
        self.nodes = {node.name: node for node in settings.nodes if not node.lost}
        self.jumps: dict[str, BoundedSemaphore] = defaultdict(lambda: BoundedSemaphore(AT_ONCE_BY_JUMP_HOST))

    @property
    def at_once(self) -> int:
        """How many probes at a time: as the settings say, and as this computer lets us open files."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.settings.parallel or len(self.nodes)
        may = (
            len(self.nodes) if files == resource.RLIM_INFINITY else (files - FILES_SPARED) // FILES_PER_PROBE
        )
        return max(1, min(wanted, may))

    def all(self, pool: ThreadPoolExecutor) -> Observation:
        """All hosts, by name."""
        hosts = {host.name: host for host in pool.map(self.one, self.nodes)}
        return _with_cut_off(self.settings, self._completed(hosts))

    def one(self, name: str, *, complete: bool = False) -> Host:
        """A host; `complete`: it is to tell what all managers tell alike."""
        node = self.nodes[name]
        args = ProbeArgs(node, config_file(self.settings.stack), self.configs, complete)
        if not node.ssh.proxy:
            return probe_host(args)
        with self.jumps[_way_in(node)]:
            return probe_host(args)

    def _completed(self, hosts: dict[str, Host]) -> dict[str, Host]:
        """Each swarm complete in all its managers' views: where the leader hasn't told the rest, the manager
        that has come farthest is asked, then the next."""
        while missing := set(views(hosts)) - {one.id for one in _clusters(hosts) if one.complete}:
            cluster = views(hosts)[missing.pop()]
            name = next(host.name for host in hosts.values() if host.cluster is cluster)
            hosts[name] = self.one(name, complete=True)
        told = {cluster.id: cluster for cluster in _clusters(hosts) if cluster.complete}
        return {name: _with_shared(host, told) for name, host in hosts.items()}


def _clusters(hosts: Mapping[str, Host]) -> list[Cluster]:
    return [host.cluster for host in hosts.values() if host.cluster]


def _with_shared(host: Host, told: Mapping[str, Cluster]) -> Host:
    """A host whose view has what another has told and all would tell alike."""
    if not host.cluster or host.cluster.complete:
        return host
    alike = ("services", "networks", "secrets", "configs", "label_configs", "complete")
    shared = {name: getattr(told[host.cluster.id], name) for name in alike}
    return replace(host, cluster=replace(host.cluster, **shared))


def _way_in(node: Node) -> str:
    """The first jump host on the way to a node; more are jumped over from there."""
    ssh = node.ssh
    host = node.host
    while ssh.proxy:
        host, ssh = ssh.proxy.host, ssh.proxy.ssh
    return f"{host}:{ssh.port}"


def _with_cut_off(settings: Settings, observation: Mapping[str, Host]) -> Observation:
    """Finds the managers that are cut off: without a leader, while the others have one and don't reach them.
    An engine that was just started gets its time."""
    missed = [
        entry
        for cluster in views(observation).values()
        for entry in cluster.entries.values()
        if entry.role == "manager" and not entry.ready
    ]
    nodes = {node.name: node for node in settings.nodes}
    return {
        name: replace(host, cut_off=any(_is_cut_off(host, nodes[name], entry) for entry in missed))
        for name, host in observation.items()
    }


def _is_cut_off(host: Host, node: Node, entry: SwarmNode) -> bool:
    """Whether this host is the manager that the others miss: by its node ID, where that may be read."""
    if not host.leaderless or host.engine_age < STARTING_SECONDS:
        return False
    if host.node_id:
        return host.node_id == entry.id
    return entry.name == host.name or entry.address in (node.host, node.address)


@dataclass(frozen=True)
class ProbeArgs:
    """Which host is probed, how it is reached, and what it is to tell beyond what it must."""

    node: Node
    ssh_config: Path
    configs: Collection[str] = ()
    complete: bool = False


def probe_host(args: ProbeArgs) -> Host:
    """One host, in one session; a failure is a Host with a problem. A connection that was cut before anybody
    was asked who he is, as a server does that has many at its door, gets one more try."""
    host, cut = _probe_host(args)
    if cut:
        time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 (not all at the same moment)
        host, _ = _probe_host(args)
    return host


def _probe_host(args: ProbeArgs) -> tuple[Host, bool]:
    """The host, and whether the connection was cut."""
    began = time.time()
    bounds = Bounds(args.node.ssh.probe_timeout, TOTAL_SECONDS)
    told = Facts({})
    with Session(args.node.name, args.ssh_config, bounds, facts.script()) as session:
        try:
            told = facts.read(session.begin())
            # It was read at some moment of the session: what a slow one alone explains is no skew.
            skew = told.clock - min(max(told.clock, began), time.time())
            host = _host(args, told, skew, session.engine())
            return replace(host, noise=session.noise.decode(errors="replace")), False
        except FAILURES as error:
            host = _failed(args.node.name, session, told, error)
            return host, not session.begun and session.cut


def _failed(name: str, session: Session, told: Facts, error: Exception) -> Host:
    late = isinstance(error, TimeoutError)
    return Host(
        name,
        problem=_problem(session, error),
        answers=session.begun,
        late=late and session.begun,
        age=told.age,
    )


def _problem(session: Session, error: Exception) -> str:
    who = "its Docker Engine" if session.begun else "it"
    if isinstance(error, EngineError):
        return f"{who} answers: {error}"
    if isinstance(error, TimeoutError):
        return f"{who} gave no answer within {session.bounds.silence:g} s"
    return f"{who} gives no answer: {session.reason}" if session.begun else session.reason


def _host(args: ProbeArgs, told: Facts, skew: float, engine: Engine) -> Host:
    """Managers first answer for the nodes: where there is no leader that fails at once, while
    /info would block."""
    name = args.node.name
    try:
        nodes = engine.get("/nodes")
    except EngineError as error:
        if error.status != SERVICE_UNAVAILABLE:  # which means: not a manager
            return Host(
                name,
                state="active",
                node_id=told.node_id,
                manager=True,
                cluster_id=told.cluster_id,
                leaderless=True,
                engine_age=told.engine_age,
            )
        nodes = None
    info = engine.get("/info")
    swarm = info["Swarm"]
    certain = swarm["NodeID"] in ("", told.node_id)
    host = Host(
        name,
        engine=info["ServerVersion"],
        # A manager whose link to the leader fails says 503 as well.
        leaderless=nodes is None and swarm["ControlAvailable"],
        state=swarm["LocalNodeState"],
        error=swarm.get("Error", ""),
        # In an error the engine doesn't tell it.
        node_id=swarm["NodeID"] or told.node_id,
        manager=swarm["ControlAvailable"],
        address=swarm["NodeAddr"],
        cluster_id=told.cluster_id if certain else "",
        managers=tuple(m["Addr"].rpartition(":")[0] for m in swarm["RemoteManagers"] or ()),
        manager_ids=tuple(m["NodeID"] for m in swarm["RemoteManagers"] or () if m.get("NodeID")),
        cluster=None if nodes is None else _cluster(nodes, swarm["Cluster"]),
        routes=told.routes,
        kernel=told.kernel,
        ip_vs=told.kernel.get("ip_vs") == "yes",
        skew=skew,
        engine_age=told.engine_age,
        engine_id=info.get("ID", ""),
        hostname=info.get("Name", ""),
        live_restore=info.get("LiveRestoreEnabled", False),
        data_root=info.get("DockerRootDir", ""),
        free=told.free if info.get("DockerRootDir") == DATA_ROOT else None,
        lacks=told.lacks,
    )
    if host.cluster and (host.leads or args.complete):
        return replace(host, cluster=_complete(host.cluster, engine, args.configs))
    return host


def _cluster(nodes: list[Any], cluster: Mapping[str, Any]) -> Cluster:
    """What each manager tells for itself."""
    spec = cluster["Spec"]
    return Cluster(
        id=cluster["ID"],
        entries={node["ID"]: _entry(node) for node in nodes},
        index=max(node["Version"]["Index"] for node in nodes),
        complete=False,
        labels=spec.get("Labels") or {},
        spec=spec,
        version=cluster["Version"]["Index"],
        address_pool=(cluster.get("DefaultAddrPool") or [None])[0],
        data_path_port=cluster.get("DataPathPort"),
        task_history_limit=spec["Orchestration"]["TaskHistoryRetentionLimit"],
        certificate_expiry=spec["CAConfig"]["NodeCertExpiry"] // 10**9,
        dispatcher_heartbeat=spec["Dispatcher"]["HeartbeatPeriod"] // 10**9,
    )


def _complete(cluster: Cluster, engine: Engine, configs: Iterable[str]) -> Cluster:
    """With what all managers tell alike. Configs come with their contents, which nobody needs: only those
    are asked for whose names matter."""
    services = engine.get("/services")
    tasks = engine.get(WANTED_TASKS)
    ending = [service["ID"] for service in services if _ends(service)]
    tasks += engine.get(ended_tasks(ending)) if ending else []
    networks = engine.get(SWARM_NETWORKS)
    secrets = engine.get("/secrets")
    marked = engine.get(MARKED_CONFIGS)
    there = {name: one for name in configs if (one := _config(engine, name))}
    labeled = {one["Spec"]["Name"]: one["Spec"]["Labels"][STACK_LABEL] for one in marked}
    return replace(
        cluster,
        complete=True,
        services=tuple(_service(service, tasks) for service in services),
        networks={network["Name"]: _network(network) for network in networks},
        secrets={one["Spec"]["Name"]: SwarmObject(one["ID"]) for one in secrets},
        configs=there,
        label_configs=labeled,
    )


def _config(engine: Engine, name: str) -> SwarmObject | None:
    """A config of this very name; the engine takes the beginning of an ID for one, too."""
    try:
        found = engine.get(f"/configs/{quote(name, safe='')}")
    except EngineError as error:
        if error.status != NOT_FOUND:
            raise
        return None
    return SwarmObject(found["ID"]) if found["Spec"]["Name"] == name else None


def _network(network: Mapping[str, Any]) -> SwarmObject:
    subnets = (network.get("IPAM") or {}).get("Config") or ()
    gateways = {one["Subnet"]: one["Gateway"] for one in subnets if one.get("Gateway")}
    return SwarmObject(network["Id"], network.get("Options") or {}, gateways)


def _entry(node: Mapping[str, Any]) -> SwarmNode:
    manager = node.get("ManagerStatus") or {}
    address, _, _ = manager.get("Addr", "").rpartition(":")
    return SwarmNode(
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
    ended = [
        task["Status"]["State"]
        for task in newest.values()
        if task["DesiredState"] == "shutdown" and UNWANTED not in task["Status"].get("Err", "")
    ]
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
