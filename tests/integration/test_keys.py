"""Keys of the configuration and verbs of the Makefile that nothing else tries on real engines: each is set,
changed and taken out. In the order of the tests: a swarm made by hand is taken over and destroyed; another is
started, has its keys changed, and its stacks. tests/tried.py lists which test tries what."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from lab import Lab
from tests.integration.deployment import ROOT, Deployment, temporary
from tests.integration.drift import second_address

MANAGER, FIRST, SECOND = "swarm-manager-01", "swarm-worker-01", "swarm-worker-02"
# Says so where another session is there already.
SSH = """#!/bin/sh
/usr/bin/ssh -G "$@" | sed -n 's/^connecttimeout //p' >>"{folder}/seconds"
while read -r pid; do [ ! -e "/proc/$pid" ] || echo both >>"{folder}/beside"; done <"{folder}/pids"
echo $$ >>"{folder}/pids"
exec /usr/bin/ssh "$@"
"""
WEB = """
services:
  page:
    image: nginx:1.26.3
    ports: [{target: 80, published: 8081, mode: host}]
    stop_grace_period: 1s
    deploy: {replicas: "${REPLICAS:-1}"}
"""
NONE = "services: {guest: {image: 'redis:7.0.15', deploy: {replicas: 0}}}\n"
USER = NONE.replace("deploy", "tty: true, volumes: ['./data:/data'], deploy")
NEVER = """
services:
  late:
    image: redis:7.0.15
    healthcheck: {test: "false", interval: 60s, start_period: 10m}
    stop_grace_period: 1s
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A manager and two workers."""
    with temporary("keys", 1, 2) as made:
        yield made


@pytest.fixture(scope="module")
def swarm(deployment: Deployment) -> Deployment:
    """A project in which `make` works, too."""
    packages = ("hosts", "lab", "tests", "toolchain")
    for name in ("Makefile", "env.sh", ".venv", ".tools", "pyproject.toml", *packages):
        (deployment.folder / name).symlink_to(ROOT / name)
    for name, text in {"web": WEB, "user": USER, "none": NONE, "never": NEVER}.items():
        (deployment.folder / f"{name}.yaml").write_text(text)
    deployment.configure(stacks=[])
    return deployment


def make(swarm: Deployment, verb: str, *options: str, fails: bool = False) -> str:
    """What a verb says, typed as a user does. The virtualenv is there."""
    done = swarm.run("make", "-o", ".venv/installed", verb, f"STACK={swarm.stack}", *options)
    assert (done.returncode != 0) is fails, done.stdout
    return done.stdout


def without(swarm: Deployment, *keys: str) -> None:
    """Takes keys out of the configuration."""
    for key in keys:
        del swarm.settings[f"swarm:{key}"]
    swarm.configure()


def seen(swarm: Deployment) -> Any:
    """The swarm as its manager has it."""
    return json.loads(swarm.docker("info --format '{{json .Swarm.Cluster}}'"))


def settings(swarm: Deployment) -> tuple[int, float, float]:
    """Tasks that are kept, hours that a certificate is good for, seconds between heartbeats."""
    spec = seen(swarm)["Spec"]
    return (
        spec["Orchestration"]["TaskHistoryRetentionLimit"],
        spec["CAConfig"]["NodeCertExpiry"] / 3600e9,
        spec["Dispatcher"]["HeartbeatPeriod"] / 1e9,
    )


def node(swarm: Deployment, name: str) -> tuple[str, str, dict[str, str]]:
    """A node's ID, availability, and labels but for the program's own."""
    told = json.loads(swarm.docker(f"node inspect {name}"))[0]
    labels = {key: value for key, value in told["Spec"]["Labels"].items() if "swarm.pulumi" not in key}
    return told["ID"], told["Spec"]["Availability"], labels


def addresses(swarm: Deployment, name: str) -> tuple[str, str]:
    """Where a node's engine has the others reach it, and its tasks."""
    state = json.loads(swarm.lab.run(name, "cat /var/lib/docker/swarm/docker-state.json"))
    return state["AdvertiseAddr"].partition(":")[0], state["DataPathAddr"]


