"""WebSub (https://www.w3.org/TR/websub/): hubs that push what a feed publishes, so that nobody has to ask for it.

A feed names its hub; we ask the hub to push to an address that nobody can guess; it asks back whether we did, and
from then on it sends what is new, signed with a secret that only the two of us know. The feed is visited as before,
since hubs lose things; a push only makes it known sooner.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from urllib.parse import urlsplit

import structlog
from sqlmodel import Session

from monitor.polling.addresses import check_url
from monitor.polling.fetch import Failed, Fetched, Fetcher
from monitor.polling.intake import take_in_push
from monitor.store import claims, hubs, visits
from monitor.store.engine import Database

log = structlog.get_logger(__name__)

PATH = "/websub/"
"""Where hubs call back; the token follows."""

_WISHED = timedelta(days=10)
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=30)
_METHODS = frozenset(("sha1", "sha256", "sha384", "sha512"))
_LONGEST_CHALLENGE = 2_000
_LEASE = timedelta(minutes=2)


def is_reachable(base_url: str, *, allow_loopback: bool = False) -> bool:
    """Whether a hub outside can reach a service at this address; a name without a dot is of a local network."""
    host = urlsplit(base_url).hostname or ""
    return ("." in host or ":" in host) and not isinstance(check_url(base_url, allow_loopback=allow_loopback), Failed)


async def ask_hub(database: Database, fetcher: Fetcher, hub_id: int, *, base_url: str, now: datetime) -> None:
    """Ask a hub to push, unless somebody has just asked it; its answer comes as a call to ``confirm``."""
    with database.write() as session:
        row = hubs.begin_asking(session, hub_id, now)
    if row is None:
        return
    form = {
        "hub.mode": "subscribe",
        "hub.topic": row.topic,
        "hub.callback": f"{base_url}{PATH}{row.token}",
        "hub.secret": row.secret,
        "hub.lease_seconds": str(int(_WISHED.total_seconds())),
    }
    failed = await fetcher.post(row.hub, form)
    if failed is not None:
        log.info("a hub did not take a request", hub=row.hub, reason=failed.detail)
        with database.write() as session:
            hubs.note_trouble(session, hub_id, failed.detail)


def confirm(session: Session, token: str, asked: Mapping[str, str], now: datetime) -> str | None:
    """Answer a hub that asks whether we did ask it: what to send back, or None where we did not.

    A hub that ends what it pushes is believed as well, since the token proves that it is the hub.

    Args:
        session: An open writing transaction.
        token: The last part of the address that it called.
        asked: Its parameters, ``hub.mode`` and others.
        now: The time of the call, aware UTC.
    """
    row = hubs.find_hub(session, token)
    if row is None or asked.get("hub.topic") != row.topic:
        return None
    match asked.get("hub.mode"):
        case "subscribe" if row.state in {"asked", "active"}:
            challenge = asked.get("hub.challenge", "")
            if not 0 < len(challenge) <= _LONGEST_CHALLENGE:
                return None
            hubs.confirm_hub(session, row, lease=_lease(asked.get("hub.lease_seconds", "")), now=now)
            return challenge
        case "denied":
            hubs.refuse_hub(session, row, asked.get("hub.reason", "")[:500] or "the hub refuses", now)
            return ""
    return None


def _lease(seconds: str) -> timedelta:
    asked = (
        timedelta(seconds=int(seconds)) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else _WISHED
    )
    return min(max(asked, _SHORTEST), _LONGEST)


class Receipt(Enum):
    """What came of a push."""

    UNKNOWN = auto()
    """Nobody asked for it."""
    UNSIGNED = auto()
    """Its signature is missing or wrong: it is ignored, as the standard has it."""
    LATER = auto()
    """The source is just being visited; it is visited again at once."""
    TAKEN = auto()


@dataclass(frozen=True, slots=True)
class Push:
    """A call of a hub that brings something; ``signature`` is its ``X-Hub-Signature``, or empty."""

    body: bytes
    content_type: str
    signature: str


def receive(database: Database, token: str, push: Push, now: datetime) -> Receipt:
    """Take in what a hub pushes.

    Raises:
        DatabaseBusy: Nothing was written; the hub will try again.
    """
    with database.read() as session:
        row = hubs.find_hub(session, token)
    if row is None or row.id is None or row.state != "active":
        return Receipt.UNKNOWN
    if not is_signed(push.body, push.signature, row.secret):
        log.warning("a push without the right signature was ignored", hub=row.hub)
        return Receipt.UNSIGNED
    with database.write() as session:
        hubs.note_push(session, row.id, now)
        claimed = claims.claim_for_push(session, row.source_id, now, lease=_LEASE)
    if not claimed:
        return Receipt.LATER
    with database.read() as session:
        (source,) = visits.load_states(session, [row.source_id])
    report = take_in_push(database, source, _as_fetched(push, source.spec.url), now)
    log.info("a hub pushed", source=source.spec.slug, outcome=report.outcome, new=report.new, changed=report.changed)
    return Receipt.TAKEN


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether a body bears the signature of whoever knows the secret; compared in constant time."""
    method, _, given = signature.partition("=")
    if method not in _METHODS:
        return False
    right = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return hmac.compare_digest(right.encode(), given.lower().encode("utf-8", "replace"))


def _as_fetched(push: Push, url: str) -> Fetched:
    return Fetched(
        url=url,
        final_url=url,
        status=200,
        etag=None,
        last_modified=None,
        fresh_for=None,
        permanent_url=None,
        links=(),
        duration_seconds=0.0,
        body=push.body,
        content_type=push.content_type,
    )
