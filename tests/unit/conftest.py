"""Files and programs that unit tests are given: an SSH key pair, a PATH with stand-ins on it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """A folder with a key pair, the same key under a passphrase, and a file that is no key."""
    folder = tmp_path_factory.mktemp("keys")
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-C", "", "-f"]
    subprocess.run([*make, folder / "id", "-N", ""], check=True)
    subprocess.run([*make, folder / "locked", "-N", "a passphrase"], check=True)
    (folder / "garbage").write_text("no key\n")
    (folder / "garbage").chmod(0o600)
    return folder


@pytest.fixture(autouse=True)
def _no_agent(monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


@pytest.fixture
def program(tmp_path, monkeypatch):
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
