"""The sample newsroom's web server: on this machine only, with validators, so that a second visit may get a 304."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Literal, Self

from monitor.core.nouns import SourceSpec
from monitor.newsroom.offices import TROUBLES, Office, read_offices
from monitor.newsroom.pages import Document, documents
from monitor.serving import Server

_NOT_FOUND = Document(404, "text/html", b"<!doctype html><title>Not found</title>")


class Newsroom:
    """Serves the sample newsroom on 127.0.0.1, at a port that is free, while it is entered as a context.

    Args:
        now: The newsroom's present, aware: what ``edit`` publishes is of the last day before it, all else older
            than two days.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._documents: Mapping[str, Document] = {}

    def __enter__(self) -> Self:
        newsroom = self

        class Handler(_Handler):
            def document(self, path: str) -> Document:
                return newsroom._documents.get(path, _NOT_FOUND)

        self._server = Server(("127.0.0.1", 0), Handler)
        self._show(edited=False)
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """The newsroom's address, without a trailing slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def offices(self) -> tuple[Office, ...]:
        """The press offices, with what each release is about and what it only seems to be about."""
        return read_offices()

    @property
    def sources(self) -> tuple[SourceSpec, ...]:
        """What a monitor may poll here: the press offices, and the sources that do not work."""
        working = (office.spec(self.url) for office in self.offices)
        return (*working, *(trouble.spec(self.url) for trouble in TROUBLES))

    @property
    def troubled(self) -> frozenset[str]:
        """The slugs of the sources that do not work."""
        return frozenset(trouble.slug for trouble in TROUBLES)

    @property
    def about(self) -> frozenset[tuple[str, str, str]]:
        """What should be found and be worth a digest: source, release, topic."""
        return self._told("about")

    @property
    def near(self) -> frozenset[tuple[str, str, str]]:
        """What only sounds like the Roadmap, and should not be worth a digest: source, release, topic."""
        return self._told("near")

    def edit(self) -> None:
        """Publish the second state: a release is corrected, and news of the day comes in."""
        self._show(edited=True)

    def _told(self, sense: Literal["about", "near"]) -> frozenset[tuple[str, str, str]]:
        releases = ((office.slug, release) for office in self.offices for release in office.releases)
        return frozenset((slug, release.name, topic) for slug, release in releases for topic in getattr(release, sense))

    def _show(self, *, edited: bool) -> None:
        self._documents = documents(self.url, self._now, edited=edited)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SampleNewsroom"
    sys_version = ""

    def document(self, path: str) -> Document:
        raise NotImplementedError

    def do_GET(self) -> None:
        document = self.document(self.path)
        etag = f'"{sha256(document.body).hexdigest()[:16]}"'
        if document.status == 200 and self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.send_header("ETag", etag)
            self.end_headers()
            return
        self.send_response(document.status)
        if document.status == 200:
            self.send_header("ETag", etag)
        self.send_header("Content-Type", f"{document.content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(document.body)))
        # Some releases carry scripts as a trap; in a browser they shall not run either.
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        self.end_headers()
        self.wfile.write(document.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of http.server
        """Say nothing: the monitor's own log tells each visit."""
