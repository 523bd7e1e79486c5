"""What an answer holds, before the store is asked: no change, drafts of entries, or a named failure (pure).

The order of work is what makes polling cheap: a 304 ends it, then the hash of the body does, and a body that is read
gives drafts, of which only those that the store does not know come to have their text read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from monitor.core.nouns import SourceKind, SourceSpec
from monitor.polling.fetch import Failed, FailureKind, Fetched, NotModified, Outcome
from monitor.polling.manners import linked
from monitor.polling.pace import Hints
from monitor.polling.pages import ParsedPage, StructureChanged, parse_page
from monitor.polling.parse import Draft, NotAFeed, ParsedFeed, Recall, parse_feed
from monitor.polling.ttl import Asked
from monitor.store.visits import SourceState
from monitor.texts import joined
from monitor.texts import marked as _

UNCHANGED = "unchanged"
READ = "read"


@dataclass(frozen=True, slots=True)
class HubOffer:
    """A hub that pushes what a feed publishes, and under which address it knows the feed."""

    hub: str
    topic: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer holds.

    ``outcome`` is ``read``, ``unchanged`` or the value of a ``FailureKind``; ``detail`` is in plain words.
    ``seen`` are the keys of entries that are written as they were before; for them there are no drafts.
    """

    outcome: str
    detail: str = ""
    drafts: tuple[Draft, ...] = ()
    seen: tuple[str, ...] = ()
    body_hash: str | None = None
    body_bytes: int = 0
    hints: Hints = field(default_factory=Hints)
    hub: HubOffer | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all entries."""
        return (*self.seen, *(draft.key for draft in self.drafts))

    @property
    def failed(self) -> bool:
        """Whether the visit brought nothing that could be read."""
        return self.outcome not in {READ, UNCHANGED}


def read(source: SourceState, outcome: Outcome, now: datetime, *, recall: Recall | None = None) -> Reading:
    """Read an answer.

    Args:
        source: The source, as it was before the visit.
        outcome: How the visit ended.
        now: When it ended, aware UTC.
        recall: What is known of a feed's entries, so that they need not be read; nothing where it is left out.
    """
    match outcome:
        case Failed():
            return Reading(outcome.kind.value, outcome.detail, hints=Hints(retry_after=outcome.retry_after))
        case NotModified():
            hints = Hints(fresh_for=outcome.fresh_for, asked=asked_from(source.asked))
            return Reading(UNCHANGED, body_hash=source.body_hash, hints=hints)
        case Fetched():
            return _read_body(source, outcome, now, recall)


def is_unchanged(source: SourceState, fetched: Fetched) -> bool:
    """Whether a document is, byte for byte, the one of the last visit."""
    return _hash(fetched) == source.body_hash


def _hash(fetched: Fetched) -> str:
    return hashlib.sha256(fetched.body).hexdigest()


def _read_body(source: SourceState, fetched: Fetched, now: datetime, recall: Recall | None) -> Reading:
    body_hash, size = _hash(fetched), len(fetched.body)
    if body_hash == source.body_hash:
        hints = Hints(fresh_for=fetched.fresh_for, asked=asked_from(source.asked))
        return Reading(UNCHANGED, body_hash=body_hash, body_bytes=size, hints=hints)
    if source.spec.kind is SourceKind.PAGE:
        return _read_page(source, fetched, body_hash, now)
    parsed = parse_feed(
        fetched.body,
        url=fetched.final_url,
        content_type=fetched.content_type,
        language=source.spec.language,
        now=now,
        recall=recall or (lambda _count: {}),
    )
    if isinstance(parsed, NotAFeed):
        found = _("the page names %(feeds)s", feeds=", ".join(parsed.feeds_found)) if parsed.feeds_found else ""
        return Reading(FailureKind.NOT_A_FEED.value, joined(parsed.detail, found), body_bytes=size)
    asked = Asked(parsed.ttl, parsed.skip_hours, parsed.skip_days)
    hints = Hints(fresh_for=fetched.fresh_for, asked=asked)
    offer = _hub_offer(parsed, fetched)
    return Reading(READ, joined(*parsed.warnings), parsed.drafts, parsed.seen, body_hash, size, hints, offer)


def _hub_offer(parsed: ParsedFeed, fetched: Fetched) -> HubOffer | None:
    """The hub that the feed names, else the one in the headers; the feed's own address is found alike."""
    hub = parsed.hub or linked(fetched.links, "hub")
    topic = parsed.self_url or linked(fetched.links, "self") or fetched.final_url
    return HubOffer(hub, topic) if hub else None


def parse_listing(spec: SourceSpec, fetched: Fetched, now: datetime) -> ParsedPage | StructureChanged:
    """Read a page of the list of a source without a feed."""
    return parse_page(
        fetched.body,
        url=fetched.final_url,
        selectors=spec.selectors,
        content_type=fetched.content_type,
        language=spec.language,
        now=now,
    )


def _read_page(source: SourceState, fetched: Fetched, body_hash: str, now: datetime) -> Reading:
    parsed, size = parse_listing(source.spec, fetched, now), len(fetched.body)
    if isinstance(parsed, StructureChanged):
        return Reading(FailureKind.STRUCTURE_CHANGED.value, parsed.detail, body_bytes=size)
    hints = Hints(fresh_for=fetched.fresh_for)
    return Reading(READ, joined(*parsed.warnings), parsed.drafts, (), body_hash, size, hints)


def asked_from(stored: Mapping[str, Any]) -> Asked:
    """What a feed asked for, as its source's row keeps it."""
    if not stored:
        return Asked()
    seconds, hours, days = stored["ttl"], stored["skip_hours"], stored["skip_days"]
    return Asked(None if seconds is None else timedelta(seconds=seconds), frozenset(hours), frozenset(days))


def asked_to_store(asked: Asked) -> dict[str, Any]:
    """What a feed asks for, for its source's row; empty where it asks for nothing."""
    if asked == Asked():
        return {}
    seconds = None if asked.ttl is None else asked.ttl.total_seconds()
    return {"ttl": seconds, "skip_hours": sorted(asked.skip_hours), "skip_days": sorted(asked.skip_days)}
