"""Services in Compose files: what is read, and what is refused."""

import os
from pathlib import Path

import pytest

from swarm.declare import compose
from swarm.declare.compose import Logging, Mount, Port, Restart, Volume
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig
from tests.unit.given import ReadService, ReadStack


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("deploy: {mode: global, replicas: 2}", ".deploy.replicas", "on every node that fits"),
        ("ports: ['80:80'], deploy: {endpoint_mode: dnsrr}", ".deploy.endpoint_mode", "on every node"),
        ("volumes: ['./here:/there']", ".volumes[0]", "must be an absolute path"),
        ("volumes: ['data:/there']", ".volumes[0]", "no volume of this name"),
        ("networks: [back]", ".networks", "no network of this name"),
        ("secrets: [a]", ".secrets[0]", "no secret of this name"),
        ("configs: [a]", ".configs[0]", "no config of this name"),
        ("deploy: {placement: {preferences: [{spread: a}, {spread: b}]}}", ".deploy.placement", "one only"),
        ("deploy: {update_config: {max_failure_ratio: 0.25}}", ".deploy.update_config", "in tenths"),
        ("deploy: {replicas: -1}", ".deploy.replicas", "must be a number"),
        ("environment: [NAME]", ".environment", "no variable of this name"),
        ("environment: {A: true}", ".environment", "quote true and false"),
        ("labels: {A: true}", ".labels", "quote true and false"),
        ("ports: ['127.0.0.1:80:80']", ".ports[0]", "on 127.0.0.1 alone: it would be open to all"),
        ("ports: ['[::1]:80:80']", ".ports[0]", "on ::1 alone: it would be open to all"),
        ("ports: ['80:90:100']", ".ports[0]", "PUBLISHED:TARGET"),
        ("restart: never", ".restart", "unless-stopped or on-failure"),
        ("extra_hosts: ['a:gateway']", ".extra_hosts", "host-gateway"),
        (
            "deploy: {resources: {reservations: {generic_resources: [{kind: a}]}}}",
            ".deploy.re",
            "spec: {kind",
        ),
        ("volumes: ['~/here:/there']", ".volumes[0]", "must be an absolute path"),
        ("ports: ['80-82:80-81']", ".ports[0]", "of the same length"),
        ("ports: ['82-80:82-80']", ".ports[0]", "PUBLISHED:TARGET"),
        ("ports: ['80:65536']", ".ports[0]", "1 to 65535"),
        ("ports: ['80:80', '80:81']", ".ports", "there twice"),
        ("ports: [{target: 80, published: 80, mode: host}, '80:81']", ".ports", "there twice"),
        ("volumes: [/a, '/b:/a']", ".volumes", "there twice"),
        ("deploy: {placement: {constraints: [node.role = worker]}}", ".deploy.placement", "or with !="),
        ("deploy: {resources: {limits: {memory: 3M}}}", ".deploy.resources.limits.memory", "4M or more"),
        ("deploy: {resources: {reservations: {cpus: 0.0009}}}", ".deploy.resources.res", "0.001 or more"),
        ("healthcheck: {interval: 999us}", ".healthcheck.interval", "none under 1ms"),
        ("dns: [name.example]", ".dns", "must be an IP address"),
        ("env_file: /dev/zero", ".env_file", "can't be read: it is no regular file"),
        ("env_file: fifo", ".env_file", "can't be read: it is no regular file"),
        ("env_file: large", ".env_file", "can't be read: it has more than 1024 KiB"),
        ("env_file: latin", ".env_file", "can't be read: it is no text in UTF-8"),
    ],
)
def test_what_can_not_be_is_refused(
    read_service: ReadService, tmp_path: Path, text: str, path: str, rule: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes("A=ä".encode("latin-1"))
    with (tmp_path / "large").open("wb") as large:
        large.truncate(1 << 40)
    ((key, said),) = read_service(text)[1]
    assert key.startswith(f"1: services.page{path}")
    assert rule in said


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("22:22", (Port(22, 22),)),
        ("80", (Port(80),)),
        ("'53:5353/udp'", (Port(5353, 53, "udp"),)),
        ("'90-91:80-81'", (Port(80, 90), Port(81, 91))),
        ("'90-91:80'", (Port(80, 90), Port(80, 91))),
        ("'0.0.0.0:90:80/TCP'", (Port(80, 90),)),
        ("'[::]::80'", (Port(80),)),
        ("{target: 80, published: '81', mode: host}", (Port(80, 81, mode="host"),)),
    ],
)
def test_ports_are_read_in_all_forms(read_service: ReadService, text: str, ports: tuple[Port, ...]) -> None:
    service, problems = read_service(f"ports: [{text}]")
    assert service
    assert (service.ports, problems) == (ports, [])


