"""Findings as a table, and as JSON."""

import json
import re

import pytest

from operations import table
from swarm.finding import Finding, Verdict, failed, unknown

FINE = Finding("SSH", ("a", "b"), "answers")
LOST = failed("port [1]", ("c",), "nothing \x1b[2Jarrives", "Let it through")
MANY = unknown("service", tuple("vwxyz"), "nobody tells")


def test_people_get_a_table_with_the_verdict_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert table.tell([FINE, LOST, MANY], "where", ["a", "b"], machine=False) == 1
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["check", "where", "finding", "remedy", "result"]
    assert [re.split(r"\s{2,}", row.strip()) for row in rows] == [
        ["SSH", "all", "answers", "ok"],
        ["port [1]", "c", "nothing arrives", "Let it through", "FAILED"],
        ["service", "5 places", "nobody tells", "not checked"],
    ]


def test_machines_get_json_with_all_places(capsys: pytest.CaptureFixture[str]) -> None:
    assert table.tell([FINE, MANY], "hosts", ["a", "b"], machine=True) == 0
    fine, many = json.loads(capsys.readouterr().out)
    assert fine == {"check": "SSH", "hosts": ["a", "b"], "finding": "answers", "verdict": "ok", "remedy": ""}
    assert (many["hosts"], many["verdict"]) == (list("vwxyz"), Verdict.UNKNOWN)


def test_many_hosts_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    table.tell([MANY], "hosts", [*"uvwxyz"], machine=False)
    assert "5 hosts" in capsys.readouterr().out