def test_a_swarm_made_by_hand_is_taken_over_at_the_user_s_word(swarm: Deployment) -> None:
    swarm.docker("swarm init --task-history-limit 9 --default-addr-pool 10.40.0.0/16 >/dev/null")
    token = swarm.docker("swarm join-token -q worker").strip()
    swarm.lab.run(FIRST, f"docker swarm join --token {token} {swarm.lab.node(MANAGER).address}:2377")
    before = {one["Hostname"]: one["ID"] for one in swarm.node_list()}
    every = swarm.declared
    swarm.configure(nodes=[one for one in every if one["name"] == MANAGER])
    assert "swarm:adopt" in swarm.preview(changes=True)
    swarm.configure(adopt=True)
    assert FIRST in swarm.preview(changes=True), "a node that nobody declares is named"

    swarm.configure(otherNodes=[FIRST])
    assert FIRST not in swarm.up()
    without(swarm, "adopt")
    assert FIRST not in swarm.preview()
    swarm.configure(otherNodes=["another"])
    assert FIRST in swarm.preview()
    swarm.configure(nodes=[one for one in every if one["name"] != SECOND])
    without(swarm, "otherNodes")
    swarm.up()
    swarm.preview()
    assert {one["Hostname"]: one["ID"] for one in swarm.node_list()} == before
    assert settings(swarm)[0] == 9, "it stays as it was"
    swarm.configure(nodes=every)


def test_make_destroys_it(swarm: Deployment) -> None:
    make(swarm, "destroy")
    assert swarm.resources() == []
    states = [
        swarm.lab.run(one.name, "docker info --format '{{.Swarm.LocalNodeState}}'") for one in swarm.lab.nodes
    ]
    assert {state.strip() for state in states} == {"inactive"}


def test_a_swarm_is_started_as_it_stays_beside_a_host_that_may_be_silent(swarm: Deployment) -> None:
    swarm.lab.console(SECOND, "pkill -STOP -x sshd")
    swarm.configure(ssh={**swarm.settings["swarm:ssh"], "connectTimeout": "2s"})
    swarm.configure(addressPool="10.60.0.0/16", dataPathPort=4790, allowUnreachable=True, unreachable=[FIRST])
    other = second_address(swarm, FIRST)
    swarm.declare(FIRST, advertiseAddress=other, dataPathAddress=other)
    assert f"'swarm:unreachable[1]' {SECOND}" in swarm.preview(changes=True)

    swarm.configure(unreachable=[SECOND])
    swarm.up()
    assert (seen(swarm)["DefaultAddrPool"], seen(swarm)["DataPathPort"]) == (["10.60.0.0/16"], 4790)
    assert addresses(swarm, FIRST) == (other, other)
    without(swarm, "unreachable")
    assert SECOND in swarm.preview(), "it may still be silent, with a warning"
    without(swarm, "allowUnreachable")
    assert "swarm:allowUnreachable" in swarm.preview(changes=True)
    swarm.lab.console(SECOND, "pkill -CONT -x sshd")


def test_make_brings_it_up_with_every_key_of_a_swarm_that_lives(swarm: Deployment) -> None:
    swarm.configure(taskHistoryLimit=3, certificateExpiry="48h", dispatcherHeartbeat="7s", parallel=2)
    swarm.configure(drainTimeout="1m", settleTimeout="90s")
    swarm.declare(FIRST, labels={"disk": "ssd", "cores": 4}, availability="pause")
    swarm.declare(SECOND, ssh={"proxy": {"host": swarm.lab.node(MANAGER).address}})
    said = make(swarm, "up")
    assert re.search(rf"worker, neither Leader nor Reachable +{SECOND} +Ready, active, neither +ok", said)
    assert settings(swarm) == (3, 48, 7)
    assert node(swarm, FIRST)[1:] == ("pause", {"disk": "ssd", "cores": "4"})
    assert "unchanged" in make(swarm, "preview")


def looked(swarm: Deployment, folder: Path) -> tuple[bool, set[str]]:
    """Whether hosts are probed beside each other, and the seconds that their connections may take."""
    (folder / "ssh").write_text(SSH.format(folder=folder))
    (folder / "ssh").chmod(0o755)
    (folder / "pids").touch()
    swarm.pulumi("preview", PATH=f"{folder}:{swarm.environment['PATH']}")
    return (folder / "beside").exists(), set((folder / "seconds").read_text().split())


