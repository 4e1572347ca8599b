"""The next Leader as the play sees it: who is asked, what counts, and what ends the watch."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance import election, polling
from acceptance.polling import Answer
from swarm.errors import CommandError, PlayError

Answers = dict[str, list[Answer | None]]  # None: the manager hangs

NAMES = ("m1", "m2", "m3")
HANGS = None
NO_LEADER = Answer(503, {"message": "The swarm does not have a leader."})


def listed(leader: str) -> Answer:
    """A manager's answer, by which this node leads."""
    return Answer(200, [{"ID": f"id-{name}", "ManagerStatus": {"Leader": name == leader}} for name in NAMES])


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """What each manager answers, request by request; the last one for good."""
    given: Answers = {}

    @asynccontextmanager
    async def engines(_: election.Config, names: list[str]) -> AsyncIterator[dict[str, Path]]:
        yield {name: Path(name) for name in names}

    async def ask(socket: Path, *_: str) -> Answer | None:
        queue = given[socket.name]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if answer is HANGS:
            await asyncio.Event().wait()
        return answer

    monkeypatch.setattr(polling, "engines", engines)
    monkeypatch.setattr(polling, "ask", ask)
    monkeypatch.setattr(election, "BEAT_SECONDS", 0.001)
    return given


@pytest.fixture
def stage() -> Any:
    nodes = [SimpleNamespace(name=name, manager=True, lost=name == "m0") for name in ("m0", *NAMES)]
    nodes.append(SimpleNamespace(name="w1", manager=False, lost=False))
    settings = SimpleNamespace(stack="test", nodes=nodes)
    names = {f"id-{name}": name for name in NAMES}
    return SimpleNamespace(found=SimpleNamespace(settings=settings), swarm=SimpleNamespace(names=names))


def test_it_is_the_first_that_leads_and_is_not_the_old_one(stage: Any, answers: Answers) -> None:
    answers.update(m2=[HANGS], m3=[listed("m1"), NO_LEADER, listed("m2")])
    ended: list[str] = []
    began = time.time()
    new, moment = asyncio.run(election.elected(stage, "m1", lambda: ended.append("m1")))
    assert (new, ended) == ("m2", ["m1"])
    assert began <= moment <= time.time()


def test_a_host_that_cannot_be_ended_ends_the_watch(stage: Any, answers: Answers) -> None:
    answers.update(m2=[listed("m1")], m3=[HANGS])

    def fails() -> None:
        raise PlayError("no such host")

    with pytest.raises(PlayError, match="no such host"):
        asyncio.run(election.elected(stage, "m1", fails))


def test_nobody_within_the_time_is_an_error(
    stage: Any, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers.update(m2=[NO_LEADER], m3=[HANGS])
    monkeypatch.setattr(election, "ELECTION_SECONDS", 0.01)
    with pytest.raises(PlayError, match="no other Leader within"):
        asyncio.run(election.elected(stage, "m1", lambda: None))


def test_a_manager_that_cannot_be_reached_is_the_play_s_error(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def engines(*_: object) -> AsyncIterator[None]:
        raise CommandError("m2: no SSH session", "see above")
        yield

    monkeypatch.setattr(polling, "engines", engines)
    with pytest.raises(PlayError, match="m2: no SSH session"):
        asyncio.run(election.elected(stage, "m1", lambda: None))
