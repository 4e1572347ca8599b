"""Compose files: what is read, that nothing is dropped silently, and where a mistake is."""

from pathlib import Path

import pytest

from components import compose
from components.checks import Reader
from components.compose import Attachment, File, Port, Service, Update
from components.settings import Deployment
from tests.unit.builders import node

DEMO = Path(__file__).parents[2] / "stacks" / "demo.yaml"


def test_the_demo_is_a_redis_and_a_page_on_one_network():
    reader = Reader()
    stack = compose.read(reader, Deployment("demo", DEMO), {"REDIS_PASSWORD": "swordfish"})
    assert not reader.mistakes
    redis, page = stack.services
    assert (redis.replicas, redis.endpoint_mode) == (1, "dnsrr")
    assert "requirepass $(cat /run/secrets/redis-password)" in redis.command[-1]
    assert redis.constraints == ("node.hostname == swarm-worker-01",)
    assert (page.replicas, page.update) == (2, Update(1, "10s"))
    assert page.ports == (Port(80, 8080), Port(80, 8081, mode="host"))
    assert [one.full for one in stack.networks] == ["demo_backend"]
    assert [one.content for one in stack.secrets] == [b"swordfish"]
    assert stack.mesh_ports == [8080]
    addresses = [one["address"] for one in stack.endpoints([node("m1"), node("w1")])]
    assert addresses == ["10.0.0.11:8080", "NODE:8081"]


def test_a_service_without_more_than_an_image_is_one_task_on_the_default_network(read):
    stack, mistakes = read("services: {page: {image: 'nginx:1'}}\n")
    assert not mistakes
    assert stack.services == (Service("page", "nginx:1", networks=(Attachment("default", ("page",)),)),)
    assert [one.full for one in stack.networks] == ["demo_default"]


@pytest.mark.parametrize(
    ("text", "key", "rule"),
    [
        (
            "services:\n  page:\n    image: x\n    build: .",
            "4: services.page.build",
            "Swarm builds no images",
        ),
        ("services: {p: {image: x, restart: always}}", "1: services.p.restart", "deploy.restart_policy"),
        ("services: {p: {imag: x, image: x}}", "1: services.p.imag", "there is no such key"),
        ("services:\n  p: {}", "2: services.p.image", "is missing"),
        ("services: [page]", "1: services", "must be a mapping of services"),
        ("", "1", "must be a mapping"),
        ("services:\n  p:\n    image: x\n    image: y", "4", "`image` is there twice"),
        ("a: &a\n  b: [", "2", "expected"),
        ("x-a: &a\n  tty: true\nservices:\n  p:\n    <<: *a\n    image: x", "2: services.p.tty", "no such"),
        ("networks: {back: {driver: bridge}}", "1: networks.back.driver", "must be overlay"),
        ("networks:\n  a: {external: true, internal: true}", "2: networks.a.internal", "is as it is"),
        ("secrets: {a: {external: true, file: f}}", "1: secrets.a.file", "is as it is"),
        ("secrets: {a: {file: f, environment: key}}", "1: secrets.a", "one of them"),
        ("secrets: {a: {}}", "1: secrets.a", "one of them"),
        ("secrets: {a: {file: gone}}", "1: secrets.a.file", "there is no such file"),
        ("secrets: {a: {file: /dev/zero}}", "1: secrets.a.file", "there is no such file"),
        ("secrets: {a: {environment: NOT_THERE}}", "1: secrets.a.environment", "must hold something"),
        ("services: {p: {image: '${key}'}}", "1: services.p.image", "is in swarm:secrets"),
        ("services: {p: {image: '${TAG}'}}", "1: services.p.image", "neither a value nor a default"),
    ],
)
def test_a_mistake_is_named_once_by_its_line_and_path(read, text, key, rule):
    ((found, said),) = read(text)[1]
    assert found.startswith(key)
    assert rule in said


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("x-any: 1\nservices: {p: {image: x, x-more: 1, deploy: {x-too: 1}}}", ()),
        ("services: {p: {image: x, build: .}}", ("services.p.build",)),
        ("services: {p: {image: x, build: .}}", ("services.*.build",)),
        ("# ${NOTHING} and $1\nservices: {p: {image: x}}", ()),
    ],
)
def test_extensions_comments_and_what_is_to_be_ignored_are_no_mistakes(read, text, ignored):
    assert read(text, ignored)[1] == []


def test_what_is_ignored_is_that_path_alone(read):
    text = "services: {p: {image: x, build: .}, q: {image: x, build: .}}"
    assert [key for key, _ in read(text, ("services.p.build",))[1]] == ["1: services.q.build"]


def test_a_secret_comes_from_swarm_secrets_or_a_file_and_is_never_shown(read, tmp_path):
    (tmp_path / "f").write_bytes(b"\x00${NAME}\n")
    stack, mistakes = read("secrets: {a: {environment: key}}\nconfigs: {b: {file: f}}")
    assert not mistakes
    assert stack.secrets == (File("a", b"swordfish"),)
    assert stack.configs == (File("b", b"\x00${NAME}\n"),)
    assert "swordfish" not in repr(stack)


@pytest.mark.parametrize(
    ("kind", "size", "refused"),
    [
        ("secrets", 0, True),
        ("secrets", 1, False),
        ("secrets", 500 * 1024 - 1, False),
        ("secrets", 500 * 1024, True),
        ("configs", 0, True),
        ("configs", 1000 * 1024 - 1, False),
        ("configs", 1000 * 1024, True),
    ],
)
def test_a_content_is_something_and_less_than_docker_s_limit(read, tmp_path, kind, size, refused):
    (tmp_path / "content").write_bytes(b"x" * size)
    limit = {"secrets": 500, "configs": 1000}[kind]
    rule = f"must hold something, and less than {limit} KiB"
    assert read(f"{kind}: {{a: {{file: content}}}}")[1] == ([(f"1: {kind}.a.file", rule)] if refused else [])


def test_a_content_that_may_not_be_read_is_refused(read, monkeypatch):
    def locked(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", locked)  # a mode would not keep root out
    mistakes = read("secrets: {a: {file: f}}")[1]
    assert mistakes == [("1: secrets.a.file", "can't be read: Permission denied")]


BODIES = {"services": "image: x", "secrets": "environment: key", "configs": "environment: key"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("services", "-p"),
        ("services", "p_"),
        ("services", "p.q"),
        ("secrets", "/a"),
        ("secrets", "a."),
        ("configs", "é"),
        ("configs", "a b"),
    ],
)
def test_a_name_that_docker_would_not_take_is_refused(read, kind, name):
    ((key, rule),) = read(f"{kind}: {{'{name}': {{{BODIES[kind]}}}}}")[1]
    assert key == f"1: {kind}.{name}"
    assert "its name must be letters, digits" in rule


@pytest.mark.parametrize(("kind", "longest"), [("services", 63), ("secrets", 56), ("configs", 56)])
def test_a_name_is_as_long_as_docker_takes_with_the_stack_s(read, kind, longest):
    fits = "a" * (longest - len("demo_"))
    assert read(f"{kind}: {{{fits}: {{{BODIES[kind]}}}}}")[1] == []
    rule = f"its name must have {longest} characters at most, demo_ included"
    assert read(f"{kind}: {{{fits}a: {{{BODIES[kind]}}}}}")[1] == [(f"1: {kind}.{fits}a", rule)]
