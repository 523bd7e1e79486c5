"""What a visit to an address may end in, as values: an expected failure is never raised.

Import these from ``monitor.polling.fetch``, which produces them; they stand apart so that the pure modules of this
package can speak of outcomes without a network library.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from monitor.polling.manners import Link


class FailureKind(StrEnum):
    """Why a visit brought nothing that can be read; the other side may heal, so it is repeated ever more rarely."""

    DNS = "dns"
    """The name does not exist, or no name server answered."""
    REFUSED = "refused"
    """No connection: refused, or no route to the host."""
    RESET = "reset"
    """The connection broke before the whole answer had come; what had come is thrown away."""
    TIMEOUT = "timeout"
    """The visit used up its time, in connecting or over all its redirects and its body."""
    TLS = "tls"
    """No secure connection: certificate expired, self-signed, for another host, or no common protocol."""
    REDIRECT_LOOP = "redirect_loop"
    """A redirect led to an address already seen in this visit."""
    TOO_MANY_REDIRECTS = "too_many_redirects"
    """More redirects than the limit."""
    BAD_REDIRECT = "bad_redirect"
    """A redirect without an address, or to one that cannot be visited."""
    TOO_LARGE = "too_large"
    """More bytes than the limit, as sent or after decompression."""
    BAD_ENCODING = "bad_encoding"
    """A ``Content-Encoding`` that was not asked for, one inside another, or compressed data that is damaged."""
    BAD_HTTP = "bad_http"
    """The answer breaks the HTTP protocol."""
    GONE = "gone"
    """410: the site says that the address has ended for good."""
    NOT_FOUND = "not_found"
    """404: nothing there, now."""
    BLOCKED = "blocked"
    """The site does not want this client: 401, 403, 451, an empty 202, or a firewall's mark. Never evaded."""
    RATE_LIMITED = "rate_limited"
    """429: too many requests; ``retry_after`` says how long to stay away if the site said so."""
    SERVER_ERROR = "server_error"
    """5xx: the site has a fault of its own, or is down for a while."""
    BUSY = "busy"
    """Another part of this service is at the host; nothing was asked."""
    BAD_STATUS = "bad_status"
    """Any other status that brings no document, such as 400."""
    REFUSED_ADDRESS = "refused_address"
    """The address, or all that its name resolves to, is not on the public internet. Never contacted."""
    BAD_URL = "bad_url"
    """Not an address that can be visited."""
    EMPTY = "empty"
    """A success without a body."""
    NOT_A_FEED = "not_a_feed"
    """A body came, but it is no feed (found by the parser; a decoy page, or a page where a feed was)."""
    STRUCTURE_CHANGED = "structure_changed"
    """A page came, but its selectors find nothing in it (found by the page reader)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known about a document that is there, changed or not.

    ``url`` is as asked for, ``final_url`` after redirects. ``permanent_url`` is the final address when every hop
    of the chain was permanent (301, 308) and none led from https to http, else None. ``etag`` and
    ``last_modified`` are what to send with the next visit. ``fresh_for`` is how long the answer says that it
    stays as it is, or None if it says nothing. ``duration_seconds`` counts network time, not waiting for a turn.
    """

    url: str
    final_url: str
    status: int
    etag: str | None
    last_modified: str | None
    fresh_for: timedelta | None
    permanent_url: str | None
    links: tuple[Link, ...]
    duration_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Answer):
    """A document with its whole body, decompressed; ``content_type`` is the header as sent, or empty."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified(Answer):
    """304: the document is as it was when its validators were given."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A visit that brought nothing.

    ``detail`` is in plain words for an editor. ``status`` is the HTTP status, if an answer came.
    ``retry_after`` is how long the site asked to be left alone, at most 24 hours.
    """

    kind: FailureKind
    detail: str
    status: int | None = None
    retry_after: timedelta | None = None
    duration_seconds: float = 0.0


Outcome = Fetched | NotModified | Failed
"""What a visit ends in."""
