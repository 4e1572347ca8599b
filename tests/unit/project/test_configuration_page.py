"""docs/configuration.md has the keys that the fields have, no more and no fewer, their defaults and rules."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from swarm.declare import load, ways
from swarm.declare.compose import (
    Attachment,
    Mount,
    Port,
    Reference,
    contents,
    networks,
    reading,
    service,
    volumes,
)
from swarm.declare.keys import Key, Part, keys_of
from swarm.declare.rules import Rule
from swarm.declare.settings import NAMESPACE, Edge, Node, StackConfig

PAGE = (Path(__file__).parents[3] / "docs/configuration.md").read_text()
# The keys of the tables, by their headings.
TABLES: Mapping[str, Mapping[str, Key]] = {
    "Keys": {f"{NAMESPACE}{name}": key for name, key in load.TOP.items()},
    "Nodes": keys_of(Node),
    "SSH": ways.SSH,
    "Stacks": keys_of(StackConfig),
    "Edge": keys_of(Edge),
}
# Whether they are required depends on others, and the page tells how.
SHARED = ("swarm:nodes", "ssh")
# What the lists of a service hold, in their long forms.
ITEMS = {
    "volumes": Mount,
    "networks": Attachment,
    "ports": Port,
    "secrets": Reference,
    "configs": Reference,
    "deploy.placement": service._Preference,
}
BOUND = r"/?\d\w* (?:to \d\w*|or (?:more|less|larger))"


class Row(NamedTuple):
    """A row of the first tables."""

    name: str
    type: str
    default: str
    rule: str
    example: str


class ServiceRow(NamedTuple):
    """A row of the table of services: `.replicas` after `deploy.mode` is deploy.replicas."""

    names: list[str]
    rule: str
    defaults: list[str]


def in_code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def table(heading: str) -> Iterator[list[str]]:
    """The cells of the rows of the first table after this."""
    rows = re.search(r"\| ---.*\n((?:\|.*\n)+)", PAGE.partition(heading)[2])
    assert rows
    return ([cell.strip() for cell in row[1:-1].split(" | ")] for row in rows[1].splitlines())


def services() -> Iterator[ServiceRow]:
    for first, rule, default in table("| `services.NAME.` |"):
        names = in_code(first)
        parent = names[0].rpartition(".")[0]
        full = [f"{parent}{one}" if one[0] == "." else one for one in names]
        yield ServiceRow(full, rule, default.split(", "))


ROWS = [
    (heading, Row(in_code(name)[0], kind, default, rule, example))
    for heading in TABLES
    for name, kind, default, rule, example in table(f"# {heading}\n")
]
SERVICES = list(services())


def check_default(said: str, key: Key) -> None:
    """A literal reads as the default; where words tell of it, or nothing, the field has none of its own."""
    literal = re.fullmatch(r"`([^`]+)`|(\d+)", said)
    if said.startswith("required"):
        assert key.required
    elif literal and isinstance(key.rule, Rule):
        assert key.rule.read(yaml.safe_load(literal[1] or literal[2])) == key.default
    else:
        assert not key.default or isinstance(key.rule, Part)


def check_bound(rule: Rule[Any], bound: str, beyond: int) -> None:
    """It is taken; one more, or one second more, isn't."""
    number, unit = re.findall(r"\d+|\D+|$", bound)[:2]
    rule.read(bound)
    seconds = int(number) * {"": 1, "s": 1, "m": 60, "h": 3600}[unit] + beyond
    with pytest.raises(ValueError, match=r"^$"):
        rule.read(f"{seconds}s" if unit else seconds)


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_has_the_keys_of_the_fields(heading: str) -> None:
    assert [row.name for part, row in ROWS if part == heading] == list(TABLES[heading])


