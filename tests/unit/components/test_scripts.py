"""The shell texts: how they are written, and what they do on a real shell with a stand-in for docker."""

import contextlib
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from components.scripts import host as host_scripts
from components.scripts import manager as manager_scripts
from components.scripts import settle as settling
from swarm.decide import commands
from swarm.decide.plan import Action
from swarm.declare.compose import Service, Update
from swarm.declare.labels import NAMESPACE_LABEL
from swarm.script import render
from tests.unit.builders import certificate
from tests.unit.given import Program

LABELS = {"swarm.pulumi.stack": "swarm/lab", "swarm.pulumi.owner": "0123456789abcdef"}
TOKEN = "SWMTKN-1-the-secret-token"
AWKWARD = 'it\'s a "label" with $HOME, `id`, \\ and ; | & * #'
EVICTIONS = [Action("demote", "m2", "id-m2"), Action("remove", "m2", "id-m2")]
STALE = "0123456789abcdefghijklmno"
REAL_SLEEP = shutil.which("sleep")
CERTIFICATE = "/var/lib/docker/swarm/certificates/swarm-node.crt"


def init(**changes: Any) -> str:
    usual = {"address": "10.0.0.11", "data_path": None, "availability": "drain", "pool": "10.20.0.0/16"}
    return host_scripts.init(LABELS, **{**usual, "data_path_port": None, **changes})


def join(stale_id: str | None = None, *, pending: bool = False, **changes: str) -> str:
    usual: dict[str, Any] = {
        "address": "10.0.0.21",
        "data_path": None,
        "availability": "active",
        "stale_id": stale_id,
    }
    return host_scripts.join(TOKEN, ["10.0.0.11", "10.0.0.12"], pending=pending, **{**usual, **changes})


def converge(work: list[Action], node_ids: dict[str, str] | None = None, drain_seconds: int = 300) -> str:
    return manager_scripts.convergence(work, node_ids or {}, drain_seconds)


def claim(*marks: str, version: str = "10") -> Action:
    spec = {"Name": "default", "Labels": {**LABELS, "note": AWKWARD}}
    return Action("claim", "lab", None, (version, json.dumps(spec), *marks))


EVERY_VERB = [
    Action("await", "m1", "id-m1"),
    Action("promote", "m1", "id-m1"),
    Action("update", "m1", None, (f"--label-add=note={AWKWARD}",)),
    Action("swarm", "lab", None, ("--task-history-limit=2",)),
    Action("demote", "m1", "id-m1"),
    Action("drain", "m1", "id-m1"),
    Action("remove", "m1", "id-m1"),
    claim("swarm-lab"),
]
TEXTS = {
    "init": init(),
    "join": join("id-old"),
    "tokens": manager_scripts.tokens(EVICTIONS, 300),
    "convergence": converge(EVERY_VERB, {"m1": "id-new"}),
    "settle": settling.settle(["demo_redis", "demo_page"], ["demo_redis"], 300),
    "leave": host_scripts.LEAVING,
}
PRELUDE = render(host_scripts.SCRIPTS / "prelude.sh")
LINES = [host_scripts.line("m1 joins", 10), host_scripts.leave(STALE)]
SHELLS = {
    "sh": ["sh"],
    "dash": ["dash"],
    "bash": ["bash"],
    "busybox": ["busybox", "sh"],
    "fish": ["fish"],
    "tcsh": ["tcsh"],
}


def installed(name: str) -> list[str]:
    """The words by which the shell is run; without it the test is left out."""
    if not shutil.which(SHELLS[name][0]):
        pytest.skip(f"{name} isn't installed")
    return SHELLS[name]


@pytest.mark.parametrize("text", [*TEXTS.values(), *LINES], ids=[*TEXTS, "a command's line", "leave's line"])
def test_the_text_is_shell_that_shellcheck_finds_nothing_in(text: str) -> None:
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    # SC2086: the services of a drained node are a list of words, to be split.
    # SC2016: a dollar sign in a label or in awk is meant to stay one.
    command = ["shellcheck", "-s", "sh", "-e", "SC2086,SC2016", "-f", "gcc", "-"]
    assert subprocess.run(command, input=text, text=True, capture_output=True, check=False).stdout == ""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_call_of_docker_is_bounded_by_a_signal_that_it_cannot_ignore(text: str) -> None:
    assert 'docker() { timeout -s KILL 60 docker "$@"; }' in text
    # A program that runs another one knows no function of the shell.
    run_by_others = re.findall(r"(?:timeout|xargs) .*docker ", text)
    assert all(re.search(r"timeout -s KILL \d+ docker $", one) for one in run_by_others)


@pytest.mark.parametrize("verb", sorted({task.verb for task in EVERY_VERB}))
def test_every_verb_is_a_function_of_the_convergence(verb: str) -> None:
    assert f"\n{verb}() {{" in TEXTS["convergence"]


@pytest.mark.parametrize("line", LINES)
def test_every_command_s_line_is_bounded(line: str) -> None:
    words = shlex.split(line)
    assert words[0] == "timeout"
    assert int(words[1]) > 0


