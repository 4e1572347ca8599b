"""Networks at the top of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swarm.declare.compose import values
from swarm.declare.compose.named import LABEL, LONGEST_LABEL, Named, outside
from swarm.declare.keys import key, keys_of, snake_cased, taken
from swarm.declare.reader import Reader
from swarm.declare.rules import boolean, items, one_of

PREDEFINED = ("bridge", "default", "docker_gwbridge", "host", "ingress", "none")


@snake_cased
class Network:
    """An overlay network. An external one is another stack's, or made by hand."""

    name: str
    full: str  # Docker's name
    external: bool = False
    attachable: bool = key(boolean, default=False)
    internal: bool = key(boolean, default=False)
    options: Mapping[str, str] = values.named("driver_opts")
    labels: Mapping[str, str] = values.named()
    subnets: tuple[str, ...] = ()


@snake_cased
class _Written(Named):
    """The keys that are no field of a network by themselves."""

    driver: str = key(one_of("overlay"), "must be overlay, the driver of swarms", default="overlay")
    ipam: str = key(one_of("default"), default="default", name="ipam.driver")
    config: list[Any] = key(
        items, "must be a list of mappings with a subnet", default_factory=list, name="ipam.config"
    )


@snake_cased
class _Subnet:
    subnet: str = key(values.network)


KEYS = keys_of(_Written) | keys_of(Network)


def read(reader: Reader, stack: str, name: str, raw: Any) -> Network:
    """The network; the reader is told the problems."""
    where = f"networks.{name}"
    found = reader.given(where, raw or {}, KEYS)
    external = outside(reader, where, name, KEYS, found)
    written = taken(_Written, found)
    subnets = [
        reader.build(_Subnet, f"{where}.ipam.config[{at}]", one) for at, one in enumerate(written.config)
    ]
    full = external or written.name or f"{stack}_{name}"
    if not external:
        _check_name(reader, where, full)
    return Network(
        name, full, external is not None, subnets=tuple(one.subnet for one in subnets if one), **found
    )


def _check_name(reader: Reader, where: str, full: str) -> None:
    rule = f"its name must be letters, digits, inner - and _, {LONGEST_LABEL} characters at most"
    if full in PREDEFINED:
        rule = "Docker has a network of this name of its own"
    elif re.fullmatch(LABEL, full) and len(full) <= LONGEST_LABEL:
        return
    reader.problem(where, full, rule, "Rename it")
