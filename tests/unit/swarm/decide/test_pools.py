"""The addresses of overlay networks, against every host's routes."""

from ipaddress import IPv4Network

import pytest

from swarm.decide import pools
from swarm.finding import Verdict
from tests.unit.builders import idle, silent

OK, FAILED = Verdict.OK, Verdict.FAILED


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
def test_a_pool_must_be_off_every_route(
    routes: tuple[str, ...], starts: bool, verdict: Verdict, words: str
) -> None:
    hosts = {"w1": idle("w1", routes=routes), "w2": silent("w2")}
    (found,) = pools.check(IPv4Network("10.20.0.0/16"), hosts, starts=starts)
    assert (found.where, found.verdict) == (("w1",), verdict)
    assert words in found.remedy
