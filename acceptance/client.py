"""A client that asks a page many times a second, to see what becomes of requests while hosts die."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from swarm.waiting import NotYetError, until

BEAT_SECONDS = 0.05
ANSWER_SECONDS = 20  # that a request is given
AT_ONCE = 200  # requests under way, for none waits for another
PATIENCE_SECONDS = 180


@dataclass(frozen=True)
class Answer:
    """What became of a request: the page, or what went wrong; and when, by the monotonic clock."""

    began: float
    ended: float
    page: str = ""
    error: str = ""


@dataclass
class Client:
    """Asks `http://host:port/` every `beat` seconds; `answers` are in the order in which they came."""

    host: str
    port: int = 80
    beat: float = BEAT_SECONDS
    answers: list[Answer] = field(default_factory=list)

    def ask(self) -> None:
        """Asks once."""
        began, page, error = time.monotonic(), "", ""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            page = response.read().decode()
            error = "" if response.status == http.client.OK else f"{response.status} {response.reason}"
        except (OSError, ValueError, http.client.HTTPException) as problem:
            error = repr(problem)
        finally:
            connection.close()
        self.answers.append(Answer(began, time.monotonic(), page, error))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Asks until the end, whatever becomes of the requests before; then every one has its answer."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.beat):
                pool.submit(self.ask)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            beating = threading.Thread(target=beat)
            beating.start()
            try:
                yield
            finally:
                over.set()
                beating.join()

    @property
    def failed(self) -> list[Answer]:
        """The requests without the page."""
        return [one for one in self.answers if one.error]

    def until_pages(self, count: int) -> None:
        """Waits until so many different pages were seen, in all. TimedOutError: fewer in PATIENCE_SECONDS."""

        def seen() -> bool:
            pages = {one.page for one in list(self.answers) if not one.error}
            if len(pages) < count:
                raise NotYetError(f"{len(pages)} different pages")
            return True

        until(f"{count} pages", seen, PATIENCE_SECONDS, BEAT_SECONDS)

    def __str__(self) -> str:
        slowest = max((one.ended - one.began for one in self.answers), default=0)
        return f"{len(self.answers)} requests, {len(self.failed)} failed, the slowest took {slowest:.1f} s"
