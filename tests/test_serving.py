"""The small server: a caller that goes away is no fault of ours, a fault of ours is told."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest

from monitor.serving import Server


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/fault":
            raise ValueError("a mistake")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def reset(port: int) -> None:
    """Connect, and break the connection off as a process does that is killed."""
    with socket.create_connection(("127.0.0.1", port)) as caller:
        caller.send(b"GET / HT")
        time.sleep(0.05)  # it is taken, and waited for
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def get(port: int, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        assert answer.status == 204


def test_a_caller_that_goes_away_leaves_no_trace(capfd: pytest.CaptureFixture[str]) -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        reset(server.server_port)
        get(server.server_port, "/")
        time.sleep(0.05)
    assert capfd.readouterr().err == ""


def test_a_fault_is_told_with_where_it_happened(capfd: pytest.CaptureFixture[str]) -> None:
    with Server(("127.0.0.1", 0), Handler) as server, contextlib.suppress(urllib.error.URLError, ConnectionError):
        get(server.server_port, "/fault")
    assert "ValueError: a mistake" in capfd.readouterr().err


def test_it_stops_answering_when_it_is_left() -> None:
    with Server(("127.0.0.1", 0), Handler) as server:
        get(server.server_port, "/")
    with pytest.raises(urllib.error.URLError):
        get(server.server_port, "/")
