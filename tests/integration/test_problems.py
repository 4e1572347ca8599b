"""Problems in the configuration, as a user meets them: all at once, in words, before any dialling."""

from __future__ import annotations

from pathlib import Path

from tests.integration.deployment import Deployment


def test_all_problems_are_listed_at_once_and_nobody_is_dialled(
    deployment: Deployment, tmp_path: Path
) -> None:
    dialled = tmp_path / "dialled"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\ntouch {dialled}\n")
    ssh.chmod(0o755)
    good = dict(deployment.settings)
    deployment.configure(
        nodez=[],
        nodes=[
            {"name": "a", "host": "10.0.0.300", "role": "leader"},
            {"name": "a", "host": "10.111.0.99", "role": "leader"},
            {"name": "b", "host": "10.111.0.99", "role": "boss"},
        ],
        addressPool="10.20.0.0/30",
        stacks=[{"name": "demo", "compose": "no-such.yaml"}],
    )
    path = f"{tmp_path}:{deployment.environment['PATH']}"
    output = deployment.pulumi("preview", fails=True, PATH=path)

    for words in (
        "nodez",
        "10.0.0.300",
        "exactly one node has the role leader",
        "nodes 0, 1 share it",
        "nodes 1, 2 share it",
        '"boss"',
        "10.20.0.0/30",
        "no-such.yaml",
        "no ed25519 or ecdsa host key",
    ):
        assert words in output, words
    assert "Traceback" not in output
    assert "unhandled" not in output
    assert not dialled.exists()
    deployment.settings = good
    deployment.configure()


SECRET = "swördfish"


def test_a_secret_under_a_mistyped_key_is_shown_by_no_command(deployment: Deployment) -> None:
    good = dict(deployment.settings)
    deployment.pulumi("config", "set", "--secret", "--path", "swarm:ssh.privateKeyy", SECRET)
    deployment.pulumi("config", "set", "--path", "swarm:secrets.PLAIN", SECRET)
    said = [deployment.pulumi("preview", fails=True, DOCKER_CONTEXT="theirs")]
    said += [deployment.operation(name).stdout for name in ("verify", "doctor")]
    for output in said:
        for words in ("swarm:ssh.privateKeyy: there is no such key", "swarm:secrets.PLAIN: is there for all"):
            assert words in output
        assert "rdfish" not in output
    assert "DOCKER_CONTEXT: is set" in said[0]
    assert "theirs" not in said[0]
    deployment.settings = good
    deployment.configure()
