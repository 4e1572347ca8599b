"""Several Compose files of one stack, merged as Docker's client merges them.

The rules are those of mergeServices and its like in docker/cli 26.1, cli/compose/loader/merge.go: what is
empty replaces nothing, lists are appended, and what has a key of its own (a port, a mount) is there once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from swarm.declare.compose.located import Located
from swarm.declare.compose.merging_items import KEYED, merge_items

Rule = Callable[[Located, Located], Located]
NO_TIME = re.compile(r"(?:0+(?:ns|us|µs|ms|s|m|h))+")


def merge(base: Located, override: Located) -> Located:
    """Both files' data; that of networks, volumes, secrets and configs is the last one's whole."""
    services = _named({}, _service, strict=True)
    parts = dict.fromkeys(("networks", "volumes", "secrets", "configs"), _named({}, _whole))
    return _named({"services": services, **parts}, _whole)(base, override)


def _named(rules: Mapping[str, Rule], other: Rule, *, strict: bool = False) -> Rule:
    """The rule of a mapping: by name those, or the other one. Where nothing may stand for an empty one
    unless it is `strict`."""

    def rule(base: Located, override: Located) -> Located:
        for one, instead in ((override, base), (base, override)):
            if one.value is None and not strict:
                return instead
            if not isinstance(one.value, dict):
                return one  # its reader says what it must be
        merged = dict(base.value)
        for name, one in override.value.items():
            merged[name] = rules.get(name, other)(merged[name], one) if name in merged else one
        return Located(merged, base.origin)

    return rule


def _whole(_: Located, override: Located) -> Located:
    return override


def _there(base: Located, override: Located) -> Located:
    """What is there, even 0."""
    return base if override.value is None else override


def _plain(base: Located, override: Located) -> Located:
    """What isn't empty, as Go has it."""
    value = override.value
    none = value in (None, "", 0, [], {}) or (isinstance(value, str) and NO_TIME.fullmatch(value))
    return base if none else override


def _variable(base: Located, override: Located) -> Located:
    """A value that isn't empty; 0 is a text here."""
    return base if override.value is None or override.value == "" else override


def _any(base: Located, override: Located) -> Located:
    """By what they are."""
    if isinstance(base.value, dict) and isinstance(override.value, dict):
        return _named({}, _any)(base, override)
    if isinstance(base.value, list) and isinstance(override.value, list):
        return Located([*base.value, *override.value], override.origin)
    return _plain(base, override)


def _as(form: Callable[[Located], Located], rule: Rule) -> Rule:
    """The rule, after both were brought into one form."""
    return lambda base, override: rule(form(base), form(override))


def _listed(one: Located) -> Located:
    """A text as a list."""
    return replace(one, value=[one]) if isinstance(one.value, str) and one.value else one


def _hosts(one: Located) -> Located:
    """A mapping of names to addresses as a list, in Docker's order."""
    if not isinstance(one.value, dict):
        return one
    pairs = sorted(one.value.items())
    return replace(one, value=[replace(ip, value=f"{name}:{ip.value}") for name, ip in pairs])


def _test(one: Located) -> Located:
    """A text as a command for a shell."""
    shell = [replace(one, value="CMD-SHELL", filled=False), one]
    return replace(one, value=shell) if isinstance(one.value, str) and one.value else one


def pairs(one: Located, empty: Any = "") -> Located:
    """A list of NAME=VALUE as a mapping; `empty` is the value of a name alone."""
    if not isinstance(one.value, list) or not all(isinstance(item.value, str) for item in one.value):
        return one
    found = {}
    for item in one.value:
        name, separator, value = item.value.partition("=")
        found[name] = replace(item, value=value if separator else empty)
    return replace(one, value=found)


def _names(one: Located) -> Located:
    """A list of names as a mapping."""
    if not isinstance(one.value, list) or not all(isinstance(item.value, str) for item in one.value):
        return one
    return replace(one, value={item.value: replace(item, value=None) for item in one.value})


def _attached(base: Located, override: Located) -> Located:
    """A network's aliases are the last file's, even where it has none."""
    if not isinstance(base.value, dict) or not isinstance(override.value, dict):
        return _there(base, override)
    kept = {name: one for name, one in base.value.items() if name != "aliases"}
    added = {name: one for name, one in override.value.items() if name != "driver_opts"}
    return Located({**kept, **added}, override.origin)


def _logging(base: Located, override: Located) -> Located:
    """Options of one driver are added up, where the first file has any; another driver has its own alone."""
    if not isinstance(base.value, dict) or not isinstance(override.value, dict):
        return _there(base, override)
    driver, other = (one.value["driver"].value if "driver" in one.value else "" for one in (base, override))
    if driver and other and driver != other:
        return override
    merged = _named({"options": _named({}, _whole)}, _plain)(base, override)
    if "options" not in base.value:
        return replace(merged, value={name: one for name, one in merged.value.items() if name != "options"})
    return merged


_TEXTS = _as(pairs, _named({}, _whole))
_LIST = _as(_listed, _any)
_ROLLOUT = _named({"parallelism": _there}, _plain)
_DEPLOY = {
    "labels": _TEXTS,
    "replicas": _there,
    "update_config": _ROLLOUT,
    "rollback_config": _ROLLOUT,
    "restart_policy": _named({"max_attempts": _there}, _plain),
}
_SERVICE: Mapping[str, Rule] = {
    "command": _plain,
    "entrypoint": _plain,
    "environment": _as(partial(pairs, empty=None), _named({}, _variable)),
    "labels": _TEXTS,
    "sysctls": _TEXTS,
    "logging": _logging,
    "healthcheck": _named({"test": _as(_test, _any), "retries": _there}, _plain),
    "dns": _LIST,
    "dns_search": _LIST,
    "env_file": _LIST,
    "tmpfs": _LIST,
    "extra_hosts": _as(_hosts, _any),
    "ulimits": _named({}, _there),
    "networks": _as(_names, _named({}, _attached)),
    "deploy": _named(_DEPLOY, _any),
    **{name: partial(merge_items, name) for name in KEYED},
}


def _service(base: Located, override: Located) -> Located:
    merged = _named(_SERVICE, _any, strict=True)(base, override)
    if not isinstance(base.value, dict) or not isinstance(override.value, dict):
        return merged
    # Docker's client sorts these, and has each once, even where the other file says nothing of them.
    alone = {name: base.value[name] for name in KEYED if name in base.value and name not in override.value}
    sorted_ = {name: merge_items(name, one, replace(one, value=[])) for name, one in alone.items()}
    return replace(merged, value={**merged.value, **sorted_})