@pytest.mark.parametrize(
    ("text", "mount"),
    [
        ("'/a:/b:ro'", Mount("bind", "/b", "/a", read_only=True)),
        ("'/a:/b:ro,Z'", Mount("bind", "/b", "/a", read_only=True)),
        ("'/a:/b:cached'", Mount("bind", "/b", "/a")),
        ("/b", Mount("volume", "/b")),
        ("'data:/b:nocopy'", Mount("volume", "/b", volume=Volume("demo_data"), nocopy=True)),
        ("{type: tmpfs, target: /b, tmpfs: {size: 1k}}", Mount("tmpfs", "/b", size=1024)),
    ],
)
def test_mounts_are_read_in_all_forms(read: ReadStack, text: str, mount: Mount) -> None:
    stack, problems = read(f"services: {{p: {{image: x, volumes: [{text}]}}}}\nvolumes: {{data: }}")
    assert (stack.services[0].mounts, problems) == ((mount,), [])


def test_ports_of_two_protocols_are_two(read_service: ReadService) -> None:
    assert read_service("ports: ['53:53', '53:53/udp', 54, 55]")[1] == []


def test_two_files_of_one_target_are_refused(read: ReadStack) -> None:
    text = "services: {p: {image: x, secrets: [a, a]}}\nsecrets: {a: {environment: key}}"
    ((key, rule),) = read(text)[1]
    assert (key, rule) == ("1: services.p.secrets", "two of them are to be this file")


def test_the_environment_is_that_of_files_then_its_own_then_variables(
    read_service: ReadService, tmp_path: Path
) -> None:
    (tmp_path / "env").write_text("# a comment\nA=1\nB=2\n")
    service, problems = read_service("env_file: env, environment: {B: 3, C: }", C="4")
    assert service
    assert (service.environment, problems) == ({"A": "1", "B": "3", "C": "4"}, [])


def test_a_file_of_the_environment_is_utf_8_whatever_the_locale_and_has_docker_s_lines(
    read_service: ReadService, tmp_path: Path
) -> None:
    (tmp_path / "env").write_bytes("\ufeffA=ä\u2028b\r\n  # c\r\n\r\n".encode())
    service, _ = read_service("env_file: env")
    assert service
    assert service.environment == {"A": "ä\u2028b"}


@pytest.mark.parametrize(
    ("text", "restart"),
    [
        ("restart: always", Restart()),
        ("restart: unless-stopped", Restart()),
        ("restart: on-failure", Restart("on-failure")),
        ("restart: 'on-failure:3'", Restart("on-failure", max_attempts=3)),
        ("restart: 'no'", Restart()),
        ("restart: 'on-failure:3', deploy: {restart_policy: {condition: none}}", Restart("none")),
        ("restart: 'on-failure:3', deploy: {replicas: 1}", Restart("on-failure", max_attempts=3)),
    ],
)
def test_restart_counts_where_there_is_no_policy(
    read_service: ReadService, text: str, restart: Restart
) -> None:
    service, problems = read_service(text)
    assert service
    assert (service.restart, problems) == (restart, [])


def test_logging_may_have_options_alone(read_service: ReadService) -> None:
    service, problems = read_service("logging: {options: {max-size: 10m, max-file: 3}}")
    assert service
    assert (service.logging, problems) == (Logging("", {"max-size": "10m", "max-file": "3"}), [])


def test_a_host_may_be_the_node(read_service: ReadService) -> None:
    service, problems = read_service("extra_hosts: ['node:host-gateway', 'db=::1']")
    assert service
    assert (service.hosts, problems) == ((("node", "host-gateway"), ("db", "::1")), [])


def test_an_address_of_a_port_is_left_out_at_the_user_s_word(read: ReadStack) -> None:
    text = "services: {p: {image: x, ports: ['127.0.0.1:90:80']}}"
    stack, problems = read(text, ("services.p.ports[0]",))
    assert (stack.services[0].ports, problems) == ((Port(80, 90),), [])


def test_relative_binds_are_in_the_stack_s_folder_on_the_nodes(tmp_path: Path) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(
        "services: {p: {image: x, volumes: ['./a/../b:/b', {type: bind, source: c, target: /c}, /d:/d]}}"
    )
    reader = Reader()
    stack = compose.read(reader, StackConfig("demo", (file,), folder="/srv/shop"))
    assert not reader.problems
    assert [one.source for one in stack.services[0].mounts] == ["/srv/shop/b", "/srv/shop/c", "/d"]
