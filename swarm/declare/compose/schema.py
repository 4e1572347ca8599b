"""The keys of Compose files that are known, a table per mapping, and why others aren't.

Source: the Compose specification, https://compose-spec.io, as `docker stack deploy` takes it.
"""

from __future__ import annotations

from swarm.declare.compose import values
from swarm.declare.compose.tables import Key
from swarm.declare.rules import boolean, distinct, image, number, one_of, sequence, text

COUNT = number(0, 10_000)
PORT_NUMBER = number(1, 65535)

IMAGE = "must be the name of an image as Docker takes it, with its tag, such as nginx:1.26.3"
_DURATION = "must be a duration, such as 10s or 1m30s"
_OF_CHECK = f"{_DURATION}; Docker takes none under 1ms"
_PAIRS = "must be a mapping to texts or numbers, or a list of NAME=VALUE; quote true and false"
_MAPPING = "must be a mapping"


def _pairs() -> Key:
    return Key(values.pairs, _PAIRS, {}, hidden=True)


def _table(default: object = None) -> Key:
    return Key(values.mapping, _MAPPING, default)


TOP = {
    "version": Key(str, "must be a text", None),  # obsolete; it says nothing
    "services": Key(values.mapping, "must be a mapping of services", {}),
    "networks": Key(values.mapping, "must be a mapping of networks", {}),
    "volumes": Key(values.mapping, "must be a mapping of volumes", {}),
    "secrets": Key(values.mapping, "must be a mapping of secrets", {}),
    "configs": Key(values.mapping, "must be a mapping of configs", {}),
}
EXTERNAL = {
    "external": Key(
        lambda raw: raw if isinstance(raw, dict) else boolean(raw), "must be true or false", False
    ),
    "name": Key(text, "must be a name in Docker", None),
}
NETWORK = {
    **EXTERNAL,
    "driver": Key(one_of("overlay"), "must be overlay, the driver of swarms", "overlay"),
    "driver_opts": _pairs(),
    "attachable": Key(boolean, "must be true or false", False),
    "internal": Key(boolean, "must be true or false", False),
    "labels": _pairs(),
    "ipam": _table({}),
}
IPAM = {
    "driver": Key(one_of("default"), "must be default", "default"),
    "config": Key(sequence, "must be a list of mappings with a subnet", []),
}
SUBNET = {"subnet": Key(values.network, "must be an IPv4 network, such as 10.30.1.0/24")}
VOLUME = {
    **EXTERNAL,
    "driver": Key(text, "must be the name of a volume driver", ""),
    "driver_opts": _pairs(),
    "labels": _pairs(),
}
FILE = {
    **EXTERNAL,
    "file": Key(text, "must be the path of a file", None),
    "environment": Key(
        text, "must be a name in swarm:secrets, or of a variable of the environment", None, hidden=True
    ),
    "labels": _pairs(),
}
SERVICE = {
    "image": Key(image, IMAGE),
    "entrypoint": Key(values.words, "must be a text or a list of words", (), hidden=True),
    "command": Key(values.words, "must be a text or a list of words", (), hidden=True),
    "environment": Key(values.variables, _PAIRS, {}, hidden=True),
    "env_file": Key(values.one_or_more, "must be a path, or a list of paths", ()),
    "labels": _pairs(),
    "hostname": Key(text, "must be a host name", None),
    "user": Key(str, "must be a user, or USER:GROUP", None),
    "working_dir": Key(text, "must be a path", None),
    "init": Key(boolean, "must be true or false", None),
    "read_only": Key(boolean, "must be true or false", False),
    "stop_signal": Key(text, "must be a signal, such as SIGTERM", None),
    "stop_grace_period": Key(values.duration, _DURATION, "10s"),
    "healthcheck": _table(),
    "logging": _table(),
    "extra_hosts": Key(values.hosts, "must be a list of NAME:ADDRESS, or a mapping", ()),
    "dns": Key(values.addresses, "must be an IP address, or a list of them", ()),
    "dns_search": Key(values.one_or_more, "must be a domain, or a list of domains", ()),
    "cap_add": Key(values.capabilities, "must be a list of capabilities", ()),
    "cap_drop": Key(values.capabilities, "must be a list of capabilities", ()),
    "sysctls": _pairs(),
    "volumes": Key(sequence, "must be a list of volumes", []),
    "networks": Key(lambda raw: raw if isinstance(raw, dict) else distinct(raw),
                    "must be a list of names under `networks`, or a mapping", ("default",)),
    "ports": Key(sequence, "must be a list of ports", []),
    "secrets": Key(sequence, "must be a list of names under `secrets`, or of mappings", []),
    "configs": Key(sequence, "must be a list of names under `configs`, or of mappings", []),
    "deploy": _table({}),
}  # fmt: skip
ATTACHMENT = {"aliases": Key(distinct, "must be a list of names, each once", ())}
HEALTHCHECK = {
    "test": Key(
        values.test, "must be a text, or a list that begins with CMD, CMD-SHELL or NONE", (), hidden=True
    ),
    "interval": Key(values.millisecond_or_more, _OF_CHECK, "0s"),
    "timeout": Key(values.millisecond_or_more, _OF_CHECK, "0s"),
    "start_period": Key(values.millisecond_or_more, _OF_CHECK, "0s"),
    "retries": Key(COUNT, "must be a number", 0),
    "disable": Key(boolean, "must be true or false", False),
}
LOGGING = {
    "driver": Key(text, "must be the name of a logging driver"),
    "options": _pairs(),
}
DEPLOY = {
    "mode": Key(one_of("replicated", "global"), "must be replicated or global; Pulumi's provider has no "
                "jobs", "replicated"),
    "replicas": Key(COUNT, "must be a number of tasks", None),
    "labels": _pairs(),
    "endpoint_mode": Key(one_of("vip", "dnsrr"), "must be vip or dnsrr", "vip"),
    "placement": _table({}),
    "resources": _table({}),
    "restart_policy": _table({}),
    "update_config": _table(),
    "rollback_config": _table(),
}  # fmt: skip
PLACEMENT = {
    "constraints": Key(
        values.constraints, "must be a list of constraints, such as node.role == worker, or with !=", ()
    ),
    "preferences": Key(sequence, "must be a list with one preference", []),
    "max_replicas_per_node": Key(COUNT, "must be a number of tasks", 0),
}
PREFERENCE = {"spread": Key(text, "must be what to spread over, such as node.labels.zone")}
RESOURCES = {"limits": _table(), "reservations": _table()}
AMOUNTS = {
    "cpus": Key(values.cpus, "must be a number of processors, 0.001 or more, such as 0.5", 0),
    "memory": Key(values.memory, "must be a number of octets, 4M or more, such as 64M", 0),
}
RESTART = {
    "condition": Key(one_of("any", "on-failure", "none"), "must be any, on-failure or none", "any"),
    "delay": Key(values.duration, _DURATION, "5s"),
    "max_attempts": Key(COUNT, "must be a number", 0),
    "window": Key(values.duration, _DURATION, "0s"),
}
_UPDATE = {
    "parallelism": Key(COUNT, "must be a number of tasks", 1),
    "delay": Key(values.duration, _DURATION, "0s"),
    "monitor": Key(values.duration, _DURATION, "5s"),
    "max_failure_ratio": Key(values.ratio, "must be 0 to 1, in tenths: no more is kept", "0.0"),
    "order": Key(one_of("stop-first", "start-first"), "must be stop-first or start-first", "stop-first"),
}
UPDATE = _UPDATE | {
    "failure_action": Key(
        one_of("pause", "continue", "rollback"), "must be pause, continue or rollback", "pause"
    )
}
ROLLBACK = _UPDATE | {
    "failure_action": Key(one_of("pause", "continue"), "must be pause or continue", "pause")
}
PORT = {
    "target": Key(PORT_NUMBER, "must be a port, 1 to 65535"),
    "published": Key(PORT_NUMBER, "must be a port, 1 to 65535", None),
    "protocol": Key(one_of("tcp", "udp", "sctp"), "must be tcp, udp or sctp", "tcp"),
    "mode": Key(one_of("ingress", "host"), "must be ingress or host", "ingress"),
}
MOUNT = {
    "type": Key(one_of("volume", "bind", "tmpfs"), "must be volume, bind or tmpfs"),
    "target": Key(values.absolute, "must be an absolute path in the container"),
    "source": Key(text, "must be a name under `volumes`, or a path on the node", ""),
    "read_only": Key(boolean, "must be true or false", False),
    "bind": _table({}),
    "volume": _table({}),
    "tmpfs": _table({}),
}
BIND = {
    "propagation": Key(one_of(*values.PROPAGATIONS), f"must be one of {', '.join(values.PROPAGATIONS)}", None)
}
OF_VOLUME = {"nocopy": Key(boolean, "must be true or false", False)}
TMPFS = {"size": Key(values.octets, "must be a number of octets, such as 64M", None)}
REFERENCE = {
    "source": Key(text, "must be a name under `secrets` or `configs`"),
    "target": Key(text, "must be the name or path of a file", None),
    "uid": Key(values.identity, "must be a user's number", "0"),
    "gid": Key(values.identity, "must be a group's number", "0"),
    "mode": Key(values.mode, "must be a number to base 8, such as 0440", 0o444),
}

