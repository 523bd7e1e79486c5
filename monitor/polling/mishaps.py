"""What went wrong on the network, from the errors that tell it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import aiohttp

from monitor.polling.addresses import AddressRefusedError
from monitor.polling.outcomes import Failed, FailureKind
from monitor.texts import marked as _

_LONGEST_CAUSE = 200

_MEANINGS: tuple[tuple[type[BaseException], FailureKind, str], ...] = (
    (AddressRefusedError, FailureKind.REFUSED_ADDRESS, _("the address is not one that may be visited")),
    (ssl.SSLCertVerificationError, FailureKind.TLS, _("the site's certificate is not valid")),
    (ssl.SSLError, FailureKind.TLS, _("no secure connection could be made")),
    (socket.gaierror, FailureKind.DNS, _("the site's name leads to no address")),
    (aiohttp.ClientConnectorDNSError, FailureKind.DNS, _("the site's name leads to no address")),
    (ConnectionRefusedError, FailureKind.REFUSED, _("the site does not accept connections")),
    (TimeoutError, FailureKind.TIMEOUT, _("the site did not answer in full in time")),
    (ConnectionResetError, FailureKind.RESET, _("the connection broke")),
    (aiohttp.ClientPayloadError, FailureKind.RESET, _("the connection ended before the whole answer had come")),
    (aiohttp.ServerDisconnectedError, FailureKind.RESET, _("the site hung up without an answer")),
    (aiohttp.ClientConnectorError, FailureKind.REFUSED, _("no connection to the site could be made")),
    (aiohttp.ClientOSError, FailureKind.RESET, _("the connection broke")),
    (aiohttp.ClientError, FailureKind.BAD_HTTP, _("the site's answer is not proper HTTP")),
    (OSError, FailureKind.REFUSED, _("no connection to the site could be made")),
)
"""What an error stands for; the first line that fits any link of its chain of causes counts, since aiohttp wraps
what matters: a refused address looks like a failed name look-up, an expired certificate like a failed connect."""


def failure_of_error(error: aiohttp.ClientError | OSError) -> Failed:
    """What an error of a request comes to, with the words of its cause."""
    chain = list(_causes(error))[::-1]
    found, kind, words = next(
        (link, kind, words) for fits, kind, words in _MEANINGS for link in chain if isinstance(link, fits)
    )
    clipped = " ".join(_said(found).split())[:_LONGEST_CAUSE]
    return Failed(kind, _("%(problem)s (%(cause)s)", problem=words, cause=clipped) if clipped else words)


def _said(error: BaseException) -> str:
    """An error's own words, without the address that aiohttp repeats in them: it may hold a secret."""
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message
    return str(getattr(error, "verify_message", error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
