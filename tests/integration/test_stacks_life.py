"""Stacks over their lives: contents that change, stacks that need each other, what is ignored and refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from swarm.declare.compose.document import Document
from swarm.declare.compose.service import KEYS
from tests.integration.deployment import Deployment, changed
from tests.integration.test_stacks import specs

BASE = """
services:
  page:
    image: nginx:1.26.3
    networks: [shared]
    volumes: [kept:/data]
    secrets: [password, plain]
    stop_grace_period: 1s
  other:
    image: redis:7.0.15
    networks: [shared]
    secrets: [plain]
    stop_grace_period: 1s
networks: {shared: {name: shared-net, attachable: true}}
volumes: {kept: {}}
secrets:
  password: {environment: PAGE_PASSWORD}
  plain: {file: plain}
"""
USER = """
services:
  guest:
    image: redis:7.0.15
    build: .
    networks: [shared, mine]
    stop_grace_period: 1s
networks: {shared: {external: true, name: shared-net}, mine: {}}
"""


@pytest.fixture(scope="module")
def deployed(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Path]:
    """Two stacks on a manager and a worker: `user` comes first in the list, and needs `base`."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "base.yaml").write_text(BASE)
    (folder / "user.yaml").write_text(USER)
    (folder / "plain").write_text("as it is")
    nodes = deployment.nodes()
    user = {
        "name": "user",
        "compose": str(folder / "user.yaml"),
        "dependsOn": ["base"],
        "ignoreUnsupported": ["services.*.build"],
    }
    deployment.configure(
        nodes=[nodes[0], nodes[-1]], stacks=[user, {"name": "base", "compose": str(folder / "base.yaml")}]
    )
    deployment.pulumi("config", "set", "--secret", "--path", "swarm:secrets.PAGE_PASSWORD", "first-of-all")
    deployment.keep("secrets")
    deployment.up()
    return deployment, folder


def tasks(deployment: Deployment) -> dict[str, str]:
    """The IDs of the tasks that are to run, by service."""
    listed = deployment.docker(
        "stack ps --no-trunc --filter desired-state=running --format '{{.Name}} {{.ID}}' base"
    )
    return {line.split(".")[0]: line.split()[1] for line in listed.splitlines()}


def content(deployment: Deployment, service: str, name: str) -> str:
    """What a container of the service has as a secret's file."""
    node = deployment.names[-1]
    found = f"$(docker ps -q --filter label=com.docker.swarm.service.name={service} | head -n 1)"
    return deployment.lab.run(node, f"docker exec {found} cat /run/secrets/{name}")


def test_a_stack_that_another_needs_is_whole_before_it(deployed: tuple[Deployment, Path]) -> None:
    deployment, _ = deployed
    created = {
        name: deployment.docker(f"service inspect --format '{{{{.CreatedAt.UnixNano}}}}' {name}").strip()
        for name in ("base_page", "base_other", "user_guest")
    }
    assert max(created, key=lambda name: int(created[name])) == "user_guest"
    networks = "{{range .Spec.TaskTemplate.Networks}}{{.Target}} {{end}}"
    shared = deployment.docker("network inspect --format '{{.Id}}' shared-net").strip()
    assert shared in deployment.docker(f"service inspect --format '{networks}' user_guest").split()
    deployment.preview()


def test_a_changed_secret_moves_its_services_over_and_restarts_no_other(
    deployed: tuple[Deployment, Path],
) -> None:
    deployment, _ = deployed
    assert content(deployment, "base_page", "password") == "first-of-all"
    before, old = tasks(deployment), deployment.docker("secret ls --format '{{.Name}}'").split()
    deployment.pulumi("config", "set", "--secret", "--path", "swarm:secrets.PAGE_PASSWORD", "another-one")
    deployment.keep("secrets")
    touched = changed(deployment.up())
    assert touched["updated"] == {"base_page", "base-settle"}
    assert content(deployment, "base_page", "password") == "another-one"
    after, new = tasks(deployment), deployment.docker("secret ls --format '{{.Name}}'").split()
    assert (before["base_other"], before["base_page"] == after["base_page"]) == (after["base_other"], False)
    assert len(new) == len(old)
    assert set(old) - set(new) == {name for name in old if name.startswith("base_password")}
    deployment.preview()
    for secret in ("first-of-all", "another-one"):
        assert secret not in deployment.export()
        assert secret not in deployment.config_file.read_text()


