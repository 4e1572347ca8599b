"""What all that stands at the top of a file has: a name in Docker, and whether it is there already."""

from __future__ import annotations

from collections.abc import Mapping

from swarm.declare.compose import values
from swarm.declare.keys import Key, key, snake_cased, taken
from swarm.declare.reader import Reader
from swarm.declare.rules import text

# From the checks of new services and networks in swarmkit's manager/controlapi: a label of a host name, for
# which they stand.
LONGEST_LABEL = 63
LABEL = r"[A-Za-z0-9](?:[-_A-Za-z0-9]*[A-Za-z0-9])?"


_NO: object = False


@snake_cased
class Named:
    """The keys of that. An external one may have its name under `external`, as files had it before `name`."""

    external: object = key(values.external, default=_NO)
    name: str | None = key(text, "must be a name in Docker", default=None)


def outside(
    reader: Reader, where: str, name: str, keys: Mapping[str, Key], found: Mapping[str, object]
) -> str | None:
    """Docker's name of what is there already, and has no keys but this name; None for what isn't external."""
    named = taken(Named, dict(found))
    if isinstance(named.external, dict):
        return str(named.external.get("name", name))
    if not named.external:
        return None
    for key_name, one in keys.items():
        own = key_name.partition(".")[0] not in ("external", "name", "driver", "ipam")
        if own and found.get(one.field):
            rule = "an external one is as it is"
            reader.problem(f"{where}.{key_name}", None, rule, "Remove it, or `external`")
    return named.name or name


def check_length(reader: Reader, where: str, stack: str, name: str, longest: int) -> None:
    """A name has the stack's in front."""
    if len(f"{stack}_{name}") > longest:
        rule = f"its name must have {longest} characters at most, {stack}_ included"
        reader.problem(where, None, rule, "Shorten it")
