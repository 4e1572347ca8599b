"""The client that keeps asking, on a page of this machine."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from acceptance import client
from acceptance.client import Client


@pytest.fixture
def page() -> Iterator[tuple[type[Any], int]]:
    """A page whose status and text are what was put there; its port."""

    class Page(BaseHTTPRequestHandler):
        status, text = 200, "one"

        def do_GET(self) -> None:
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(self.text.encode())

        def log_message(self, *_: str) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield Page, server.server_port
        server.shutdown()
        serving.join()


def test_it_asks_until_it_has_seen_what_it_waits_for(page: tuple[type[Any], int]) -> None:
    pages, port = page
    one = Client("127.0.0.1", port)
    with one.asking():
        one.until_pages(1)
        pages.text = "another"
        one.until_pages(2)
    assert not one.failed
    assert {answer.page for answer in one.answers} == {"one", "another"}


def test_what_isn_t_the_page_is_a_failure_and_is_no_end(page: tuple[type[Any], int]) -> None:
    pages, port = page
    one, nobody = Client("127.0.0.1", port), Client("127.0.0.1", 1)
    pages.status = 502
    one.ask()
    pages.status = 200
    one.ask()
    nobody.ask()
    assert [answer.error for answer in one.answers] == ["502 Bad Gateway", ""]
    assert "ConnectionRefusedError" in nobody.failed[0].error
    assert str(one).startswith("2 requests, 1 failed, the slowest took 0.")


def test_it_says_what_it_has_seen_when_it_waits_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.01)
    with pytest.raises(TimeoutError, match="0 different pages"):
        Client("127.0.0.1", 1).until_pages(1)
