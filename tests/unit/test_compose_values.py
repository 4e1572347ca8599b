"""Values of Compose files, as Docker reads them."""

import pytest

from components.compose import values
from components.compose.document import interpolate


@pytest.mark.parametrize(
    ("read", "raw", "value"),
    [
        (values.duration, "1500ms", "1.5s"),
        (values.duration, "90s", "1m30s"),
        (values.duration, "120m", "2h"),
        (values.duration, "0s", "0s"),
        (values.duration, "1h5s", "1h0m5s"),
        (values.duration, "250us", "250µs"),
        (values.octets, "64M", 64 << 20),
        (values.octets, "1.5gb", 3 << 29),
        (values.octets, 512, 512),
        (values.cpus, "0.50", 500_000_000),
        (values.cpus, 2, 2_000_000_000),
        (values.ratio, 0.3, "0.3"),
        (values.capabilities, ["sys_time", "CAP_NET_ADMIN"], ("CAP_NET_ADMIN", "CAP_SYS_TIME")),
        (values.capabilities, ["all"], ("ALL",)),
        (values.words, "a --b ''", ("a", "--b", "")),
        (values.test, "true", ("CMD-SHELL", "true")),
        (values.hosts, ["a:192.0.2.1"], (("a", "192.0.2.1"),)),
        (values.mode, "0440", 0o440),
        (values.pairs, ["A=x=y", "B"], {"A": "x=y", "B": ""}),
    ],
)
def test_a_value_is_read_as_the_engine_gives_it_back(read, raw, value):
    assert read(raw) == value


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (values.duration, "10"),
        (values.duration, "-1s"),
        (values.octets, "1x"),
        (values.octets, True),
        (values.cpus, 0),
        (values.ratio, 0.25),
        (values.ratio, 1.1),
        (values.test, ["redis-cli"]),
        (values.pairs, {"A": True}),
        (values.mode, "0999"),
        (values.network, "10.0.0.1/24"),
    ],
)
def test_another_value_is_refused(read, raw):
    with pytest.raises(ValueError):  # noqa: PT011 (it has no message)
        read(raw)


@pytest.mark.parametrize(
    ("source", "filled"),
    [
        ("$TAG ${TAG}", "1 1"),
        ("${EMPTY:-2}${EMPTY-3}", "2"),
        ("${GONE:-}${GONE-4}", "4"),
        ("${TAG:?no}${TAG?no}", "11"),
        ("$$TAG", "$TAG"),
    ],
)
def test_variables_are_filled_in(source, filled):
    assert interpolate(source, {"TAG": "1", "EMPTY": ""}) == filled


@pytest.mark.parametrize(
    "source", ["$GONE", "${GONE}", "${EMPTY:?why}", "${GONE?why}", "${TAG:+2}", "${TAG", "$1"]
)
def test_a_variable_without_a_value_or_in_another_form_is_refused(source):
    with pytest.raises(ValueError, match=r"variable|none of"):
        interpolate(source, {"TAG": "1", "EMPTY": ""})
