"""What is made of the runs of an election: figures, the page, the plot."""

import argparse
import csv
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from benchmarks import reports
from benchmarks.elections.__main__ import sizes
from benchmarks.elections.measuring import check, leaders, whole
from benchmarks.elections.plot import plot
from benchmarks.elections.report import cell, findings, section, table
from benchmarks.elections.rows import Row, as_csv, groups
from swarm.errors import BenchError

FAULTS = ("stopped", "killed", "cut off")
REFUSED = "swarm-manager-01: no answer within 2 s; swarm-worker-01: This node is not a swarm manager"


def run_of(managers: int, fault: str, number: int) -> Row:
    if managers == 1 and fault != "none":
        return Row(1, fault, number, None, None, REFUSED)
    leader = 0.004 if fault == "none" else 10.0 * number + managers
    return Row(managers, fault, number, leader, leader + 0.25)


ROWS = [
    run_of(managers, fault, number)
    for managers in (1, 3, 5)
    for number in (1, 2, 3)
    for fault in ("none", *FAULTS)
]


def entry(
    name: str, state: str = "ready", manager: str | None = "reachable", leader: bool = False
) -> dict[str, Any]:
    """A node as the Docker Engine's API lists it."""
    standing = {"ManagerStatus": {"Reachability": manager, "Leader": leader}} if manager else {}
    return {"Description": {"Hostname": name}, "Status": {"State": state}, **standing}


# The page.


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([12.34], "12.3 (12.3 to 12.3)"),
        ([14.0, 10.0, 11.0], "11.0 (10.0 to 14.0)"),
        ([10.0, 11.0, 12.0, 19.0], "11.5 (10.0 to 19.0)"),
        ([None, None], "none within 30 s"),
    ],
    ids=["one run", "an odd number", "an even number", "nothing was seen"],
)
def test_a_cell_shows_the_median_and_the_range(values: list[float | None], shown: str) -> None:
    assert cell(values) == shown


def test_the_table_has_a_line_for_every_number_of_managers_and_fault() -> None:
    lines = list(table(ROWS))[2:]
    assert len(lines) == 9
    assert lines[0] == "| 1 | 1 | 0 (0%) | stopped | none within 30 s | none within 30 s |"
    assert lines[4] == "| 3 | 2 | 1 (33%) | killed | 23.0 (13.0 to 33.0) | 23.2 (13.2 to 33.2) |"


@pytest.mark.parametrize(
    ("managers", "line"),
    [
        (3, "| 3 | 2 | 1 (33%) |"),
        (4, "| 4 | 3 | 1 (25%) |"),
        (5, "| 5 | 3 | 2 (40%) |"),
        (7, "| 7 | 4 | 3 (43%) |"),
    ],
)
def test_the_table_says_how_many_managers_may_fail(managers: int, line: str) -> None:
    assert list(table([run_of(managers, "killed", 1)]))[2].startswith(line)


def test_runs_without_a_fault_are_no_group() -> None:
    assert list(groups(ROWS)) == [(managers, fault) for managers in (1, 3, 5) for fault in FAULTS]


def test_the_findings_say_what_a_lone_manager_s_clients_got() -> None:
    lone = [finding for finding in findings(ROWS) if REFUSED in finding]
    assert len(lone) == 3
    assert all("no write was accepted in any run" in finding for finding in lone)


def test_the_findings_say_what_the_measuring_takes() -> None:
    (calm,) = [finding for finding in findings(ROWS) if finding.startswith("Without a fault")]
    assert "0.00 s to see the Leader and 0.25 s to have a write accepted" in calm


def test_the_findings_of_a_lone_manager_name_no_election() -> None:
    alone = [row for row in ROWS if row.managers == 1]
    assert not any("Median" in finding for finding in findings(alone))


def test_the_section_names_the_runs_and_shows_the_plot() -> None:
    text = "\n".join(section(ROWS, "a machine"))
    assert text.startswith("Runs of each: 3, on a machine.")
    assert "](elections.svg)" in text


def test_a_section_is_filled_and_the_rest_of_the_page_is_kept() -> None:
    text = "a\n<!-- figures: written by make x -->\nold\n<!-- end of figures -->\nb\n"
    two = text + text.replace("make x", "make y")
    filled = reports.fill(two, "make y", "new\nlines")
    assert filled.startswith(text)
    assert filled.removeprefix(text) == text.replace("make x", "make y").replace("old", "new\nlines")
    assert reports.fill(filled, "make y", "new\nlines") == filled


