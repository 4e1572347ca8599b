"""Values of Compose files, as Docker reads them."""

from collections.abc import Callable
from typing import Any

import pytest

from swarm.declare import rules
from swarm.declare.compose import amounts, values


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (amounts.duration, "1500ms", "1.5s"),
        (amounts.duration, "90s", "1m30s"),
        (amounts.duration, "120m", "2h"),
        (amounts.duration, "0s", "0s"),
        (amounts.duration, "1h5s", "1h0m5s"),
        (amounts.duration, "250us", "250µs"),
        (amounts.byte_count, "64M", 64 << 20),
        (amounts.byte_count, "1.5gb", 3 << 29),
        (amounts.byte_count, 512, 512),
        (amounts.cpus, "0.50", 500_000_000),
        (amounts.cpus, 2, 2_000_000_000),
        (amounts.ratio, 0.3, "0.3"),
        (values.capabilities, ["sys_time", "CAP_NET_ADMIN"], ("CAP_NET_ADMIN", "CAP_SYS_TIME")),
        (values.capabilities, ["all"], ("ALL",)),
        (values.words, "a --b ''", ("a", "--b", "")),
        (values.test, "true", ("CMD-SHELL", "true")),
        (values.hosts, ["a:192.0.2.1"], (("a", "192.0.2.1"),)),
        (values.mode, "0440", 0o440),
        (values.pairs, ["A=x=y", "B"], {"A": "x=y", "B": ""}),
    ],
)
def test_a_value_is_read_as_the_engine_gives_it_back(
    read: Callable[[Any], object],
    raw: str | float | list[str],
    value: str | int | tuple[str | tuple[str, ...], ...] | dict[str, str],
) -> None:
    assert read(raw) == value


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (amounts.duration, "10"),
        (amounts.duration, "-1s"),
        (amounts.byte_count, "1x"),
        (amounts.byte_count, True),
        (amounts.cpus, 0),
        (amounts.ratio, 0.25),
        (amounts.ratio, 1.1),
        (values.test, ["redis-cli"]),
        (values.pairs, {"A": True}),
        (values.mode, "0999"),
        (values.network, "10.0.0.1/24"),
        (amounts.cpus, "1e999999999"),
        (amounts.ratio, "1e999999999"),
        (amounts.duration, "9" * 19 + "s"),
        (amounts.byte_count, "9000000t"),
        (amounts.memory, "1k"),
        (amounts.millisecond_or_more, "1us"),
        (values.identity, "²"),
    ],
)
def test_another_value_is_refused(read: Callable[[Any], object], raw: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (it has no message)
        read(raw)


DIGEST = f"@sha256:{'0' * 64}"


# What Docker 26.1 takes, and what not, when a service is made.
@pytest.mark.parametrize(
    "name",
    ["nginx", "nginx:1.26.3", f"nginx:1{DIGEST}", "A/b", "A.b/c", "localhost/c", "x_y/c", "a__b",
     "a.b-c/d_e:F", "[::1]:5000/a", "1.2.3.4:5/a", "a/b/c/d:tag.x-1_", f"nginx@sha512:{'0' * 128}",
     "a" * 255],
)  # fmt: skip
def test_an_image_that_docker_takes_is_taken(name: str) -> None:
    assert rules.image(name) == name


@pytest.mark.parametrize(
    "name",
    ["NGINX", "nginx:", "nginx:a b", "nginx:-a", "a//b", "a/B", "a___b", "a..b", "a-", "-a", "nginx@sha256:0",
     f"nginx@md5:{'0' * 32}", "0" * 64, "a" * 256, f"nginx:{'a' * 129}", " nginx", "nginx\n", "é", "http://x/y",
     "a" * 60 + "!", "a." * 60 + "!/b"],
)  # fmt: skip
def test_an_image_that_docker_refuses_is_refused(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (it has no message)
        rules.image(name)


@pytest.mark.parametrize(
    "written",
    [
        "node.role==worker",
        "node.role == worker ",
        "node.labels.a != wor ker",
        "node.ip==10.0.0.0/8",
        "node.x==y",
    ],
)
def test_a_constraint_that_docker_takes_is_taken(written: str) -> None:
    assert values.constraints([written]) == (written,)


@pytest.mark.parametrize(
    "written",
    ["node.role = worker", "node.role", "node.labels.a b==c", "node.labels.a==é", "node.a!=", "", "a==b==c"],
)
def test_a_constraint_that_docker_refuses_is_refused(written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (it has no message)
        values.constraints([written])
