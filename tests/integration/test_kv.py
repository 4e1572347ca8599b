"""The three stores on a lab of managers: every request is answered, and nothing is left in the swarm."""

from __future__ import annotations

from benchmarks.kv.__main__ import run
from benchmarks.kv.measuring import MANY, ONE
from benchmarks.kv.stores import OPERATIONS
from tests.integration.deployment import temporary


def test_every_store_is_measured_and_what_was_written_is_removed() -> None:
    with temporary("kv", 3, 0) as lab:
        rates, syncs = run(lab, seconds=0.1, rounds=1)
        manager = lab.nodes[0].name
        configs = lab.run(manager, "docker config ls --format '{{.Name}}'").split()
        labels = lab.run(manager, "docker node inspect self --format '{{json .Spec.Labels}}'")
    wanted = {(op, clients) for op in OPERATIONS for clients in (ONE, MANY) if clients == ONE or op.together}
    assert rates.keys() == wanted
    assert all(value > 0 for values in [*rates.values(), syncs] for value in values)
    # What the plain script made is there, and nothing else.
    assert configs == ["swarm-plain"]
    assert "kv" not in labels
