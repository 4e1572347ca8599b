"""One waits within a bound, and it is said for what."""

import itertools

import pytest

from swarm.errors import TimedOutError
from swarm.waiting import NotYetError, until


def test_what_is_waited_for_is_given_as_soon_as_it_is_there() -> None:
    answers = iter(["", None, "here", "later"])
    assert until("an answer", lambda: next(answers), 5, pace=0) == "here"


def test_an_error_that_passes_is_a_no_and_any_other_is_not() -> None:
    number = itertools.count()

    def answers() -> object:
        if next(number) < 2:
            raise KeyError("not yet")
        raise ValueError("never")

    with pytest.raises(ValueError, match="never"):
        until("an answer", answers, 5, pace=0, passing=KeyError)


def test_what_was_waited_for_and_why_it_was_not_there_is_said() -> None:
    def answers() -> object:
        raise NotYetError("it is busy")

    with pytest.raises(TimedOutError, match=r"^an answer: not within 0\.05 s: it is busy$"):
        until("an answer", answers, 0.05, pace=0.01)


def test_it_is_asked_at_least_once() -> None:
    assert until("an answer", lambda: True, 0)
    with pytest.raises(TimedOutError, match=r"^an answer: not within 0 s$"):
        until("an answer", lambda: False, 0)
