"""Decides where a tool comes from. Nothing here reads the machine: what it offers is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from swarm.errors import SwarmError
from toolchain.catalogue import Tool, parse

GO_WANTED = "1.25.11"
"""What the go.mod files in this folder ask for."""
GO_SWITCHES = "1.21.0"
"""The first Go that fetches a newer one of itself where a go.mod asks for it."""


class Source(StrEnum):
    """Where a tool can come from, in order of preference."""

    INSTALLED = "installed"
    DOWNLOAD = "official download"
    BUILD = "built from source"


@dataclass(frozen=True)
class Candidate:
    """A tool found on the machine; `lacks` names the first of its files that isn't there."""

    path: Path
    version: str
    lacks: str = ""


@dataclass(frozen=True)
class Go:
    """The Go on the machine; `switches` tells whether it may download a newer one of itself."""

    version: str
    switches: bool


@dataclass(frozen=True)
class Offers:
    """What the machine offers for one tool."""

    installed: Sequence[Candidate]
    downloaded: bool
    built: bool
    unreachable: str
    """Why the official release can't be downloaded, or may not be; "" where neither is so."""
    go: Go | None


@dataclass(frozen=True)
class Choice:
    """Where a tool comes from, and why; `path` is set where it is installed already."""

    source: Source
    reason: str
    path: Path | None = None


class NoSourceError(SwarmError):
    """A tool can be had in no way; the text says which, why, and what to do."""


def choose(tool: Tool, offers: Offers) -> Choice:
    """Gives the first source that serves, in order of preference; NoSourceError if none does."""
    for candidate in offers.installed:
        if tool.fits(candidate.version) and not candidate.lacks:
            return Choice(Source.INSTALLED, f"fits {tool.rule}", candidate.path)
    missing = _unfit(tool, offers.installed)
    if offers.downloaded:
        return Choice(Source.DOWNLOAD, f"{missing}; downloaded before")
    if not offers.unreachable:
        return Choice(Source.DOWNLOAD, missing)
    because = f"{missing}; {offers.unreachable}"
    if tool.version != tool.buildable:
        raise NoSourceError(
            f"{tool.name} {tool.version}: {because}; the Go modules in toolchain/ build "
            f"{tool.buildable}, requirements.txt pins {tool.version}. {_remedy(tool)}"
        )
    if offers.built:
        return Choice(Source.BUILD, f"{because}; built before")
    problem = _go_problem(offers.go)
    if problem:
        raise NoSourceError(
            f"{tool.name} {tool.version}: {because}; {problem}. Install Go "
            f"{GO_SWITCHES} or newer (your distribution's or https://go.dev/dl; it fetches a newer "
            f"one by itself if need be), or else: {_remedy(tool)}"
        )
    return Choice(Source.BUILD, because)


def _unfit(tool: Tool, installed: Sequence[Candidate]) -> str:
    if not installed:
        return "not installed"
    best = max(installed, key=lambda candidate: parse(candidate.version))
    if tool.fits(best.version):
        return f"{best.path} lacks {best.lacks} beside it"
    return f"{best.path} is {best.version or 'of unknown version'}, not {tool.rule}"


def _go_problem(go: Go | None) -> str:
    if go is None:
        return "no go command on PATH to build it with"
    if parse(go.version) >= parse(GO_WANTED):
        return ""
    if parse(go.version) < parse(GO_SWITCHES):
        return f"Go {go.version} is too old to build it"
    if not go.switches:
        return f"Go {go.version} is too old to build it and GOTOOLCHAIN keeps it from a newer one"
    return ""


def _remedy(tool: Tool) -> str:
    if tool.plugin:
        return f"`pulumi plugin install resource {tool.name} {tool.version}` where it can be had."
    return "Install Pulumi (https://www.pulumi.com/docs/install)."
