"""The one result type: what a check found, in refusals, warnings, the doctor and verify."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

COMMAND = re.compile(r": [^,;)`]+$")  # that a sentence ends in: a period would be typed with it


class Verdict(StrEnum):
    """What a finding means."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"
    UNKNOWN = "not checked"


@dataclass(frozen=True)
class Finding:
    """What a check found, where (hosts, or a service; nowhere: of all together), and what to do about it.
    `what` and `remedy` are sentences without their final periods."""

    check: str
    where: tuple[str, ...]
    what: str
    verdict: Verdict = Verdict.OK
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{', '.join(self.where)}: " if self.where else ""
        period = "" if COMMAND.search(self.remedy) else "."
        return f"{where}{self.what}" + (f". {self.remedy}{period}" if self.remedy else "")


def summed(findings: Iterable[Finding]) -> list[Finding]:
    """One for all that agree, in the order of the first; it is where they all are, each place once."""
    places: dict[tuple[str, str, Verdict, str], dict[str, None]] = {}
    for one in findings:
        same = places.setdefault((one.check, one.what, one.verdict, one.remedy), {})
        same.update(dict.fromkeys(one.where))
    return [
        Finding(check, tuple(where), what, verdict, remedy)
        for (check, what, verdict, remedy), where in places.items()
    ]


def failed(check: str, where: str | Iterable[str], what: str, remedy: str) -> Finding:
    """What can't work."""
    return Finding(check, _places(where), what, Verdict.FAILED, remedy)


def warning(check: str, where: str | Iterable[str], what: str, remedy: str = "") -> Finding:
    """What works but should be known."""
    return Finding(check, _places(where), what, Verdict.WARNING, remedy)


def unknown(check: str, where: str | Iterable[str], why: str, remedy: str = "") -> Finding:
    """What can't be checked."""
    return Finding(check, _places(where), why, Verdict.UNKNOWN, remedy)


def _places(where: str | Iterable[str]) -> tuple[str, ...]:
    return (where,) if isinstance(where, str) else tuple(where)
