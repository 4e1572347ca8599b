"""What `make bench-election` writes: the page's section, with a table and findings; the CSV; the plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median

from benchmarks import reports
from benchmarks.elections.rows import LONE_SECONDS, NO_FAULT, Row, as_csv, groups

COMMAND = "make bench-election"
CSV, PLOT = reports.REPORTS / "elections.csv", reports.REPORTS / "elections.svg"


def write(rows: Sequence[Row], where: str) -> str:
    """Writes the page's section, the CSV and the plot; gives the section's text."""
    from benchmarks.elections.plot import plot  # late: it takes a second to load

    text = "\n".join(section(rows, where))
    reports.write(COMMAND, text)
    CSV.write_text(as_csv(rows), encoding="utf-8")
    PLOT.write_text(plot(rows), encoding="utf-8")
    return text


def section(rows: Sequence[Row], where: str) -> Iterator[str]:
    """The lines of the page's section; `where`: on what it was measured."""
    runs = max(row.run for row in rows)
    yield f"Runs of each: {runs}, on {where}. Seconds: median (least to most)."
    yield from ("", f"![Seconds to a new Leader and to the first write]({PLOT.name})", "")
    yield from table(rows)
    yield ""
    yield from (f"- {finding}" for finding in findings(rows))


def table(rows: Iterable[Row]) -> Iterator[str]:
    """A line for every number of managers and fault."""
    yield "| managers | majority | may fail | the Leader is | new Leader | first write |"
    yield "| ---: | ---: | ---: | --- | ---: | ---: |"
    for (managers, fault), group in groups(rows).items():
        majority = managers // 2 + 1
        spare = managers - majority
        share = f"{spare} ({spare / managers:.0%})"
        seen = " | ".join(map(cell, columns(group)))
        yield f"| {managers} | {majority} | {share} | {fault} | {seen} |"


def cell(values: Iterable[float | None]) -> str:
    """Seconds in short: median, least and most of those that there are."""
    there = [value for value in values if value is not None]
    if not there:
        return f"none within {LONE_SECONDS} s"
    return f"{median(there):.1f} ({min(there):.1f} to {max(there):.1f})"


def findings(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences of what the rows have in common, each where there are rows for it."""
    seen = [row for group in groups(rows).values() for row in group if not row.lone]
    if seen:
        by_fault = medians(seen, lambda row: row.fault)
        by_size = medians(seen, lambda row: f"{row.managers} managers")
        yield f"Median time to a new Leader by fault, over all sizes: {by_fault}."
        yield f"By size, over all faults: {by_size}."
        gaps = cell(row.write - row.leader for row in seen if row.write and row.leader)
        yield f"From the first sight of the new Leader to the first accepted write: {gaps} s."
    for (_, fault), group in groups(rows).items():
        if group[0].lone:
            answers = " or ".join(dict.fromkeys(row.refusals for row in group))
            yield f"The only manager {fault}: no write was accepted in any run. Last answers: {answers}."
    calm = [row for row in rows if row.fault == NO_FAULT]
    leader, write = (max(seconds or 0 for seconds in column) for column in columns(calm))
    yield (
        f"Without a fault the same watch takes up to {leader:.2f} s to see the Leader and {write:.2f} s to "
        "have a write accepted: that is what measuring costs."
    )


def columns(rows: Sequence[Row]) -> tuple[list[float | None], list[float | None]]:
    """The seconds to a new Leader, and those to the first write."""
    return [row.leader for row in rows], [row.write for row in rows]


def medians(rows: Iterable[Row], key: Callable[[Row], str]) -> str:
    """The median seconds to a new Leader, by what the key says."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if row.leader is not None:
            values.setdefault(key(row), []).append(row.leader)
    return ", ".join(f"{name} {median(found):.1f} s" for name, found in values.items())
