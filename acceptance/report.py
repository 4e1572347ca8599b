"""What is told in the end: a table, JUnit's XML for machines, a page for people."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rich.markup import escape
from rich.table import Table

from acceptance.pipeline import Result, clock, failed

STYLES = {"ok": "green", "FAILED": "red", "not checked": "yellow"}
NOT_REACHED = "not reached"
NO_XML = r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # such as colours of a terminal


@dataclass(frozen=True)
class Conditions:
    """On what it ran."""

    stack: str
    hosts: str  # where they come from, how many, on what
    versions: str
    day: date


def rows(stages: Sequence[str], results: Sequence[Result]) -> Iterator[tuple[str, str, str, str, str]]:
    """Driver, verdict, time, number of checks, what couldn't be checked; then all together."""
    *before, last = results
    *order, _ = stages
    for result in before:
        yield _row(result)
    yield from ((name, NOT_REACHED, "", "", "") for name in order[len(before) :])
    yield _row(last)
    total = sum(result.seconds for result in results)
    checks = sum(len(result.passed) for result in results)
    yield "all", "FAILED" if failed(results) else "ok", clock(total), str(checks), ""


def _row(result: Result) -> tuple[str, str, str, str, str]:
    checks = str(len(result.passed))
    return result.stage, result.verdict, clock(result.seconds), checks, "; ".join(result.unchecked)


HEADS = ("stage", "result", "min:s", "checks", "not checked here")


def table(stages: Sequence[str], results: Sequence[Result]) -> Table:
    """For the terminal."""
    made = Table(*HEADS, box=None, pad_edge=False)
    for stage, verdict, *rest in rows(stages, results):
        style = STYLES.get(verdict, "yellow")
        made.add_row(stage, f"[{style}]{verdict}[/]", *map(escape, rest))
    return made


def junit(stages: Sequence[str], results: Sequence[Result], name: str) -> str:
    """The same for machines: a test case for each stage. Its checks are in its output."""
    suite = ET.Element("testsuite", name=f"acceptance of {name}")
    *before, last = results
    *order, _ = stages
    for result in before:
        suite.append(_case(result))
    for stage in order[len(before) :]:
        case = ET.SubElement(suite, "testcase", classname="acceptance", name=stage, time="0")
        ET.SubElement(case, "skipped", message=NOT_REACHED)
    suite.append(_case(last))
    return ET.tostring(suite, encoding="unicode")


def _case(result: Result) -> ET.Element:
    case = ET.Element("testcase", classname="acceptance", name=result.stage, time=f"{result.seconds:.1f}")
    if result.failure is not None:
        failure = re.sub(NO_XML, "", result.failure)
        ET.SubElement(case, "failure", message=failure.partition("\n")[0]).text = failure
    elif result.verdict != "ok":
        ET.SubElement(case, "skipped", message="; ".join(result.unchecked))
    told = [*result.passed, *(f"not checked: {one}" for one in result.unchecked)]
    ET.SubElement(case, "system-out").text = re.sub(NO_XML, "", "\n".join(told))
    return case


def page(conditions: Conditions, results: Sequence[Result], stages: Sequence[str], log: str) -> str:
    """docs/reports/acceptance.md."""
    lines = [" | ".join(HEADS), "--- | --- | ---: | ---: | ---"]
    lines += [" | ".join(row) for row in rows(stages, results)]
    made = "\n".join(f"| {line} |" for line in lines)
    return f"""# The acceptance

From no machines to a swarm that is tried in every way, and back to no machines. A stage that fails ends it,
but the machines are destroyed anyway.

`make acceptance` writes this page when everything passed. {conditions.day:%Y-%m-%d}, stack
`{conditions.stack}`: {conditions.hosts}. {conditions.versions}.

{made}

The page says what can't be checked on these hosts. Of the commands' output it shows what was done and the
result. It has the play without the acts in which hosts fail, because failover destroys hosts
instead; [the play's own page](play.md) has all of it.

{log}"""
