"""Findings for people and for machines: of the doctor, and of verify."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence

from swarm.finding import Finding, Verdict
from swarm.foreign import harmless

STYLES = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red", Verdict.UNKNOWN: "yellow"}
WIDTH = 160  # where it goes to a file
FEW = 4  # places that are named each


def tell(findings: Sequence[Finding], place: str, everyone: Collection[str], *, machine: bool) -> int:
    """Prints findings; gives the exit code: 1 where one failed. `place` is the word for where they are,
    `everyone`: all hosts."""
    if machine:
        print(harmless(json.dumps([_public(one, place) for one in findings], indent=2)))
    else:
        _show(findings, place, frozenset(everyone))
    return 1 if any(one.verdict is Verdict.FAILED for one in findings) else 0


def _public(one: Finding, place: str) -> dict[str, object]:
    """A finding by the names that docs/doctor.md promises."""
    words = {"finding": one.what, "verdict": one.verdict, "remedy": one.remedy}
    return {"check": one.check, place: one.where, **words}


def _show(findings: Sequence[Finding], place: str, everyone: frozenset[str]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("check", place, "finding", "remedy", "result", box=None, pad_edge=False)
    for one in findings:
        words = (one.check, _where(one.where, everyone), harmless(one.what), one.remedy)
        style = STYLES[one.verdict]
        table.add_row(*map(escape, words), f"[{style}]{one.verdict}[/]")
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def _where(places: Collection[str], everyone: frozenset[str]) -> str:
    if set(places) in (set(), everyone):
        return "all"
    if len(places) < FEW:
        return ", ".join(places)
    return f"{len(places)} {'hosts' if everyone.issuperset(places) else 'places'}"
