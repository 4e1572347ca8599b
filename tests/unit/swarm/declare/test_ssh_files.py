"""The SSH configuration, as the real `ssh` understands it, and host keys as known_hosts has them."""

import base64
import re
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components import remote
from swarm import ssh
from swarm.declare import ssh_files
from swarm.declare.reader import Problem, Reader
from swarm.declare.settings import Proxy, Settings, Ssh
from swarm.ssh import CONTROL
from tests.unit.builders import SSH, declared, node

Written = Callable[..., Path]
Having = Callable[..., Ssh]


def understood(path: Path, alias: str) -> dict[str, str]:
    """What `ssh` makes of the configuration for a host, by lower-case key."""
    done = subprocess.run(["ssh", "-G", "-F", path, alias], capture_output=True, text=True, check=True)
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Writes the configuration as a run does; gives the path of the file."""
    monkeypatch.chdir(tmp_path)

    def write(settings: Settings, control: str | None = None) -> Path:
        ssh.write_config(settings, control)
        return ssh.config_file("lab")

    return write


def test_every_node_is_reached_its_own_way(written: Written) -> None:
    own = Ssh(
        "ops",
        2222,
        private_key_file=SSH.private_key_file.with_name("own"),
        known_hosts_file=SSH.known_hosts_file.with_name("own_hosts"),
    )
    path = written(declared("m1 w1", node("w1", ssh=own)))
    for alias, expected in {
        "m1": ("10.0.0.11", "root", "22", "/keys/id", "/keys/known_hosts"),
        "w1": ("10.0.0.21", "ops", "2222", "/keys/own", "/keys/own_hosts"),
    }.items():
        got = understood(path, alias)
        keys = ("hostname", "user", "port", "identityfile", "userknownhostsfile")
        assert tuple(got[key] for key in keys) == expected


def test_host_keys_are_checked_and_nobody_is_asked(written: Written) -> None:
    got = understood(written(declared("m1")), "m1")
    assert got["stricthostkeychecking"] == "true"
    assert got["globalknownhostsfile"] == "/dev/null"
    assert got["identitiesonly"] == got["batchmode"] == "yes"
    assert int(got["connecttimeout"]) <= 5
    assert int(got["serveraliveinterval"]) * int(got["serveralivecountmax"]) <= 20


@pytest.mark.parametrize("folder", ["a folder", "quo'te", "per%cent", "dollar$HOME", "ünï"])
def test_a_folder_of_any_name_can_hold_the_key(written: Written, folder: str) -> None:
    ssh = replace(SSH, private_key_file=SSH.private_key_file.parent / folder / "id")
    got = understood(written(declared("m1", node("m1", ssh=ssh))), "m1")
    # `ssh -G` shows the file before its %-tokens are filled in: %% is a percent sign.
    assert "%" not in got["identityfile"].replace("%%", "")
    assert got["identityfile"].replace("%%", "%") == f"/keys/{folder}/id"


def test_a_jump_host_has_its_own_way(written: Written) -> None:
    jump = replace(SSH, user="guest", port=2200, private_key_file=SSH.private_key_file.with_name("jump"))
    settings = declared("m1 w1", node("w1", ssh=replace(SSH, proxy=Proxy("jump.example", jump))))
    path = written(settings, "w1")
    for alias in ("w1", CONTROL):
        through = understood(path, alias)["proxyjump"]
        got = understood(path, through)
        assert (got["hostname"], got["user"], got["port"], got["identityfile"]) == (
            "jump.example",
            "guest",
            "2200",
            "/keys/jump",
        )
    assert "proxyjump" not in understood(path, "m1")


def test_control_is_the_manager_of_this_run(written: Written) -> None:
    settings = declared("m1 m2")
    assert understood(written(settings), CONTROL)["hostname"] == "10.0.0.11", "the declared leader at first"
    assert understood(written(settings, "m2"), CONTROL)["hostname"] == "10.0.0.12"
    names = sorted(path.name for path in ssh.config_file("lab").parent.iterdir())
    assert names == ["lock", "ssh_config"], "nothing half-written is left"


def test_while_a_run_looks_another_keeps_its_control(written: Written) -> None:
    settings = declared("m1 m2")
    written(settings, "m2")
    before = ssh.config_file("lab").read_text()
    assert written(settings).read_text() == before
    without = written(declared("m1 w1"))
    assert understood(without, CONTROL)["hostname"] == "10.0.0.11", "m2 isn't declared any more"


def test_two_runs_at_a_time_never_leave_the_file_without_control(written: Written) -> None:
    settings = declared("m1 m2")
    path = written(settings, "m1")
    ends = threading.Event()

    def run() -> None:
        while not ends.is_set():
            ssh.write_config(settings)
            ssh.write_config(settings, "m2")

    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run) for _ in range(2)]
        lacking = [text for _ in range(300) if f"Host {CONTROL}\n" not in (text := path.read_text())]
        ends.set()
        assert [one.result() for one in runs] == [None, None]
    assert not lacking


@pytest.mark.parametrize("name", ["control", "m2-proxy", "proxy"])
def test_no_node_s_name_is_an_alias_of_ours(written: Written, name: str) -> None:
    jumped = replace(SSH, proxy=Proxy("jump.example", SSH))
    settings = declared("m1 m2", node("m2", ssh=jumped), replace(node("w1"), name=name, host="10.0.0.99"))
    path = written(settings, "m2")
    assert understood(path, name)["hostname"] == "10.0.0.99"
    assert understood(path, CONTROL)["hostname"] == "10.0.0.12"
    assert understood(path, understood(path, "m2")["proxyjump"])["hostname"] == "jump.example"


@pytest.mark.parametrize(
    "user", ["DOMAIN\\ops", "a b", "o#ps", 'o"ps', "ops ProxyCommand=x", "-oProxyCommand=x"]
)
def test_a_value_stays_one_value(written: Written, user: str) -> None:
    got = understood(written(declared("m1", node("m1", ssh=replace(SSH, user=user)))), "m1")
    assert (got["user"], got.get("proxycommand")) == (user, None)


@pytest.mark.parametrize("char", ["\n", "\r", "\0", "\x7f"])
@pytest.mark.parametrize("key", ["user", "private_key_file", "known_hosts_file", "host"])
def test_a_value_that_could_add_a_line_is_never_written(written: Written, key: str, char: str) -> None:
    text = f"root{char}  ProxyCommand touch /tmp/x"
    value: Any = Path(text) if key.endswith("file") else text
    way = replace(SSH, **{key: value}) if key != "host" else SSH
    with pytest.raises(ValueError, match="no value of an SSH configuration"):
        written(declared("m1", node("m1", ssh=way, host=text if key == "host" else "m1.example")))
    assert not ssh.config_file("lab").exists()


def test_requests_to_control_share_a_connection_and_looks_have_their_own(written: Written) -> None:
    settings = declared("m1 m2")
    path = written(settings, "m2")
    got = understood(path, CONTROL)
    assert (got["controlmaster"], got["controlpersist"]) == ("auto", "30")
    assert got["controlpath"].startswith(".swarm/")
    assert "lab" not in got["controlpath"]
    # A socket's name has 107 characters at most, and while it is made 17 more than it says.
    assert len(got["controlpath"].replace("%C", "0" * 40)) + 17 < 108
    assert "controlpath" not in understood(path, "m2")


def test_the_configuration_s_path_says_nothing_of_the_machine() -> None:
    assert not ssh.config_file("lab").is_absolute()


@pytest.fixture
def known(keys: Path, tmp_path: Path) -> Having:
    """Ways that know these lines; KEY is the public key of `keys`."""

    def ways(text: str, port: int = 22) -> Ssh:
        path = tmp_path / "known_hosts"
        path.write_text(text.replace("KEY", (keys / "id.pub").read_text().strip()))
        return Ssh("root", port, private_key_file=keys / "id", known_hosts_file=path)

    return ways


@pytest.mark.parametrize(
    ("lines", "port", "found"),
    [
        ("10.0.0.11 KEY\n", 22, "ssh-ed25519"),
        ("10.0.0.11,m1.example KEY a comment\n", 22, "ssh-ed25519"),
        ("[10.0.0.11]:2222 KEY\n", 2222, "ssh-ed25519"),
        ("[10.0.0.11]:2222 KEY\n", 22, None),
        ("10.0.0.11 ssh-rsa AAAAB3NzaC1yc2E=\n", 22, None),
        ("10.0.0.11 ssh-rsa AAAAB3NzaC1yc2E=\n10.0.0.11 KEY\n", 22, "ssh-ed25519"),
        ("@revoked 10.0.0.11 KEY\n", 22, None),
        ("10.0.0.11 KEY\n@revoked 10.0.0.11 KEY\n", 22, None),
        ("@cert-authority 10.0.0.11 KEY\n", 22, None),
        ("10.0.0.111 KEY\n", 22, None),
        ("", 22, None),
    ],
)
def test_the_host_key_is_that_of_this_host_and_port(
    known: Having, lines: str, port: int, found: str | None
) -> None:
    ssh = known(lines, port)
    key = ssh_files.host_key("10.0.0.11", ssh)
    assert (key and key.split()[0]) == found
    assert key is None or re.fullmatch(r"ssh-ed25519 [A-Za-z0-9+/=]+", key)


def test_hashed_host_names_are_known(known: Having) -> None:
    ssh = known("10.0.0.11 KEY\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", ssh.known_hosts_file], check=True, capture_output=True)
    assert "10.0.0.11" not in ssh.known_hosts_file.read_text()
    assert (ssh_files.host_key("10.0.0.11", ssh) or "").startswith("ssh-ed25519 ")


def checked(settings: Settings) -> list[Problem]:
    reader = Reader()
    ssh_files.check(reader, settings)
    return reader.problems


def test_a_dead_ssh_agent_is_named_before_every_command_fails_on_it(
    known: Having, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = declared("m1", node("m1", ssh=known("10.0.0.11 KEY\n")))
    assert not checked(settings)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    (found,) = checked(settings)
    assert (found.key, found.value) == ("SSH_AUTH_SOCK", str(tmp_path / "gone"))
    assert "Unset it" in found.remedy


def test_a_key_that_others_can_read_is_refused(known: Having, tmp_path: Path, keys: Path) -> None:
    ssh = known("10.0.0.11 KEY\n")
    open_key = tmp_path / "open"
    shutil.copy(keys / "id", open_key)
    open_key.chmod(0o644)
    (found,) = checked(declared("m1", node("m1", ssh=replace(ssh, private_key_file=open_key))))
    assert found.value == str(open_key)
    assert "chmod 600" in found.remedy


def test_an_agent_s_path_of_any_length_is_a_problem_rather_than_a_crash(
    known: Having, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = declared("m1", node("m1", ssh=known("10.0.0.11 KEY\n")))
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/" + "x" * 200)
    (found,) = checked(settings)
    assert found.key == "SSH_AUTH_SOCK"


# How the provider pauses between dials: in seconds, after each failed one.
PAUSES = [min(0.1 * 1.5**n, 5) for n in range(100)]


@pytest.mark.parametrize("connect_timeout", [1, 4, 5])
def test_errors_that_come_at_once_are_tried_again_for_some_time(connect_timeout: int) -> None:
    errors = remote.dial_errors(replace(SSH, connect_timeout=connect_timeout))
    assert 20 < sum(PAUSES[:errors]) < 30


@pytest.mark.parametrize(
    ("connect_timeout", "most"), [(1, 60), (4, 90), (10, 90), (20, 90), (45, 140), (60, 200)]
)
def test_a_host_that_is_gone_costs_a_minute_or_three_dials(connect_timeout: int, most: int) -> None:
    errors = remote.dial_errors(replace(SSH, connect_timeout=connect_timeout))
    assert errors >= remote.FEWEST_DIAL_ERRORS
    assert (errors + 1) * connect_timeout + sum(PAUSES[:errors]) < most


def test_a_host_behind_another_is_dialled_from_there_seldom_and_the_other_as_often_as_any(
    known: Having, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi.Output, "secret", staticmethod(lambda value: value))
    ssh = known("10.0.0.11 KEY\n10.0.0.12 KEY\n")
    straight: Any = remote.command_connection(node("m1", ssh=ssh))
    behind: Any = remote.command_connection(node("m1", ssh=replace(ssh, proxy=Proxy("10.0.0.12", ssh))))
    assert (straight.dial_error_limit, straight.proxy) == (12, None)
    assert (behind.dial_error_limit, behind.proxy.dial_error_limit) == (2, 12)


OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (f"10.0.0.11 KEY\n10.0.0.11 {OTHER}\n", True),
        (f"10.0.0.11 {OTHER}\n* KEY\n", True),
        ("10.0.0.11 KEY\n10.0.0.11 KEY again\n", False),
        (f"10.0.0.11 KEY\n10.0.0.11 {OTHER}\n@revoked 10.0.0.11 {OTHER}\n", False),
        (f"10.0.0.11 KEY\n10.0.0.12 {OTHER}\n", False),
        ("10.0.0.11 KEY\n10.0.0.11 ssh-rsa AAAA\n10.0.0.11 ssh-rsa AAAB\n", False),
    ],
)
def test_of_two_host_keys_of_one_type_the_right_one_can_not_be_told(
    known: Having, lines: str, refused: bool
) -> None:
    found = checked(declared("m1", node("m1", ssh=known(lines))))
    assert [(one.value, "2 ssh-ed25519 host keys" in one.rule) for one in found] == [
        ("10.0.0.11", True)
    ] * refused


def on_a_security_key(path: Path) -> None:
    """Writes a private key as `ssh-keygen -t ed25519-sk` does, with nothing behind it."""

    def text(value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + value

    public = text(b"sk-ssh-ed25519@openssh.com") + text(bytes(32)) + text(b"ssh:")
    private = bytes(8) + public + b"\x01" + text(b"handle") + text(b"") + text(b"")
    private += bytes(range(1, 9 - len(private) % 8)) if len(private) % 8 else b""
    whole = b"openssh-key-v1\0" + text(b"none") + text(b"none") + text(b"") + struct.pack(">I", 1)
    lines = base64.encodebytes(whole + text(public) + text(private)).decode()
    path.write_text(f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n")
    path.chmod(0o600)


def test_a_key_on_a_security_key_is_refused(known: Having, tmp_path: Path) -> None:
    on_a_security_key(tmp_path / "sk")
    ssh = replace(known("10.0.0.11 KEY\n"), private_key_file=tmp_path / "sk")
    (found,) = checked(declared("m1", node("m1", ssh=ssh)))
    assert "can't log in with a key of the type sk-ssh-ed25519@openssh.com" in found.rule


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_keys_of_other_types_that_are_files_are_taken(known: Having, tmp_path: Path, kind: str) -> None:
    make = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(tmp_path / kind)]
    subprocess.run(make, check=True)
    ssh = replace(known("10.0.0.11 KEY\n"), private_key_file=tmp_path / kind)
    assert not checked(declared("m1", node("m1", ssh=ssh)))


def test_a_certificate_beside_the_key_is_not_used_as_the_commands_do_not_use_it_either(
    written: Written,
) -> None:
    assert understood(written(declared("m1")), "m1")["certificatefile"] == "/dev/null"


def test_the_folder_is_for_nobody_else_to_look_into(written: Written) -> None:
    ssh.FOLDER.mkdir(mode=0o755)
    written(declared("m1"))
    assert ssh.FOLDER.stat().st_mode & 0o777 == 0o700
