"""The order of the stages, and what comes of them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

DESTROY = "destroy"
STAGES = (
    DESTROY,
    "validate",
    "create",
    "converge",
    "idempotence",
    "verify",
    "mesh",
    "play",
    "failover",
    "edge",
    DESTROY,
)


@dataclass(frozen=True)
class Result:
    """What came of a stage: seconds, the checks that held, what couldn't be checked, why it failed."""

    stage: str
    seconds: float
    passed: Sequence[str] = ()
    unchecked: Sequence[str] = ()
    failure: str | None = None

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.failure is not None:
            return "FAILED"
        return "not checked" if self.unchecked and not self.passed else "ok"


def give(stages: Sequence[str], act: Callable[[str], Result]) -> list[Result]:
    """The results of the stages that were reached, in their order. The first that fails ends it; but the
    last, which clears away, is done all the same."""
    *before, last = stages
    results = []
    for name in before:
        results.append(act(name))
        if results[-1].failure is not None:
            break
    return [*results, act(last)]


def failed(results: Sequence[Result]) -> bool:
    """Whether a stage failed."""
    return any(result.failure is not None for result in results)


def clock(seconds: float) -> str:
    """A time for people: `0:07`, `12:34`."""
    return f"{seconds // 60:.0f}:{seconds % 60:02.0f}" if seconds % 60 < 59.5 else clock(round(seconds))
