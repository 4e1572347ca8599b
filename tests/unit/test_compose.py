"""Compose files: what they mean, and that nothing in them is dropped silently."""

from pathlib import Path

import pytest

from components import compose
from components.checks import Reader
from components.compose import Port, Service, Stack, Update
from components.settings import Deployment
from tests.unit.builders import node

DEMO = Path(__file__).parents[2] / "stacks" / "demo.yaml"


@pytest.fixture
def read(tmp_path):
    """Reads a file of this text; gives the stack and its mistakes, the path left out of their keys."""

    def read_text(text, **variables):
        path = tmp_path / "stack.yaml"
        path.write_text(text)
        reader = Reader()
        stack = compose.read(reader, Deployment("demo", path, variables))
        return stack, [(one.key.removeprefix(f"{path}:"), one.rule) for one in reader.mistakes]

    return read_text


@pytest.fixture
def read_service(read):
    """Reads a file with one service that has this beside its image."""

    def read_one(text):
        stack, mistakes = read(f"services: {{page: {{image: 'nginx:1', {text}}}}}\n")
        return (stack.services or (None,))[0], mistakes

    return read_one


def test_the_demo_is_a_redis_and_a_page_on_one_network():
    reader = Reader()
    stack = compose.read(reader, Deployment("demo", DEMO, {}))
    assert not reader.mistakes
    assert stack == Stack(
        "demo",
        (
            Service(
                "redis",
                "redis:7.0.15",
                replicas=3,
                networks=("backend",),
                update=Update(1, "10s", "stop-first"),
            ),
            Service(
                "amazing-web-server",
                "nginx:1.26.3",
                replicas=2,
                networks=("backend",),
                ports=(Port(80, 8080), Port(80, 8081, mode="host")),
            ),
        ),
        ("backend",),
    )
    assert stack.full("redis") == "demo_redis"
    assert stack.mesh_ports == [8080]
    assert [one["address"] for one in stack.endpoints([node("m1"), node("w1")])] == [
        "10.0.0.11:8080",
        "NODE:8081",
    ]


def test_a_service_without_more_than_an_image_is_one_task_on_the_default_network(read):
    stack, mistakes = read("services: {page: {image: 'nginx:1'}}\n")
    assert not mistakes
    assert stack == Stack("demo", (Service("page", "nginx:1", networks=("default",)),), ("default",))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("volumes: {data: {}}", "volumes"),
        ("version: '3'", "version"),
        ("networks: {back: {driver: overlay, attachable: true}}", "networks.back.attachable"),
        ("services: {page: {image: x, volumes: [a]}}", "services.page.volumes"),
        ("services: {page: {image: x, build: .}}", "services.page.build"),
        ("services: {page: {image: x, healthcheck: {}}}", "services.page.healthcheck"),
        ("services: {page: {image: x, deploy: {mode: global}}}", "services.page.deploy.mode"),
        (
            "services: {page: {image: x, deploy: {placement: {preferences: []}}}}",
            "deploy.placement.preferences",
        ),
        (
            "services: {page: {image: x, deploy: {update_config: {monitor: 5s}}}}",
            "deploy.update_config.monitor",
        ),
        ("services: {page: {image: x, ports: [{target: 1, published: 1, name: a}]}}", "page.ports[0].name"),
    ],
)
def test_a_key_that_is_not_supported_is_refused_by_its_path(read, text, path):
    ((key, rule),) = read(text)[1]
    assert key.endswith(path)
    assert rule == "there is no such key"


