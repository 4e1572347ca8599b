"""The runs of `make bench-election`: a row each, in groups, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass

LONE_SECONDS = 30  # that a swarm is watched whose only manager is away: longer than most elections
NO_FAULT = "none"
HEADER = ("managers", "fault", "run", "new_leader_seconds", "first_write_seconds", "refusals")
MEASURES = ("new Leader", "first write")


@dataclass(frozen=True)
class Row:
    """One run. Seconds are from the fault on; None: not while the swarm was watched, and `refusals`
    says what the last writes got, node by node."""

    managers: int
    fault: str
    run: int
    leader: float | None
    write: float | None
    refusals: str = ""

    @property
    def lone(self) -> bool:
        """Whether the fault befell the only manager."""
        return self.managers == 1 and self.fault != NO_FAULT

    def __str__(self) -> str:
        """A line of progress."""
        found = ", ".join(
            f"{what} {'none' if seconds is None else f'{seconds:.2f} s'}"
            for what, seconds in zip(MEASURES, (self.leader, self.write), strict=True)
        )
        return f"managers {self.managers}, fault {self.fault}, run {self.run}: {found}"


def groups(rows: Iterable[Row]) -> dict[tuple[int, str], list[Row]]:
    """The runs with a fault, by number of managers and fault."""
    found: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        if row.fault != NO_FAULT:
            found.setdefault((row.managers, row.fault), []).append(row)
    return found


def as_csv(rows: Iterable[Row]) -> str:
    """The rows as CSV, to the millisecond; a field is empty where nothing was seen."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow(f"{cell:.3f}" if isinstance(cell, float) else cell for cell in astuple(row))
    return text.getvalue()