@pytest.mark.parametrize(("heading", "row"), ROWS, ids=[" ".join((part, row.name)) for part, row in ROWS])
def test_a_row_has_the_default_the_bounds_the_words_and_an_example_of_its_field(
    heading: str, row: Row
) -> None:
    key = TABLES[heading][row.name]
    assert isinstance(key.rule, Rule)
    if row.name not in SHARED:
        check_default(row.default, key)
    bounds = re.findall(BOUND, key.rule.text)
    assert set(bounds) <= set(re.findall(BOUND, row.rule))
    for low, high in (bound.split(" to ") for bound in bounds if " to " in bound):
        check_bound(key.rule, low, -1)
        check_bound(key.rule, high, 1)
    if row.type == "word":
        assert set(in_code(row.rule)) == set(re.split(", | or ", key.rule.text.removeprefix("must be ")))
    for example in in_code(row.example):
        key.rule.read(yaml.safe_load(example))


def held(name: str) -> dict[str, Key]:
    """A key of services, or those in it."""
    return {key: one for key, one in service.KEYS.items() if f"{key}.".startswith(f"{name}.")}


def inner(name: str) -> dict[str, Key]:
    """The keys in a value of that, each by its last word."""
    kinds = [one.rule.keys for one in held(name).values() if isinstance(one.rule, Part)]
    kinds += [ITEMS[name]] if name in ITEMS else []
    nested = {key: one for key, one in held(name).items() if key != name}
    nested |= {key: one for kind in kinds for key, one in keys_of(kind).items()}
    return {key.rpartition(".")[2]: one for key, one in nested.items()}


def test_every_key_of_services_is_in_one_row() -> None:
    rows = [held(name) for row in SERVICES for name in row.names]
    assert all(rows)
    assert sorted(key for keys in rows for key in keys) == sorted(service.KEYS)


@pytest.mark.parametrize("row", SERVICES, ids=[row.names[0] for row in SERVICES])
def test_a_row_of_services_names_all_that_is_in_its_keys_and_nothing_else(row: ServiceRow) -> None:
    keys = [keys for name in row.names for keys in (held(name), inner(name))]
    said = {one.rpartition(".")[2] for one in in_code(row.rule) if re.fullmatch("[a-z_.]+", one)}
    values = {word for part in keys for key in part.values() for word in re.split("[ ,;:]+", key.rule.text)}
    named = {name.rpartition(".")[2] for name in service.KEYS}
    assert {key for name in row.names for key in inner(name)} <= said
    assert said <= {name for part in keys for name in part} | values | named | {"ro"}


@pytest.mark.parametrize("row", SERVICES, ids=[row.names[0] for row in SERVICES])
def test_a_row_of_services_has_the_defaults_of_its_keys(row: ServiceRow) -> None:
    """One for all, or as many as there are keys in the row, or in their values."""
    # No network is as good as the one that the page names; how many replicas there are depends on the mode.
    keys = {key: one for name in row.names for key, one in held(name).items() if key != "networks"}
    for key in keys.values() if len(row.defaults) == 1 else ():
        check_default(row.defaults[0], key)
    nested = inner(row.names[0])
    for names in (row.names, [one for one in in_code(row.rule) if one in nested]):
        if len(names) == len(row.defaults) > 1:
            for name, default in zip(names, row.defaults, strict=True):
                if name != "deploy.replicas":
                    check_default(default, keys.get(name) or nested[name])


@pytest.mark.parametrize(
    ("name", "keys"),
    [("networks", networks.KEYS), ("volumes", volumes.KEYS), ("secrets", contents.KEYS)],
)
def test_a_row_of_the_top_level_has_its_keys(name: str, keys: Mapping[str, Key]) -> None:
    ((_, rule),) = (row for row in table("| top level |") if row[0].startswith(f"`{name}.NAME`"))
    said = {one.partition("[")[0] for one in in_code(rule) if re.match("[a-z]+", one)}
    assert said - {"swarm:secrets"} == set(keys)


def test_the_top_level_has_rows_for_all_its_keys() -> None:
    rows = [name.removesuffix(".NAME") for row in table("| top level |") for name in in_code(row[0])]
    assert sorted([*rows, "services", "version"]) == sorted(keys_of(reading._Top))
