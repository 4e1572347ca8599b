"""Several Compose files of one stack: what Docker's own client makes of them. It needs no engine for that."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.declare.compose import sources
from swarm.declare.compose.interpolation import interpolate
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig

KNOWN = ("services", "networks", "volumes", "secrets", "configs", "version")
# By what they show: the first file's and the second's service, then the rest of both files.
SERVICES = {
    "texts, numbers and flags": (
        "{image: 'a:1', user: '1', hostname: a, read_only: true, init: true, stop_grace_period: 20s}",
        "{image: 'a:2', user: '0', hostname: '', read_only: false, init: false, stop_grace_period: 0s}",
    ),
    "commands": (
        "{image: x, command: [a, b], entrypoint: 'sh -c'}",
        "{command: c d, entrypoint: []}",
    ),
    "variables": (
        "{image: x, environment: {A: '1', B: '2', C: , D: '4'}}",
        "{environment: [A=3, B=, C=5, D, E, F=0]}",
    ),
    "labels and sysctls": (
        "{image: x, labels: [a=1, b=2, c], sysctls: {k: 1}, deploy: {labels: {a: '1'}}}",
        "{labels: {a: '', b: 3, d: x}, sysctls: [k=2], deploy: {labels: [a, b=1]}}",
    ),
    "files of variables": (
        "{image: x, environment: {A: '1', B: '2', C: '3'}, env_file: one.env}",
        "{env_file: [two.env], environment: {B: '5'}}",
    ),
    "ports": (
        "{image: x, ports: ['8080:80', '9000-9002:90-92', '53:53/udp', '77']}",
        "{ports: [{target: 81, published: 8080, mode: host}, '9001:1/udp', 78]}",
    ),
    "ports of one file": ("{image: x, ports: ['99:1', '8:1']}", "{hostname: a}"),
    "ports of the other file": ("{image: x}", "{ports: ['99:1', '8:1', '7', '6']}"),
    "volumes": (
        "{image: x, volumes: ['data:/z:ro', '/srv:/srv', /anon,"
        " {type: tmpfs, target: /t, tmpfs: {size: 10}}]}",
        "{volumes: ['/other:/z', {type: tmpfs, target: /t, read_only: true},"
        " {type: bind, source: /a, target: /a}]}",
    ),
    "secrets and configs": (
        "{image: x, secrets: [s, {source: k, target: kk, mode: 256}], configs: [{source: c, uid: '5'}]}",
        "{secrets: [k, {source: s, gid: '4'}], configs: [d]}",
    ),
    "networks": (
        "{image: x, networks: {a: {aliases: [one]}, b: , c: {aliases: [c]}}}",
        "{networks: {a: {aliases: [two]}, b: {aliases: [b]}, c: }}",
    ),
    "networks as lists": ("{image: x, networks: [b, a]}", "{networks: [c, a]}"),
    "networks without aliases": ("{image: x, networks: {a: {aliases: [one]}}}", "{networks: {a: {}}}"),
    "health checks": (
        "{image: x, healthcheck: {test: [CMD, a], interval: 5s, retries: 3, start_period: 2s,"
        " disable: true}}",
        "{healthcheck: {test: b c, interval: 6s, retries: 0, start_period: 0s, disable: false}}",
    ),
    "logging": (
        "{image: x, logging: {driver: json-file, options: {a: '1', b: '1'}}}",
        "{logging: {options: {b: '2', c: ''}}}",
    ),
    "another driver": (
        "{image: x, logging: {driver: json-file, options: {a: '1'}}}",
        "{logging: {driver: syslog}}",
    ),
    "a driver before options": (
        "{image: x, logging: {driver: json-file}}",
        "{logging: {options: {b: '2'}}}",
    ),
    "options before a driver": ("{image: x, logging: {options: {a: '1'}}}", "{logging: {driver: syslog}}"),
    "limits of the kernel": (
        "{image: x, ulimits: {nofile: 100, nproc: {soft: 1, hard: 2}}}",
        "{ulimits: {nofile: {soft: 5, hard: 6}, nproc: 7, core: 1}}",
    ),
    "lists": (
        "{image: x, dns: 1.1.1.1, dns_search: [a], cap_add: [A, B], extra_hosts: {b: 1.1.1.1, a: 1.1.1.2}}",
        "{dns: [8.8.8.8], dns_search: b, cap_add: [D], cap_drop: [C], extra_hosts: ['b:2.2.2.2']}",
    ),
    "deployment": (
        "{image: x, deploy: {mode: global, replicas: 3, update_config: {parallelism: 2, delay: 5s,"
        " order: start-first}, resources: {limits: {cpus: '1', memory: 10M}},"
        " restart_policy: {max_attempts: 3, delay: 5s}}}",
        "{deploy: {mode: replicated, replicas: 0, update_config: {parallelism: 0, delay: 0s},"
        " rollback_config: {parallelism: 1}, resources: {limits: {cpus: '2'}, reservations: {memory: 5M}},"
        " restart_policy: {max_attempts: 0, window: 5s}}}",
    ),
    "placement": (
        "{image: x, deploy: {placement: {constraints: [a==b], preferences: [{spread: x}],"
        " max_replicas_per_node: 3}}}",
        "{deploy: {placement: {constraints: [c==d], preferences: [{spread: z}], max_replicas_per_node: 0}}}",
    ),
}
FIRST = """
networks: {a: {attachable: true, labels: {x: '1'}}, b: {driver: overlay}, c: }
volumes: {data: {driver: local, labels: {a: b}}, other: }
secrets: {s: {file: ./s}, k: {file: ./k}}
configs: {c: {file: ./c}, d: {file: ./d}}
"""
SECOND = """
networks: {a: {labels: {y: '2'}}, b: , d: {}}
volumes: {data: {labels: {c: d}}, new: {external: true}}
secrets: {s: {external: true, name: zz}}
"""


def config(folder: Path, *names: str, **variables: str) -> Any:
    """What Docker's client makes of the files."""
    options = [option for name in names for option in ("--compose-file", name)]
    command = ["docker", "stack", "config", *options]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return yaml.safe_load(done.stdout)


