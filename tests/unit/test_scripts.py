"""The shell texts: how they are written, and what they do on a real shell with a stand-in for docker."""

import json
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from components import manager_scripts, scripts, settling
from components.compose import Service, Update
from components.observation import NAMESPACE_LABEL
from components.plan import Task

MARK = scripts.mark("swarm", "lab", "swarm.pulumi.stack")
TOKEN = "SWMTKN-1-the-secret-token"
AWKWARD = 'it\'s a "label" with $HOME, `id`, \\ and ; | & * #'
EVICTIONS = [Task("demote", "m2", "id-m2"), Task("remove", "m2", "id-m2")]


def init(**changes):
    usual = {"address": "10.0.0.11", "data_path": None, "availability": "drain", "pool": "10.20.0.0/16"}
    return scripts.init(MARK, **{**usual, "data_path_port": None, **changes})


def join(stale_id=None, **changes):
    usual = {"address": "10.0.0.21", "data_path": None, "availability": "active", "stale_id": stale_id}
    return scripts.join(TOKEN, ["10.0.0.11", "10.0.0.12"], **{**usual, **changes})


def converge(work, node_ids=None, drain_seconds=300):
    return manager_scripts.convergence(MARK, work, node_ids or {}, drain_seconds)


EVERY_VERB = [
    Task("await", "m1", "id-m1"),
    Task("promote", "m1", "id-m1"),
    Task("update", "m1", None, (f"--label-add=note={AWKWARD}",)),
    Task("swarm", "lab", None, ("--task-history-limit=2",)),
    Task("demote", "m1", "id-m1"),
    Task("drain", "m1", "id-m1"),
    Task("remove", "m1", "id-m1"),
    Task("mark", "lab"),
]
TEXTS = {
    "init": init(),
    "join": join("id-old"),
    "tokens": manager_scripts.tokens(EVICTIONS, 300),
    "convergence": manager_scripts.convergence(MARK, EVERY_VERB, {"m1": "id-new"}, 300),
    "settle": settling.settle(["demo_redis", "demo_page"], ["demo_redis"], 300),
    "leave": shlex.split(scripts.leave(), comments=True)[-1],
    "a command's line": scripts.line("m1 joins", 10),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_text_is_shell_that_shellcheck_finds_nothing_in(text):
    assert subprocess.run(["sh", "-n"], input=text, text=True, check=False).returncode == 0
    # SC2086: the options of init and the services of a drained node are lists of words, to be split.
    # SC2016: a dollar sign in a label or in awk is meant to stay one.
    command = ["shellcheck", "-s", "sh", "-e", "SC2086,SC2016", "-f", "gcc", "-"]
    assert subprocess.run(command, input=text, text=True, capture_output=True, check=False).stdout == ""


@pytest.mark.parametrize("verb", sorted({task.verb for task in EVERY_VERB}))
def test_every_verb_is_a_function_of_the_convergence(verb):
    assert f"\n{verb}() {{" in TEXTS["convergence"]


@pytest.mark.parametrize("line", [scripts.line("m1 joins", 10), scripts.leave()])
def test_every_command_s_line_is_bounded(line):
    words = shlex.split(line)
    assert words[0] == "timeout"
    assert int(words[1]) > 0


def test_lines_differ_from_run_to_run_in_a_comment_alone():
    one, other = scripts.line("m1 joins", 10), scripts.line("m1 joins", 10)
    assert one != other
    assert shlex.split(one, comments=True) == shlex.split(other, comments=True)
    assert scripts.leave() == scripts.leave(), "a delete that differs would be an update of every node"


def test_a_token_is_nowhere_but_in_the_request():
    (line,) = [line for line in join().splitlines() if TOKEN in line]
    assert line.startswith("request=")


WORDS = st.text(st.characters(exclude_characters="\0"), max_size=20)


@effort(max_examples=50, deadline=None, derandomize=True)
@given(WORDS.filter(bool), WORDS)
def test_any_name_and_any_label_is_one_word_of_the_shell(name, label):
    rendered = manager_scripts.render([Task("update", name, None, (f"--label-add={label}",))], {name: "id-1"})
    assert shlex.split(rendered) == ["update", name, "id-1", f"--label-add={label}"]


def test_a_node_that_joined_in_this_run_has_the_id_that_the_join_gave():
    work = [Task("await", "w1"), Task("await", "m1", "id-m1"), Task("swarm", "lab")]
    assert manager_scripts.render(work, {"w1": "id-new"}).splitlines() == [
        "await w1 id-new",
        "await m1 id-m1",
        "swarm lab -",
    ]


class Docker:
    """A stand-in for docker: answers by the beginning of its arguments with shell code that runs in
    `folder`, and records every call. Calls that nobody answers fail. Sleeping runs `meanwhile`."""

    def __init__(self, folder, program):
        self.folder, self.program, self.cases = folder, program, {}
        self.meanwhile("")

    def on(self, beginning, code):
        self.cases[beginning] = code
        cases = "".join(f"{shlex.quote(one)}*) {code} ;;\n" for one, code in self.cases.items())
        self.program(
            "docker",
            f"#!/bin/sh\ncd {self.folder}\nprintf '%s\\037' \"$@\" >>calls; echo >>calls\n"
            f'for last; do :; done\ncase "$*" in\n{cases}'
            '*) echo "docker wasn\'t to be called: $*" >&2; exit 97 ;;\nesac\n',
        )
        return self

    def meanwhile(self, code):
        self.program("sleep", f"#!/bin/sh\ncd {self.folder}\n{code}\n")
        return self

    def put(self, **files):
        for name, text in files.items():
            (self.folder / name).write_text(f"{text}\n")
        return self

    def got(self, name):
        path = self.folder / name
        return path.read_text().strip() if path.exists() else None

    def run(self, script, *, shell=("sh", "-s")):
        (self.folder / "calls").write_text("")
        command = ["timeout", "20", *shell]
        return subprocess.run(command, input=script, capture_output=True, text=True, check=False)

    @property
    def calls(self):
        """The arguments of every call, in order."""
        lines = (self.folder / "calls").read_text().split("\x1f\n")
        return [line.split("\x1f") for line in lines if line]

    @property
    def changes(self):
        """The calls that change something, as text."""
        asking = ("info", "inspect", "ls", "ps", "-q", "logs", "join-token")
        return [" ".join(call) for call in self.calls if not set(call[:3]) & set(asking)]


@pytest.fixture
def docker(tmp_path, program):
    folder = tmp_path / "engine"
    folder.mkdir()
    return Docker(folder, program)


@pytest.fixture
def host(docker):
    """A host in no swarm, whose engine takes a start and a join at once."""
    docker.put(state="inactive", node_id="", error="")
    docker.put(answer="HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    docker.on("info --format {{.Swarm.LocalNodeState}} ", 'echo "$(cat state) $(cat node_id)"')
    docker.on("info --format {{.Swarm.LocalNodeState}}", "cat state")
    docker.on("info --format {{.Swarm.NodeID}}", "cat node_id")
    docker.on("info --format {{.Swarm.Error}}", "cat error")
    docker.on("info --format {{.Swarm.Cluster.ID}}", "echo cluster-1")
    docker.on("swarm init", "echo active >state; echo id-1 >node_id")
    docker.on("swarm leave --force", "echo inactive >state; : >node_id")
    docker.on("system dial-stdio", "cat >request; cat answer; echo active >state; echo id-2 >node_id")
    docker.on("config inspect", "[ -e mark ]")
    # Looks for the port of the swarm's gossip among those that are taken.
    docker.program("grep", f"#!/bin/sh\n[ -e {docker.folder}/port_is_taken ]\n")
    return docker.on("config create", "cat >mark")


def test_init_starts_a_swarm_marks_it_and_prints_both_ids(host):
    done = host.run(init(data_path="10.9.0.11", data_path_port=4790))
    assert (done.returncode, done.stdout) == (0, "id-1\ncluster-1\n")
    assert host.changes == [
        "swarm init --advertise-addr=10.0.0.11 --data-path-addr=10.9.0.11 --availability=drain"
        " --default-addr-pool=10.20.0.0/16 --default-addr-pool-mask-length=24 --data-path-port=4790",
        "config create --label swarm.pulumi.stack=swarm/lab swarm-lab -",
    ]
    assert "lab" in host.got("mark")


def test_init_leaves_to_docker_what_is_not_declared(host):
    host.run(init(address=None, pool=None))
    assert host.changes[0] == "swarm init --availability=drain"


def test_init_again_changes_nothing(host):
    first = host.run(init())
    again = host.run(init())
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert host.changes == []


def test_init_that_was_cut_off_before_the_mark_is_completed(host):
    host.put(state="active", node_id="id-1")
    done = host.run(init())
    assert (done.returncode, done.stdout) == (0, "id-1\ncluster-1\n")
    assert [one.split()[0] for one in host.changes] == ["config"]


def test_init_fails_with_docker_s_message(host):
    host.on("swarm init", "echo 'Error response from daemon: address in use' >&2; exit 1")
    done = host.run(init())
    assert done.returncode != 0
    assert "address in use" in done.stderr


def test_join_sends_the_request_by_pipe_and_no_token_by_argument(host):
    done = host.run(join(data_path="10.9.0.21"))
    assert (done.returncode, done.stdout) == (0, "id-2\n")
    assert not [call for call in host.calls if TOKEN in " ".join(call)]
    assert TOKEN not in done.stderr
    head, _, body = (host.folder / "request").read_bytes().partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /swarm/join HTTP/1.1"
    length = int(dict(line.split(": ") for line in headers)["Content-Length"])
    assert json.loads(body[:length]) == {
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": "10.0.0.21",
        "DataPathAddr": "10.9.0.21",
        "RemoteAddrs": ["10.0.0.11:2377", "10.0.0.12:2377"],
        "JoinToken": TOKEN,
        "Availability": "active",
    }


@pytest.mark.parametrize("stale_id", [None, "id-older"])
def test_join_does_nothing_on_an_active_member(host, stale_id):
    host.put(state="active", node_id="id-9")
    done = host.run(join(stale_id))
    assert (done.returncode, done.stdout) == (0, "id-9\n")
    assert host.changes == []


@pytest.mark.parametrize("state", ["active", "pending"])
def test_join_leaves_a_membership_first_that_the_swarm_does_not_know(host, state):
    host.put(state=state, node_id="id-old")
    done = host.run(join("id-old"))
    assert (done.returncode, done.stdout) == (0, "id-2\n")
    assert host.changes == ["swarm leave --force", "system dial-stdio"]
    assert "leaving a membership" in done.stderr


def test_join_leaves_a_membership_first_that_is_in_an_error(host):
    host.put(state="error")
    assert host.run(join()).stdout == "id-2\n"
    assert host.changes == ["swarm leave --force", "system dial-stdio"]


def test_join_that_is_still_pending_is_waited_for_and_not_asked_for_again(host):
    host.put(state="pending", node_id="id-3").meanwhile("echo active >state")
    done = host.run(join())
    assert (done.returncode, done.stdout) == (0, "id-3\n")
    assert host.changes == []
    assert "waiting until the host is an active member" in done.stderr


def test_join_goes_on_when_docker_does_so_in_the_background(host):
    host.on("system dial-stdio", "cat >request; cat answer; echo pending >state; echo id-3 >node_id")
    host.put(answer='HTTP/1.1 503 X\r\n\r\n{"message":"Timeout was reached before node joined"}')
    host.meanwhile("echo active >state")
    done = host.run(join())
    assert (done.returncode, done.stdout) == (0, "id-3\n")
    assert "Timeout was reached" in done.stderr


def test_join_fails_with_docker_s_message_when_the_host_stays_inactive(host):
    host.on("system dial-stdio", "cat >request; cat answer")
    host.put(answer='HTTP/1.1 400 Bad Request\r\n\r\n{"message":"invalid join token"}')
    done = host.run(join())
    assert done.returncode == 1
    assert "invalid join token" in done.stderr
    assert TOKEN not in done.stderr
    assert done.stdout == ""


def test_join_tries_again_while_the_swarm_has_no_leader(host):
    host.put(answer='HTTP/1.1 503 X\r\n\r\n{"message":"rpc error: The swarm does not have a leader"}')
    host.on(
        "system dial-stdio",
        "cat >request; cat answer; [ ! -e later ] || { echo active >state; echo id-2 >node_id; }",
    )
    host.meanwhile("echo HTTP/1.1 200 OK >answer; echo >later")
    done = host.run(join())
    assert (done.returncode, done.stdout) == (0, "id-2\n"), done.stderr
    assert done.stderr.count("joining") == 2


def test_join_fails_with_the_engine_s_error(host):
    host.on("system dial-stdio", "cat >request; cat answer; echo error >state").put(
        error="certificate expired"
    )
    done = host.run(join())
    assert done.returncode == 1
    assert "it isn't: certificate expired" in done.stderr


# The engine's answer after 20 s, and the errors in which its attempt then ends (seen with fifty hosts).
GOES_ON = 'HTTP/1.1 503 X\r\n\r\n{"message":"Timeout was reached before node joined. The attempt to join"}'
PASSES_BY_ITSELF = [
    "rpc error: code = Unavailable desc = connection error: dial tcp 10.0.0.11:2377: no route to host",
    "rpc error: code = DeadlineExceeded desc = context deadline exceeded",
    "could not connect to prospective new cluster member: context deadline exceeded",
]


def attempt_that_fails(host, error):
    """The host's engine goes on in the background, and fails while it is waited for; the next attempt
    succeeds at once."""
    host.on(
        "system dial-stdio",
        "cat >request; cat answer; if [ -e later ]; then echo active >state; echo id-2 >node_id; "
        "else echo pending >state; fi",
    )
    return host.put(answer=GOES_ON, error=error).meanwhile("[ -e later ] || echo error >state; echo >later")


@pytest.mark.parametrize("error", PASSES_BY_ITSELF)
def test_join_leaves_an_attempt_of_its_own_that_failed_of_what_passes_and_tries_again(host, error):
    attempt_that_fails(host, error)
    done = host.run(join())
    assert (done.returncode, done.stdout) == (0, "id-2\n"), done.stderr
    assert host.changes == ["system dial-stdio", "swarm leave --force", "system dial-stdio"]
    assert f"its own attempt to join, which failed: {error}" in done.stderr


def test_join_does_not_try_again_what_will_not_pass(host):
    attempt_that_fails(host, "remote CA does not match fingerprint")
    done = host.run(join())
    assert done.returncode == 1
    assert host.changes == ["system dial-stdio"]
    assert "it isn't: remote CA does not match fingerprint" in done.stderr


def test_join_never_leaves_an_attempt_that_another_began(host):
    host.put(state="pending", error=PASSES_BY_ITSELF[0]).meanwhile("echo error >state")
    done = host.run(join())
    assert done.returncode == 1
    assert host.changes == []


def test_join_does_not_leave_an_attempt_that_has_a_node_id_and_may_count_in_the_quorum(host):
    attempt_that_fails(host, PASSES_BY_ITSELF[1]).put(node_id="id-3")
    done = host.run(join())
    assert done.returncode == 1
    assert host.changes == ["system dial-stdio"]


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_host_whose_gossip_port_is_taken_is_told_of_before_it_joins_without_networks(host, script):
    host.put(port_is_taken="by an engine that left")
    done = host.run(script)
    assert done.returncode == 1
    assert "port 7946 is taken" in done.stderr
    assert "restart its Docker Engine" in done.stderr
    assert host.changes == []


@pytest.mark.parametrize("script", [init(), join()], ids=["init", "join"])
def test_a_gossip_port_that_is_about_to_be_free_is_waited_for(host, script):
    host.put(port_is_taken="for a moment").meanwhile("rm -f port_is_taken")
    assert host.run(script).returncode == 0


@pytest.fixture
def leaving(docker):
    docker.on("swarm leave --force", "rm -f swarm")
    docker.on("ps -aq --filter label=com.docker.swarm.task.id", "cat tasks 2>/dev/null; true")
    return docker.on("network ls --filter driver=overlay", "cat networks 2>/dev/null; true")


def leave(docker):
    return docker.run("", shell=("sh", "-c", scripts.leave()))


def test_leave_waits_until_tasks_and_networks_are_gone(leaving):
    leaving.on("rm", "exit 1").on("network rm", "exit 1")
    leaving.put(tasks="task", networks="ingress").meanwhile("[ -e tasks ] && rm tasks || rm networks")
    done = leave(leaving)
    assert done.returncode == 0, done.stderr
    assert leaving.changes[0] == "swarm leave --force"
    assert (leaving.got("tasks"), leaving.got("networks")) == (None, None)


PRUNE = "network prune --force --filter label=com.docker.stack.namespace=demo"


def test_leave_takes_away_what_the_engine_leaves_behind_and_nothing_else(leaving):
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


def test_leave_gives_the_engine_time_to_take_its_networks_away_itself(leaving):
    leaving.put(networks="net-1").meanwhile("echo >>slept; [ $(wc -l <slept) -lt 10 ] || rm -f networks")
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"]


def test_leave_takes_away_no_network_of_which_it_can_t_tell_whose_it_is(leaving):
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
def test_leave_waits_where_too_few_are_left_to_gossip_its_goodbye_in_time(leaving, nodes, peers, waits):
    leaving.on("info --format {{.Swarm.Nodes}}", f"echo {nodes}")
    leaving.on("network inspect --format {{len .Peers}} ingress", f"echo {peers}")
    leaving.meanwhile('[ -z "$(cat calls | grep leave)" ] && echo early >>slept')
    done = leave(leaving)
    assert done.returncode == 0
    assert leaving.got("slept") == ("early" if waits else None)
    assert ("its goodbye could get lost" in done.stderr) == waits


def test_leave_tells_of_an_engine_that_kept_its_gossip_port(leaving, program):
    program("grep", "#!/bin/sh\n[ \"$2\" = ':1F0A 0*:0000 0A' ]\n")
    done = leave(leaving)
    assert done.returncode == 0
    assert "kept port 7946: restart it" in done.stderr


def test_leave_of_a_host_with_nothing_left_removes_nothing(leaving):
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"]


def test_leave_again_is_no_failure(leaving):
    leaving.on(
        "swarm leave --force",
        "echo 'Error response from daemon: This node is not part of a swarm' >&2; exit 1",
    )
    assert leave(leaving).returncode == 0


def test_leave_is_asked_for_again_when_the_engine_ran_out_of_time(leaving):
    late = "echo 'Error response from daemon: context deadline exceeded' >&2; exit 1"
    leaving.on("swarm leave --force", f"[ -e asked ] || {{ touch asked; {late}; }}")
    assert leave(leaving).returncode == 0
    assert leaving.changes == ["swarm leave --force"] * 2


def test_leave_fails_with_docker_s_message(leaving):
    leaving.on("swarm leave --force", "echo 'Cannot connect to the Docker daemon' >&2; exit 1")
    done = leave(leaving)
    assert done.returncode == 1
    assert "Cannot connect to the Docker daemon" in done.stderr


@pytest.fixture
def swarm(docker):
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


def test_convergence_calls_docker_in_the_order_of_the_work(swarm):
    swarm.on("node ps --format {{.Name}}", "printf 'demo_page.1\\ndemo_page.2\\ndemo_redis.1\\n'")
    swarm.on("node ps --format {{.CurrentState}}", "cat busy 2>/dev/null; true")
    swarm.put(busy="Running 2 minutes ago", demo_page="Running 1\nRunning 2", demo_redis="Running 3")
    swarm.on("service ls --format", "echo demo_page 2/2; echo demo_redis 1/1; echo other_thing 0/5")
    swarm.meanwhile("rm -f busy; [ ! -e later ] || { . ./later; rm later; }")
    swarm.on("config inspect", "exit 1").on("config create", "cat >mark")
    work = [
        Task("mark", "lab"),
        Task("await", "w1"),
        Task("promote", "w1", "id-w1"),
        Task("update", "w1", None, (f"--label-add=note={AWKWARD}", "--availability=drain")),
        Task("swarm", "lab", None, ("--task-history-limit=2",)),
        Task("demote", "m2", "id-m2"),
        Task("drain", "m2", "id-m2"),
        Task("remove", "m2", "id-m2"),
    ]
    done = swarm.run(converge(work, {"w1": "id-w1"}))
    assert done.returncode == 0, done.stderr
    assert swarm.changes == [
        "config create --label swarm.pulumi.stack=swarm/lab swarm-lab -",
        "node promote id-w1",
        f"node update --label-add=note={AWKWARD} --availability=drain id-w1",
        "swarm update --task-history-limit=2",
        "node demote id-m2",
        "node update --availability drain id-m2",
        "node rm --force id-m2",
    ]
    assert "waiting until the tasks of m2 run elsewhere, 300 s at most: demo_page demo_redis" in done.stderr
    assert not (swarm.folder / "id-m2").exists()


def test_convergence_without_work_asks_docker_nothing(swarm):
    assert swarm.run(converge([])).returncode == 0
    assert swarm.calls == []


def test_convergence_ends_at_the_first_failure(swarm):
    swarm.on("node update", "echo 'Error: invalid label' >&2; exit 1")
    work = [Task("update", "w1", "id-w1", ("--label-add=x",)), Task("remove", "w2", "id-w2")]
    done = swarm.run(converge(work))
    assert done.returncode != 0
    assert "invalid label" in done.stderr
    assert "node rm --force id-w2" not in swarm.changes


def test_convergence_waits_until_a_node_is_ready_and_a_manager_reachable(swarm):
    swarm.put(standing="ready unreachable").on("node inspect --format {{.Status.State}}", "cat standing")
    swarm.meanwhile("echo 'ready reachable' >standing; echo >>slept")
    done = swarm.run(converge([Task("await", "m2", "id-m2")]))
    assert done.returncode == 0
    assert (swarm.folder / "slept").exists()
    assert "waiting until m2 is Ready" in done.stderr


def test_convergence_says_what_to_do_about_a_member_that_stays_down(swarm, monkeypatch):
    monkeypatch.setattr(manager_scripts, "AWAIT_SECONDS", 1)
    swarm.on("node inspect --format {{.Status.State}}", "echo down")
    done = swarm.run(converge([Task("await", "w1", "id-w1")]))
    assert done.returncode == 1
    assert "w1 is a member, and for the managers it is down: restart its Docker Engine" in done.stderr


@pytest.fixture
def drained(swarm):
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
def test_convergence_drains_until_no_task_runs_there_and_its_services_are_whole(drained, meanwhile):
    drained.meanwhile(meanwhile)
    assert drained.run(converge([Task("drain", "w2", "id-w2")])).returncode == 0
    assert drained.got("busy") is None
    assert drained.got("demo_page") == "Running\nRunning"


def test_a_drain_does_not_wait_for_a_service_that_lacked_tasks_before(drained):
    drained.put(demo_page="Running 1").meanwhile("rm busy")
    assert drained.run(converge([Task("drain", "w2", "id-w2")])).returncode == 0


def test_a_drain_that_is_over_its_time_fails_with_what_waits_and_the_way_on(drained):
    drained.put(busy="Complete 1 second ago").meanwhile("true")
    work = [Task("drain", "w2", "id-w2"), Task("remove", "w2", "id-w2")]
    for _ in range(2):  # the second finds the node drained by the first
        done = drained.run(converge(work, drain_seconds=1))
        assert done.returncode == 1
        assert "w2 is drained, and after 1 s this still waits: demo_page" in done.stderr
        assert "swarm:drainTimeout 0s" in done.stderr
        assert drained.got("id-w2"), "it isn't removed"
    assert drained.run(converge(work, drain_seconds=0)).returncode == 0
    assert not drained.got("id-w2")


def test_a_drain_of_a_node_that_goes_down_meanwhile_ends_at_once_with_the_remedy(drained):
    drained.on("node inspect --format {{.Status.State}}", "echo 'down '")
    done = drained.run(converge([Task("drain", "w2", "id-w2"), Task("remove", "w2", "id-w2")]))
    assert done.returncode == 1
    assert "w2 isn't Ready any more" in done.stderr
    assert "lost: true" in done.stderr
    assert drained.got("id-w2"), "it isn't removed"


@pytest.mark.parametrize("asked", ["node ps --format {{.CurrentState}}", "service ls --format", "service ps"])
def test_a_drain_takes_no_error_for_nothing_left(drained, asked):
    fails = "echo 'rpc error: code = Internal' >&2; exit 1"
    drained.cases = {asked: f"[ ! -e availability ] || {{ {fails}; }}; echo Running", **drained.cases}
    drained.on("node update", "echo drain >availability")
    work = [Task("drain", "w2", "id-w2"), Task("remove", "w2", "id-w2")]
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
def test_what_passes_by_itself_is_tried_again(swarm, problem):
    swarm.put(problem=problem).meanwhile("rm -f problem; [ ! -e later ] || { . ./later; rm later; }")
    fails = "[ ! -e problem ] || { cat problem >&2; exit 1; }"
    swarm.on("node inspect --format {{if .ManagerStatus}}", f"{fails}; cat $last").on(
        "node demote", f"{fails}; echo worker >$last"
    )
    assert swarm.run(converge([Task("demote", "m2", "id-m2")])).returncode == 0
    assert swarm.got("id-m2") == "worker"


def test_a_node_that_cannot_be_asked_for_is_not_taken_for_gone(swarm):
    swarm.on(
        "node inspect --format {{.Status.State}}", "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
    )
    done = swarm.run(converge([Task("remove", "w2", "id-w2")]))
    assert done.returncode == 1
    assert "Cannot connect" in done.stderr


@pytest.mark.parametrize(("verb", "node", "role"), [("promote", "w1", "manager"), ("demote", "m2", "worker")])
def test_convergence_waits_until_a_node_has_its_new_role(swarm, verb, node, role):
    assert swarm.run(converge([Task(verb, node, f"id-{node}")])).returncode == 0
    assert swarm.got(f"id-{node}") == role


@pytest.mark.parametrize(
    "task", [Task("remove", "w9", "id-w9"), Task("demote", "w1", "id-w1"), Task("demote", "w9", "id-w9")]
)
def test_what_is_done_already_is_not_done_again(swarm, task):
    assert swarm.run(converge([task])).returncode == 0
    assert swarm.changes == []


def test_tokens_evict_first_and_are_printed_by_role(swarm):
    done = swarm.run(manager_scripts.tokens(EVICTIONS, 300))
    assert json.loads(done.stdout) == {"manager": "token-of-manager", "worker": "token-of-worker"}
    assert swarm.changes == ["node demote id-m2", "node rm --force id-m2"]
    assert "token-of" not in done.stderr


def test_tokens_that_docker_does_not_give_are_a_failure(swarm):
    swarm.on("swarm join-token -q", "echo 'Error: the swarm has no leader' >&2; exit 1")
    done = swarm.run(manager_scripts.tokens([], 300))
    assert "has no leader" in done.stderr
    assert done.returncode != 0, "an empty token would be kept"


@pytest.fixture
def services(docker, monkeypatch):
    """demo_redis of two tasks, and a global demo_page; both are whole."""
    for name, seconds in {"STEADY": 0, "UNPLACED": 1}.items():
        monkeypatch.setattr(settling, f"{name}_SECONDS", seconds)
    docker.put(services="", tasks=f"{RUNNING_1}\n{RUNNING_2}\n{PAGE}")
    redis(docker)
    docker.on("service inspect", f"cat redis; printf '{row('service', 'demo_page', 'global', 'any')}\n'")
    docker.on("service ps", "cat tasks")
    return docker.on("service logs", "echo 'the last words'")


def row(*fields):
    return "\t".join(fields)


def redis(docker, restart="any", update="", message=""):
    docker.put(redis=row("service", "demo_redis", "2", restart, update, message))


def a_task(slot, desired, state, error="", identity="t1", service="demo_redis"):
    return row("task", f"{service}.{slot}", identity, "w1", desired, state, error)


RUNNING_1 = a_task(1, "Running", "Running 1 hour ago", identity="t-one")
RUNNING_2 = a_task(2, "Running", "Running 1 hour ago", identity="t-two")
PAGE = a_task("id-w1", "Running", "Running 1 hour ago", service="demo_page")
FAILED = a_task(2, "Shutdown", "Failed 1 second ago", '"task: non-zero exit (3)"')
STARTING = a_task(2, "Running", "Starting 1 second ago", identity="t-new")
REJECTED = a_task(2, "Ready", "Rejected 1 second ago", '"No such image: redis:9"')
UNPLACED = a_task(2, "Running", "Pending 1 second ago", '"no suitable node (1 node is full)"')
COMPLETE = a_task(2, "Shutdown", "Complete 1 second ago")


def settle(docker, changed=(), seconds=2):
    return docker.run(settling.settle(["demo_redis", "demo_page"], changed, seconds))


def tasks(docker, *listed):
    return docker.put(tasks="\n".join((RUNNING_1, *listed, PAGE)))


@pytest.mark.parametrize("listed", [(RUNNING_2,), (RUNNING_2, FAILED)], ids=["run", "run after a failure"])
@pytest.mark.parametrize("update", ["", "completed", "rollback_completed"])
def test_settle_is_content_with_services_that_are_whole(services, listed, update):
    """A rollback of an earlier day, too: its service is as declared, or it would be changed now."""
    redis(services, update=update)
    done = settle(tasks(services, *listed))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("restart", ["none", "on-failure"])
def test_settle_is_content_with_tasks_that_ended_well_and_are_not_to_go_on(services, restart):
    redis(services, restart)
    assert settle(tasks(services, COMPLETE)).returncode == 0


def test_settle_wants_no_task_of_a_global_service_where_its_constraints_do_not_hold_any_more(services):
    error = '"assigned node no longer meets constraints"'
    left = a_task("id-w2", "Shutdown", "Rejected 1 second ago", error, service="demo_page")
    done = settle(tasks(services, RUNNING_2, left))
    assert (done.returncode, done.stderr) == (0, "")


def test_settle_waits_for_tasks_and_updates_and_says_so(services):
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
def test_settle_gives_up_before_its_time_with(services, update, restart, listed, why):
    redis(services, restart, update, "because of t1")
    done = settle(tasks(services, *listed), ["demo_redis"], seconds=60)
    assert done.returncode == 1
    assert "service demo_redis doesn't settle after " in done.stderr
    assert f" s: {why}" in done.stderr
    assert "settleTimeout" not in done.stderr
    assert "demo_page" not in done.stderr


def test_settle_gives_up_on_a_slot_whose_tasks_keep_failing(services):
    """Counted as they come: the swarm keeps but a few of them."""
    one_more = r"n=$(($(cat n) + 1)); echo $n >n; sed -i s/t[0-9]*.w1.Shutdown/t$n\\tw1\\tShutdown/ tasks"
    tasks(services, STARTING, FAILED).put(n="1").meanwhile(one_more)
    done = settle(services, seconds=60)
    assert done.returncode == 1
    assert "1/2 tasks run, its tasks keep failing" in done.stderr
    assert services.got("n") == str(1 + settling.FAILURES), "those of before don't count"


def test_settle_tells_of_the_task_that_is_why_with_node_error_and_output(services):
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
def test_what_a_service_says_is_marked_as_its_own_words_and_made_harmless(services, said, shown):
    services.on("service logs", f"printf '%b\\n' '{said}'")
    told = settle(tasks(services, FAILED)).stderr.splitlines()
    assert told[told.index("  its last lines, in its own words:") + 1] == f"    | {shown}"


def test_an_error_of_a_task_is_one_line_and_made_harmless(services):
    """Its text comes from wherever the task was to start; the format has Go quote it."""
    said = a_task(2, "Shutdown", "Failed 1 second ago", r'"\"starting: \"sh\"\n::error::\x1b[2J##vso[x]\""')
    told = settle(tasks(services, said)).stderr.splitlines()
    assert '  demo_redis.2 on w1: Failed 1 second ago: starting: "sh"\\n::error::\\x1b[2J# #vso[x]' in told
    assert settling.TASK_FIELDS[-1] == '{{printf "%q" .Error}}'


def test_settle_asks_for_no_output_of_a_task_that_was_rejected(services):
    done = settle(tasks(services, REJECTED))
    assert "  demo_redis.2 on w1: Rejected 1 second ago: No such image: redis:9\n" in done.stderr
    assert "last lines" not in done.stderr


def test_settle_tells_why_though_no_output_can_be_had(services):
    done = settle(tasks(services.on("service logs", "exit 1"), FAILED))
    assert done.returncode == 1
    assert "demo_redis.2 on w1" in done.stderr


def test_a_line_runs_its_standard_input_within_its_time(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run = {"input": "echo went; sleep 30", "capture_output": True, "text": True, "check": False}
    done = subprocess.run(["sh", "-c", scripts.line("m1 joins", 1)], **run)
    assert (done.returncode, done.stdout) == (124, "went\n")


def test_a_script_that_runs_out_of_time_says_what_it_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    script = scripts.PRELUDE + 'say "waiting until m1 is Ready"\nwhile :; do sleep 0.1; done'
    run = {"input": script, "capture_output": True, "text": True, "check": False}
    done = subprocess.run(["sh", "-c", scripts.line("m1 joins", 1)], **run)
    assert done.returncode == 124
    assert "no time is left; it went on waiting until m1 is Ready" in done.stderr


def test_no_two_lines_run_on_one_host_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    script = 'flock -n "$HOME" true && echo free || echo taken\n'
    run = {"input": script, "capture_output": True, "text": True, "check": False}
    assert subprocess.run(["sh", "-c", scripts.line("m1 joins", 5)], **run).stdout == "taken\n"


@pytest.mark.parametrize(
    ("declared", "more"),
    [
        ([], 0),
        ([{"replicas": 1}], 0),
        ([{"replicas": 11, "update": Update(delay="10s")}], 10 * (10 + settling.START_SECONDS)),
        ([{"replicas": 11, "update": Update(parallelism=0, delay="1h")}], 0),
        ([{"replicas": 5, "update": Update(parallelism=2, delay="1m")}], 2 * (60 + settling.START_SECONDS)),
        ([{"replicas": None}], 5 * settling.START_SECONDS),
        ([{"replicas": 2}, {"replicas": 3}], 2 * settling.START_SECONDS),
    ],
)
def test_services_get_longer_to_settle_where_their_update_goes_in_rounds(declared, more):
    services = [Service("one", "redis:7.0.15", **parts) for parts in declared]
    assert settling.limit(services, nodes=6, seconds=300) == 300 + more