def test_they_are_changed(swarm: Deployment, tmp_path: Path) -> None:
    before = {name: node(swarm, name)[0] for name in swarm.names}
    known, first = swarm.lab.known_hosts, swarm.lab.node(FIRST).address
    way = {"host": first, "user": "root", "port": 22, "connectTimeout": "3s", "knownHostsFile": str(known)}
    swarm.configure(taskHistoryLimit=4, certificateExpiry="72h", dispatcherHeartbeat="8s", drainTimeout="2m")
    swarm.configure(ssh={**swarm.settings["swarm:ssh"], "connectTimeout": "3s"}, parallel=1)
    swarm.declare(FIRST, labels={"disk": "hdd"}, availability="drain")
    swarm.declare(FIRST, advertiseAddress=first, dataPathAddress=first)
    swarm.declare(SECOND, ssh={"proxy": {**way, "privateKeyFile": str(swarm.lab.private_key)}})
    swarm.up()
    assert settings(swarm) == (4, 72, 8)
    assert node(swarm, FIRST)[1:] == ("drain", {"disk": "hdd"})
    assert first not in addresses(swarm, FIRST), "they count when the node joins"
    assert {name: node(swarm, name)[0] for name in swarm.names} == before
    assert looked(swarm, tmp_path) == (False, {"3"})


def test_they_are_taken_out(swarm: Deployment, tmp_path: Path) -> None:
    without(swarm, "taskHistoryLimit", "certificateExpiry", "dispatcherHeartbeat", "drainTimeout", "parallel")
    without(swarm, "addressPool", "dataPathPort")
    del swarm.settings["swarm:ssh"]["connectTimeout"]
    kept = ("name", "host", "role")
    swarm.configure(nodes=[{key: one[key] for key in kept} for one in swarm.declared])
    swarm.up()
    assert settings(swarm) == (4, 72, 8), "the swarm's values stay"
    assert node(swarm, FIRST)[1:] == ("active", {})
    assert looked(swarm, tmp_path) == (True, {"4"})
    assert "unchanged" in make(swarm, "preview")


def tag(registry: str, new: str) -> None:
    """The registry has haproxy:3.0.11 by another tag, too."""
    manifests = f"{registry.rstrip('/')}/v2/library/haproxy/manifests"
    kind = "application/vnd.oci.image.manifest.v1+json"
    with urlopen(Request(f"{manifests}/3.0.11", headers={"Accept": kind})) as answer:
        manifest = answer.read()
    urlopen(Request(f"{manifests}/{new}", manifest, {"Content-Type": kind}, method="PUT")).close()


def served(swarm: Deployment, name: str, port: int) -> bool:
    """Whether the edge has nginx's page at a node's port."""
    address = swarm.lab.node(name).address
    with urlopen(f"http://{address}:{port}/", timeout=10) as answer:
        return bool(answer.status == 200)


def running(swarm: Deployment, service: str) -> str:
    """How many tasks of a service run, of how many."""
    return swarm.docker(f"service ls --filter name={service} --format '{{{{.Replicas}}}}'").strip()


def mounted(swarm: Deployment, service: str) -> str:
    """The node's folder that a service mounts."""
    mounts = "{{(index .Spec.TaskTemplate.ContainerSpec.Mounts 0).Source}}"
    return swarm.docker(f"service inspect --format '{mounts}' {service}").strip()


def test_keys_of_stacks_and_of_the_edge_are_set(swarm: Deployment) -> None:
    (swarm.folder / "web.env").write_text("REPLICAS=3\nOTHER=3\n")
    web = {"name": "web", "compose": "web.yaml", "variables": {"REPLICAS": 2}, "resolveImages": "never"}
    web |= {"envFile": "web.env"}
    user = {
        "name": "user",
        "compose": "user.yaml",
        "dependsOn": ["web"],
        "ignoreUnsupported": ["services.*.tty"],
        "folder": "/srv/user",
    }
    swarm.configure(
        stacks=[user, web],
        edge={"image": "haproxy:3.0.11", "nodes": [SECOND], "ports": {80: 8081}, "mode": "tcp"},
    )
    swarm.up()
    assert running(swarm, "web_page") == "2/2"
    assert mounted(swarm, "user_guest") == "/srv/user/data"
    assert served(swarm, SECOND, 80)
    verified = make(swarm, "verify")
    assert re.search(r"port 8081 \(host\) .*200 OK, asked from 3 nodes", verified)


