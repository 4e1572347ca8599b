"""Compose files: what is read, that nothing is dropped silently, and where a problem is."""

from pathlib import Path

import pytest

from swarm.declare import compose
from swarm.declare.compose import Attachment, File, Port, Service, Update
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig
from tests.unit.builders import node
from tests.unit.given import ReadService, ReadStack

DEMO = Path(__file__).parents[4] / "stacks" / "demo.yaml"


def test_the_demo_is_a_redis_and_a_page_on_one_network() -> None:
    reader = Reader()
    stack = compose.read(reader, StackConfig("demo", (DEMO,)), {"REDIS_PASSWORD": "swordfish"})
    assert not reader.problems
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


def test_a_service_without_more_than_an_image_is_one_task_on_the_default_network(read: ReadStack) -> None:
    stack, problems = read("services: {page: {image: 'nginx:1'}}\n")
    assert not problems
    assert stack.services == (Service("page", "nginx:1", networks=(Attachment("default", ("page",)),)),)
    assert [one.full for one in stack.networks] == ["demo_default"]


@pytest.mark.parametrize(
    ("text", "key", "rule"),
    [
        (
            "services:\n  page:\n    image: x\n    tty: true",
            "4: services.page.tty",
            "Pulumi's Docker provider has no such property",
        ),
        ("services: {p: {image: x, mem_limit: 1g}}", "1: services.p.mem_limit", "use `deploy.resources`"),
        ("services: {p: {image: x, volumes_from: [a]}}", "1: services.p.volumes_from", "deploy` refuses it"),
        ("networks: {n: {build: .}}", "1: networks.n.build", "no key of Compose"),
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
        ("secrets: {a: {file: gone}}", "1: secrets.a.file", "can't be read: No such file"),
        ("secrets: {a: {file: /dev/zero}}", "1: secrets.a.file", "can't be read: it is no regular file"),
        ("secrets: {a: {environment: NOT_THERE}}", "1: secrets.a.environment", "must hold something"),
        ("services: {p: {image: '${key}'}}", "1: services.p.image", "is in swarm:secrets"),
        ("services: {p: {image: '${TAG}'}}", "1: services.p.image", "neither a value nor a default"),
    ],
)
def test_a_problem_is_named_once_by_its_line_and_path(
    read: ReadStack, text: str, key: str, rule: str
) -> None:
    ((found, said),) = read(text)[1]
    assert found.startswith(key)
    assert rule in said


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("start_interval: 1s", "Pulumi's Docker provider has no such property"),
        ("test: 'true', subpath: a", "Pulumi's Docker provider has no such property"),
        ("intervall: 1s", "there is no such key"),
    ],
)
def test_a_known_reason_goes_before_a_guess(read_service: ReadService, text: str, rule: str) -> None:
    ((_, said),) = read_service(f"healthcheck: {{{text}}}")[1]
    assert rule in said


@pytest.mark.parametrize("name", ["credential_spec", "oom_score_adj", "tty", "ulimits"])
def test_what_swarm_has_is_not_said_to_be_ignored_by_it(read_service: ReadService, name: str) -> None:
    ((_, said),) = read_service(f"{name}: x")[1]
    assert "ignores" not in said


def test_cluster_volumes_are_no_extension(read: ReadStack) -> None:
    assert [key for key, _ in read("volumes: {a: {x-cluster-spec: {}}}")[1]] == [
        "1: volumes.a.x-cluster-spec"
    ]


@pytest.mark.parametrize(
    ("text", "ignored"),
    [
        ("x-any: 1\nservices: {p: {image: x, x-more: 1, deploy: {x-too: 1}}}", ()),
        ("services: {p: {image: x, tty: true}}", ("services.p.tty",)),
        ("services: {p: {image: x, tty: true}}", ("services.*.tty",)),
        ("# ${NOTHING} and $1\nservices: {p: {image: x}}", ()),
    ],
)
def test_extensions_comments_and_what_is_to_be_ignored_are_no_problems(
    read: ReadStack, text: str, ignored: tuple[str, ...]
) -> None:
    assert read(text, ignored)[1] == []


