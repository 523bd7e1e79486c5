"""Subscribers' own keywords: watches that they alone see, in the query language of docs/query-language.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.core.text import tidy
from monitor.errors import Conflict, NotFound, Refused
from monitor.matching.query import parse_query
from monitor.store import personal
from monitor.store.personal import FoundItem, PersonalHit
from monitor.store.tables import PersonalWatchRow, SubscriberRow
from monitor.subscriptions.preferences import note_change
from monitor.texts import marked as _

MOST_KEYWORDS = 10
MAX_LENGTH = 200
"""Characters of one keyword; a topic's watch may have ten times as many."""

TOO_MANY = _("Ten keywords are the most. Remove one first, or join two with OR.")
TOO_LONG = _("A keyword has 200 characters at most. Make two of it.")
NO_SUCH_KEYWORD = _("You have no such keyword.")
TWICE = _("You have this keyword already.")

_PREVIEWED = timedelta(days=30)
_MOST_READ = 500
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What a keyword would have found lately.

    Attributes:
        since: How far back it was looked, aware UTC.
        found: How many items.
        bounded: Whether only the newest items were read, so that there may be more.
        newest: The newest ones.
    """

    since: datetime
    found: int
    bounded: bool
    newest: tuple[FoundItem, ...]


def checked_keyword(query: str, language: Language) -> str:
    """A keyword as it is kept: on one line, and sure to be understood.

    Raises:
        QueryError: It cannot be understood.
        Refused: It is too long.
    """
    query = tidy(query)
    if len(query) > MAX_LENGTH:
        raise Refused(TOO_LONG)
    parse_query(query, language)
    return query


def add_keyword(
    session: Session, subscriber: SubscriberRow, query: str, language: Language, *, now: datetime
) -> PersonalWatchRow:
    """Give a subscriber a keyword of their own.

    Raises:
        QueryError: It cannot be understood.
        Refused: It is too long.
        Conflict: They have it already, or have as many as they may.
    """
    query = checked_keyword(query, language)
    own = personal.own_watches(session, [subscriber.id or 0])
    if any((row.query, row.language) == (query, language.value) for row in own):
        raise Conflict(TWICE)
    if len(own) >= MOST_KEYWORDS:
        raise Conflict(TOO_MANY)
    row = PersonalWatchRow(subscriber_id=subscriber.id or 0, language=language.value, query=query, created_at=now)
    session.add(row)
    session.flush()
    note_change(session, subscriber, _("added a keyword"), now)
    return row


def remove_keyword(session: Session, subscriber: SubscriberRow, keyword_id: int, *, now: datetime) -> PersonalWatchRow:
    """Take a keyword away from a subscriber; what it brought stays in their digests. The row as it was.

    Raises:
        NotFound: They have no such keyword, whoever else may.
    """
    theirs = select(PersonalWatchRow).where(PersonalWatchRow.subscriber_id == subscriber.id)
    row = session.exec(theirs.where(PersonalWatchRow.id == keyword_id)).one_or_none()
    if row is None:
        raise NotFound(NO_SUCH_KEYWORD)
    session.delete(row)
    note_change(session, subscriber, _("removed a keyword"), now)
    return row


def preview_keyword(session: Session, query: str, language: Language, *, now: datetime) -> Preview:
    """What a keyword would have found in the last weeks.

    Raises:
        QueryError: It cannot be understood.
        Refused: It is too long.
    """
    watch = Watch("preview", "preview", language, checked_keyword(query, language))
    since = now - _PREVIEWED
    hits = list(personal.find_hits(session, [watch], since, limit=_MOST_READ))
    newest = [PersonalHit(item_id, 0, watch.query, hit.evidence) for item_id, hit in hits[:_SHOWN]]
    return Preview(since, len(hits), len(hits) == _MOST_READ, tuple(personal.load_found(session, newest)))
