"""How a service's tasks are kept running, checked, and replaced. Durations are Go's."""

from __future__ import annotations

from swarm.declare.compose import values
from swarm.declare.keys import declared, key
from swarm.declare.rules import boolean, number, one_of

COUNT = number(0, 10_000)
DURATION = "must be a duration, such as 10s or 1m30s"
_OF_CHECK = f"{DURATION}; Docker takes none under 1ms"


@declared
class Update:
    """How a service's tasks are replaced by new ones."""

    parallelism: int = key(COUNT, "must be a number of tasks", default=1)
    delay: str = key(values.duration, DURATION, default="0s")
    failure_action: str = key(
        one_of("pause", "continue", "rollback"), "must be pause, continue or rollback", default="pause"
    )
    monitor: str = key(values.duration, DURATION, default="5s")
    max_failure_ratio: str = key(values.ratio, "must be 0 to 1, in tenths: no more is kept", default="0.0")
    order: str = key(
        one_of("stop-first", "start-first"), "must be stop-first or start-first", default="stop-first"
    )


@declared
class Rollback(Update):
    """How they are replaced by the ones before. The model has it as an Update."""

    failure_action: str = key(one_of("pause", "continue"), "must be pause or continue", default="pause")


@declared
class Restart:
    """What becomes of a task that has ended. Said even where it is the engine's default: an update that
    leaves it out would replace the tasks."""

    condition: str = key(
        one_of("any", "on-failure", "none"), "must be any, on-failure or none", default="any"
    )
    delay: str = key(values.duration, DURATION, default="5s")
    max_attempts: int = key(COUNT, "must be a number", default=0)
    window: str = key(values.duration, DURATION, default="0s")


@declared
class Healthcheck:
    """How a container is found to work; 0 and 0s leave it to the image."""

    test: tuple[str, ...] = key(
        values.test,
        "must be a text, or a list that begins with CMD, CMD-SHELL or NONE",
        default=(),
        hidden=True,
    )
    interval: str = key(values.millisecond_or_more, _OF_CHECK, default="0s")
    timeout: str = key(values.millisecond_or_more, _OF_CHECK, default="0s")
    start_period: str = key(values.millisecond_or_more, _OF_CHECK, default="0s")
    retries: int = key(COUNT, "must be a number", default=0)
    disable: bool = key(boolean, "must be true or false", default=False)  # then the model has the test NONE
