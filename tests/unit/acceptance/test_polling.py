"""Engines that leave requests unanswered: what is asked of whom, and when."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from acceptance import polling
from acceptance.polling import Answer

ENGINES = {"m1": Path("m1.sock"), "m2": Path("m2.sock")}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "BEAT_SECONDS", 0.001)


def test_the_first_yes_counts_though_another_engine_hangs() -> None:
    async def question(name: str, _: Path) -> bool:
        if name == "m1":
            await asyncio.Event().wait()
        return True

    began = time.time()
    answered = asyncio.run(polling.first(ENGINES, question, 5))
    assert answered
    assert began <= answered <= time.time()


def test_an_engine_is_asked_again_while_it_owes_an_answer() -> None:
    asked: Counter[str] = Counter()

    async def question(name: str, _: Path) -> bool:
        asked[name] += 1
        if asked[name] < 3:
            await asyncio.Event().wait()
        return name == "m2"

    assert asyncio.run(polling.first(ENGINES, question, 5))
    assert asked == {"m1": 3, "m2": 3}


def test_nobody_s_yes_is_none_when_the_time_is_over() -> None:
    async def question(*_: object) -> bool:
        return False

    assert asyncio.run(polling.first(ENGINES, question, 0.01)) is None


def test_a_problem_in_a_question_is_not_taken_for_a_no() -> None:
    async def question(*_: object) -> bool:
        raise KeyError("Leader")

    with pytest.raises(ExceptionGroup, match="TaskGroup"):
        asyncio.run(polling.first(ENGINES, question, 5))


def test_an_engine_that_is_not_there_gives_no_answer(tmp_path: Path) -> None:
    answer = asyncio.run(polling.ask(tmp_path / "none.sock", "GET", "/nodes"))
    assert answer == Answer(0, "no answer, the connection was closed")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(503, {"message": "This node is not a swarm manager."}), "This node is not a swarm manager."),
        (Answer(0, "no answer within 2 s"), "no answer within 2 s"),
    ],
    ids=["the engine's own words", "silence"],
)
def test_a_refusal_is_told_in(answer: Answer, words: str) -> None:
    assert str(answer) == words
