"""After a killed run: whose lock may be removed."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.recover import forget, is_engine, remove_dead_locks, restore_state, take_in
from tests.unit.given import Program

Lock = Callable[..., Path]
NOBODY = 2**22 + 1  # above any process ID that Linux gives


@pytest.fixture
def engine(program: Program) -> Iterator[int]:
    """The process ID of a live program that is called `pulumi`."""
    command = [program("pulumi", "#!/bin/sh\necho runs\nread -r _\n")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"runs\n"
        yield process.pid
        process.stdin.close()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    """Writes a lock as the file backend does; gives its path."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")

    def write(pid: int, host: str = "", stack: str = "lab", project: str = "swarm") -> Path:
        path = tmp_path / ".pulumi/locks/organization" / project / stack / f"lock-{pid}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"pid": pid, "username": "me", "hostname": host or socket.gethostname()}))
        return path

    return write


def test_an_engine_is_told_by_its_program_s_name(engine: int) -> None:
    assert is_engine(engine)
    assert not is_engine(os.getpid())
    assert not is_engine(NOBODY)


def test_the_lock_of_a_dead_process_is_removed_and_that_is_said(
    lock: Lock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock(NOBODY)
    remove_dead_locks("lab")
    assert not path.exists()
    assert capsys.readouterr().out == (
        f"removed the lock of an earlier run (process {NOBODY}), which is dead\n"
    )


def test_the_lock_of_a_process_id_that_is_another_program_s_by_now_is_removed(
    lock: Lock, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock(os.getpid())
    remove_dead_locks("lab")
    assert not path.exists()
    assert f"(process {os.getpid()})" in capsys.readouterr().out


@pytest.mark.parametrize(
    "whose",
    [{"host": "elsewhere"}, {"stack": "other"}, {"project": "another"}],
    ids=["another host's", "another stack's", "another project's"],
)
def test_a_lock_is_kept_that_is(
    lock: Lock, capsys: pytest.CaptureFixture[str], whose: dict[str, str]
) -> None:
    path = lock(NOBODY, **whose)
    remove_dead_locks("lab")
    assert path.exists()
    assert capsys.readouterr().out == ""


def test_the_lock_of_a_living_engine_is_kept_beside_a_dead_one_s(
    lock: Lock, engine: int, capsys: pytest.CaptureFixture[str]
) -> None:
    alive, dead = lock(engine), lock(NOBODY)
    remove_dead_locks("lab")
    assert (alive.exists(), dead.exists()) == (True, False)
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("url", [None, "", "https://api.pulumi.com", "s3://bucket"])
def test_another_backend_s_locks_are_its_own(
    lock: Lock, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    path = lock(NOBODY)
    if url is None:
        monkeypatch.delenv("PULUMI_BACKEND_URL")
    else:
        monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    remove_dead_locks("lab")
    assert path.exists()


def test_a_backend_without_locks_has_nothing_to_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    remove_dead_locks("lab")
    assert capsys.readouterr().out == ""


def test_what_a_killed_run_created_is_taken_in_and_what_it_was_to_replace_is_left_to_be_deleted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret, page = ({"urn": f"urn::{name}", "inputs": {"name": name}} for name in ("secret-2", "page"))
    state = {"resources": [{"urn": "urn::secret-2", "id": "old"}, {"urn": "urn::other", "id": "other"}]}
    take_in(state, [secret, page], {"urn::secret-2": "new"})
    assert [(one["id"], one.get("delete", False)) for one in state["resources"]] == [
        ("old", True),
        ("other", False),
        ("new", False),
    ]
    assert capsys.readouterr().out.splitlines() == [
        "an earlier run was killed while it created secret-2: that is there, and taken into the state",
        "an earlier run was killed while it created page: that is left to pulumi up",
    ]


def test_what_was_replaced_and_is_gone_is_forgotten_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, older, new = (
        {"urn": "urn::secret", "id": name, "inputs": {"name": name}, "delete": name != "new"}
        for name in ("old", "older", "new")
    )
    state = {"resources": [old, new, older]}
    forget(state, ["older", "new"])
    assert state["resources"] == [old, new]
    assert capsys.readouterr().out == "forgot older, which was replaced and is gone already\n"


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        ("", '{"a": 1}', '{"a": 1}'),
        ('{"a"', '{"a": 1}', '{"a": 1}'),
        ('{"b": 2}', '{"a": 1}', '{"b": 2}'),
        ("", "", ""),
    ],
    ids=["empty", "cut off", "whole", "nothing to go back to"],
)
def test_a_state_that_was_cut_off_makes_way_for_the_one_before(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    state: str,
    before: str,
    after: str,
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    path = tmp_path / ".pulumi/stacks/swarm/lab.json"
    path.parent.mkdir(parents=True)
    path.write_text(state)
    path.with_name("lab.json.bak").write_text(before)
    restore_state("lab")
    assert path.read_text() == after
    assert ("went back" in capsys.readouterr().out) == (after != state)


@pytest.mark.parametrize("begun", ["", '{"md5"'])
def test_a_checksum_that_was_cut_off_goes_and_the_state_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], begun: str
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    path = tmp_path / ".pulumi/stacks/swarm/lab.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    checksum = path.with_name("lab.json.attrs")
    checksum.write_text(begun)
    restore_state("lab")
    assert (path.read_text(), checksum.exists()) == ("{}", False)
    assert "removed the checksum" in capsys.readouterr().out


def test_a_whole_checksum_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    checksum = tmp_path / ".pulumi/stacks/swarm/lab.json.attrs"
    checksum.parent.mkdir(parents=True)
    checksum.with_name("lab.json").write_text("{}")
    checksum.write_text('{"md5":"q83v"}')
    restore_state("lab")
    assert checksum.read_text() == '{"md5":"q83v"}'
    assert capsys.readouterr().out == ""
