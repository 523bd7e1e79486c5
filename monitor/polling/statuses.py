"""What an HTTP answer without a document means; a pure reading of its status and headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from monitor.polling.manners import retry_after
from monitor.polling.outcomes import Failed, FailureKind
from monitor.texts import marked as _

_FIREWALL_MARKS = ("cf-mitigated", "x-amzn-waf-action", "x-sucuri-block")
"""Headers with which Cloudflare, AWS WAF and Sucuri mark a challenge or a refusal; its status may be any, even 202."""

_MEANINGS = {
    401: (FailureKind.BLOCKED, _("the site asks for a password")),
    403: (FailureKind.BLOCKED, _("the site refuses this service")),
    404: (FailureKind.NOT_FOUND, _("there is nothing at this address")),
    408: (FailureKind.TIMEOUT, _("the site gave up waiting")),
    410: (FailureKind.GONE, _("the site says that this address has ended for good")),
    429: (FailureKind.RATE_LIMITED, _("the site says that it was asked too often")),
    451: (FailureKind.BLOCKED, _("the site may not show this for legal reasons")),
    503: (FailureKind.SERVER_ERROR, _("the site is not available for now")),
}


def failure_of(status: int, headers: Mapping[str, str], now: datetime) -> Failed | None:
    """Why an answer brings no document, or None if its body is worth reading.

    Args:
        status: The HTTP status; not a redirect, and not a 304 that was asked for.
        headers: The answer's headers, found whatever their case.
        now: Aware time of the answer.
    """
    mark = next((name for name in _FIREWALL_MARKS if name in headers), None)
    if mark is not None:
        kind, detail = FailureKind.BLOCKED, _("a firewall stands before the site (%(mark)s)", mark=mark)
    elif status in {200, 202, 203}:
        return None
    elif status in _MEANINGS:
        kind, detail = _MEANINGS[status]
    elif status in {204, 205}:
        kind, detail = FailureKind.EMPTY, _("the site answered without a document")
    elif status >= 500:
        kind, detail = FailureKind.SERVER_ERROR, _("the site has a fault of its own")
    else:
        kind, detail = FailureKind.BAD_STATUS, _("the site gave an answer that brings no document")
    return Failed(
        kind,
        _("%(problem)s (HTTP %(status)s)", problem=detail, status=status),
        status,
        retry_after(headers.get("Retry-After"), now),
    )


def failure_of_empty_body(status: int) -> Failed:
    """What a success without a single byte means: 202 is how firewalls fob off a client that they distrust."""
    if status == 202:
        return Failed(FailureKind.BLOCKED, _("the site refuses this service (HTTP 202 and an empty page)"), status)
    return Failed(FailureKind.EMPTY, _("the site answered with an empty page (HTTP %(status)s)", status=status), status)


def refusal_of_form(status: int, headers: Mapping[str, str], now: datetime) -> Failed | None:
    """Why a form was not accepted, or None where it was. Arguments are those of ``failure_of``."""
    if 200 <= status < 300:
        return None
    failed = failure_of(status, headers, now)
    return failed or Failed(
        FailureKind.BAD_STATUS, _("the site did not accept the request (HTTP %(status)s)", status=status), status
    )
