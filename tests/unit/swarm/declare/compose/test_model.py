"""Every key of Compose files that is known, once, into the model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swarm.declare.compose import (
    Attachment,
    File,
    Healthcheck,
    Logging,
    Mount,
    Network,
    Port,
    Reference,
    Reservations,
    Resources,
    Restart,
    Service,
    Update,
    Volume,
    contents,
    networks,
    service,
    volumes,
)
from swarm.declare.compose.document import Document
from swarm.declare.compose.reading import _Top
from swarm.declare.keys import Key, Part, keys_of
from tests.unit.given import ReadStack

EVERY_KEY = """
version: "3.8"
services:
  page:
    image: nginx:1
    entrypoint: /start --now
    command: [a, b c]
    environment: {A: 1}
    env_file: env
    labels: {of: container}
    hostname: host
    user: "1:2"
    working_dir: /work
    init: true
    isolation: process
    restart: always
    read_only: true
    stop_signal: SIGINT
    stop_grace_period: 90s
    healthcheck: {test: "true", interval: 1s, timeout: 2s, start_period: 3s, retries: 4, disable: false}
    logging: {driver: json-file, options: {max-size: 1m}}
    extra_hosts: ["db:192.0.2.1"]
    dns: 192.0.2.2
    dns_search: [example.org]
    cap_add: [net_admin]
    cap_drop: [ALL]
    sysctls: {net.core.somaxconn: 1024}
    volumes:
      - {type: volume, source: data, target: /data, read_only: true, volume: {nocopy: true}}
      - {type: bind, source: /from, target: /to, bind: {propagation: rslave}}
      - {type: tmpfs, target: /tmp, tmpfs: {size: 1k}}
    networks: {back: {aliases: [web]}}
    ports: [{target: 80, published: 8080, protocol: udp, mode: host}]
    secrets: [{source: key, target: /key, uid: "1", gid: "2", mode: 0400}]
    configs: [{source: site, target: /site, uid: "3", gid: "4", mode: 0440}]
    deploy:
      mode: replicated
      replicas: 2
      labels: {of: service}
      endpoint_mode: dnsrr
      placement:
        constraints: [node.role == worker]
        preferences: [{spread: node.labels.zone}]
        max_replicas_per_node: 1
      resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {cpus: "0.1", memory: 32M,
                  generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]}}
      restart_policy: {condition: on-failure, delay: 1s, max_attempts: 2, window: 3s}
      update_config: {parallelism: 2, delay: 1s, monitor: 2s, max_failure_ratio: 0.1, order: start-first,
                      failure_action: rollback}
      rollback_config: {parallelism: 3, delay: 3s, monitor: 4s, max_failure_ratio: 0.2, order: start-first,
                        failure_action: continue}
networks:
  back: {name: lan, driver: overlay, driver_opts: {encrypted: ""}, attachable: true, internal: true,
         labels: {a: b}, ipam: {driver: default, config: [{subnet: 10.30.1.0/24}]}}
  there: {external: true, name: theirs}
volumes:
  data: {name: kept, driver: local, driver_opts: {type: nfs}, labels: {c: d}}
  there: {external: true}
secrets:
  key: {environment: key, labels: {e: f}}
  there: {external: true, name: theirs}
configs:
  site: {file: site, labels: {g: h}}
  there: {external: true, name: theirs}
"""


def test_every_key_is_read_into_the_model(read: ReadStack, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("B=2\n")
    (tmp_path / "site").write_text("hello")
    stack, problems = read(EVERY_KEY)
    assert not problems
    assert stack.services == (
        Service(
            "page",
            "nginx:1",
            replicas=2,
            entrypoint=("/start", "--now"),
            command=("a", "b c"),
            environment={"A": "1", "B": "2"},
            labels={"of": "service"},
            container_labels={"of": "container"},
            hostname="host",
            user="1:2",
            working_dir="/work",
            init=True,
            isolation="process",
            read_only=True,
            stop_signal="SIGINT",
            stop_grace_period="1m30s",
            healthcheck=Healthcheck(("CMD-SHELL", "true"), "1s", "2s", "3s", 4),
            hosts=(("db", "192.0.2.1"),),
            dns=("192.0.2.2",),
            dns_search=("example.org",),
            cap_add=("CAP_NET_ADMIN",),
            cap_drop=("ALL",),
            sysctls={"net.core.somaxconn": "1024"},
            mounts=(
                Mount(
                    "volume",
                    "/data",
                    volume=Volume("kept", False, "local", {"type": "nfs"}, {"c": "d"}),
                    read_only=True,
                    nocopy=True,
                ),
                Mount("bind", "/to", "/from", propagation="rslave"),
                Mount("tmpfs", "/tmp", size=1024),
            ),
            networks=(Attachment("back", ("web", "page")),),
            ports=(Port(80, 8080, "udp", "host"),),
            endpoint_mode="dnsrr",
            secrets=(Reference("key", "/key", "1", "2", 0o400),),
            configs=(Reference("site", "/site", "3", "4", 0o440),),
            constraints=("node.role == worker",),
            spread="node.labels.zone",
            max_replicas=1,
            limits=Resources(500_000_000, 64 << 20),
            reservations=Reservations(100_000_000, 32 << 20, (("gpu", 2),)),
            restart=Restart("on-failure", "1s", 2, "3s"),
            update=Update(2, "1s", "rollback", "2s", "0.1", "start-first"),
            rollback=Update(3, "3s", "continue", "4s", "0.2", "start-first"),
            logging=Logging("json-file", {"max-size": "1m"}),
        ),
    )
    assert stack.networks == (
        Network("back", "lan", False, True, True, {"encrypted": ""}, {"a": "b"}, ("10.30.1.0/24",)),
        Network("there", "theirs", external=True),
    )
    assert stack.secrets == (File("key", b"swordfish", labels={"e": "f"}), File("there", external="theirs"))
    assert stack.configs == (File("site", b"hello", labels={"g": "h"}), File("there", external="theirs"))


def known(keys: Mapping[str, Key]) -> set[str]:
    """The paths of keys in a mapping, such as `deploy.mode`, those of its parts too."""
    parts = {name: key.rule for name, key in keys.items() if isinstance(key.rule, Part)}
    inner = {f"{name}.{one}" for name, part in parts.items() for one in keys_of(part.keys)}
    return inner | (keys.keys() - parts.keys())


def used(data: Mapping[str, Any], keys: set[str], path: str = "") -> set[str]:
    """The paths of what is in the data, down to those that are keys."""
    found = set()
    for name, value in data.items():
        at = f"{path}{name}"
        inner = isinstance(value, dict) and at not in keys
        found |= used(value, keys, f"{at}.") if inner else {at}
    return found


def test_no_key_is_missing_above() -> None:
    data: Any = Document(EVERY_KEY).data
    assert set(data) == set(keys_of(_Top))
    page = data["services"]["page"]
    for found, keys in (
        ([page], service.KEYS),
        (page["volumes"], keys_of(Mount)),
        (page["networks"].values(), keys_of(Attachment)),
        (page["ports"], keys_of(Port)),
        (page["secrets"], keys_of(Reference)),
        (page["configs"], keys_of(Reference)),
        (data["networks"].values(), networks.KEYS),
        (data["volumes"].values(), volumes.KEYS),
        ([one for kind in ("secrets", "configs") for one in data[kind].values()], contents.KEYS),
    ):
        every = known(keys)
        assert {path for one in found for path in used(one, every)} == every
