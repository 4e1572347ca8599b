"""A Docker Engine's socket: HTTP/1.1 for the real Docker client, and what a test does to it."""

from __future__ import annotations

import contextlib
import fnmatch
import http.server
import json
import re
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.fakes import shapes
from tests.fakes.api import Answer, Request

# What an engine makes of a request: its answer; None while it keeps silent.
Answering = Callable[[Request], Answer | None]


class Socket(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """One engine's socket. `changed` is notified when a silent engine may have found its tongue."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, path: Path, host: str, answering: Answering, changed: threading.Condition) -> None:
        self.path, self.host, self.answering, self.changed = path, host, answering, changed
        self.closed = False
        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Ends it, and whoever waits at it."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        self.shutdown()
        self.server_close()
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, on which requests follow each other."""

    protocol_version = "HTTP/1.1"
    server: Socket

    def _answer(self) -> None:
        request = self._request()
        with self.server.changed:
            while (answer := self.server.answering(request)) is None:
                self.server.changed.wait(1)
                if self.server.closed or self._gone():
                    self.close_connection = True
                    return
            request.status = answer[0]
        request.size = self._send(*answer)

    do_GET = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 (as http.server calls them)

    def _request(self) -> Request:
        address = urlsplit(self.path)
        path = re.sub(r"^/v1\.\d+(?=/)", "", unquote(address.path))
        length = int(self.headers.get("Content-Length") or 0)
        text = self.rfile.read(length)
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        return Request(self.server.host, self.command, path, query, json.loads(text) if text else None)

    def _gone(self) -> bool:
        """Whether the client has hung up; one that only said that it has no more to ask hasn't."""
        with contextlib.suppress(OSError):
            self.connection.send(b"", socket.MSG_DONTWAIT)
            return False
        return True

    def _send(self, status: int, body: Any) -> int:
        text = "" if body is None else json.dumps(body)
        data = b"OK" if self.path.endswith("/_ping") else text.encode()
        self.send_response(status)
        self.send_header("Api-Version", shapes.API_VERSION)
        self.send_header("Ostype", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(b"" if self.command == "HEAD" else data)
        return len(data)

    def log_message(self, *_: Any) -> None:
        """Requests are recorded."""


class Moods:
    """What a test has told one engine: requests that it takes and never answers, answers of the test's own.
    Requests are named `GET /nodes`; `*` stands for anything."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.told: dict[str, Answer] = {}
        self.events: dict[str, list[Callable[[], object]]] = {}

    def happen(self, request: Request) -> None:
        """What is to happen when such a request comes in, the next time another."""
        for pattern, events in self.events.items():
            if events and fnmatch.fnmatch(request.name, pattern):
                events.pop(0)()

    def about(self, request: Request) -> Answer | bool:
        """The answer that was told; else whether there is to be one."""
        for pattern, answer in self.told.items():
            if fnmatch.fnmatch(request.name, pattern):
                return answer
        return not any(fnmatch.fnmatch(request.name, pattern) for pattern in self.silent)