@pytest.mark.parametrize("text", ["", "<!-- figures: written by make x -->\n", "<!-- end of figures -->\n"])
def test_a_page_without_the_section_is_an_error_that_names_the_lines(text: str) -> None:
    with pytest.raises(ValueError, match=r"figures: written by make x.*put these two lines back"):
        reports.fill(text, "make x", "new")


# The raw figures.


def test_every_row_is_in_the_csv_to_the_millisecond() -> None:
    first, *rest = csv.DictReader(as_csv(ROWS).splitlines())
    assert 1 + len(rest) == len(ROWS)
    assert (first["managers"], first["fault"], first["new_leader_seconds"]) == ("1", "none", "0.004")


def test_what_was_not_seen_is_empty_in_the_csv_and_has_the_refusals() -> None:
    lone = list(csv.DictReader(as_csv(ROWS).splitlines()))[1]
    assert (lone["new_leader_seconds"], lone["first_write_seconds"], lone["refusals"]) == ("", "", REFUSED)


# The plot.


@pytest.fixture(scope="module")
def svg() -> str:
    return plot(ROWS)


def test_the_plot_has_every_series_with_a_dot_for_every_run(svg: str) -> None:
    found = {}
    for group in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}g"):
        dots = group.iter("{http://www.w3.org/2000/svg}use")
        found[group.get("id")] = len(list(dots))
    for fault in ("stopped", "killed", "cut-off"):
        for managers in (3, 5):
            assert found[f"{fault}-{managers}-leader"] == found[f"{fault}-{managers}-write"] == 3


def test_the_plot_says_that_a_lone_manager_has_no_successor(svg: str) -> None:
    assert svg.count(">none within 30 s<") == 3


def test_the_plot_names_faults_axes_and_marks(svg: str) -> None:
    for words in (
        "Leader stopped",
        "Leader killed",
        "Leader cut off",
        "managers",
        "seconds after the fault",
        "median",
    ):
        assert f">{words}<" in svg


def test_the_same_rows_give_the_same_plot(svg: str) -> None:
    assert plot(ROWS) == svg


# What was seen.


def test_the_leaders_are_those_that_the_list_of_nodes_names() -> None:
    assert leaders([entry("m1"), entry("m2", leader=True), entry("w1", manager=None)]) == ["m2"]
    assert leaders([entry("m1"), entry("m2", manager="unreachable")]) == []


@pytest.mark.parametrize(
    "other",
    [
        entry("m2", manager="unreachable"),
        entry("m2", state="down"),
        entry("m2", state="unknown"),
        entry("m2", manager=None),
    ],
    ids=[
        "a manager that isn't reached",
        "a node that is down",
        "a node of unknown state",
        "a manager that is missing",
    ],
)
def test_a_swarm_is_not_whole_with(other: dict[str, dict[str, str | bool]]) -> None:
    assert whole([entry("m1", leader=True), other], 2) is None


def test_a_whole_swarm_is_told_by_its_leader() -> None:
    assert whole([entry("m1", leader=True), entry("m2"), entry("w1", manager=None)], 2) == "m1"
    assert whole([entry("m1"), entry("m2")], 2) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (Row(3, "killed", 1, None, None), "no new Leader within 60 s"),
        (Row(3, "killed", 1, 12.0, None), "no write within 60 s"),
        (Row(3, "killed", 1, -0.1, 0.2), "before the fault"),
        (Row(1, "cut off", 1, None, 0.2), "the fault had no effect"),
    ],
    ids=["nobody leads", "nobody takes writes", "it changed by itself", "the only manager goes on"],
)
def test_a_run_is_an_error_where(row: Row, said: str) -> None:
    with pytest.raises(BenchError, match=said):
        check(row)


def test_runs_that_went_as_expected_are_no_errors() -> None:
    for row in ROWS:
        if row.fault != "none":
            check(row)


def test_sizes_are_numbers_of_managers_that_can_be_measured() -> None:
    assert sizes("1,3,5,7") == [1, 3, 5, 7]
    for text in ("2", "0", "3,", "x", "-3", "10"):
        with pytest.raises(argparse.ArgumentTypeError, match="such as 1,3,5,7"):
            sizes(text)
