"""What is well and what isn't: every verdict of every check, on observed hosts."""

from ipaddress import IPv4Network

import pytest

from components import findings
from components.findings import Finding, Verdict, failed, summed, unknown, warning
from tests.unit.builders import cluster, down, idle, member, silent

SWARM = cluster("m1 w2", down("w1"))
OK, WARNING, FAILED, UNKNOWN = Verdict.OK, Verdict.WARNING, Verdict.FAILED, Verdict.UNKNOWN


def of(check, *hosts, **more):
    found = list(check({host.name: host for host in hosts}, **more))
    assert all(bool(one.remedy) == (one.verdict in (WARNING, FAILED)) for one in found), found
    return [(one.verdict, *one.hosts) for one in found]


@pytest.mark.parametrize(
    ("check", "hosts", "said"),
    [
        (findings.engines, [idle("m1"), silent("w1")], [(OK, "m1")]),
        (findings.engines, [idle("m1", engine="19.03.15")], [(FAILED, "m1")]),
        (
            findings.engines,
            [idle("m1"), idle("w1", engine="27.5.1")],
            [(OK, "m1"), (OK, "w1"), (WARNING,)],
        ),
        (findings.clocks, [idle("m1", skew=10), silent("w1")], [(OK, "m1")]),
        (findings.clocks, [idle("m1", skew=-11)], [(WARNING, "m1")]),
        (findings.clocks, [idle("m1", skew=1801)], [(FAILED, "m1")]),
        (findings.memberships, [idle("m1"), silent("w1")], []),
        (
            findings.memberships,
            [member("m1", SWARM), silent("w1"), member("w2", SWARM)],
            [(OK, "m1"), (OK, "w2")],
        ),
        (findings.memberships, [member("m1", SWARM), member("w1", SWARM)], [(OK, "m1"), (WARNING, "w1")]),
        (findings.memberships, [member("m1", SWARM), member("w1", SWARM, state="error")], [(OK, "m1")]),
        (findings.live_restores, [idle("m1"), silent("w1")], [(OK, "m1")]),
        (findings.live_restores, [idle("m1", live_restore=True)], [(FAILED, "m1")]),
        (findings.live_restores, [member("m1", cluster("m1"), live_restore=True)], [(OK, "m1")]),
        (findings.disks, [idle("m1", free=2 * 10**9), silent("w1")], [(OK, "m1")]),
        (findings.disks, [idle("m1", free=2 * 10**9 - 1)], [(WARNING, "m1")]),
        (findings.disks, [idle("m1", free=0)], [(WARNING, "m1")]),
        (findings.disks, [idle("m1")], [(UNKNOWN, "m1")]),
        (findings.vxlan, [idle("m1", kernel={"vxlan": "yes"}), silent("w1")], [(OK, "m1")]),
        (findings.vxlan, [idle("m1", kernel={"vxlan": "no"})], [(FAILED, "m1")]),
        (
            findings.vxlan,
            [idle("m1", kernel={"vxlan": "unknown"}), idle("w1")],
            [(UNKNOWN, "m1"), (UNKNOWN, "w1")],
        ),
        (findings.overlay, [idle("m1", kernel={"overlay": "yes"})], [(OK, "m1")]),
        (findings.overlay, [idle("m1", kernel={"overlay": "no"})], [(WARNING, "m1")]),
        (
            findings.clones,
            [idle("m1", engine_id="a"), idle("w1", engine_id="b"), idle("w2"), silent("w3")],
            [(OK, "m1"), (OK, "w1")],
        ),
        (
            findings.clones,
            [idle("m1", engine_id="a"), idle("w1", engine_id="b"), idle("w2", engine_id="a")],
            [(FAILED, "m1", "w2"), (OK, "w1")],
        ),
        (
            findings.clones,
            [member("m1", cluster("m1"), engine_id="a"), idle("w1", engine_id="a")],
            [(FAILED, "m1", "w1")],
        ),
        (
            findings.clones,
            [member(name, cluster("m1 w1"), engine_id="a") for name in ("m1", "w1")],
            [(WARNING, "m1", "w1")],
        ),
        (findings.hostnames, [idle("m1", hostname="a"), idle("w1", hostname="b")], [(OK, "m1"), (OK, "w1")]),
        (findings.hostnames, [idle("m1", hostname="a"), idle("w1", hostname="a")], [(WARNING, "m1", "w1")]),
    ],
)
def test_a_check_gives_each_host_its_verdict(check, hosts, said):
    assert of(check, *hosts) == said


@pytest.mark.parametrize(
    ("routes", "starts", "verdict", "words"),
    [
        (("10.20.0.0/16 dev eth0",), True, FAILED, "Choose another swarm:addressPool"),
        (("10.20.7.9 dev wg0",), False, FAILED, "Renumber that network"),
        (("default via 10.20.0.1 dev eth0", "10.0.0.0/24 dev eth0"), True, OK, ""),
        (("0.0.0.0/1 dev tun0",), True, FAILED, "Choose"),
        ((), False, OK, ""),
    ],
)
def test_a_pool_must_be_off_every_route(routes, starts, verdict, words):
    hosts = {"w1": idle("w1", routes=routes), "w2": silent("w2")}
    (found,) = findings.pools(IPv4Network("10.20.0.0/16"), hosts, starts=starts)
    assert (found.hosts, found.verdict) == (("w1",), verdict)
    assert words in found.remedy


def test_findings_that_agree_are_one_with_the_hosts_of_all():
    given = [
        Finding("clock", ("m1",), "fine"),
        warning("clock", "w1", "off", "Set it"),
        Finding("clock", ("w2", "m1"), "fine"),
        failed("clock", "w2", "off", "Set it"),
        unknown("disk", ["w1", "w2"], "fine"),
    ]
    assert summed(given) == [
        Finding("clock", ("m1", "w2"), "fine"),
        Finding("clock", ("w1",), "off", WARNING, "Set it"),
        Finding("clock", ("w2",), "off", FAILED, "Set it"),
        Finding("disk", ("w1", "w2"), "fine", UNKNOWN),
    ]
