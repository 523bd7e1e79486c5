"""Drafts of watches: kept beside what is live, shared by the editors, and published as the next version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.errors import Conflict, NotFound
from monitor.matching.query import parse_query
from monitor.matching.topics import check_id
from monitor.store.events import record_event
from monitor.store.tables import WatchDraftRow
from monitor.store.watch_history import check_seen
from monitor.store.watchlist import find_topic, find_watch, save_watch
from monitor.texts import marked as _


@dataclass(frozen=True, slots=True)
class Draft:
    """A watch that waits to be published; ``based_on`` is the version that was live when it was begun, or 0."""

    watch: Watch
    based_on: int
    actor: str
    updated_at: datetime


def save_draft(session: Session, watch: Watch, *, actor: str, now: datetime) -> Draft:
    """Keep a watch as the draft of its topic and key, and give it; a draft that is there already is replaced.

    Raises:
        NotFound: There is no such topic.
        Refused: The key is none.
        QueryError: The query cannot be understood.
    """
    check_id("key", watch.key)
    find_topic(session, watch.topic)
    parse_query(watch.query, watch.language)
    row = _find(session, watch.topic, watch.key)
    if row is None:
        live = find_watch(session, watch.topic, watch.key)
        based_on = live.version if live else 0
        row = WatchDraftRow(
            topic_id=watch.topic,
            key=watch.key,
            language="",
            query="",
            note="",
            based_on=based_on,
            actor="",
            updated_at=now,
        )
    row.language, row.query, row.note = watch.language.value, watch.query, watch.note
    row.actor, row.updated_at = actor, now
    session.add(row)
    _record(session, row, _("drafted"), actor, now)
    return _draft(row)


def find_draft(session: Session, topic: str, key: str) -> Draft | None:
    """The draft of a watch, if there is one."""
    row = _find(session, topic, key)
    return _draft(row) if row else None


def list_drafts(session: Session, topic: str | None = None) -> tuple[Draft, ...]:
    """The drafts of a topic, or all; the latest first."""
    query = select(WatchDraftRow).order_by(col(WatchDraftRow.updated_at).desc(), col(WatchDraftRow.id))
    if topic is not None:
        query = query.where(WatchDraftRow.topic_id == topic)
    return tuple(_draft(row) for row in session.exec(query))


def publish_draft(session: Session, topic: str, key: str, *, seen: int, actor: str, now: datetime) -> int:
    """Make a draft live, as the watch's next version; its number.

    Args:
        session: An open writing transaction.
        topic: The watch's topic.
        key: The watch's key.
        seen: The version that whoever publishes takes for the live one; 0 for none.
        actor: Who publishes.
        now: The present, aware UTC.

    Raises:
        NotFound: There is no draft, or no longer.
        Conflict: Another version is live than the one seen, the topic is retired, or the draft changes nothing.
        QueryError: The query cannot be understood any more.
    """
    row = _load(session, topic, key)
    if not find_topic(session, topic).active:
        raise Conflict(_("topic %(topic)s is retired; make it active again before you publish", topic=topic))
    live = find_watch(session, topic, key)
    check_seen(live, seen)
    watch = _draft(row).watch
    if live and live.active and (live.language, live.query, live.note) == (row.language, row.query, row.note):
        raise Conflict(_("the draft says what is live already; discard it, or change it"))
    parse_query(watch.query, watch.language)
    session.delete(row)
    return save_watch(session, watch, actor=actor, now=now)


def discard_draft(session: Session, topic: str, key: str, *, actor: str, now: datetime) -> Draft:
    """Forget a draft; what it said, so that it can be put back.

    Raises:
        NotFound: There is no draft, or no longer.
    """
    row = _load(session, topic, key)
    session.delete(row)
    _record(session, row, _("discarded the draft of"), actor, now)
    return _draft(row)


def _find(session: Session, topic: str, key: str) -> WatchDraftRow | None:
    query = select(WatchDraftRow).where(WatchDraftRow.topic_id == topic, WatchDraftRow.key == key)
    return session.exec(query).one_or_none()


def _load(session: Session, topic: str, key: str) -> WatchDraftRow:
    row = _find(session, topic, key)
    if row is None:
        raise NotFound(
            _("watch %(topic)s/%(key)s has no draft: it was published or discarded meanwhile", topic=topic, key=key)
        )
    return row


def _record(session: Session, row: WatchDraftRow, action: str, actor: str, now: datetime) -> None:
    noun_id, detail = f"{row.topic_id}/{row.key}", {"language": row.language, "query": row.query, "note": row.note}
    record_event(session, now, actor=actor, action=action, noun="watch", noun_id=noun_id, detail=detail)


def _draft(row: WatchDraftRow) -> Draft:
    watch = Watch(row.topic_id, row.key, Language(row.language), row.query, row.note, row.based_on)
    return Draft(watch, row.based_on, row.actor, row.updated_at)