def test_what_is_ignored_is_that_path_alone(read: ReadStack) -> None:
    text = "services: {p: {image: x, tty: true}, q: {image: x, tty: true}}"
    assert [key for key, _ in read(text, ("services.p.tty",))[1]] == ["1: services.q.tty"]


IGNORED = """services:
  a:
    image: x
    build: {context: .}
    depends_on: [b]
    container_name: x
    networks: {default: {ipv4_address: 10.0.0.1}}
    volumes: ["/a:/a:Z"]
  b:
    image: x
    build: .
    privileged: true
    restart: "no"
"""


def test_what_docker_s_client_ignores_is_one_warning_of_the_file(read: ReadStack) -> None:
    stack, problems = read(IGNORED)
    (said,) = stack.warnings
    assert problems == []
    assert said.where[0].endswith(".yaml")
    assert said.what.startswith(
        "ignored, as by `docker stack deploy`: line 4, 11: build: Swarm builds no images; "
    )
    for part in (
        "line 5: depends_on",
        "line 6: container_name",
        "line 7: ipv4_address",
        "line 8: Z of volumes",
    ):
        assert part in said.what
    assert "line 12: privileged" in said.what
    assert "line 13: restart: no: tasks are started again all the same" in said.what


def test_what_is_to_be_ignored_is_not_told_again(read: ReadStack) -> None:
    text = "services: {p: {image: x, build: ., links: [q]}}"
    assert read(text, ("services.*.build", "services.p.links"))[0].warnings == ()


def test_a_secret_comes_from_swarm_secrets_or_a_file_and_is_never_shown(
    read: ReadStack, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"\x00${NAME}\n")
    stack, problems = read("secrets: {a: {environment: key}}\nconfigs: {b: {file: f}}")
    assert not problems
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
def test_a_content_is_something_and_less_than_docker_s_limit(
    read: ReadStack, tmp_path: Path, kind: str, size: int, refused: bool
) -> None:
    (tmp_path / "content").write_bytes(b"x" * size)
    limit = {"secrets": 500, "configs": 1000}[kind]
    rule = f"must hold something, and less than {limit} KiB"
    assert read(f"{kind}: {{a: {{file: content}}}}")[1] == ([(f"1: {kind}.a.file", rule)] if refused else [])


def test_a_content_that_may_not_be_read_is_refused(
    read: ReadStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def locked(*_: str | Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "f").touch()
    opened = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: (locked if self.name == "f" else opened)(self, *a, **k)
    )
    problems = read("secrets: {a: {file: f}}")[1]
    assert problems == [("1: secrets.a.file", "can't be read: Permission denied")]