@pytest.mark.parametrize("name", SHELLS)
@pytest.mark.parametrize(
    "line", [*LINES, host_scripts.leave(""), host_scripts.line("m-1.example's join $HOME", 10)]
)
def test_every_login_shell_reads_a_line_alike(name: str, line: str) -> None:
    command = [*installed(name), "-c", f"printf '%s\\n' {line}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.removesuffix("\n").split("\n") == shlex.split(line)


def test_lines_differ_from_run_to_run_in_the_marker_alone() -> None:
    one, other = host_scripts.line("m1 joins", 10), host_scripts.line("m1 joins", 10)
    assert one != other
    assert shlex.split(one)[:-1] == shlex.split(other)[:-1]
    assert host_scripts.leave("id-1") == host_scripts.leave("id-1"), (
        "a delete that differs would be an update of every node"
    )


LINE = "timeout 180 sh -s 'm1 joins' 00ff00ff"


@pytest.mark.parametrize(
    ("stdout", "found"),
    [
        ('00ff00ff {"node": "id-1"}\n', {"node": "id-1"}),
        ('Welcome to m1!\n\n{"node": "no"}\n00ff00ff {"node": "id-1"}\n', {"node": "id-1"}),
        ('\033]0;m1\a00ff00ff {"node": "id-1"}\n', {"node": "id-1"}),
        (f'{LINE}\n00ff00ff {{"node": "id-1"}}\n', {"node": "id-1"}),
        ('00ff00ff {"node": "id-1"}\nGoodbye\n', {"node": "id-1"}),
        ("Welcome to m1!\n", {}),
        ('0000ffff {"node": "of another run"}\n', {}),
        ("", {}),
    ],
    ids=[
        "alone",
        "after lines",
        "after a line without an end",
        "after its own command line",
        "before a line",
        "none",
        "another run's",
        "nothing",
    ],
)
def test_a_result_is_what_comes_after_the_marker_of_the_run(stdout: str, found: dict[str, str]) -> None:
    assert host_scripts.result(LINE, stdout) == found


@pytest.mark.parametrize("line", ["", 'timeout 180 flock "$HOME" sh -s # m1 joins, run 0123abcd'])
def test_a_command_of_another_program_has_no_result(line: str) -> None:
    """In the state of an earlier version, or none at all."""
    assert host_scripts.result(line, " id-1\ncluster-1\n") == {}


def test_a_token_is_nowhere_but_in_the_request() -> None:
    (line,) = [line for line in join().splitlines() if TOKEN in line]
    assert line.startswith("request=")
    assert not [one for one in LINES if TOKEN in one]


WORDS = st.text(st.characters(exclude_characters="\0"), max_size=20)


@effort(max_examples=50, deadline=None, derandomize=True)
@given(WORDS.filter(bool), WORDS)
def test_any_name_and_any_label_is_one_word_of_the_shell(name: str, label: str) -> None:
    work = [Action("update", name, None, (f"--label-add={label}",))]
    rendered = converge(work, {name: "id-1"}).removeprefix(converge([]))
    assert shlex.split(rendered) == [
        "update",
        name,
        "id-1",
        f"--label-add={label}",
    ]


def test_a_node_that_joined_in_this_run_has_the_id_that_the_join_gave() -> None:
    work = [Action("await", "w1"), Action("await", "m1", "id-m1"), Action("swarm", "lab")]
    assert converge(work, {"w1": "id-new"}).removeprefix(converge([])).splitlines() == [
        "await w1 id-new",
        "await m1 id-m1",
        "swarm lab -",
    ]


class Docker:
    """A stand-in for docker: answers by the beginning of its arguments with shell code that runs in
    `folder`, and records every call. Calls that nobody answers fail. Sleeping runs `meanwhile`."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.folder, self.program = folder, program
        self.cases: dict[str, str] = {}
        self.meanwhile("")

    def on(self, beginning: str, code: str) -> Self:
        self.cases[beginning] = code
        cases = "".join(f"{shlex.quote(one)}*) {code} ;;\n" for one, code in self.cases.items())
        self.program(
            "docker",
            f"#!/bin/sh\ncd {self.folder}\nprintf '%s\\037' \"$@\" >>calls; echo >>calls\n"
            f'for last; do :; done\ncase "$*" in\n{cases}'
            '*) echo "docker wasn\'t to be called: $*" >&2; exit 97 ;;\nesac\n',
        )
        return self

    def meanwhile(self, code: str) -> Self:
        self.program("sleep", f"#!/bin/sh\ncd {self.folder}\n{code}\n")
        return self

    def put(self, **files: str) -> Self:
        for name, text in files.items():
            (self.folder / name).write_text(f"{text}\n")
        return self

    def got(self, name: str) -> str | None:
        path = self.folder / name
        return path.read_text().strip() if path.exists() else None

    def run(
        self, script: str, line: str | None = None, *, login: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs a line with the script as its standard input; `login` is what the login shell does before."""
        (self.folder / "calls").write_text("")
        command = ["sh", "-c", f"{login}\n{line or host_scripts.line('a test', 20)}"]
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every call, in order."""
        lines = (self.folder / "calls").read_text().split("\x1f\n")
        return [line.split("\x1f") for line in lines if line]

    @property
    def changes(self) -> list[str]:
        """The calls that change something, as text."""
        asking = ("info", "inspect", "ls", "ps", "-q", "logs", "join-token")
        return [" ".join(call) for call in self.calls if not set(call[:3]) & set(asking)]


def printed(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The result of a run."""
    return host_scripts.result(done.args[-1], done.stdout)


def instead(program: Program, name: str, pattern: str, code: str) -> None:
    """A stand-in for a program that does this where its arguments are so, and else what the real one does."""
    real = shutil.which(name)
    program(name, f'#!/bin/sh\ncase "$*" in\n{pattern}) {code} ;;\n*) exec {real} "$@" ;;\nesac\n')


@pytest.fixture
def docker(tmp_path: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """A host with a home of its own, and a certificate where a test puts one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "engine"
    folder.mkdir()
    read = f'exec {shutil.which("sed")} -n "$2" {folder}/certificate'
    instead(program, "sed", f"*{CERTIFICATE}", read)
    return Docker(folder, program)


# How a host tells that it is a node: its engine does, or its certificate alone.
BY_ENGINE, BY_CERTIFICATE = {"node_id": STALE}, {"certificate": certificate("c" * 25, STALE)}
# A membership that isn't the expected one: another, or one of which nothing can be told.
ANOTHER = [{"node_id": "id-9"}, {"certificate": certificate("c" * 25, "z" * 25)}, {}]


@pytest.fixture
def host(docker: Docker) -> Docker:
    """A host in no swarm, whose engine takes a start and a join at once."""
    docker.put(state="inactive", node_id="", error="")
    docker.put(answer="HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    docker.on("info --format {{.Swarm.LocalNodeState}} ", 'echo "$(cat state) $(cat node_id)"')
    docker.on("info --format {{.Swarm.LocalNodeState}}", "cat state")
    docker.on("info --format {{.Swarm.NodeID}}", "cat node_id")
    docker.on("info --format {{.Swarm.Error}}", "cat error")
    docker.on("info --format {{.Swarm.Cluster.ID}}", "echo cluster-1")
    docker.on("swarm leave --force", "echo inactive >state; : >node_id; rm -f certificate")
    docker.on("network ls --filter driver=overlay", "cat networks 2>/dev/null; true")
    # Looks for the port of the swarm's gossip among those that are taken.
    instead(docker.program, "grep", "*1F0A*", f"[ -e {docker.folder}/port_is_taken ]")
    return docker.on("system dial-stdio", "cat >request; cat answer; echo active >state; echo id-2 >node_id")


def requested(host: Docker) -> tuple[str, dict[str, Any]]:
    """The path and the body of the request that came by pipe."""
    head, _, body = (host.folder / "request").read_bytes().partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    length = int(dict(line.split(": ") for line in headers)["Content-Length"])
    method, path, version = first.split()
    assert (method, version) == ("POST", "HTTP/1.1")
    return path, json.loads(body[:length])


def answers(status: int, message: str = "") -> str:
    return f'HTTP/1.1 {status} X\r\n\r\n{{"message":"{message}"}}'


def test_init_starts_a_swarm_that_has_its_labels_from_the_start_and_prints_both_ids(host: Docker) -> None:
    done = host.run(init(data_path="10.9.0.11", data_path_port=4790))
    assert (done.returncode, printed(done)) == (0, {"node": "id-2", "cluster": "cluster-1"})
    assert host.changes == ["system dial-stdio"]
    assert requested(host) == (
        "/swarm/init",
        {
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": "10.0.0.11",
            "DataPathAddr": "10.9.0.11",
            "DataPathPort": 4790,
            "DefaultAddrPool": ["10.20.0.0/16"],
            "SubnetSize": 24,
            "Availability": "drain",
            "Spec": {"Labels": LABELS},
        },
    )


def test_init_leaves_to_docker_what_is_not_declared(host: Docker) -> None:
    assert host.run(init(address=None, pool=None)).returncode == 0
    _, request = requested(host)
    assert {key: request[key] for key in ("AdvertiseAddr", "DataPathAddr")} == {
        "AdvertiseAddr": "",
        "DataPathAddr": "",
    }
    assert [request[key] for key in ("DefaultAddrPool", "SubnetSize", "DataPathPort")] == [[], 0, 0]


@pytest.mark.parametrize("state", ["active", "pending", "error", "locked"])
def test_init_changes_nothing_on_a_host_that_has_come_into_a_swarm(host: Docker, state: str) -> None:
    done = host.put(state=state, node_id="id-9").run(init())
    assert (done.returncode, printed(done)) == (1, {})
    assert "has come into a swarm since it was probed" in done.stderr
    assert host.changes == []


def test_init_fails_with_docker_s_message(host: Docker) -> None:
    host.put(answer=answers(500, "address in use")).on("system dial-stdio", "cat >request; cat answer")
    done = host.run(init())
    assert (done.returncode, printed(done)) == (1, {})
    assert "address in use" in done.stderr


# What Docker's client does where its engine is down: of some versions it is a success.
DOWN = "echo 'Cannot connect to the Docker daemon' >&2; echo"


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("script", [init(), join(), join(STALE)], ids=["init", "join", "join a stale one"])
def test_an_engine_that_gives_no_answer_is_not_taken_for_one_in_a_swarm(
    host: Docker, script: str, code: int
) -> None:
    done = host.on("info --format {{.Swarm.LocalNodeState}}", f"{DOWN}; exit {code}").run(script)
    assert done.returncode == 1
    assert "Cannot connect to the Docker daemon" in done.stderr
    assert "its Docker Engine gives no answer" in done.stderr
    assert "has come into a swarm" not in done.stderr
    assert host.changes == []


HANGS = "trap '' TERM; exec tail -f /dev/null"


def within(script: str, seconds: float) -> str:
    """The script, whose calls of docker may last so long."""
    usual = "timeout -s KILL 60 docker"
    assert usual in script
    return script.replace(usual, f"timeout -s KILL {seconds} docker")


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
@pytest.mark.parametrize(
    ("seconds", "request_seconds", "code", "said"),
    [(20, 0.5, 1, "its Docker Engine gave no answer"), (0.5, 1.5, 124, "no time is left; it went on")],
    ids=["the request's time is over", "the script's time is over"],
)
def test_a_docker_that_hangs_and_ignores_that_its_time_is_over_is_ended(
    host: Docker, script: str, seconds: float, request_seconds: float, code: int, said: str
) -> None:
    host.on("system dial-stdio", HANGS)
    began = time.monotonic()
    line = host_scripts.line("a test", 20).replace("timeout 20", f"timeout {seconds}")
    done = host.run(within(script, request_seconds), line)
    assert time.monotonic() - began < 10
    assert done.returncode == code
    assert said in done.stderr
    assert printed(done) == {}


@pytest.mark.parametrize("name", ["bash", "busybox"])
def test_a_host_s_sh_may_be(host: Docker, name: str) -> None:
    host.program("sh", f'#!/bin/dash\nexec {" ".join(installed(name))} "$@"\n')
    done = host.run(join())
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"}), done.stderr


def test_what_a_login_shell_prints_is_no_result(host: Docker) -> None:
    done = host.run(join(), login="echo Welcome; printf '\\033]0;w1\\a'")
    assert done.stdout.startswith("Welcome\n\033]0;w1\a")
    assert printed(done) == {"node": "id-2"}


def test_join_sends_the_request_by_pipe_and_no_token_by_argument(host: Docker) -> None:
    done = host.run(join(data_path="10.9.0.21"))
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"})
    assert not [call for call in host.calls if TOKEN in " ".join(call)]
    assert TOKEN not in done.stderr
    assert TOKEN not in done.stdout
    assert requested(host) == (
        "/swarm/join",
        {
            "ListenAddr": "0.0.0.0:2377",
            "AdvertiseAddr": "10.0.0.21",
            "DataPathAddr": "10.9.0.21",
            "RemoteAddrs": ["10.0.0.11:2377", "10.0.0.12:2377"],
            "JoinToken": TOKEN,
            "Availability": "active",
        },
    )


@pytest.mark.parametrize("told", ANOTHER)
@pytest.mark.parametrize("stale_id", [None, STALE])
@pytest.mark.parametrize("state", ["active", "pending", "error", "locked"])
def test_join_neither_leaves_a_membership_that_is_not_expected_nor_sends_a_token(
    host: Docker, state: str, stale_id: str | None, told: dict[str, str]
) -> None:
    done = host.put(state=state, **told).run(join(stale_id))
    assert (done.returncode, printed(done)) == (1, {})
    assert "has come into a swarm since it was probed" in done.stderr
    assert host.changes == []
    assert not (host.folder / "request").exists()


@pytest.mark.parametrize("told", [BY_ENGINE, BY_CERTIFICATE], ids=["by its engine", "by its certificate"])
@pytest.mark.parametrize("pending", [False, True])
@pytest.mark.parametrize("state", ["active", "pending", "error"])
def test_join_leaves_a_membership_first_that_the_swarm_does_not_know(
    host: Docker, state: str, pending: bool, told: dict[str, str]
) -> None:
    done = host.put(state=state, **told).run(join(STALE, pending=pending))
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"}), done.stderr
    assert host.changes == ["swarm leave --force", "system dial-stdio"]
    assert "leaving a membership" in done.stderr


def test_join_does_not_ask_an_engine_in_an_election_where_the_certificate_tells(host: Docker) -> None:
    """It would wait, for as long as there is no leader."""
    host.put(state="active", **BY_CERTIFICATE).on(
        "info --format {{.Swarm.NodeID}}", "[ -e request ]; cat node_id"
    )
    done = host.run(join(STALE))
    assert host.calls[1] == ["swarm", "leave", "--force"], done.stderr


def test_join_of_a_stale_node_that_has_left_meanwhile_just_joins(host: Docker) -> None:
    done = host.run(join(STALE))
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"})
    assert host.changes == ["system dial-stdio"]


def test_join_that_cannot_leave_fails_with_docker_s_message_and_sends_no_token(host: Docker) -> None:
    host.put(state="error", **BY_CERTIFICATE).on("swarm leave --force", "echo 'no way out' >&2; exit 1")
    done = host.run(join(STALE))
    assert done.returncode == 1
    assert "no way out" in done.stderr
    assert not (host.folder / "request").exists()


@pytest.mark.parametrize("stale_id", [None, "id-older"])
def test_join_that_is_still_pending_is_waited_for_and_not_asked_for_again(
    host: Docker, stale_id: str | None
) -> None:
    host.put(state="pending", node_id="id-3").meanwhile("echo active >state")
    done = host.run(join(stale_id, pending=True))
    assert (done.returncode, printed(done)) == (0, {"node": "id-3"})
    assert host.changes == []
    assert "waiting until the host is an active member" in done.stderr


def test_join_that_was_pending_and_is_an_active_member_by_now_is_content(host: Docker) -> None:
    done = host.put(state="active", node_id="id-3").run(join(pending=True))
    assert (done.returncode, printed(done)) == (0, {"node": "id-3"})
    assert host.changes == []


def test_join_that_was_pending_and_gave_up_is_asked_for_again(host: Docker) -> None:
    done = host.run(join(pending=True))
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"})
    assert host.changes == ["system dial-stdio"]


def test_join_goes_on_when_docker_does_so_in_the_background(host: Docker) -> None:
    host.on("system dial-stdio", "cat >request; cat answer; echo pending >state; echo id-3 >node_id")
    host.put(answer=answers(503, "Timeout was reached before node joined")).meanwhile("echo active >state")
    done = host.run(join())
    assert (done.returncode, printed(done)) == (0, {"node": "id-3"})
    assert "Timeout was reached" in done.stderr


def test_join_fails_with_docker_s_message_when_the_host_stays_inactive(host: Docker) -> None:
    host.on("system dial-stdio", "cat >request; cat answer").put(answer=answers(400, "invalid join token"))
    done = host.run(join())
    assert done.returncode == 1
    assert "invalid join token" in done.stderr
    assert TOKEN not in done.stderr
    assert done.stdout == ""


def test_join_tries_again_while_the_swarm_has_no_leader(host: Docker) -> None:
    host.put(answer=answers(503, "rpc error: The swarm does not have a leader"))
    host.on(
        "system dial-stdio",
        "cat >request; cat answer; [ ! -e later ] || { echo active >state; echo id-2 >node_id; }",
    )
    host.meanwhile("echo HTTP/1.1 200 OK >answer; echo >later")
    done = host.run(join())
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"}), done.stderr
    assert done.stderr.count("joining") == 2


def test_join_fails_with_the_engine_s_error(host: Docker) -> None:
    host.on("system dial-stdio", "cat >request; cat answer; echo error >state").put(
        error="certificate expired"
    )
    done = host.run(join())
    assert done.returncode == 1
    assert "it isn't: certificate expired" in done.stderr


# The engine's answer after 20 s, and the errors in which its attempt then ends (seen with fifty hosts).
GOES_ON = answers(503, "Timeout was reached before node joined. The attempt to join")
PASSES_BY_ITSELF = [
    "rpc error: code = Unavailable desc = connection error: dial tcp 10.0.0.11:2377: no route to host",
    "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    "could not connect to prospective new cluster member: context deadline exceeded",
]


def attempt_that_fails(host: Docker, error: str) -> Docker:
    """The host's engine goes on in the background, and fails while it is waited for; the next attempt
    succeeds at once."""
    host.on(
        "system dial-stdio",
        "cat >request; cat answer; if [ -e later ]; then echo active >state; echo id-2 >node_id; "
        "else echo pending >state; fi",
    )
    return host.put(answer=GOES_ON, error=error).meanwhile("[ -e later ] || echo error >state; echo >later")


@pytest.mark.parametrize("error", PASSES_BY_ITSELF)
def test_join_leaves_an_attempt_of_its_own_that_failed_of_what_passes_and_tries_again(
    host: Docker, error: str
) -> None:
    attempt_that_fails(host, error)
    done = host.run(join())
    assert (done.returncode, printed(done)) == (0, {"node": "id-2"}), done.stderr
    assert host.changes == ["system dial-stdio", "swarm leave --force", "system dial-stdio"]
    assert f"its own attempt to join, which failed: {error}" in done.stderr


def test_join_does_not_try_again_what_will_not_pass(host: Docker) -> None:
    attempt_that_fails(host, "remote CA does not match fingerprint")
    done = host.run(join())
    assert done.returncode == 1
    assert host.changes == ["system dial-stdio"]
    assert "it isn't: remote CA does not match fingerprint" in done.stderr


def test_join_never_leaves_an_attempt_that_another_began(host: Docker) -> None:
    host.put(state="pending", error=PASSES_BY_ITSELF[0]).meanwhile("echo error >state")
    done = host.run(join(pending=True))
    assert done.returncode == 1
    assert f"it isn't: {PASSES_BY_ITSELF[0]}" in done.stderr
    assert host.changes == []


def test_join_does_not_leave_an_attempt_that_has_a_node_id_and_may_count_in_the_quorum(host: Docker) -> None:
    attempt_that_fails(host, PASSES_BY_ITSELF[1]).put(node_id="id-3")
    done = host.run(join())
    assert done.returncode == 1
    assert host.changes == ["system dial-stdio"]


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_host_whose_gossip_port_is_taken_is_told_of_before_it_joins_without_networks(
    host: Docker, script: str
) -> None:
    host.put(port_is_taken="by an engine that left")
    done = host.run(script)
    assert done.returncode == 1
    assert "port 7946 is taken" in done.stderr
    assert "restart its Docker Engine" in done.stderr
    assert host.changes == []


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_gossip_port_that_is_about_to_be_free_is_waited_for(host: Docker, script: str) -> None:
    host.put(port_is_taken="for a moment").meanwhile("rm -f port_is_taken")
    assert host.run(script).returncode == 0


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_host_whose_engine_keeps_the_network_ingress_after_it_joined_is_told_of(
    host: Docker, script: str
) -> None:
    done = host.put(networks="attachable id\ningress old").run(script)
    assert done.returncode == 1
    assert "the network ingress of an earlier swarm is still there: restart its Docker Engine" in done.stderr
    assert host.changes == ["system dial-stdio"]


@pytest.mark.parametrize("networks", ["", "my-ingress old\ningress-2 old", "ingress new"])
@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_network_ingress_that_goes_after_the_join_is_waited_for_and_no_other(
    host: Docker, script: str, networks: str
) -> None:
    host.put(networks="ingress old").meanwhile(f"printf '{networks}' >networks")
    assert host.run(script).returncode == 0


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_networks_of_other_names_keep_nobody_from_joining(host: Docker, script: str) -> None:
    assert host.put(networks="my-ingress old").run(script).returncode == 0


@pytest.fixture
def leaving(docker: Docker) -> Docker:
    """A host that is the node to leave, by its certificate."""
    docker.put(state="active", node_id="", **BY_CERTIFICATE)
    docker.on("info --format {{.Swarm.LocalNodeState}}", "cat state")
    docker.on("info --format {{.Swarm.NodeID}}", "cat node_id")
    docker.on("swarm leave --force", "echo inactive >state; : >node_id; rm -f certificate")
    docker.on("ps -aq --filter label=com.docker.swarm.task.id", "cat tasks 2>/dev/null; true")
    return docker.on("network ls --filter driver=overlay", "cat networks 2>/dev/null; true")


def leave(
    docker: Docker, node_id: str = STALE, script: str = host_scripts.LEAVING
) -> subprocess.CompletedProcess[str]:
    return docker.run(script, host_scripts.leave(node_id))


@pytest.mark.parametrize("state", ["active", "pending", "error", "locked"])
@pytest.mark.parametrize("told", [BY_ENGINE, BY_CERTIFICATE], ids=["by its engine", "by its certificate"])
def test_leave_leaves_the_node_that_it_is_for_in_whatever_state(
    leaving: Docker, state: str, told: dict[str, str]
) -> None:
    (leaving.folder / "certificate").unlink()
    done = leave(leaving.put(state=state, **told))
    assert (done.returncode, done.stderr) == (0, "")
    assert leaving.changes == ["swarm leave --force"]


def test_leave_asks_an_engine_in_an_election_nothing_where_the_certificate_tells(leaving: Docker) -> None:
    """It would wait, for as long as there is no leader."""
    leaving.on("info", HANGS)
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"]


@pytest.mark.parametrize("state", ["active", "pending", "error", "locked"])
@pytest.mark.parametrize("told", ANOTHER)
@pytest.mark.parametrize("node_id", [STALE, ""])
def test_leave_lets_a_host_stay_that_is_another_node_by_now_and_says_so(
    leaving: Docker, state: str, told: dict[str, str], node_id: str
) -> None:
    (leaving.folder / "certificate").unlink()
    leaving.put(tasks="task", networks="ingress", state=state, **told)
    done = leave(leaving, node_id)
    assert done.returncode == 0
    assert f"the host isn't node {node_id} any more, so it stays in the swarm" in done.stderr
    assert "docker swarm leave --force" in done.stderr
    assert leaving.changes == []


@pytest.mark.parametrize("code", [0, 1])
def test_leave_fails_where_the_engine_gives_no_answer(leaving: Docker, code: int) -> None:
    (leaving.folder / "certificate").unlink()
    leaving.on("info --format {{.Swarm.LocalNodeState}}", f"{DOWN}; exit {code}")
    done = leave(leaving)
    assert done.returncode == 1
    assert "Cannot connect to the Docker daemon" in done.stderr
    assert "its Docker Engine gives no answer" in done.stderr
    assert "stays" not in done.stderr


@pytest.mark.parametrize("certified", [True, False])
def test_leave_ends_where_docker_hangs_and_ignores_that_its_time_is_over(
    leaving: Docker, certified: bool
) -> None:
    if not certified:
        (leaving.folder / "certificate").unlink()
    leaving.cases = dict.fromkeys(("info", "swarm leave"), HANGS)
    leaving.on("system", "exit 1")
    began = time.monotonic()
    done = leave(leaving, script=within(host_scripts.LEAVING, 0.3))
    assert time.monotonic() - began < 10
    assert done.returncode == 1
    assert "its Docker Engine gives no answer" in done.stderr


@pytest.mark.parametrize("asked", ["ps -aq", "network ls"])
def test_leave_takes_no_error_for_nothing_left(leaving: Docker, asked: str) -> None:
    leaving.cases = {asked: "echo 'Cannot connect' >&2; exit 1", **leaving.cases}
    done = leave(leaving.on("system", "exit 1"))
    assert done.returncode == 1
    assert "out of the swarm, but its Docker Engine gives no answer any more" in done.stderr


def test_leave_waits_until_tasks_and_networks_are_gone(leaving: Docker) -> None:
    leaving.on("rm", "exit 1").on("network rm", "exit 1")
    leaving.put(tasks="task", networks="ingress").meanwhile("[ -e tasks ] && rm tasks || rm networks")
    done = leave(leaving)
    assert done.returncode == 0, done.stderr
    assert leaving.changes[0] == "swarm leave --force"
    assert (leaving.got("tasks"), leaving.got("networks")) == (None, None)


PRUNE = "network prune --force --filter label=com.docker.stack.namespace=demo"


def test_leave_takes_away_what_the_engine_leaves_behind_and_nothing_else(leaving: Docker) -> None:
    leaving.on("rm", "rm tasks").on("network inspect", "echo demo").on("network disconnect --force", "exit 1")
    leaving.on("network prune", "[ ! -e tasks ] && rm networks").put(tasks="task-1\ntask-2", networks="net-1")
    assert leave(leaving).returncode == 0
    assert leaving.changes == [
        "swarm leave --force",
        "rm --force task-1 task-2",
        "network disconnect --force net-1 net-1-endpoint",
        PRUNE,
    ]
    assert NAMESPACE_LABEL in PRUNE


def test_leave_gives_the_engine_time_to_take_its_networks_away_itself(leaving: Docker) -> None:
    leaving.put(networks="net-1").meanwhile("echo >>slept; [ $(wc -l <slept) -lt 10 ] || rm -f networks")
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"]


def test_leave_takes_away_no_network_of_which_it_can_t_tell_whose_it_is(leaving: Docker) -> None:
    leaving.on("network inspect", "echo").put(networks="net-1")
    done = leave(leaving)
    assert done.returncode == 1
    assert "this is still there: net-1 - restart its Docker Engine" in done.stderr
    assert leaving.changes == ["swarm leave --force"]


@pytest.mark.parametrize(
    ("nodes", "peers", "waits"),
    [
        (9, 2, False),
        (10, 2, True),
        (10, 3, False),
        (99, 2, True),
        (100, 3, True),
        (100, 4, False),
        (50, 1, False),  # nobody else is left
        (0, 2, False),  # as a worker has it, which isn't told
        ("", "", False),  # as one without an answer
    ],
)
def test_leave_waits_where_too_few_are_left_to_gossip_its_goodbye_in_time(
    leaving: Docker, nodes: int | str, peers: int | str, waits: bool
) -> None:
    leaving.on("info --format {{.Swarm.Nodes}}", f"echo {nodes}")
    leaving.on("network inspect --format {{len .Peers}} ingress", f"echo {peers}")
    leaving.meanwhile('[ -z "$(cat calls | grep leave)" ] && echo early >>slept')
    done = leave(leaving)
    assert done.returncode == 0
    assert leaving.got("slept") == ("early" if waits else None)
    assert ("its goodbye could get lost" in done.stderr) == waits


def test_leave_tells_of_an_engine_that_kept_its_gossip_port(leaving: Docker, program: Program) -> None:
    program("grep", "#!/bin/sh\n[ \"$2\" = ':1F0A 0*:0000 0A' ]\n")
    done = leave(leaving.put(**BY_ENGINE))
    assert done.returncode == 0
    assert "kept port 7946: restart it" in done.stderr


def test_leave_is_content_where_the_engine_keeps_the_network_ingress_alone_and_says_so(
    leaving: Docker,
) -> None:
    done = leave(leaving.put(networks="ingress"))
    assert done.returncode == 0
    assert "keeps the network ingress until the host joins a swarm again" in done.stderr
    assert leaving.changes == ["swarm leave --force"]


def test_leave_is_not_content_with_another_network_beside_ingress(leaving: Docker) -> None:
    leaving.on("network inspect", "echo").put(networks="ingress\nnet-1")
    done = leave(leaving)
    assert done.returncode == 1
    assert "this is still there: ingress net-1 - restart its Docker Engine" in done.stderr


def test_leave_tells_what_stays_there(leaving: Docker) -> None:
    leaving.on("rm", "exit 1").put(tasks="task-1", networks="net-1")
    done = leave(leaving, script=host_scripts.LEAVING.replace("-gt 100", "-gt 2"))
    assert done.returncode == 1
    assert leaving.changes[1:] == ["rm --force task-1"] * 2
    assert "this is still there: task-1 net-1 - restart its Docker Engine" in done.stderr


def test_leave_of_a_host_with_nothing_left_removes_nothing(leaving: Docker) -> None:
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"]


def test_leave_again_is_no_failure_and_waits_for_what_the_first_left(leaving: Docker) -> None:
    leaving.on("rm", "rm tasks").put(tasks="task-1")
    (leaving.folder / "certificate").unlink()
    done = leave(leaving.put(state="inactive"))
    assert (done.returncode, done.stderr) == (0, "")
    assert leaving.changes == ["rm --force task-1"]


def test_leave_of_a_host_that_leaves_meanwhile_is_no_failure(leaving: Docker) -> None:
    leaving.on(
        "swarm leave --force",
        "echo 'Error response from daemon: This node is not part of a swarm' >&2; exit 1",
    )
    assert leave(leaving).returncode == 0


def test_leave_is_asked_for_again_when_the_engine_ran_out_of_time(leaving: Docker) -> None:
    late = "echo 'Error response from daemon: context deadline exceeded' >&2; exit 1"
    leaving.on("swarm leave --force", f"[ -e asked ] || {{ touch asked; {late}; }}")
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"] * 2


def test_leave_fails_with_docker_s_message(leaving: Docker) -> None:
    leaving.on("swarm leave --force", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    done = leave(leaving)
    assert done.returncode == 1
    assert "Cannot connect to the Docker daemon" in done.stderr


@pytest.fixture
def swarm(docker: Docker) -> Docker:
    """A swarm's manager. The role of a node is in a file called as its ID; promotions and demotions
    take a while."""
    docker.put(**{"id-m1": "manager", "id-m2": "manager", "id-w1": "worker", "id-w2": "worker"})
    gone = '[ -e "$last" ] || { echo "Error: no such node" >&2; exit 1; }'
    standing = f'{gone}; grep -q manager "$last" && echo "ready reachable" || echo "ready "'
    docker.on("node inspect --format {{.Status.State}}", standing)
    docker.on("node inspect --format {{if .ManagerStatus}}", f'{gone}; cat "$last"')
    docker.on("node inspect --format {{.Spec.Availability}}", "cat availability 2>/dev/null || echo active")
    # The states of a service's tasks are in a file called as it.
    docker.on("service ps --filter desired-state=running", 'cat "$last"')
    docker.on("node promote", 'echo "echo manager >$last" >>later')
    docker.on("node demote", 'echo "echo worker >$last" >>later')
    docker.on("node rm --force", 'rm "$last"')
    docker.on("node update", ":").on("swarm update", ":")
    docker.on("swarm join-token -q", 'echo "token-of-$last"')
    return docker.meanwhile("[ ! -e later ] || { . ./later; rm later; }")


def test_convergence_calls_docker_in_the_order_of_the_work(swarm: Docker) -> None:
    swarm.on("node ps --format {{.Name}}", "printf 'demo_page.1\\ndemo_page.2\\ndemo_redis.1\\n'")
    swarm.on("node ps --format {{.CurrentState}}", "cat busy 2>/dev/null; true")
    swarm.put(busy="Running 2 minutes ago", demo_page="Running 1\nRunning 2", demo_redis="Running 3")
    swarm.on("service ls --format", "echo demo_page 2/2; echo demo_redis 1/1; echo other_thing 0/5")
    swarm.meanwhile("rm -f busy; [ ! -e later ] || { . ./later; rm later; }")
    swarm.on("system dial-stdio", "cat >request; echo HTTP/1.1 200 OK").on("config rm", ":")
    work = [
        claim("swarm-lab"),
        Action("await", "w1"),
        Action("promote", "w1", "id-w1"),
        Action("update", "w1", None, (f"--label-add=note={AWKWARD}", "--availability=drain")),
        Action("swarm", "lab", None, ("--task-history-limit=2",)),
        Action("demote", "m2", "id-m2"),
        Action("drain", "m2", "id-m2"),
        Action("remove", "m2", "id-m2"),
    ]
    done = swarm.run(converge(work, {"w1": "id-w1"}))
    assert done.returncode == 0, done.stderr
    assert swarm.changes == [
        "system dial-stdio",
        "config rm swarm-lab",
        "node promote id-w1",
        f"node update --label-add=note={AWKWARD} --availability=drain id-w1",
        "swarm update --task-history-limit=2",
        "node demote id-m2",
        "node update --availability drain id-m2",
        "node rm --force id-m2",
    ]
    assert "waiting until the tasks of m2 run elsewhere, 300 s at most: demo_page demo_redis" in done.stderr
    assert not (swarm.folder / "id-m2").exists()


def test_a_claim_sends_the_spec_as_it_was_seen_and_then_takes_the_old_marks_away(swarm: Docker) -> None:
    swarm.on("system dial-stdio", "cat >request; echo HTTP/1.1 200 OK").on("config rm", ":")
    task = claim("swarm-lab", "swarm-old")
    for script in (converge([task]), manager_scripts.tokens([task], 300)):
        assert swarm.run(script).returncode == 0
        assert requested(swarm) == ("/swarm/update?version=10", json.loads(task.arguments[1]))
        assert swarm.changes == ["system dial-stdio", "config rm swarm-lab", "config rm swarm-old"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answers(500, "rpc error: desc = update out of sequence"), "run it again"),
        (answers(400, "invalid label"), "invalid label"),
        ("", "its Docker Engine gave no answer"),
    ],
    ids=["the version is out of date", "refused", "no answer"],
)
def test_a_claim_that_fails_takes_no_mark_away_and_lets_nothing_follow(
    swarm: Docker, answer: str, said: str
) -> None:
    swarm.put(answer=answer).on("system dial-stdio", f"cat >request; {'cat answer' if answer else ':'}")
    done = swarm.run(converge([claim("swarm-lab"), Action("remove", "w2", "id-w2")]))
    assert done.returncode == 1
    assert said in done.stderr
    assert ("run it again" in done.stderr) == (said == "run it again")
    assert swarm.changes == ["system dial-stdio"]


def test_a_claim_is_made_again_while_the_swarm_has_no_leader(swarm: Docker) -> None:
    swarm.put(answer=answers(503, "rpc error: The swarm does not have a leader"))
    swarm.on("system dial-stdio", "cat >request; cat answer").meanwhile("echo HTTP/1.1 200 OK >answer")
    assert swarm.run(converge([claim()])).returncode == 0
    assert swarm.changes == ["system dial-stdio"] * 2


def test_convergence_without_work_asks_docker_nothing(swarm: Docker) -> None:
    assert swarm.run(converge([])).returncode == 0
    assert swarm.calls == []


def test_convergence_ends_at_the_first_failure(swarm: Docker) -> None:
    swarm.on("node update", "echo 'Error: invalid label' >&2; exit 1")
    work = [Action("update", "w1", "id-w1", ("--label-add=x",)), Action("remove", "w2", "id-w2")]
    done = swarm.run(converge(work))
    assert done.returncode != 0
    assert "invalid label" in done.stderr
    assert "node rm --force id-w2" not in swarm.changes


def test_convergence_waits_until_a_node_is_ready_and_a_manager_reachable(swarm: Docker) -> None:
    swarm.put(standing="ready unreachable").on("node inspect --format {{.Status.State}}", "cat standing")
    swarm.meanwhile("echo 'ready reachable' >standing; echo >>slept")
    done = swarm.run(converge([Action("await", "m2", "id-m2")]))
    assert done.returncode == 0
    assert (swarm.folder / "slept").exists()
    assert "waiting until m2 is Ready" in done.stderr


def test_convergence_says_what_to_do_about_a_member_that_stays_down(
    swarm: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager_scripts, "AWAIT_SECONDS", 1)
    swarm.on("node inspect --format {{.Status.State}}", "echo down")
    done = swarm.run(converge([Action("await", "w1", "id-w1")]))
    assert done.returncode == 1
    assert "w1 is a member, and for the managers it is down: restart its Docker Engine" in done.stderr


@pytest.fixture
def drained(swarm: Docker) -> Docker:
    """A swarm whose node w2 runs one of two tasks of demo_page, until it is drained. The service's own
    count is content all the time, as Docker's is where a node is down."""
    swarm.on("node ps --format {{.Name}}", "echo demo_page.1; [ ! -e availability ] || echo demo_page.2")
    swarm.on("node ps --format {{.CurrentState}}", "cat busy 2>/dev/null; true")
    swarm.on("service ls --format", "echo demo_page 2/2; echo other 0/1")
    swarm.on("node update", "echo Running >demo_page; echo drain >availability")
    return swarm.put(busy="Running 2 minutes ago", demo_page="Running 1\nRunning 2")


@pytest.mark.parametrize(
    "meanwhile",
    [
        "if [ -e busy ]; then rm busy; else echo Running >>demo_page; fi",
        "if [ -e successor ]; then rm -f busy; else echo Running >>demo_page; : >successor; fi",
    ],
    ids=["the task ends first", "its successor runs first"],
)
def test_convergence_drains_until_no_task_runs_there_and_its_services_are_whole(
    drained: Docker, meanwhile: str
) -> None:
    drained.meanwhile(meanwhile)
    assert drained.run(converge([Action("drain", "w2", "id-w2")])).returncode == 0
    assert drained.got("busy") is None
    assert drained.got("demo_page") == "Running\nRunning"


@pytest.mark.parametrize(
    ("others", "waits"),
    [
        ("echo stack_completed_jobs 0/1", True),
        ("echo completed 0/1", True),
        ("echo 'demo_page_completed 0/1 (max 1 per node)'", True),
        ("echo 'demo_page 0/1 (3/3 completed)'", False),
    ],
)
def test_a_drain_is_misled_by_no_service_that_has_completed_in_its_name(
    drained: Docker, others: str, waits: bool
) -> None:
    """What `docker service ls` says of a job is that it has completed; it isn't waited for."""
    listed = "echo demo_page 2/2" if waits else ":"
    drained.on("service ls --format", f"{others}; {listed}").meanwhile("rm -f busy")
    seconds = 4 if waits else 15  # the second one isn't waited out
    done = drained.run(converge([Action("drain", "w2", "id-w2")], drain_seconds=seconds))
    assert (done.returncode == 1) == waits, done.stderr
    assert ("this still waits: demo_page" in done.stderr) == waits


def test_a_drain_waits_for_a_service_whose_own_name_has_completed_in_it(drained: Docker) -> None:
    drained.on("node ps --format {{.Name}}", "echo demo_completed.1")
    drained.on("service ls --format", "echo demo_completed 2/2").on(
        "node update", "echo Running >demo_completed"
    )
    drained.put(demo_completed="Running 1\nRunning 2").meanwhile("rm -f busy")
    done = drained.run(converge([Action("drain", "w2", "id-w2")], drain_seconds=1))
    assert done.returncode == 1
    assert "this still waits: demo_completed" in done.stderr


def test_a_drain_does_not_wait_for_a_service_that_lacked_tasks_before(drained: Docker) -> None:
    drained.put(demo_page="Running 1").meanwhile("rm busy")
    assert drained.run(converge([Action("drain", "w2", "id-w2")])).returncode == 0


def test_a_drain_that_is_over_its_time_fails_with_what_waits_and_the_way_on(drained: Docker) -> None:
    drained.put(busy="Complete 1 second ago").meanwhile("true")
    work = [Action("drain", "w2", "id-w2"), Action("remove", "w2", "id-w2")]
    for _ in range(2):  # the second finds the node drained by the first
        done = drained.run(converge(work, drain_seconds=1))
        assert done.returncode == 1
        assert "w2 is drained, and after 1 s this still waits: demo_page" in done.stderr
        assert "swarm:drainTimeout 0s" in done.stderr
        assert drained.got("id-w2"), "it isn't removed"
    assert drained.run(converge(work, drain_seconds=0)).returncode == 0
    assert not drained.got("id-w2")


def test_a_drain_of_a_node_that_goes_down_meanwhile_ends_at_once_with_the_remedy(drained: Docker) -> None:
    drained.on("node inspect --format {{.Status.State}}", "echo 'down '")
    done = drained.run(converge([Action("drain", "w2", "id-w2"), Action("remove", "w2", "id-w2")]))
    assert done.returncode == 1
    assert "w2 isn't Ready any more" in done.stderr
    assert "lost: true" in done.stderr
    assert drained.got("id-w2"), "it isn't removed"


@pytest.mark.parametrize("asked", ["node ps --format {{.CurrentState}}", "service ls --format", "service ps"])
def test_a_drain_takes_no_error_for_nothing_left(drained: Docker, asked: str) -> None:
    fails = "echo 'rpc error: code = Internal' >&2; exit 1"
    drained.cases = {asked: f"[ ! -e availability ] || {{ {fails}; }}; echo Running", **drained.cases}
    drained.on("node update", "echo drain >availability")
    work = [Action("drain", "w2", "id-w2"), Action("remove", "w2", "id-w2")]
    assert drained.run(converge(work, drain_seconds=1)).returncode == 1
    assert drained.got("id-w2"), "it isn't removed"


@pytest.mark.parametrize(
    "problem",
    [
        "rpc error: code = Unknown desc = The swarm does not have a leader.",
        "rpc error: code = Unknown desc = update out of sequence",
        "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "rpc error: desc = connection error: transport: Error while dialing",
        "dial tcp 10.0.0.11:2377: connect: no route to host",
        "This node is not a swarm manager. Manager is being prepared or has trouble connecting",
    ],
)
def test_what_passes_by_itself_is_tried_again(swarm: Docker, problem: str) -> None:
    swarm.put(problem=problem).meanwhile("rm -f problem; [ ! -e later ] || { . ./later; rm later; }")
    fails = "[ ! -e problem ] || { cat problem >&2; exit 1; }"
    swarm.on("node inspect --format {{if .ManagerStatus}}", f"{fails}; cat $last").on(
        "node demote", f"{fails}; echo worker >$last"
    )
    assert swarm.run(converge([Action("demote", "m2", "id-m2")])).returncode == 0
    assert swarm.got("id-m2") == "worker"


def test_a_node_that_cannot_be_asked_for_is_not_taken_for_gone(swarm: Docker) -> None:
    swarm.on(
        "node inspect --format {{.Status.State}}", "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
    )
    done = swarm.run(converge([Action("remove", "w2", "id-w2")]))
    assert done.returncode == 1
    assert "Cannot connect" in done.stderr


@pytest.mark.parametrize(("verb", "node", "role"), [("promote", "w1", "manager"), ("demote", "m2", "worker")])
def test_convergence_waits_until_a_node_has_its_new_role(
    swarm: Docker, verb: str, node: str, role: str
) -> None:
    assert swarm.run(converge([Action(verb, node, f"id-{node}")])).returncode == 0
    assert swarm.got(f"id-{node}") == role


@pytest.mark.parametrize(
    "action",
    [Action("remove", "w9", "id-w9"), Action("demote", "w1", "id-w1"), Action("demote", "w9", "id-w9")],
)
def test_what_is_done_already_is_not_done_again(swarm: Docker, action: Action) -> None:
    assert swarm.run(converge([action])).returncode == 0
    assert swarm.changes == []


def test_tokens_evict_first_and_are_printed_by_role(swarm: Docker) -> None:
    done = swarm.run(manager_scripts.tokens(EVICTIONS, 300))
    assert printed(done) == {"manager": "token-of-manager", "worker": "token-of-worker"}
    assert swarm.changes == ["node demote id-m2", "node rm --force id-m2"]
    assert "token-of" not in done.stderr


def test_tokens_that_docker_does_not_give_are_a_failure(swarm: Docker) -> None:
    swarm.on("swarm join-token -q", "echo 'Error: the swarm has no leader' >&2; exit 1")
    done = swarm.run(manager_scripts.tokens([], 300))
    assert "has no leader" in done.stderr
    assert done.returncode != 0, "an empty token would be kept"
    assert printed(done) == {}


@pytest.fixture
def services(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """demo_redis of two tasks, and a global demo_page; both are whole."""
    for name, seconds in {"STEADY": 0, "UNPLACED": 1}.items():
        monkeypatch.setattr(settling, f"{name}_SECONDS", seconds)
    docker.put(services="", tasks=f"{RUNNING_1}\n{RUNNING_2}\n{PAGE}")
    redis(docker)
    docker.on("service inspect", f"cat redis; printf '{row('service', 'demo_page', 'global', 'any')}\n'")
    docker.on("service ps", "cat tasks")
    return docker.on("service logs", "echo 'the last words'")


def row(*fields: str) -> str:
    return "\t".join(fields)


def redis(docker: Docker, restart: str = "any", update: str = "", message: str = "") -> None:
    docker.put(redis=row("service", "demo_redis", "2", restart, update, message))


def a_task(
    slot: int | str,
    desired: str,
    state: str,
    error: str = "",
    identity: str = "t1",
    service: str = "demo_redis",
) -> str:
    return row("task", f"{service}.{slot}", identity, "w1", desired, state, error)


RUNNING_1 = a_task(1, "Running", "Running 1 hour ago", identity="t-one")
RUNNING_2 = a_task(2, "Running", "Running 1 hour ago", identity="t-two")
PAGE = a_task("id-w1", "Running", "Running 1 hour ago", service="demo_page")
FAILED = a_task(2, "Shutdown", "Failed 1 second ago", '"task: non-zero exit (3)"')
STARTING = a_task(2, "Running", "Starting 1 second ago", identity="t-new")
REJECTED = a_task(2, "Ready", "Rejected 1 second ago", '"No such image: redis:9"')
UNPLACED = a_task(2, "Running", "Pending 1 second ago", '"no suitable node (1 node is full)"')
COMPLETE = a_task(2, "Shutdown", "Complete 1 second ago")


def settle(docker: Docker, changed: Sequence[str] = (), seconds: int = 2) -> subprocess.CompletedProcess[str]:
    return docker.run(settling.settle(["demo_redis", "demo_page"], changed, seconds))


def tasks(docker: Docker, *listed: str) -> Docker:
    return docker.put(tasks="\n".join((RUNNING_1, *listed, PAGE)))


@pytest.mark.parametrize("listed", [(RUNNING_2,), (RUNNING_2, FAILED)], ids=["run", "run after a failure"])
@pytest.mark.parametrize("update", ["", "completed", "rollback_completed"])
def test_settle_is_content_with_services_that_are_whole(
    services: Docker, listed: tuple[str, ...], update: str
) -> None:
    """A rollback of an earlier day, too: its service is as declared, or it would be changed now."""
    redis(services, update=update)
    done = settle(tasks(services, *listed))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("restart", ["none", "on-failure"])
def test_settle_is_content_with_tasks_that_ended_well_and_are_not_to_go_on(
    services: Docker, restart: str
) -> None:
    redis(services, restart)
    assert settle(tasks(services, COMPLETE)).returncode == 0


def test_settle_wants_no_task_of_a_global_service_where_its_constraints_do_not_hold_any_more(
    services: Docker,
) -> None:
    error = '"assigned node no longer meets constraints"'
    left = a_task("id-w2", "Shutdown", "Rejected 1 second ago", error, service="demo_page")
    done = settle(tasks(services, RUNNING_2, left))
    assert (done.returncode, done.stderr) == (0, "")


def test_settle_waits_for_tasks_and_updates_and_says_so(services: Docker) -> None:
    redis(services, update="updating")
    whole = f"printf '{RUNNING_1}\n{RUNNING_2}\n{PAGE}\n' >tasks"
    complete = "grep -q done seen && sed -i s/updating// redis; echo done >seen"
    tasks(services, STARTING).meanwhile(f"{whole}; {complete}")
    services.put(seen="")
    done = settle(services)
    assert done.returncode == 0
    assert "waiting for demo_redis: 1/2 tasks run, updating" in done.stderr
    assert "waiting for demo_redis: 2/2 tasks run, updating" in done.stderr


@pytest.mark.parametrize(
    ("update", "restart", "listed", "why"),
    [
        ("paused", "any", (REJECTED,), "1/2 tasks run, paused: because of t1"),
        ("rollback_paused", "any", (REJECTED,), "1/2 tasks run, rollback_paused: because of t1"),
        ("rollback_completed", "any", (RUNNING_2, REJECTED), "2/2 tasks run, rollback_completed: because"),
        ("", "none", (FAILED,), "1/2 tasks run, a task failed and isn't started again"),
        ("", "any", (UNPLACED,), "1/2 tasks run, no suitable node for a task"),
        ("updating", "any", (UNPLACED,), "1/2 tasks run, updating, no suitable node for a task"),
    ],
    ids=[
        "a paused update",
        "a paused rollback",
        "a rollback",
        "a task that fails for good",
        "no node",
        "no node for an update",
    ],
)
def test_settle_gives_up_before_its_time_with(
    services: Docker, update: str, restart: str, listed: tuple[str, ...], why: str
) -> None:
    redis(services, restart, update, "because of t1")
    done = settle(tasks(services, *listed), ["demo_redis"], seconds=60)
    assert done.returncode == 1
    assert "service demo_redis doesn't settle after " in done.stderr
    assert f" s: {why}" in done.stderr
    assert "settleTimeout" not in done.stderr
    assert "demo_page" not in done.stderr


def test_settle_gives_up_on_a_slot_whose_tasks_keep_failing(services: Docker) -> None:
    """Counted as they come: the swarm keeps but a few of them."""
    one_more = r"n=$(($(cat n) + 1)); echo $n >n; sed -i s/t[0-9]*.w1.Shutdown/t$n\\tw1\\tShutdown/ tasks"
    tasks(services, STARTING, FAILED).put(n="1").meanwhile(one_more)
    done = settle(services, seconds=60)
    assert done.returncode == 1
    assert "1/2 tasks run, its tasks keep failing" in done.stderr
    assert services.got("n") == str(1 + settling.FAILURES), "those of before don't count"


def test_settle_tells_of_the_task_that_is_why_with_node_error_and_output(services: Docker) -> None:
    done = settle(tasks(services, STARTING, FAILED))
    assert done.returncode == 1
    report = done.stderr[done.stderr.index("service demo_redis") :].splitlines()
    assert report[0].endswith(" s: 1/2 tasks run")
    assert report[1:] == [
        "  demo_redis.2 on w1: Failed 1 second ago: task: non-zero exit (3)",
        "  its last lines, in its own words:",
        "    | the last words",
        "that is all the time that there was; for more: pulumi config set swarm:settleTimeout 20m",
    ]


@pytest.mark.parametrize(("seconds", "bound"), [(1, 61), (300, 360), (3600, 4320)])
def test_a_report_has_time_however_little_the_services_get(seconds: int, bound: int) -> None:
    assert commands.settle_bound(seconds) == bound


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (r"\033[1;31mred\033[0m\033[2J", "red"),
        (r"\033]0;title\007bell\rover\r", "?]0;title?bell?over"),
        (r"caf\303\251, not UTF-8: \377, CSI: \302\2331m", "caf??, not UTF-8: ?, CSI: ??1m"),
        (r"::error file=x::stop", "::error file=x::stop"),
        (r"##vso[task.complete result=Failed]###[x]", "# #vso[task.complete result=Failed]# # #[x]"),
        ("x" * 999, "x" * (settling.WIDEST - len("    | "))),
    ],
    ids=["colors", "controls", "bytes", "GitHub", "Azure", "long"],
)
def test_what_a_service_says_is_marked_as_its_own_words_and_made_harmless(
    services: Docker, said: str, shown: str
) -> None:
    services.on("service logs", f"printf '%b\\n' '{said}'")
    told = settle(tasks(services, FAILED)).stderr.splitlines()
    assert told[told.index("  its last lines, in its own words:") + 1] == f"    | {shown}"


def test_an_error_of_a_task_is_one_line_and_made_harmless(services: Docker) -> None:
    """Its text comes from wherever the task was to start; the format has Go quote it."""
    said = a_task(2, "Shutdown", "Failed 1 second ago", r'"\"starting: \"sh\"\n::error::\x1b[2J##vso[x]\""')
    told = settle(tasks(services, said)).stderr.splitlines()
    assert '  demo_redis.2 on w1: Failed 1 second ago: starting: "sh"\\n::error::\\x1b[2J# #vso[x]' in told
    assert settling.TASK_FIELDS[-1] == '{{printf "%q" .Error}}'


def test_settle_asks_for_no_output_of_a_task_that_was_rejected(services: Docker) -> None:
    done = settle(tasks(services, REJECTED))
    assert "  demo_redis.2 on w1: Rejected 1 second ago: No such image: redis:9\n" in done.stderr
    assert "last lines" not in done.stderr


def test_settle_tells_why_though_no_output_can_be_had(services: Docker) -> None:
    done = settle(tasks(services.on("service logs", "exit 1"), FAILED))
    assert done.returncode == 1
    assert "demo_redis.2 on w1" in done.stderr


def test_a_line_runs_its_standard_input_within_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run: dict[str, Any] = {
        "input": "echo went; sleep 30",
        "capture_output": True,
        "text": True,
        "check": False,
    }
    done = subprocess.run(["sh", "-c", host_scripts.line("m1 joins", 1)], **run)
    assert (done.returncode, done.stdout) == (124, "went\n")


def test_a_script_that_runs_out_of_time_says_what_it_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    script = PRELUDE + 'say "waiting until m1 is Ready"\nwhile :; do sleep 0.1; done'
    run: dict[str, Any] = {"input": script, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(["sh", "-c", host_scripts.line("m1 joins", 1)], **run)
    assert done.returncode == 124
    assert "no time is left; it went on waiting until m1 is Ready" in done.stderr


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "leave"])
def test_a_script_runs_alone_on_its_host(name: str) -> None:
    """But for one that leaves, which has to where another is stuck."""
    assert PRELUDE in TEXTS[name]