def merged(folder: Path, *names: str) -> Any:
    """The files as one."""
    reader, stack = Reader(), StackConfig("demo", tuple(folder / name for name in names))
    found = sources.read(reader, stack, sources.opened(reader, stack), KNOWN, {})
    assert reader.problems == []
    return found.data.plain


@pytest.mark.parametrize("name", SERVICES)
def test_files_are_merged_as_by_docker_s_client(tmp_path: Path, name: str) -> None:
    (tmp_path / "one.env").write_text("A=2\nX=1\n")
    (tmp_path / "two.env").write_text("A=3\nC=9\n")
    first, second = SERVICES[name]
    (tmp_path / "a.yaml").write_text(f"services: {{web: {first}, one: {{image: y}}}}\n{FIRST}")
    (tmp_path / "b.yaml").write_text(f"services: {{web: {second}, two: {{image: z}}}}\n{SECOND}")
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(merged(tmp_path, "a.yaml", "b.yaml")))
    docker = config(tmp_path, "a.yaml", "b.yaml")
    docker["services"]["web"].pop("env_file", None)  # its variables are in `environment`
    assert config(tmp_path, "m.yaml") == docker


def test_three_files_are_merged_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services: {w: {image: a, dns: [1.1.1.1], ports: ['8:1']}}")
    (tmp_path / "b.yaml").write_text("services: {w: {image: b, dns: [1.1.1.2], ports: ['7:1', '8:2']}}")
    (tmp_path / "c.yaml").write_text("services: {w: {dns: [1.1.1.3], environment: [A=1]}}")
    names = ("a.yaml", "b.yaml", "c.yaml")
    (tmp_path / "m.yaml").write_text(yaml.safe_dump(merged(tmp_path, *names)))
    assert config(tmp_path, "m.yaml") == config(tmp_path, *names)


@pytest.mark.parametrize(
    "text",
    ["$SET", "${SET}", "${SET:-a}", "${EMPTY:-a}", "${EMPTY-a}", "${GONE:-a}", "${GONE-a}", "${SET:?a}",
     "${EMPTY?a}", "$$SET", "${GONE:-{{.Node.Hostname}}}", "a${GONE-}b", "$SET.$SET"],
)  # fmt: skip
def test_a_variable_is_filled_in_as_by_docker_s_client(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(
        yaml.safe_dump({"services": {"w": {"image": "x", "user": f"x{text}.y"}}})
    )
    found = config(tmp_path, "a.yaml", SET="1", EMPTY="")["services"]["w"]["user"]
    assert interpolate(f"x{text}.y", {"SET": "1", "EMPTY": ""}) == found
