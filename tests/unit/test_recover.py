"""After a killed run: whose lock may be removed."""

import json
import os
import socket
import subprocess

import pytest

from operations.recover import is_engine, remove_dead_locks

NOBODY = 2**22 + 1  # above any process ID that Linux gives


@pytest.fixture
def engine(program):
    """The process ID of a live program that is called `pulumi`."""
    command = [program("pulumi", "#!/bin/sh\necho runs\nread -r _\n")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"runs\n"
        yield process.pid
        process.stdin.close()


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Writes a lock as the file backend does; gives its path."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")

    def write(pid, host="", stack="lab", project="swarm"):
        path = tmp_path / ".pulumi/locks/organization" / project / stack / f"lock-{pid}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"pid": pid, "username": "me", "hostname": host or socket.gethostname()}))
        return path

    return write


def test_an_engine_is_told_by_its_program_s_name(engine):
    assert is_engine(engine)
    assert not is_engine(os.getpid())
    assert not is_engine(NOBODY)


def test_the_lock_of_a_dead_process_is_removed_and_that_is_said(lock, capsys):
    path = lock(NOBODY)
    remove_dead_locks("lab")
    assert not path.exists()
    assert capsys.readouterr().out == (
        f"removed the lock of an earlier run (process {NOBODY}), which is dead\n"
    )


def test_the_lock_of_a_process_id_that_is_another_program_s_by_now_is_removed(lock, capsys):
    path = lock(os.getpid())
    remove_dead_locks("lab")
    assert not path.exists()
    assert f"(process {os.getpid()})" in capsys.readouterr().out


@pytest.mark.parametrize(
    "whose",
    [{"host": "elsewhere"}, {"stack": "other"}, {"project": "another"}],
    ids=["another host's", "another stack's", "another project's"],
)
def test_a_lock_is_kept_that_is(lock, capsys, whose):
    path = lock(NOBODY, **whose)
    remove_dead_locks("lab")
    assert path.exists()
    assert capsys.readouterr().out == ""


def test_the_lock_of_a_living_engine_is_kept_beside_a_dead_one_s(lock, engine, capsys):
    alive, dead = lock(engine), lock(NOBODY)
    remove_dead_locks("lab")
    assert (alive.exists(), dead.exists()) == (True, False)
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize("url", [None, "", "https://api.pulumi.com", "s3://bucket"])
def test_another_backend_s_locks_are_its_own(lock, monkeypatch, url):
    path = lock(NOBODY)
    if url is None:
        monkeypatch.delenv("PULUMI_BACKEND_URL")
    else:
        monkeypatch.setenv("PULUMI_BACKEND_URL", url)
    remove_dead_locks("lab")
    assert path.exists()


def test_a_backend_without_locks_has_nothing_to_remove(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    remove_dead_locks("lab")
    assert capsys.readouterr().out == ""