def test_no_two_scripts_run_on_one_host_at_a_time(docker: Docker) -> None:
    script = 'lock=free; flock -n "$HOME" true || lock=taken; result "{\\"lock\\": \\"$lock\\"}"'
    done = docker.run(PRELUDE + script)
    assert printed(done) == {"lock": "taken"}, done.stderr


@pytest.fixture
def earlier_run(docker: Docker, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """A run that holds the lock; gives the way to end it. Waiting is real, and short."""
    docker.meanwhile(f"exec {REAL_SLEEP} 0.1")
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with contextlib.ExitStack() as held:
        held.callback(os.close, lock)
        yield held.close


def test_an_earlier_run_is_waited_for_and_said_once(docker: Docker, earlier_run: Callable[[], None]) -> None:
    timer = threading.Timer(0.5, earlier_run)
    timer.start()
    done = docker.run(PRELUDE + "result '{}'")
    timer.join()
    assert done.returncode == 0
    assert done.stderr == "waiting for an earlier run on this host\n"


@pytest.mark.usefixtures("earlier_run")
def test_an_earlier_run_is_waited_for_within_the_script_s_own_time(docker: Docker) -> None:
    done = docker.run(PRELUDE + "result '{}'", host_scripts.line("m1 joins", 1))
    assert (done.returncode, done.stdout) == (124, "")
    assert "no time is left; it went on waiting for an earlier run on this host" in done.stderr


@pytest.mark.parametrize(
    ("declared", "more"),
    [
        ([], 0),
        ([{"replicas": 1}], 0),
        ([{"replicas": 11, "update": Update(delay="10s")}], 10 * (10 + commands.START_SECONDS)),
        ([{"replicas": 11, "update": Update(parallelism=0, delay="1h")}], 0),
        ([{"replicas": 5, "update": Update(parallelism=2, delay="1m")}], 2 * (60 + commands.START_SECONDS)),
        ([{"replicas": None}], 5 * commands.START_SECONDS),
        ([{"replicas": 2}, {"replicas": 3}], 2 * commands.START_SECONDS),
    ],
)
def test_services_get_longer_to_settle_where_their_update_goes_in_rounds(
    declared: list[dict[str, Any]], more: int
) -> None:
    services = [Service("one", "redis:7.0.15", **parts) for parts in declared]
    assert commands.settle_limit(services, nodes=6, seconds=300) == 300 + more
