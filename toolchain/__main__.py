"""Gives the project its tools: `python3 -m toolchain`.

Each is taken from where it is installed, else downloaded, else built; choice.py has the rules.
"""

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from swarm.errors import SwarmError
from toolchain import building, checkout, checksums, machine, store
from toolchain.catalogue import HERE, LANGUAGE_HOST, Tool, tools
from toolchain.checkout import Row
from toolchain.choice import Choice, Offers, Source, choose
from toolchain.downloading import DownloadError, download

_LOCK_LIMIT = 5400.0
BUILD_COST = "8 to 25 minutes on two cores and 5 GB for Go's caches, less if they are filled"


def main() -> int:
    """Provides all tools and prints a table of them; gives the exit code."""
    # Whoever ends this program ends the builds that it has started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        wanted = tools((HERE.parent / "requirements.txt").read_text())
        now = checkout.fingerprint(wanted)
        rows = checkout.recall(now, wanted)
        if rows is None:
            with store.lock(_LOCK_LIMIT, say):
                rows = provide(wanted)
            checkout.remember(now, rows)
    except (OSError, ValueError, SwarmError) as error:
        print(f"toolchain: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("toolchain: interrupted. What was compiled is kept: run it again.", file=sys.stderr)
        return 130
    print(table(rows))
    print(advice(rows, os.environ.get("PULUMI_HOME")), end="")
    return 0


def provide(wanted: Sequence[Tool]) -> list[Row]:
    """Chooses each tool, brings it into the store unless it is installed, and links it."""
    say("looking for what is installed, and whether get.pulumi.com can be reached")
    refusal = machine.unreachable(machine.address(wanted[0]))
    go = machine.go()
    choices: list[Choice] = []
    build: list[Tool] = []
    for tool in wanted:
        offers = Offers(
            installed=machine.installed(tool, checkout.own_folders()),
            downloaded=store.folder(tool, Source.DOWNLOAD).exists(),
            built=store.folder(tool, Source.BUILD).exists(),
            unreachable=unpinned(tool) or refusal,
            go=go,
        )
        choice = choose(tool, offers)
        if choice.source is Source.DOWNLOAD and not offers.downloaded:
            try:
                download(tool, say)
            except DownloadError as error:
                refusal = str(error)
                choice = choose(tool, replace(offers, unreachable=refusal))
        choices.append(choice)
        if choice.source is Source.BUILD and not offers.built:
            build.append(tool)
        else:
            checkout.link(tool, place(tool, choice))
    if build:
        names = ", ".join(tool.name for tool in build)
        say(f"building {names}, once for all checkouts: {BUILD_COST}")
        building.build(build, say)
        for tool in build:
            checkout.link(tool, store.folder(tool, Source.BUILD))
    return [row for tool, choice in zip(wanted, choices, strict=True) for row in report(tool, choice)]


def unpinned(tool: Tool) -> str:
    """Gives why a tool may not be downloaded here, "" where it has a checksum to be compared with."""
    archive = machine.archive(tool)
    if checksums.pinned(archive):
        return ""
    return f"no checksum of {archive} is pinned (`python3 -m toolchain.pin` adds it, where GitHub answers)"


def place(tool: Tool, choice: Choice) -> Path:
    """Gives the folder that holds a chosen tool."""
    return choice.path.parent if choice.path else store.folder(tool, choice.source)


def report(tool: Tool, choice: Choice) -> list[Row]:
    """Gives the lines of the table for one tool, one a program."""
    version = tool.version if tool.plugin else machine.version_of(place(tool, choice) / "pulumi")
    rows = []
    for program in tool.files:
        built_host = choice.source is Source.BUILD and program == "pulumi-language-python"
        rows.append(
            Row(
                program=program,
                version=LANGUAGE_HOST if built_host else version,
                source=choice.source,
                reason=choice.reason,
                path=str(place(tool, choice) / program),
            )
        )
    return rows


def table(rows: Sequence[Row]) -> str:
    """Gives the table that tells what was chosen, why, and where it is."""
    lines = []
    for row in rows:
        lines.append(f"{row.program:24} {row.version:8} {row.source}: {row.reason}")
        lines.append(f"{'':33} {row.path}")
    return "\n".join(lines)


def advice(rows: Sequence[Row], home: str | None) -> str:
    """Gives a warning where the user's own PULUMI_HOME hides plugins that were chosen, else ""."""
    if not home or Path(home).resolve() == checkout.HOME.resolve():
        return ""
    plugins = Path(home).resolve() / "plugins"
    hidden = [
        f"{row.program} {row.version}"
        for row in rows
        if row.program.startswith("pulumi-resource-") and not Path(row.path).is_relative_to(plugins)
    ]
    if not hidden:
        return ""
    return (
        f"Warning: PULUMI_HOME is {home}, which has no {' and no '.join(hidden)}. Unset it, so "
        f"that ./env.sh sets it to {checkout.HOME}, or install them there by `pulumi plugin "
        "install`.\n"
    )


def say(text: str) -> None:
    """Prints one line of progress; standard output is the table's."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