def test_keys_of_stacks_and_of_the_edge_are_changed(swarm: Deployment) -> None:
    mirrors = json.loads(swarm.docker("info --format '{{json .RegistryConfig.Mirrors}}'"))
    image = "haproxy:3.0.11"
    if mirrors:  # else it is the public registry, which has others
        image = "haproxy:3.0.11-again"
        tag(mirrors[0], "3.0.11-again")
    (swarm.folder / "one.env").write_text("export REPLICAS='1'  # a task\n")
    web = {"name": "web", "compose": "web.yaml", "variables": {"OTHER": 1}, "resolveImages": "always"}
    web |= {"envFile": "one.env"}
    user = {"name": "user", "compose": "user.yaml", "dependsOn": ["web", "none"]}
    user |= {"ignoreUnsupported": ["services.guest.tty"], "folder": "/srv/moved"}
    (swarm.folder / "more.yaml").write_text("services: {guest: {environment: {MORE: 'yes'}}}\n")
    none = {"name": "none", "compose": ["none.yaml", "more.yaml"]}
    swarm.configure(
        stacks=[user, web, none],
        edge={"image": image, "nodes": [FIRST], "ports": {81: 8081}, "mode": "http"},
    )
    swarm.up()
    assert running(swarm, "web_page") == "1/1"
    assert mounted(swarm, "user_guest") == "/srv/moved/data"
    variables = "{{.Spec.TaskTemplate.ContainerSpec.Env}}"
    assert swarm.docker(f"service inspect --format '{variables}' none_guest").strip() == "[MORE=yes]"
    assert served(swarm, FIRST, 81)
    found = swarm.docker("service inspect --format '{{.Spec.TaskTemplate.ContainerSpec.Image}}' edge_haproxy")
    assert found.startswith(image)


def test_keys_of_stacks_and_of_the_edge_are_taken_out(swarm: Deployment) -> None:
    web, user = ({"name": name, "compose": f"{name}.yaml"} for name in ("web", "user"))
    swarm.configure(stacks=[web, user])
    refused = swarm.preview(changes=True)
    assert "services.guest.tty" in refused
    assert "services.guest.volumes[0]" in refused
    (swarm.folder / "user.yaml").write_text(NONE)
    without(swarm, "edge", "secrets")
    swarm.up()
    assert running(swarm, "web_page") == "1/1"
    assert swarm.docker("service ls --format '{{.Name}}'").split() == ["user_guest", "web_page"]
    assert "unchanged" in make(swarm, "preview")


def test_services_get_the_time_that_is_said_and_no_more(swarm: Deployment) -> None:
    swarm.configure(settleTimeout="3s", stacks=[{"name": "never", "compose": "never.yaml"}])
    said = swarm.up(fails=True)
    assert "that is all the time that there was" in said, said
    assert "service never_late hasn't settled after" in said
    swarm.configure(stacks=[])
    without(swarm, "settleTimeout")
    swarm.up()
    assert swarm.docker("service ls -q") == ""


def test_verbs_that_change_nothing(swarm: Deployment) -> None:
    assert "whether the hosts are fit" in make(swarm, "help")
    assert "pulumi" in make(swarm, "tools")
    doctor = make(swarm, "doctor")
    assert re.search(r"SSH +all +answers", doctor)
    assert "--deep" in make(swarm, "doctor", "DEEP=1", "-n")  # tests/integration/test_doctor.py tries it
    assert "no changes" not in make(swarm, "acceptance-idempotence", "N=3")
    lab = (sys.executable, "-m", "lab", "--name", swarm.stack)
    assert swarm.run(*lab, "up", "--nodes", "1,2").returncode == 0
    assert swarm.run(*lab, "status").stdout.count("up, Docker Engine") == 3
    assert swarm.run(*lab, "ssh", FIRST, "hostname").stdout.strip() == FIRST
    done = swarm.operation("verify", "--json")
    assert {check["verdict"] for check in json.loads(done.stdout)} <= {"ok", "not checked"}
