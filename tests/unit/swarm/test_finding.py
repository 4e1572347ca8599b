"""Findings: how they are shown, and that equal ones are one."""

from swarm.finding import Finding, Verdict, failed, summed, unknown, warning


def test_findings_that_agree_are_one_with_the_hosts_of_all() -> None:
    given = [
        Finding("clock", ("m1",), "fine"),
        warning("clock", "w1", "off", "Set it"),
        Finding("clock", ("w2", "m1"), "fine"),
        failed("clock", "w2", "off", "Set it"),
        unknown("disk", ["w1", "w2"], "fine"),
    ]
    assert summed(given) == [
        Finding("clock", ("m1", "w2"), "fine"),
        Finding("clock", ("w1",), "off", Verdict.WARNING, "Set it"),
        Finding("clock", ("w2",), "off", Verdict.FAILED, "Set it"),
        Finding("disk", ("w1", "w2"), "fine", Verdict.UNKNOWN),
    ]


def test_a_finding_ends_in_a_period_unless_that_would_be_typed() -> None:
    assert str(failed("clock", ["m1", "w1"], "off", "Set it")) == "m1, w1: off. Set it."
    assert str(failed("lock", "m1", "locked", "Run on it: docker swarm unlock")).endswith(" unlock")
    assert str(Finding("clock", (), "fine")) == "fine"
