"""The fake hosts: the project's commands work on them, and what they claim of the engine is so."""

from __future__ import annotations

import http.client
import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from lab import Lab
from tests.fakes.deployment import FakeDeployment
from tests.fakes.fleet import Fleet, fleet
from tests.integration.deployment import temporary

MANAGER, WORKER = "swarm-manager-01", "swarm-worker-01"
# What one machine has otherwise than another: no claim.
ITS_OWN = {"CreatedAt", "UpdatedAt", "Created", "Index", "Id", "Resources", "EngineVersion", "Error"}
NOBODYS_TOKEN = "SWMTKN-1-1ihgp0s0qqdfx8v9uhmdfn7bzvmg5c2ebx3fb2zm4kjjefuz6k-c29qhq2hq9zvy5vsb0u4kvd9d"


@pytest.fixture(scope="module")
def fakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with fleet(tmp_path_factory.mktemp("fleet")) as made:
        yield made


@pytest.fixture
def deployment(fakes: Fleet, tmp_path: Path) -> FakeDeployment:
    fakes.restore()
    return FakeDeployment(fakes, tmp_path)


def test_up_preview_and_destroy(deployment: FakeDeployment, fakes: Fleet) -> None:
    deployment.up()
    swarm = fakes[MANAGER].swarm
    assert swarm is not None
    assert {node.hostname for node in swarm.nodes.values()} == set(fakes.hosts)
    deployment.preview()
    deployment.destroy()
    assert {host.engine.state for host in fakes.hosts.values()} == {"inactive"}
    assert not fakes.world.swarms


def test_a_moment_comes_back(deployment: FakeDeployment, fakes: Fleet, tmp_path: Path) -> None:
    deployment.up()
    moment = deployment.save(tmp_path / "moment")
    deployment.destroy()
    deployment.restore(moment)
    deployment.preview()
    assert not any(host.changes() for host in fakes.hosts.values())


# What the fakes claim of a real engine: the same requests, asked of both, in the same order.


class Hosts(Protocol):
    """A lab or a fleet."""

    def ssh_command(self, node: str) -> list[str]: ...


Answer = tuple[int, Any]
Put = Callable[[str, str], None]  # a host into a state


