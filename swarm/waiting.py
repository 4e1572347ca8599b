"""How one waits for what comes about by itself: within a bound, and with words for what was waited for.

Standard library only, as errors.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from swarm.errors import SwarmError, TimedOutError

T = TypeVar("T")


class NotYetError(SwarmError):
    """Why a condition doesn't hold yet, in words."""


def until(
    what: str,
    condition: Callable[[], T | None],
    seconds: float,
    pace: float = 0.2,
    passing: type[Exception] | tuple[type[Exception], ...] = NotYetError,
) -> T:
    """What the condition gives, as soon as that is true; an error of `passing` is a no, with its reason.

    It is asked every `pace` seconds; one that is slow to answer is left alone for as long as it took.
    TimedOutError: `what` didn't come about within `seconds`. The last question isn't cut short.
    """
    deadline = time.monotonic() + seconds
    while True:
        asked, why = time.monotonic(), ""
        try:
            if found := condition():
                return found
        except passing as error:
            why = f": {error}"
        now = time.monotonic()
        if now >= deadline:
            raise TimedOutError(f"{what}: not within {seconds:g} s{why}")
        time.sleep(max(pace, now - asked))
