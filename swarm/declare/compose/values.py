"""The values of Compose files, each read as Docker reads it, or refused with ValueError."""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Mapping
from typing import Any

from swarm.declare.keys import key
from swarm.declare.rules import UnshownError, boolean, distinct, must_be, sequence, text, texts

CONSTRAINT = re.compile(
    r"\s*[A-Za-z_][A-Za-z0-9\-_.]+\s*(?:==|!=)\s*[A-Za-z0-9:\-_\s.*()?+\[\]\\^$|/]+", re.ASCII
)

HOST_GATEWAY = "host-gateway"
PAIRS = "a mapping to texts or numbers, or a list of NAME=VALUE; quote true and false"

PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")


def one_or_more(raw: Any) -> tuple[str, ...]:
    """A text, or a list of texts."""
    return (raw,) if isinstance(raw, str) and raw else texts(raw)


@must_be("an IP address, or a list of them")
def addresses(raw: Any) -> tuple[str, ...]:
    """An IP address, or a list of them."""
    return tuple(str(ipaddress.ip_address(one)) for one in one_or_more(raw))


@must_be("a list of constraints, such as node.role == worker, or with !=")
def constraints(raw: Any) -> tuple[str, ...]:
    """What nodes have to be like: a key, == or !=, a value; by the rules of swarmkit's constraint.Parse."""
    listed = texts(raw)
    if not all(CONSTRAINT.fullmatch(one) for one in listed):
        raise ValueError
    return listed


@must_be("a text or a list of words")
def words(raw: Any) -> tuple[str, ...]:
    """A command: a list of words, or a text that is split as a shell would."""
    return tuple(shlex.split(raw)) if isinstance(raw, str) else tuple(scalar(one) for one in sequence(raw))


@must_be("a text, or a list that begins with CMD, CMD-SHELL or NONE")
def test(raw: Any) -> tuple[str, ...]:
    """A health check's command: a text for a shell, or a list that begins with CMD, CMD-SHELL or NONE."""
    listed = ("CMD-SHELL", text(raw)) if isinstance(raw, str) else texts(raw)
    if not listed or listed[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise ValueError
    return listed


def mapping(raw: Any) -> Mapping[str, Any]:
    """A mapping; what is in it is read further on."""
    if isinstance(raw, Mapping):
        return raw
    raise UnshownError


@must_be("a list of names under `networks`, or a mapping")
def attached(raw: Any) -> dict[str, Any]:
    """A mapping, or a list of names, each once."""
    return raw if isinstance(raw, dict) else dict.fromkeys(distinct(raw))


@must_be("true or false")
def external(raw: Any) -> object:
    """True or false, or a mapping with a name."""
    return raw if isinstance(raw, dict) else boolean(raw)


@must_be(PAIRS)
def pairs(raw: Any) -> dict[str, str]:
    """A mapping of names to texts or numbers, or a list of NAME=VALUE; without a value it is empty."""
    return {name: value or "" for name, value in variables(raw).items()}


@must_be(PAIRS)
def variables(raw: Any) -> dict[str, str | None]:
    """The same, with None for a name without a value."""
    if isinstance(raw, Mapping):
        return {name: None if value is None else scalar(value) for name, value in raw.items()}
    listed = [text(item).partition("=") for item in sequence(raw)]
    if not all(name for name, _, _ in listed):
        raise ValueError
    return {name: value if separator else None for name, separator, value in listed}


def named(name: str = "") -> dict[str, str]:
    """A field for names and values, among which people write secrets."""
    return key(pairs, default_factory=dict, name=name, hidden=True)


@must_be("a list of NAME:ADDRESS, or a mapping; host-gateway is the node's address")
def hosts(raw: Any) -> tuple[tuple[str, str], ...]:
    """Names and addresses: a mapping, or a list of NAME:ADDRESS or NAME=ADDRESS."""
    listed = (
        [(name, text(address)) for name, address in raw.items()]
        if isinstance(raw, Mapping)
        else [re.split("[:=]", text(item), maxsplit=1) for item in sequence(raw)]
    )
    return tuple((name, _address(address)) for name, address in listed)


def _address(raw: str) -> str:
    """An IP address, or the word for that of the node."""
    return raw if raw == HOST_GATEWAY else str(ipaddress.ip_address(raw.strip("[]")))


@must_be("a list of mappings such as {discrete_resource_spec: {kind: gpu, value: 1}}")
def generic_resources(raw: Any) -> tuple[tuple[str, int], ...]:
    """Kinds and their numbers; the engine takes no names here."""
    found = [mapping(one) for one in sequence(raw)]
    if not all(set(one) == {"discrete_resource_spec"} for one in found):
        raise ValueError
    specs = [mapping(one["discrete_resource_spec"]) for one in found]
    if not all(set(one) == {"kind", "value"} for one in specs):
        raise ValueError
    return tuple((_kind(one["kind"]), int(one["value"])) for one in specs)


def _kind(raw: Any) -> str:
    """The Docker provider takes a kind apart from its number at the first =."""
    if "=" in text(raw):
        raise ValueError
    return str(raw)


@must_be("a list of capabilities")
def capabilities(raw: Any) -> tuple[str, ...]:
    """Names of capabilities as the engine writes them, in order: net_admin is CAP_NET_ADMIN."""
    named = {name.upper() for name in texts(raw)}
    return tuple(sorted(n if n == "ALL" or n.startswith("CAP_") else f"CAP_{n}" for n in named))


@must_be("an absolute path in the container")
def absolute(raw: Any) -> str:
    """A path from the root."""
    if not text(raw).startswith("/"):
        raise ValueError
    return str(raw)


@must_be("a network, such as 10.30.1.0/24")
def network(raw: Any) -> str:
    """An IPv4 or IPv6 network."""
    return str(ipaddress.ip_network(text(raw)))


@must_be("a number to base 8, such as 0440")
def mode(raw: Any) -> int:
    """A file's permissions: 0440 as a number to base 8, or as a text."""
    value = int(raw, 8) if isinstance(raw, str) else raw
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 0o7777:
        raise ValueError
    return value


def identity(raw: Any) -> str:
    """A user's or group's number, as a text."""
    if isinstance(raw, bool) or not re.fullmatch("[0-9]{1,10}", str(raw)):
        raise ValueError
    return str(raw)


def scalar(raw: Any) -> str:
    """A text, or a number as one."""
    # Booleans are refused, as Docker refuses them: is it "true" or "True"?
    if isinstance(raw, (str, int, float)) and not isinstance(raw, bool):
        return str(raw)
    raise ValueError