def test_what_a_stack_needs_and_the_swarm_lacks_is_refused_before_anything_is_changed(
    deployed: tuple[Deployment, Path],
) -> None:
    deployment, folder = deployed
    (folder / "lost.yaml").write_text(
        "services: {one: {image: 'redis:7.0.15', networks: [gone], secrets: [key]}}\n"
        "networks: {gone: {external: true}}\nsecrets: {key: {external: true, name: their-key}}\n"
    )
    stacks = deployment.settings["swarm:stacks"]
    deployment.configure(stacks=[*stacks, {"name": "lost", "compose": str(folder / "lost.yaml")}])
    output = deployment.up(fails=True)
    assert "stack lost needs the external network gone, which the swarm doesn't have" in output
    assert "docker secret create their-key FILE" in output
    assert changed(output) == {}
    deployment.docker("network create --driver overlay gone")
    deployment.docker("secret create their-key /etc/hostname")
    deployment.up()
    deployment.preview()
    deployment.configure(stacks=stacks)
    deployment.up()
    assert "gone" in deployment.docker("network ls --format '{{.Name}}'").split(), "it isn't ours to remove"
    deployment.docker("secret rm their-key")
    deployment.docker("network rm gone")


def test_a_stack_that_is_taken_out_and_put_in_again_loses_no_more_than_its_tasks(
    deployed: tuple[Deployment, Path],
) -> None:
    deployment, _ = deployed
    stacks = deployment.settings["swarm:stacks"]
    node = deployment.names[-1]
    volume = "/var/lib/docker/volumes/base_kept/_data"
    deployment.lab.run(node, f"echo kept >{volume}/mark")
    deployment.configure(stacks=[])
    deployment.up()
    for kind in ("service ls -q", "secret ls -q", "network ls -q --filter name=shared-net"):
        assert deployment.docker(kind) == ""
    deployment.configure(stacks=stacks)
    deployment.up()
    deployment.preview()
    assert deployment.lab.run(node, f"cat {volume}/mark").strip() == "kept"


# Every option of a service, and every one again with another value.
FULL = """
services:
  one:
    image: redis:7.0.15
    entrypoint: [sleep]
    command: [1h]
    environment: {A: "1", B: "2"}
    env_file: first.env
    labels: {a: b}
    hostname: first
    user: "0"
    working_dir: /tmp
    init: true
    read_only: true
    stop_signal: SIGINT
    stop_grace_period: 1s
    healthcheck: {test: "true", interval: 1h, timeout: 1s, start_period: 1s, retries: 2}
    logging: {driver: json-file, options: {max-size: 1m}}
    extra_hosts: ["db:192.0.2.1"]
    dns: 192.0.2.53
    dns_search: example.org
    cap_add: [NET_ADMIN]
    cap_drop: [CHOWN]
    sysctls: {net.core.somaxconn: 1024}
    volumes: [/cache, "kept:/kept", {type: tmpfs, target: /t, tmpfs: {size: 4m}}]
    networks: {default: {aliases: [first]}, more: }
    ports: [{target: 6379, published: 6379, mode: host}]
    secrets: [{source: key, target: /key, mode: 0400}]
    configs: [site]
    deploy:
      mode: replicated
      replicas: 0
      labels: {c: d}
      endpoint_mode: dnsrr
      placement:
        constraints: [node.role == worker]
        preferences: [{spread: node.labels.a}]
        max_replicas_per_node: 3
      resources: {limits: {cpus: 1, memory: 64M}, reservations: {cpus: 0.1, memory: 8M}}
      restart_policy: {condition: on-failure, delay: 1s, max_attempts: 2, window: 1s}
      update_config: {parallelism: 2, delay: 1s, monitor: 1s, max_failure_ratio: 0.1, order: start-first,
                      failure_action: rollback}
      rollback_config: {parallelism: 2, delay: 1s, monitor: 1s, max_failure_ratio: 0.1, order: start-first,
                        failure_action: continue}
networks: {more: {}, alone: {attachable: true, internal: true, driver_opts: {encrypted: ""}}}
volumes: {kept: {labels: {e: f}}}
secrets: {key: {file: plain}}
configs: {site: {file: plain}}
"""
OTHER = """
services:
  one:
    image: redis:7.0.15
    entrypoint: [sleep, 1h]
    command: [2h]
    environment: {B: "3", C: "4"}
    env_file: second.env
    labels: {a: c}
    hostname: second
    user: "1"
    working_dir: /
    init: false
    read_only: false
    stop_signal: SIGQUIT
    stop_grace_period: 2s
    healthcheck: {test: [CMD, "true"], interval: 2h, timeout: 2s, start_period: 2s, retries: 3}
    logging: {driver: json-file, options: {max-file: "2"}}
    extra_hosts: ["db:192.0.2.2", "web:192.0.2.3"]
    dns: [192.0.2.54, 192.0.2.55]
    dns_search: [example.com]
    cap_add: [SYS_TIME]
    cap_drop: [KILL]
    sysctls: {net.core.somaxconn: 2048}
    volumes: ["kept:/other:ro", {type: bind, source: /etc, target: /host, bind: {propagation: rslave}}]
    networks: {more: {aliases: [second]}}
    ports: [{target: 6379, published: 6380, protocol: udp, mode: ingress}]
    secrets: [{source: key, target: /other, uid: "1", gid: "1"}]
    configs: [{source: site, target: /site}]
    deploy:
      mode: replicated
      replicas: 0
      labels: {c: e}
      endpoint_mode: vip
      placement:
        constraints: [node.role != manager, node.labels.b != c]
        preferences: [{spread: node.labels.b}]
        max_replicas_per_node: 4
      resources: {limits: {cpus: 2, memory: 32M}, reservations: {cpus: 0.2, memory: 4M}}
      restart_policy: {condition: none, delay: 2s, max_attempts: 3, window: 2s}
      update_config: {parallelism: 3, delay: 2s, monitor: 2s, max_failure_ratio: 0.2, order: stop-first,
                      failure_action: continue}
      rollback_config: {parallelism: 3, delay: 2s, monitor: 2s, max_failure_ratio: 0.2, order: stop-first,
                        failure_action: pause}
networks: {more: {}, alone: {internal: true, labels: {g: h}}}
volumes: {kept: {labels: {e: g}}}
secrets: {key: {file: plain}}
configs: {site: {file: plain}}
"""
# What the provider leaves as it is where nothing is said of it, and nothing else changes.
KEPT = ("stop_grace_period", "healthcheck", "dns", "dns_search", "init")
KEPT_OF_DEPLOY = ("labels", "endpoint_mode", "placement", "resources", "restart_policy", "update_config",
                  "rollback_config")  # fmt: skip


