"""How a service's tasks are kept running, checked, and replaced. Durations are Go's."""

from __future__ import annotations

import re
from typing import Any

from swarm.declare.compose import amounts, values
from swarm.declare.keys import key, snake_cased
from swarm.declare.rules import boolean, must_be, number, one_of, text

COUNT = number(0, 10_000)
PLAIN = ("no", "always", "unless-stopped", "on-failure")


@snake_cased
class Update:
    """How a service's tasks are replaced by new ones."""

    parallelism: int = key(COUNT, "must be a number of tasks", default=1)
    delay: str = key(amounts.duration, default="0s")
    failure_action: str = key(one_of("pause", "continue", "rollback"), default="pause")
    monitor: str = key(amounts.duration, default="5s")
    max_failure_ratio: str = key(amounts.ratio, default="0.0")
    order: str = key(one_of("stop-first", "start-first"), default="stop-first")


@snake_cased
class Rollback(Update):
    """How they are replaced by the ones before. The model has it as an Update."""

    failure_action: str = key(one_of("pause", "continue"), default="pause")


@snake_cased
class Restart:
    """What becomes of a task that has ended. Said even where it is the engine's default: an update that
    leaves it out would replace the tasks."""

    condition: str = key(one_of("any", "on-failure", "none"), default="any")
    delay: str = key(amounts.duration, default="5s")
    max_attempts: int = key(COUNT, "must be a number", default=0)
    window: str = key(amounts.duration, default="0s")


@must_be("no, always, unless-stopped or on-failure, which may have :N for its attempts")
def plain_restart(raw: Any) -> str:
    """What `docker run` takes for a restart policy."""
    if not re.fullmatch(rf"(?:{'|'.join(PLAIN)})(?::\d{{1,4}})?", text(raw), re.ASCII):
        raise ValueError
    return str(raw)


def restart_of(plain: str) -> Restart:
    """What that stands for where there is no restart policy, by convertRestartPolicy of Docker's client."""
    word, _, attempts = plain.partition(":")
    return Restart("on-failure", max_attempts=int(attempts or 0)) if word == "on-failure" else Restart()


@snake_cased
class Healthcheck:
    """How a container is found to work; 0 and 0s leave it to the image."""

    test: tuple[str, ...] = key(values.test, default=(), hidden=True)
    interval: str = key(amounts.millisecond_or_more, default="0s")
    timeout: str = key(amounts.millisecond_or_more, default="0s")
    start_period: str = key(amounts.millisecond_or_more, default="0s")
    retries: int = key(COUNT, "must be a number", default=0)
    disable: bool = key(boolean, default=False)  # then the model has the test NONE
