"""The edge on the lab, in the order of the tests: a client asks through it while a host dies; nodes come and
go; it is taken out."""

from __future__ import annotations

import time

import pytest

from acceptance.client import Client
from swarm.declare.load_balancer import ANSWER_SECONDS, FALL, INTERVAL_SECONDS
from tests.integration.deployment import Deployment, changed

NOTICED_SECONDS = FALL * (INTERVAL_SECONDS + ANSWER_SECONDS)
DIES, EDGE = "swarm-worker-01", "swarm-worker-03"
GOES, COMES = "swarm-manager-02", "swarm-manager-03"  # hosts of workers here
# A page that tells which task it is of: one on each worker, that with the edge among them.
PAGE = """
services:
  page:
    image: nginx:1.26.3
    ports: [{target: 80, published: 8081, mode: host}]
    configs: [{source: site, target: /etc/nginx/conf.d/default.conf}]
    stop_grace_period: 1s
    deploy: {replicas: 3}
configs: {site: {file: site.conf}}
"""
SITE = 'server { listen 80; location / { return 200 "$hostname"; } }\n'


@pytest.fixture(scope="module")
def swarm(deployment: Deployment) -> Deployment:
    """A manager and workers: three with the page, one of them with the edge, a fourth with neither."""
    (deployment.folder / "page.yaml").write_text(PAGE)
    (deployment.folder / "site.conf").write_text(SITE)
    nodes = deployment.nodes()
    deployment.configure(
        nodes=[*(node for node in nodes if node["role"] != "manager"), worker(deployment, GOES)],
        stacks=[{"name": "web", "compose": "page.yaml"}],
        edge={"image": "haproxy:3.0.11", "nodes": [EDGE], "ports": {80: 8081}},
    )
    deployment.up()
    return deployment


def worker(swarm: Deployment, name: str) -> dict[str, str]:
    # Drained, so that it has no task that would have to go elsewhere.
    return {"name": name, "host": address(swarm, name), "role": "worker", "availability": "drain"}


def address(swarm: Deployment, name: str = EDGE) -> str:
    return swarm.lab.node(name).address


def asked(swarm: Deployment) -> str:
    """The edge's configurations that the swarm has, one after the other."""
    names = "docker config ls -q --filter label=com.docker.stack.namespace=edge"
    return swarm.lab.run("swarm-manager-01", f"{names} | xargs -r docker config inspect --pretty")


def test_no_request_fails_when_a_host_dies_but_until_it_is_noticed_and_none_when_it_is_back(
    swarm: Deployment,
) -> None:
    client = Client(address(swarm))
    with client.asking():
        client.until_pages(3)
        cut = time.monotonic()
        swarm.lab.stop(DIES)
        noticed = time.monotonic() + NOTICED_SECONDS
        swarm.until_known_down(DIES)
        swarm.lab.start(DIES)
        client.until_pages(4)  # its new task answers
    print(client)
    assert [one for one in client.failed if one.ended < cut or one.began > noticed] == []
    assert swarm.operation("verify").returncode == 0


def test_a_node_that_comes_is_asked_and_one_that_goes_is_not(swarm: Deployment) -> None:
    goes, comes = (f"server {name} {address(swarm, name)}:8081" for name in (GOES, COMES))
    assert (goes in asked(swarm), comes in asked(swarm)) == (True, False)
    stay = [node for node in swarm.declared if node["name"] != GOES]
    swarm.configure(nodes=[*stay, worker(swarm, COMES)])
    assert changed(swarm.up())["updated"] >= {"edge_haproxy", "edge-settle"}
    assert (goes in asked(swarm), comes in asked(swarm)) == (False, True)
    client = Client(address(swarm))
    client.ask()
    assert not client.failed
    swarm.preview()


def test_what_is_taken_out_leaves_nothing(swarm: Deployment) -> None:
    del swarm.settings["swarm:edge"]
    swarm.configure()
    swarm.up()
    assert swarm.docker("service ls --format '{{.Name}}'").split() == ["web_page"]
    assert asked(swarm) == ""
    assert "swarm.pulumi.edge" not in swarm.docker(f"node inspect {EDGE}")
