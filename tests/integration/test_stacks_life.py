"""Stacks over their lives: contents that change, stacks that need each other, what is ignored and refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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


FULL = """
services:
  one:
    image: redis:7.0.15
    init: true
    user: "0"
    environment: {A: "1"}
    labels: {a: b}
    dns: 192.0.2.53
    cap_add: [NET_ADMIN]
    healthcheck: {test: "true", interval: 1h}
    logging: {driver: json-file, options: {max-size: 1m}}
    volumes: [/cache]
    ports: [{target: 6379, published: 6379, mode: host}]
    deploy:
      replicas: 0
      labels: {c: d}
      endpoint_mode: dnsrr
      placement: {constraints: [node.role == worker], max_replicas_per_node: 3}
      resources: {limits: {memory: 64M}, reservations: {memory: 8M}}
      restart_policy: {condition: on-failure, delay: 1s}
      update_config: {parallelism: 2}
      rollback_config: {parallelism: 2}
networks: {default: {attachable: true, internal: true, driver_opts: {encrypted: ""}}}
"""


def test_what_is_taken_out_of_a_file_is_taken_off_the_service_and_the_network(
    deployed: tuple[Deployment, Path],
) -> None:
    deployment, folder = deployed
    plain = "services: {one: {image: 'redis:7.0.15'}}\n"
    (folder / "less.yaml").write_text(FULL)
    (folder / "new.yaml").write_text(plain)
    stacks = [{"name": name, "compose": str(folder / f"{name}.yaml")} for name in ("less", "new")]
    deployment.configure(stacks=stacks)
    deployment.up()
    (folder / "less.yaml").write_text(plain)
    deployment.up()
    deployment.preview()
    less, new = (told[f"{name}_one"] for told in (specs(deployment),) for name in ("less", "new"))
    assert json.loads(json.dumps(less).replace("less", "new")) == new
    of_network = "'{{.Attachable}} {{.Internal}} {{range $name, $_ := .Options}}{{$name}} {{end}}'"
    networks = [
        deployment.docker(f"network inspect --format {of_network} {name}_default") for name in ("less", "new")
    ]
    assert networks[0] == networks[1]