# Why a key isn't known, by its name; others are Swarm's to ignore, as `docker stack deploy` does.
_PROVIDER = "Pulumi's Docker provider has no such property"
_UNMAPPED = "Swarm has it, but it isn't mapped here"
REASONS = {
    "build": "Swarm builds no images: build, push, and name the `image`",
    "container_name": "Swarm names its containers itself: SERVICE.SLOT.TASK",
    "credential_spec": f"{_UNMAPPED}: it is for Windows",
    "depends_on": "Swarm starts services all at once: let them wait for each other, or use two stacks and "
    "`dependsOn`",
    "domainname": "Swarm ignores it: put it into `hostname`",
    "driver": _UNMAPPED,
    "driver_opts": _UNMAPPED,
    "expose": "Swarm ignores it: services on a network reach each other's ports anyway",
    "external_links": "Swarm ignores it: share an external network",
    "extends": "Swarm doesn't know it: use YAML's anchors and merges",
    "generic_resources": _UNMAPPED,
    "isolation": f"{_UNMAPPED}: Linux has but one kind",
    "links": "Swarm ignores it: services on a network know each other by name",
    "network_mode": "Swarm ignores it: use `networks`",
    "name": "the stack's name is in swarm:stacks",
    "oom_score_adj": _PROVIDER,
    "pids": _PROVIDER,
    "restart": "it isn't mapped here: use `deploy.restart_policy`",
    "start_interval": _PROVIDER,
    "stdin_open": _PROVIDER,
    "subpath": _PROVIDER,
    "template_driver": _PROVIDER,
    "tmpfs": "Swarm ignores it: use `volumes` with type tmpfs",
    "tty": _PROVIDER,
    "ulimits": f"{_PROVIDER}: set the engines' default-ulimits",
    "x-cluster-spec": _PROVIDER,
}