def file(text: str | None, port: int = 0) -> str:
    """A file with the service of this text, and with one for each of its options alone that the provider
    may keep; without a text none has options. The network that changes is none of theirs: they would be
    replaced with it."""
    data: Any = Document(text or FULL).data
    one = data["services"]["one"]
    known = [name.split(".") for name in KEYS]
    # `restart` counts without a restart_policy alone, and Linux has one isolation.
    assert {*one, "restart", "isolation"} == {way[0] for way in known}
    assert set(one["deploy"]) == {way[1] for way in known if way[0] == "deploy"}
    one["ports"][0]["published"] += port
    alone = {name: {name: one[name]} for name in KEPT}
    alone |= {name: {"deploy": {name: one["deploy"][name]}} for name in KEPT_OF_DEPLOY}
    services = {"one": one} | alone if text else {name: {} for name in ("one", *alone)}
    for service in services.values():
        service["image"] = one["image"]
        service["deploy"] = {**service.get("deploy", {}), "replicas": 0}
    return yaml.safe_dump({**(data if text else {"networks": {"alone": {}}}), "services": services})


def test_what_is_changed_in_a_file_or_taken_out_is_so_on_the_services_and_the_network(
    deployed: tuple[Deployment, Path],
) -> None:
    """What was changed is as what is made anew from the same file."""
    deployment, folder = deployed
    for name in ("first.env", "second.env"):
        (folder / name).write_text(f"OF={name}\n")
    changing = {"name": "less", "compose": str(folder / "less.yaml")}
    (folder / "less.yaml").write_text(file(FULL))
    deployment.configure(stacks=[changing])
    deployment.up()
    for name, text in (("other", OTHER), ("new", None)):
        (folder / "less.yaml").write_text(file(text))
        (folder / f"{name}.yaml").write_text(file(text, port=1))
        deployment.configure(stacks=[changing, {"name": name, "compose": str(folder / f"{name}.yaml")}])
        deployment.up()
        assert seen(deployment, "less") == seen(deployment, name)
    deployment.preview()


def seen(deployment: Deployment, stack: str) -> dict[str, Any]:
    """What the swarm has of a stack's services and network, as it would be of any other stack."""
    of_network = "'{{.Attachable}} {{.Internal}} {{range $name, $_ := .Options}}{{$name}} {{end}}'"
    listed = [spec for name, spec in specs(deployment).items() if name.startswith(f"{stack}_")]
    for spec in listed:
        for port in spec.get("EndpointSpec", {}).get("Ports", ()):
            del port["PublishedPort"]  # no other can have it
    network = deployment.docker(f"network inspect --format {of_network} {stack}_alone")
    found = json.loads(
        re.sub(rf'"{stack}(_|")', r'"\1', json.dumps({"services": listed, "network": network}))
    )
    assert isinstance(found, dict)
    return found
