"""What unit tests are given: an SSH key pair, a PATH with stand-ins on it, a reader of Compose files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from swarm.declare import compose
from swarm.declare.reader import Reader
from swarm.declare.settings import StackConfig
from tests.unit.given import Problems, Program, ReadService, ReadStack

SECRETS = {"key": "swordfish"}

# A shell starts what runs in its background with interrupts ignored, and all that this starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair, the same key under a passphrase, and a file that is no key."""
    folder = tmp_path_factory.mktemp("keys")
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-C", "", "-f"]
    subprocess.run([*make, folder / "id", "-N", ""], check=True)
    subprocess.run([*make, folder / "locked", "-N", "a passphrase"], check=True)
    (folder / "garbage").write_text("no key\n")
    (folder / "garbage").chmod(0o600)
    return folder


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Puts a program of this text in front of the real one on PATH; Python's own is run at once."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def put(name: str, source: str) -> Path:
        path = folder / name
        path.write_text(source.replace("#!python", f"#!{sys.executable} -IS", 1))
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def read(tmp_path: Path) -> ReadStack:
    """Reads a file of this text; gives the stack and its problems, the path left out of their keys."""

    def read_text(
        text: str, ignored: tuple[str, ...] = (), **variables: str
    ) -> tuple[compose.Stack, Problems]:
        path = tmp_path / "stack.yaml"
        path.write_text(text)
        reader = Reader()
        config = StackConfig("demo", (path,), variables, ignore_unsupported=ignored)
        stack = compose.read(reader, config, SECRETS)
        assert not [one for one in reader.problems if "swordfish" in str(one)], "a secret is shown"
        return stack, [(one.key.removeprefix(f"{path}:"), one.rule) for one in reader.problems]

    return read_text


@pytest.fixture
def read_service(read: ReadStack) -> ReadService:
    """Reads a file with one service that has this beside its image."""

    def read_one(text: str, **variables: str) -> tuple[compose.Service | None, Problems]:
        stack, problems = read(f"services: {{page: {{image: 'nginx:1', {text}}}}}\n", (), **variables)
        return (stack.services or (None,))[0], problems

    return read_one