@pytest.mark.parametrize(
    "name", ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_ACCESS_TOKEN", "AWS_SECRET_ACCESS_KEY", "github_token"]
)
@pytest.mark.parametrize("kind", ["secrets", "configs"])
def test_a_credential_of_the_run_s_own_is_no_content(
    read: ReadStack, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    monkeypatch.setenv(name, "swordfish")
    text = f"{kind}: {{a: {{environment: {name}}}}}"
    ((key, rule),) = read(text)[1]
    assert (key, "credential of the run's own" in rule) == (f"1: {kind}.a.environment", True)


def test_a_content_may_have_the_name_of_such_a_credential_in_swarm_secrets(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text("secrets: {a: {environment: AWS_KEY}}")
    reader = Reader()
    stack = compose.read(reader, StackConfig("demo", (tmp_path / "stack.yaml",)), {"AWS_KEY": "x"})
    assert (stack.secrets, reader.problems) == ((File("a", b"x"),), [])


def test_another_variable_of_the_environment_is_a_content(
    read: ReadStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_KEY", "x")
    assert read("secrets: {a: {environment: PAGE_KEY}}")[0].secrets == (File("a", b"x"),)


SECRET = "swördfish"
# Where somebody may have written a secret.
WRITTEN = (
    "services: {p: {image: x, secret_key: S}}",
    "services: {p: {image: x, environment: S}}",
    "services: {p: {image: x, environment: {A: {b: S}}}}",
    "services: {p: {image: x, environment: {A: 'S$9'}}}",
    "services: {p: {image: x, environment: {A: true, B: S}}}",
    'services: {p: {image: x, command: "a \'S"}}',
    "services: {p: {image: x, entrypoint: {a: S}}}",
    "services: {p: {image: x, healthcheck: {test: [S]}}}",
    "services: {p: {image: x, healthcheck: {test: {a: S}}}}",
    "services: {p: {image: x, labels: {a: [S]}}}",
    "services: {p: {image: x, logging: {driver: x, options: S}}}",
    "services: {p: {image: x, volumes: [{source: {a: S}}]}}",
    "services: {p: {image: x, secrets: [{source: a, content: S}]}}",
    "services: {p: S}",
    "services: [S]",
    "services: S",
    "secrets: {a: S}",
    "secrets: {a: [S]}",
    "secrets: {a: {content: S}}",
    "secrets: {a: {environment: S}}",
    "secrets: {a: {environment: [S]}}",
    'secrets: {a: {file: "-----BEGIN KEY-----\\nS"}}',
    "secret: {a: S}",
    "passwords: [S]",
    "S",
    "a: *S",
    "a: !S b",
    "a: !S! b",
    "a: S: b",
    "a: 'S",
    'a: "\\S"',
)


@pytest.mark.parametrize("text", WRITTEN)
def test_what_may_be_a_secret_is_not_shown_with_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.yaml").write_text(text.replace("S", SECRET), encoding="utf-8")
    reader = Reader()
    compose.read(reader, StackConfig("demo", (tmp_path / "stack.yaml",)))
    assert reader.problems
    said = "".join(str(one) for one in reader.problems)
    assert SECRET not in said
    assert SECRET not in said.encode().decode("unicode_escape")
    assert "rdfish" not in said


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
        ("services", "a" * 50 + "."),
    ],
)
def test_a_name_that_docker_would_not_take_is_refused(read: ReadStack, kind: str, name: str) -> None:
    ((key, rule),) = read(f"{kind}: {{'{name}': {{{BODIES[kind]}}}}}")[1]
    assert key == f"1: {kind}.{name}"
    assert "its name must be letters, digits" in rule


@pytest.mark.parametrize("name", ["a b", "a/b", "a.b", "é", "a_", "a" * 59])
def test_a_network_that_docker_would_not_make_is_refused(read: ReadStack, name: str) -> None:
    ((key, rule),) = read(f"networks: {{'{name}': {{}}}}")[1]
    assert (key, "63 characters at most" in rule) == (f"1: networks.{name}", True)
    assert read(f"networks: {{one: {{name: '{name * 2}'}}}}")[1][0][0] == "1: networks.one"


@pytest.mark.parametrize("name", ["bridge", "host", "none", "default", "ingress", "docker_gwbridge"])
def test_a_network_of_docker_s_own_name_is_refused_unless_it_is_external(read: ReadStack, name: str) -> None:
    ((_, rule),) = read(f"networks: {{one: {{name: {name}}}}}")[1]
    assert rule == "Docker has a network of this name of its own"
    assert read(f"networks: {{one: {{name: {name}, external: true}}}}")[1] == []


@pytest.mark.parametrize(
    "text", ["volumes: {a b: {}}", "volumes: {a: {name: -a}}", "volumes: {a: {name: a/b}}"]
)
def test_a_volume_that_no_engine_would_make_is_refused(read: ReadStack, text: str) -> None:
    ((_, rule),) = read(text)[1]
    assert "its name must be letters" in rule


@pytest.mark.parametrize(("kind", "longest"), [("services", 63), ("secrets", 56), ("configs", 56)])
def test_a_name_is_as_long_as_docker_takes_with_the_stack_s(read: ReadStack, kind: str, longest: int) -> None:
    fits = "a" * (longest - len("demo_"))
    assert read(f"{kind}: {{{fits}: {{{BODIES[kind]}}}}}")[1] == []
    rule = f"its name must have {longest} characters at most, demo_ included"
    assert read(f"{kind}: {{{fits}a: {{{BODIES[kind]}}}}}")[1] == [(f"1: {kind}.{fits}a", rule)]
