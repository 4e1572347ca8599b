"""Why keys of Compose files have no effect, or aren't known.

The first two tables are what Docker's client leaves out, in silence or with a word: UnsupportedProperties and
DeprecatedProperties of https://github.com/docker/cli/blob/v26.1.5/cli/compose/types/types.go, and the keys
that its schema has and nothing reads.
"""

from __future__ import annotations

_ENGINE = "Swarm can't set it for a service"
SERVICE = {
    "build": "Swarm builds no images",
    "cgroup_parent": _ENGINE,
    "cgroupns_mode": _ENGINE,
    "container_name": "Swarm names its containers itself",
    "depends_on": "Swarm starts services all at once; let them wait for each other, or use `dependsOn`",
    "devices": _ENGINE,
    "domainname": "Swarm has none; put it into `hostname`",
    "expose": "services on a network reach each other's ports anyway",
    "external_links": "share an external network instead",
    "ipc": _ENGINE,
    "links": "services on a network know each other by name",
    "mac_address": _ENGINE,
    "network_mode": "use `networks`",
    "pid": _ENGINE,
    "privileged": _ENGINE,
    "security_opt": _ENGINE,
    "shm_size": f"{_ENGINE}; mount a tmpfs at /dev/shm",
    "tmpfs": "use `volumes` with type tmpfs",
    "userns_mode": _ENGINE,
}
_ADDRESS = "Swarm gives tasks their addresses itself"
ATTACHMENT = {"ipv4_address": _ADDRESS, "ipv6_address": _ADDRESS}

_PROVIDER = "Pulumi's Docker provider has no such property"
_UNMAPPED = "Swarm has it, but it isn't mapped here"
_CLIENT = "`docker stack deploy` refuses it"
_LIMITS = f"{_CLIENT}: use `deploy.resources`"
REASONS = {
    "annotations": _CLIENT,
    "cluster": f"{_UNMAPPED}: cluster volumes",
    "consistency": f"{_PROVIDER}, and on Linux it means nothing",
    "cpu_count": _LIMITS,
    "cpu_percent": _LIMITS,
    "cpu_period": _LIMITS,
    "cpu_quota": _LIMITS,
    "cpu_shares": _LIMITS,
    "cpus": _LIMITS,
    "cpuset": _LIMITS,
    "create_host_path": f"{_CLIENT}: Swarm makes no folders on nodes",
    "credential_spec": "Pulumi's Docker provider mixes up its values; it is for Windows",
    "develop": _CLIENT,
    "dns_opt": _CLIENT,
    "driver": _UNMAPPED,
    "driver_opts": _UNMAPPED,
    "enable_ipv6": _CLIENT,
    "extends": f"{_CLIENT}: use YAML's anchors and merges",
    "gateway": _CLIENT,
    "group_add": _CLIENT,
    "host_ip": f"{_CLIENT}: Swarm can't publish a port on one address, and it would be open to all",
    "include": _CLIENT,
    "ip_range": _CLIENT,
    "mem_limit": _LIMITS,
    "mem_reservation": _LIMITS,
    "mem_swappiness": _CLIENT,
    "memswap_limit": _LIMITS,
    "name": "the stack's name is in swarm:stacks",
    "oom_kill_disable": _CLIENT,
    "oom_score_adj": _PROVIDER,
    "pids": _PROVIDER,
    "pids_limit": f"{_CLIENT}, whose `deploy.resources.limits.pids` Pulumi's Docker provider doesn't have",
    "platform": f"{_CLIENT}: use a placement constraint on node.platform.arch",
    "profiles": _CLIENT,
    "pull_policy": f"{_CLIENT}: use the stack's `resolveImages`",
    "runtime": f"{_CLIENT}: set the engines' default-runtime",
    "scale": f"{_CLIENT}: use `deploy.replicas`",
    "selinux": f"{_CLIENT}: Swarm relabels nothing",
    "start_interval": _PROVIDER,
    "stdin_open": _PROVIDER,
    "storage_opt": _CLIENT,
    "subpath": _PROVIDER,
    "template_driver": _PROVIDER,
    "tty": _PROVIDER,
    "ulimits": f"{_PROVIDER}: set the engines' default-ulimits",
    "volume_driver": f"{_CLIENT}: give a volume its driver under `volumes` at the end of the file",
    "volumes_from": f"{_CLIENT}: mount the same named volume",
    "x-cluster-spec": _PROVIDER,
}


def ignored(path: str) -> str:
    """Why the key at a path such as `services.page.build` has no effect; empty where it isn't known to."""
    match path.split("."):
        case ["services", _, name]:
            return SERVICE.get(name, "")
        case ["services", _, "networks", _, name]:
            return ATTACHMENT.get(name, "")
    return ""
