"""Whoever hangs is ended within the bound, with all that was started, and it is said who it was."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acceptance import driver, environment, stages, swarm
from operations import pulumi_cli, recover, stack, verify
from swarm import process, ssh
from swarm.decide.decisions import decide
from swarm.declare import compose
from swarm.errors import CommandError, NoAnswerError, PlayError, TimedOutError
from swarm.finding import Verdict
from swarm.run import Run
from swarm.waiting import until
from tests.unit.builders import KNOWN, cluster, declared, observed
from tests.unit.given import Program

# Ignores what asks it to end, and starts another program that does so too, as docker's client and ssh's do.
HANGS = """#!/bin/sh
trap '' TERM INT HUP
echo $$ >>"{pids}"
sh -c 'trap "" TERM INT HUP; echo $$ >>"{pids}"; sleep 60' &
sleep 60
"""
SECONDS = 0.5

Hangs = Callable[[str], str]


@pytest.fixture
def hangs(program: Program, tmp_path: Path) -> Iterator[Hangs]:
    """Has a program hang; gives the way to wait until all of it is gone."""
    pids = tmp_path / "pids"
    pids.touch()
    yield lambda name: str(program(name, HANGS.format(pids=pids)))
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) >= 2
    until("no program left", lambda: not any(map(lives, started)), 5, pace=0.05)


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def running(tmp_path: Path) -> None:
    """Waits until both programs run."""
    while len((tmp_path / "pids").read_text().split()) < 2:
        time.sleep(0.02)


@pytest.fixture
def run() -> Run:
    """A stack with a page in host mode, its swarm in place."""
    port = compose.Port(80, 8080, mode="host")
    demo = compose.Stack("demo", (compose.Service("page", "nginx:1", ports=(port,)),), ())
    settings, seen = declared("m1 w1"), None
    seen = observed(settings, cluster("m1 w1"))
    return Run(settings, [demo], seen, decide(settings, KNOWN, seen))


def test_a_command_that_ends_gives_what_it_says(program: Program) -> None:
    said = process.run([str(program("says", "#!/bin/sh\ncat\necho no >&2\nexit 3\n"))], 5, "text")
    assert (said.returncode, said.stdout, said.stderr) == (3, "text", "no\n")


def test_what_is_wrong_is_said_in_the_command_s_last_words(program: Program) -> None:
    with pytest.raises(CommandError, match=r"^last$"):
        process.output([str(program("fails", "#!/bin/sh\necho first >&2\necho last >&2\nexit 1\n"))], 5)
    with pytest.raises(CommandError, match="ended early"):
        process.output([str(program("mute", "#!/bin/sh\nexit 1\n"))], 5)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(hangs: Hangs) -> None:
    began = time.monotonic()
    with pytest.raises(CommandError, match="no answer within 1 s"):
        process.output([hangs("hangs")], 1)
    assert time.monotonic() - began < 3


def test_an_interrupt_ends_the_command_too(hangs: Hangs, tmp_path: Path) -> None:
    def interrupt() -> None:
        running(tmp_path)
        os.kill(os.getpid(), signal.SIGINT)

    command = [hangs("hangs")]
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        process.run(command, 60)


def test_a_pulumi_command_that_hangs_ends_the_operation_with_what_it_was(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs("pulumi")
    monkeypatch.setattr(pulumi_cli, "ANSWER_SECONDS", SECONDS)
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://far-away")
    with pytest.raises(TimedOutError) as ended:
        pulumi_cli.output("stack", "export", "--stack", "lab")
    assert str(ended.value) == (
        "`pulumi stack export` gave no answer within 0.5 s: see that its backend answers (s3://far-away)"
    )


def test_the_play_s_preview_that_hangs_ends_the_play(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    from acceptance.play import __main__ as play

    hangs("pulumi")
    monkeypatch.setattr(play, "COMMAND_SECONDS", SECONDS)
    monkeypatch.setattr(stack, "prepare", lambda _: run)
    with pytest.raises(PlayError, match=r"the preview took longer than 0\.5 s"):
        play.prepare("lab")


def test_a_command_of_the_play_s_that_hangs_ends_it(hangs: Hangs, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs("pulumi")
    monkeypatch.setattr(driver, "COMMAND_SECONDS", SECONDS)
    transcript: Any = SimpleNamespace(command=lambda _: None)
    with pytest.raises(PlayError, match=r"(?s)`pulumi up` failed.*longer than 0\.5 s"):
        driver.run(transcript, ("pulumi", "up"), {}, lambda _: False)


def test_a_manager_that_hangs_is_no_answer_to_the_play(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    hangs("ssh")
    monkeypatch.setattr(swarm, "ASK_SECONDS", SECONDS)
    monkeypatch.setattr(swarm, "SPARE_SECONDS", 0)
    asked = swarm.Swarm(run)
    for ask in (asked.nodes, lambda: asked.docker("node ls")):
        with pytest.raises(NoAnswerError, match="m1: "):
            ask()


def test_a_manager_that_hangs_fails_the_check_of_a_port_and_no_more(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    hangs("ssh")
    monkeypatch.setattr(verify, "ANSWER_SECONDS", SECONDS - run.settings.leader.ssh.connect_timeout)
    assert run.plan.cluster
    (found,) = verify.port_checks(run, run.plan.cluster, run.stacks[0])
    assert found.verdict is Verdict.FAILED
    assert (found.where, found.what) == (
        ("demo_page",),
        "no manager tells where its tasks are: no answer within 0 s",
    )


def test_a_host_that_hangs_fails_the_check_of_its_port(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path
) -> None:
    hangs("ssh")
    node = run.settings.leader
    monkeypatch.setattr(verify, "ANSWER_SECONDS", SECONDS - node.ssh.connect_timeout)
    assert verify.ask(tmp_path, compose.Port(80, 8080), node, "10.0.0.1") == (False, "no answer within 0.5 s")


def test_a_manager_that_hangs_ends_the_recovery_with_what_was_asked(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    hangs("ssh")
    monkeypatch.setattr(recover, "ANSWER_SECONDS", 1 - run.settings.leader.ssh.connect_timeout)
    with pytest.raises(CommandError) as ended:
        recover.find(run, {"type": "docker:index/secret:Secret", "inputs": {"name": "demo_key"}})
    assert str(ended.value) == ("m1 doesn't tell whether the secret demo_key is there: no answer within 1 s")


def test_a_host_s_tool_that_hangs_ends_the_stage_of_the_acceptance(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "STATUS_SECONDS", SECONDS)
    made = object.__new__(environment.Environment)
    ground: Any = SimpleNamespace(status=(hangs("vagrant"), "status"))
    made.ground = ground
    with pytest.raises(PlayError, match=r"vagrant status` gave no answer within 0\.5 s"):
        made.up()


def test_a_manager_that_hangs_holds_no_run_up(hangs: Hangs) -> None:
    hangs("ssh")
    began = time.monotonic()
    ssh.open_control("lab", SECONDS)
    assert time.monotonic() - began < 3


def test_a_host_that_hangs_has_an_unknown_kind(
    hangs: Hangs, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    hangs("ssh")
    monkeypatch.setattr(stages, "ANSWER_SECONDS", SECONDS)
    monkeypatch.setattr(pulumi_cli, "version", lambda: "3")
    made: Any = SimpleNamespace(stack="lab", ground=SimpleNamespace(what="the lab"))
    assert "(unknown)" in stages.conditions(made, run).hosts


def test_what_a_manager_is_asked_is_quoted(program: Program, run: Run, tmp_path: Path) -> None:
    program("ssh", f'#!/bin/sh\nprintf "%s" "$4" >{tmp_path}/asked\necho id-1\n')
    resource = {"type": "docker:index/secret:Secret", "inputs": {"name": "a; reboot"}}
    assert recover.find(run, resource) == "id-1"
    assert (tmp_path / "asked").read_text() == ("docker secret inspect --format '{{.ID}}' -- 'a; reboot'")


def test_no_program_is_run_without_a_bound() -> None:
    """Popen is for those that have a watchdog of their own, and are listed."""
    own = {
        "swarm/process.py",
        "swarm/docker_api.py",
        "swarm/ssh.py",
        "operations/doctor/exchange.py",
        "acceptance/driver.py",
    }
    root = Path(pulumi_cli.__file__).parents[1]
    files = [root / "__main__.py", *(root / "components").rglob("*.py"), *(root / "operations").rglob("*.py")]
    found = {
        str(path.relative_to(root))
        for path in files
        if any(words in path.read_text() for words in ("subprocess.run(", "Popen(", "check_output("))
    }
    assert found - own == set()