@pytest.mark.parametrize(
    ("text", "path", "rule"),
    [
        ("services: {page: {}}", "services.page.image", "is missing"),
        ("services: {page: }", "services.page", "must be a mapping"),
        ("services: [page]", "services", "must be a mapping of services"),
        ("", "", "must be a mapping"),
        ("networks: {back: {driver: bridge}}", "networks.back.driver", "must be overlay"),
        ("services: {p: {image: x, networks: [back]}}", "services.p.networks", "no network of this name"),
        ("services: {p: {image: x, networks: {back: {}}}}", "services.p.networks", "must be a list"),
        ("services: {p: {image: x, networks: [{back: {}}]}}", "services.p.networks", ""),
        (
            "services: {p: {image: x, deploy: {replicas: -1}}}",
            "services.p.deploy.replicas",
            "must be a number",
        ),
        ("services: {p: {image: x, deploy: {placement: {constraints: [{a: b}]}}}}", "constraints", ""),
        ("services: {p: {image: x, environment: [NAME]}}", "services.p.environment", "list of NAME=VALUE"),
        ("services: {p: {image: x, command: 'unclosed \"quote'}}", "services.p.command", "must be a text or"),
        ("services: {p: {image: 'x'", None, "expected"),
        ("services: {p: {image: '${TAG}'}}", None, "variable TAG isn't in `variables` and has no default"),
    ],
)
def test_a_mistake_is_named_once_by_its_path(read, text, path, rule):
    ((key, said),) = read(text)[1]
    assert path is None or key.endswith(path)
    assert rule in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'8080:80'", Port(80, 8080)),
        ("8080:80", Port(80, 8080)),
        ("'53:5353/udp'", Port(5353, 53, "udp")),
        ("{target: 80, published: 8080}", Port(80, 8080)),
        ("{target: 80, published: '8080', protocol: udp, mode: host}", Port(80, 8080, "udp", "host")),
    ],
)
def test_ports_are_read_in_both_forms(read_service, text, expected):
    service, mistakes = read_service(f"ports: [{text}]")
    assert not mistakes
    assert service.ports == (expected,)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("80", "ports[0]"),
        ("22:22", "ports[0]"),  # to YAML 1.1 that is the number 1342
        ("'127.0.0.1:80:80'", "ports[0]"),
        ("'8000-8010:80'", "ports[0]"),
        ("'0:80'", "ports[0].published"),
        ("'80:65536'", "ports[0].target"),
        ("{target: 80}", "ports[0].published"),
        ("{target: 80, published: 80, mode: mesh}", "ports[0].mode"),
    ],
)
def test_a_port_that_is_not_understood_is_refused(read_service, text, path):
    _, ((key, _),) = read_service(f"ports: [{text}]")
    assert key == f"services.page.{path}"


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10s", "10s"),
        ("0s", "0s"),
        ("60s", "1m0s"),
        ("90s", "1m30s"),
        ("1m30s", "1m30s"),
        ("2h", "2h0m0s"),
        ("3600s", "1h0m0s"),
        ("1h5s", "1h0m5s"),
    ],
)
def test_a_duration_is_said_as_docker_gives_it_back_which_makes_no_difference(
    read_service, written, canonical
):
    service, mistakes = read_service(f"deploy: {{update_config: {{delay: {written}}}}}")
    assert not mistakes
    assert service.update == Update(1, canonical, "stop-first")


@pytest.mark.parametrize("written", ["10", "s", "1.5s", "100ms", "-1s", "1s1m", "''"])
def test_another_duration_is_refused(read_service, written):
    _, ((key, rule),) = read_service(f"deploy: {{update_config: {{delay: {written}}}}}")
    assert key == "services.page.deploy.update_config.delay"
    assert "such as 10s or 1m30s" in rule


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("redis-server --save '' --port 1", ("redis-server", "--save", "", "--port", "1")),
        ("[a b, c]", ("a b", "c")),
    ],
)
def test_a_command_is_a_text_or_a_list_of_words(read_service, text, command):
    service, mistakes = read_service(f"command: {text}")
    assert not mistakes
    assert service.command == command


@pytest.mark.parametrize("text", ["{A: 1, B: 'x=y', C: true}", "[A=1, B=x=y, C=true]"])
def test_the_environment_is_a_mapping_or_a_list(read_service, text):
    service, mistakes = read_service(f"environment: {text}")
    assert not mistakes
    assert service.environment == {"A": "1", "B": "x=y", "C": "true"}


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("plain", "plain"),
        ("${TAG}", "1.26"),
        ("nginx:${TAG}-${KIND:-slim}", "nginx:1.26-slim"),
        ("${TAG:-2}", "1.26"),
        ("${EMPTY:-2}", "2"),
        ("${GONE:-}", ""),
        ("$$HOME and $${TAG}", "$HOME and ${TAG}"),
    ],
)
def test_variables_are_filled_in(source, filled):
    assert compose.interpolate(source, {"TAG": "1.26", "EMPTY": ""}) == filled


@pytest.mark.parametrize(
    "source", ["${GONE}", "$TAG", "${TAG?must be set}", "${TAG-2}", "${TAG:+2}", "${TAG"]
)
def test_a_variable_without_a_value_or_in_a_form_that_is_not_supported_is_refused(source):
    with pytest.raises(ValueError, match=r"GONE|TAG"):
        compose.interpolate(source, {"TAG": "1.26"})
