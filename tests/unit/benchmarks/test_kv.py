"""What is made of the rates of the stores, and what Redis's answers mean."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks import reports
from benchmarks.kv.__main__ import PAGE
from benchmarks.kv.measuring import MANY, ONE
from benchmarks.kv.report import RATIOS, Ratio, cell, figures
from benchmarks.kv.stores import OPERATIONS, WRITE_CONFIG, WRITE_ETCD, WRITE_LABEL, Redis
from swarm.errors import BenchError

RATES = {
    (operation, clients): [100.0 * clients, 300.0 * clients, 200.0 * clients]
    for operation in OPERATIONS
    for clients in (ONE, MANY)
    if clients == ONE or operation.together
}
RATES[WRITE_CONFIG, ONE] = [50.0, 60.0, 100.0]
LINES = list(figures(RATES, [2000.0, 1000.0, 3000.0], "on a machine"))


@pytest.mark.parametrize(
    ("values", "shown"),
    [([7.6], "8 (8 to 8)"), ([30.0, 10.0, 12.4], "12 (10 to 30)"), ([10.0, 20.0], "15 (10 to 20)")],
    ids=["one round", "an odd number", "an even number"],
)
def test_a_cell_shows_the_median_and_the_range(values: list[float], shown: str) -> None:
    assert cell(values) == shown


def test_the_figures_say_the_rounds_and_where() -> None:
    assert LINES[0].startswith("3 rounds, on a machine.")


def test_every_operation_has_a_line_with_both_numbers_of_clients() -> None:
    assert "| etcd | put a key | 200 (100 to 300) | 1600 (800 to 2400) |" in LINES
    for operation in OPERATIONS:
        assert sum(line.startswith(f"| {operation.store.name} | {operation.words} |") for line in LINES) == 1


def test_what_makes_no_sense_for_many_clients_is_left_empty() -> None:
    assert f"| Swarm | {WRITE_LABEL.words} | 200 (100 to 300) |  |" in LINES


def test_the_disk_has_a_line() -> None:
    assert any(line.startswith("| the disk |") and "2000 (1000 to 3000)" in line for line in LINES)


def test_a_ratio_is_taken_round_by_round() -> None:
    # Of the medians it would be 60 to 200.
    assert Ratio((WRITE_CONFIG, ONE), (WRITE_ETCD, ONE)).rounds(RATES) == [0.5, 0.2, 0.5]
    line = "| Swarm: create a config (1), compared with etcd: put a key (1) | 0.50 | 0.20 | 0.50 |"
    assert line in LINES
    assert len([line for line in LINES if ", compared with " in line]) == len(RATIOS)


def test_the_page_has_a_place_for_the_figures() -> None:
    text = PAGE.read_text()
    assert "\nnew\n" in reports.fill(text, "make bench-kv", "new")


Answering = Callable[[bytes], Path]


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[Answering]:
    """A socket that takes one request, and gives this answer to it."""
    at = tmp_path / "socket"
    threads: list[threading.Thread] = []

    def answer(words: bytes) -> Path:
        server = socket.create_server(str(at), family=socket.AF_UNIX)

        def serve() -> None:
            with server, server.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(words)

        threads.append(threading.Thread(target=serve))
        threads[0].start()
        return at

    yield answer
    for thread in threads:
        thread.join()


def test_answers_of_redis_are_understood(answering: Answering) -> None:
    with Redis(answering(b"+PONG\r\n:3\r\n$4\r\na\r\nb\r\n*2\r\n:1\r\n+x\r\n")) as redis:
        assert redis.ask("one", "two", "three", "four") == ["PONG", 3, "a\r\nb", [1, "x"]]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"-ERR unknown command\r\n", "ERR unknown command"),
        (b"$-1\r\n", r"Redis: \$-1"),
        (b"", "the connection was closed"),
    ],
    ids=["a refusal", "a key that isn't there", "no answer"],
)
def test_it_is_an_error_when_redis_gives(answering: Answering, answer: bytes, said: str) -> None:
    with Redis(answering(answer)) as redis, pytest.raises(BenchError, match=said):
        redis.ask("GET x")


def test_a_write_that_no_replica_has_is_an_error(answering: Answering) -> None:
    with Redis(answering(b"+OK\r\n:0\r\n")) as redis, pytest.raises(BenchError, match="no replica"):
        redis.write_twice("x")
