"""Why keys of Compose files aren't known, by name; others are Swarm's to ignore, as `docker stack deploy`
does."""

from __future__ import annotations

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