def ask(hosts: Hosts, node: str, method: str, path: str, body: Any = None) -> Answer:
    """Status and JSON of a request, asked by the Docker client over SSH."""
    text = "" if body is None else json.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Length: {len(text)}\r\n"
    ssh = subprocess.Popen(
        [*hosts.ssh_command(node), "timeout 60 docker system dial-stdio"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert ssh.stdin is not None
    assert ssh.stdout is not None
    with ssh:
        # Its end stays open: to an engine that is a client who has gone.
        ssh.stdin.write(f"{head}Content-Type: application/json\r\n\r\n{text}".encode())
        ssh.stdin.flush()
        answered = ssh.stdout.read()
    response = http.client.HTTPResponse(Replayed(answered))  # type: ignore[arg-type]
    response.begin()
    told = response.read()
    return response.status, json.loads(told) if told else None


class Replayed:
    """What has come in, in the shape of a socket."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def makefile(self, *_: Any) -> io.BytesIO:
        return io.BytesIO(self.data)


def story(hosts: Hosts, addresses: dict[str, str], put: Put) -> Iterator[tuple[str, Answer]]:
    """What is asked of a manager and a worker, each with its answer."""

    def asked(node: str, method: str, path: str, body: Any = None) -> tuple[str, Answer]:
        answers.append(ask(hosts, node, method, path, body))
        return f"{len(answers)}. {node}: {method} {anonymous(path)}", answers[-1]

    def membership(node: str) -> tuple[str, Answer]:
        title, (status, info) = asked(node, "GET", "/info")
        answers[-1] = status, info["Swarm"]
        return title, answers[-1]

    answers: list[Answer] = []
    manager = f"{addresses[MANAGER]}:2377"
    labels = {"swarm.pulumi.stack": "swarm/prod", "swarm.pulumi.owner": "abc"}
    init: dict[str, Any] = {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": addresses[MANAGER],
        "Availability": "drain",
    }
    init |= {"DefaultAddrPool": ["10.20.0.0/16"], "SubnetSize": 24, "Spec": {"Labels": labels}}

    def join(token: str) -> tuple[str, Answer]:
        body = {"ListenAddr": "0.0.0.0:2377", "RemoteAddrs": [manager], "JoinToken": token}
        return asked(WORKER, "POST", "/swarm/join", body)

    yield membership(MANAGER)
    for path in ("/nodes", "/swarm", "/nodes/x", "/configs", "/services", "/tasks"):
        yield asked(MANAGER, "GET", path)
    yield asked(MANAGER, "POST", "/swarm/leave?force=1")
    yield asked(MANAGER, "POST", "/swarm/update?version=1", {})

    yield asked(MANAGER, "POST", "/swarm/init", init)
    yield membership(MANAGER)
    cluster = answers[-1][1]["Cluster"]
    yield asked(MANAGER, "POST", "/swarm/init", init)
    yield asked(MANAGER, "POST", "/swarm/update?version=1", cluster["Spec"])
    changed = cluster["Spec"] | {"Labels": {"swarm.pulumi.stack": "swarm/other"}}
    yield asked(MANAGER, "POST", f"/swarm/update?version={cluster['Version']['Index']}", changed)
    yield membership(MANAGER)
    index = answers[-1][1]["Cluster"]["Version"]["Index"]
    yield asked(MANAGER, "POST", f"/swarm/update?version={index}", {"Labels": {"alone": "yes"}})
    yield membership(MANAGER)
    index = answers[-1][1]["Cluster"]["Version"]["Index"]
    yield asked(MANAGER, "POST", f"/swarm/update?version={index}", cluster["Spec"])
    yield asked(MANAGER, "GET", "/swarm")
    tokens = answers[-1][1].pop("JoinTokens")

    yield join(NOBODYS_TOKEN)
    yield join("nonsense")
    yield join(tokens["Worker"][:-3] + "abc")
    yield membership(WORKER)
    yield join(tokens["Worker"])
    yield membership(WORKER)
    yield join(tokens["Worker"])
    yield asked(WORKER, "GET", "/nodes")
    yield asked(MANAGER, "GET", "/nodes")
    nodes = {one["Spec"]["Role"]: one for one in answers[-1][1]}
    answers[-1][1].sort(key=lambda one: one["Spec"]["Role"])
    first, second = nodes["manager"], nodes["worker"]

    yield asked(MANAGER, "POST", f"/nodes/{second['ID']}/update?version=1", second["Spec"])
    last = f"/nodes/{first['ID']}/update?version={first['Version']['Index']}"
    yield asked(MANAGER, "POST", last, first["Spec"] | {"Role": "worker"})
    yield asked(MANAGER, "DELETE", f"/nodes/{first['ID']}?force=1")
    yield asked(MANAGER, "DELETE", f"/nodes/{second['ID']}")
    for path in ("/nodes/no", "/configs/no", "/secrets/no", "/services/no", "/networks/no"):
        yield asked(MANAGER, "GET", path)
    yield asked(MANAGER, "GET", '/tasks?filters={"service":["no"]}')
    for kind in ("configs", "secrets"):
        one = {"Name": "one", "Labels": {"a": "b"}, "Data": "aGk="}
        yield asked(MANAGER, "POST", f"/{kind}/create", one)
        yield asked(MANAGER, "POST", f"/{kind}/create", one)
        yield asked(MANAGER, "GET", f"/{kind}")
        yield asked(MANAGER, "DELETE", f"/{kind}/one")
    yield asked(MANAGER, "GET", '/networks?filters={"scope":["swarm"]}')
    yield asked(MANAGER, "POST", "/swarm/leave")

    put(MANAGER, "locked")
    yield membership(MANAGER)
    yield asked(MANAGER, "GET", "/nodes")
    yield asked(MANAGER, "POST", "/swarm/init", init)
    yield asked(MANAGER, "POST", "/swarm/leave")
    yield asked(MANAGER, "POST", "/swarm/leave?force=1")
    yield asked(MANAGER, "POST", "/swarm/init", init)
    put(MANAGER, "error")
    yield membership(MANAGER)
    yield asked(MANAGER, "GET", "/nodes")
    yield asked(MANAGER, "POST", "/swarm/init", init)
    yield asked(MANAGER, "POST", "/swarm/leave")
    put(WORKER, "pending")
    yield membership(WORKER)
    yield asked(WORKER, "GET", "/nodes")
    yield join(tokens["Worker"])
    yield asked(WORKER, "POST", "/swarm/leave")
    yield membership(WORKER)


def put_really(lab: Lab) -> Put:
    """How a real engine comes into a state, and stays there for a while. Pending is a worker whose engine was
    restarted while its manager is locked: that takes 20 s, in which other things are asked."""

    def put(node: str, state: str) -> None:
        if state == "locked":
            lab.run(node, "docker swarm update --autolock=true")
            lab.stop_engine(WORKER, "KILL")
        if state != "pending":
            lab.stop_engine(node, "KILL")
        if state == "error":
            lab.console(node, "echo >/var/lib/docker/swarm/certificates/swarm-node.crt")
        lab.start_engine(node)
        if state == "locked":
            lab.console(WORKER, "rm /run/dockerd.off")  # without waiting, as start_engine does
        told = "docker info -f {{.Swarm.LocalNodeState}}"
        lab.run(node, f"timeout 30 sh -c 'until [ $({told}) = {state} ]; do sleep 0.2; done'")

    return put


def put_by_word(fakes: Fleet) -> Put:
    """How a fake engine comes into a state."""

    def put(node: str, state: str) -> None:
        fakes[node].be(state)

    return put


def differences(claimed: Any, real: Any, at: str) -> Iterator[str]:
    """Where a claim isn't so. What is told beyond it doesn't matter."""
    if isinstance(claimed, dict) and isinstance(real, dict):
        for key, value in claimed.items():
            if key not in real:
                yield f"{at}.{key}: isn't there"
            elif key not in ITS_OWN:
                yield from differences(value, real[key], f"{at}.{key}")
    elif isinstance(claimed, (list, tuple)) and isinstance(real, (list, tuple)) and len(claimed) == len(real):
        for number, (one, other) in enumerate(zip(claimed, real, strict=True)):
            yield from differences(one, other, f"{at}[{number}]")
    elif anonymous(claimed) != anonymous(real):
        yield f"{at}: {claimed!r} is claimed, and it is {real!r}"


def anonymous(value: Any) -> Any:
    """A text without the IDs, fingerprints and addresses in it."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\b([0-9a-z]{25}|[0-9a-f]{64}|(10|127)(\.\d+){3}(?!/)|(?<=version=)\d+)\b", "*", value)


def test_what_is_claimed_of_an_engine_is_so(tmp_path: Path) -> None:
    with temporary("fakes", 1, 1) as lab:
        real = dict(story(lab, {node.name: node.address for node in lab.nodes}, put_really(lab)))
    with fleet(tmp_path / "fleet", 1, 1) as fakes:
        claims = dict(story(fakes, {node.name: node.address for node in fakes.nodes}, put_by_word(fakes)))
    assert claims.keys() == real.keys()
    found = [line for title in claims for line in differences(claims[title], real[title], title)]
    assert not found, "\n".join(found)
