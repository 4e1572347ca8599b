"""The verbs on fake hosts, from nothing to a swarm and back."""

from __future__ import annotations

import json

from tests.fakes.deployment import FakeDeployment
from tests.fakes.fixtures import LAST, THIRD, fakes, fresh

__all__ = ["fakes", "fresh"]


def test_up_verify_preview_and_destroy_by_the_command_line(fresh: FakeDeployment) -> None:
    up = fresh.operation("up")
    assert up.returncode == 0, up.stdout
    assert "one leader" in up.stdout
    assert fresh.operation("verify").returncode == 0
    preview = fresh.operation("preview")
    assert preview.returncode == 0, preview.stdout
    assert fresh.operation("recover").stdout == ""

    fresh.declare(LAST, availability="drain")
    changes = fresh.operation("preview")
    assert changes.returncode not in (0, 1), "Pulumi's own, for changes"
    assert f"update {LAST} --availability=drain" in changes.stdout
    verify = fresh.operation("verify")
    assert verify.returncode == 1
    assert "FAILED" in verify.stdout

    # A host that was down at the destroy is still a member: verify sees the plan that a preview refuses.
    fresh.fleet[THIRD].stop_engine()
    destroyed = fresh.operation("destroy")
    assert destroyed.returncode == 0, destroyed.stdout
    refused = fresh.operation("preview").stdout
    assert "refused, nothing was changed" in refused
    # What it waits for is told on stderr, which comes first.
    told = fresh.operation("verify", "--json").stdout
    [swarm] = json.loads(told[told.index("[\n") :])
    assert swarm["check"] == "swarm"
    assert all(why in refused for why in swarm["finding"].split("; ")), swarm
