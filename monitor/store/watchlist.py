"""Pillars, topics and watches: rows to values and back."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, Topic, Watch
from monitor.errors import Conflict
from monitor.store.events import record_event
from monitor.store.tables import PillarRow, TopicRow, WatchRow


def load_pillars(session: Session) -> tuple[Pillar, ...]:
    """All pillars, in the Roadmap's order."""
    rows = session.exec(select(PillarRow).order_by(col(PillarRow.position), col(PillarRow.id)))
    return tuple(Pillar(row.id, row.names) for row in rows)


def load_topics(session: Session) -> tuple[Topic, ...]:
    """All active topics with their active watches, in order."""
    watches: dict[str, list[Watch]] = defaultdict(list)
    active = select(WatchRow).where(col(WatchRow.active))
    for row in session.exec(active.order_by(col(WatchRow.position), col(WatchRow.id))):
        watches[row.topic_id].append(_watch(row))
    rows = session.exec(select(TopicRow).where(col(TopicRow.active)).order_by(col(TopicRow.position), col(TopicRow.id)))
    return tuple(
        Topic(row.id, row.pillar_id, row.names, tuple(watches[row.id]), row.threshold, row.needs_neighbours)
        for row in rows
    )


def watchlist_fingerprint(session: Session) -> str:
    """A short text that changes whenever a topic or a watch does; cheap enough to ask before each match."""
    newest, versions, count = session.exec(
        select(func.max(WatchRow.updated_at), func.sum(WatchRow.version), func.count(col(WatchRow.id)))
    ).one()
    topics = session.exec(select(TopicRow.id, TopicRow.threshold, TopicRow.needs_neighbours, TopicRow.active)).all()
    return f"{newest}/{versions}/{count}/{sorted(topics)}"


def save_pillar(session: Session, pillar: Pillar, *, position: int, applied_hash: str = "") -> None:
    """Create or replace a pillar."""
    row = session.get(PillarRow, pillar.id) or PillarRow(id=pillar.id, position=position, names={})
    row.names, row.applied_hash = dict(pillar.names), applied_hash
    session.add(row)
    session.flush()


def delete_pillar(session: Session, pillar_id: str) -> None:
    """Delete a pillar that no topic is in any more.

    Raises:
        Conflict: A topic, retired ones included, still names it.
    """
    if session.exec(select(TopicRow.id).where(TopicRow.pillar_id == pillar_id).limit(1)).first():
        raise Conflict(f"pillar {pillar_id} still has topics; keep it in the file, or move them first")
    session.connection().execute(delete(PillarRow).where(col(PillarRow.id) == pillar_id))


def save_topic(session: Session, topic: Topic, *, position: int, applied_hash: str = "") -> None:
    """Create or replace a topic, without its watches."""
    row = session.get(TopicRow, topic.id) or TopicRow(
        id=topic.id, pillar_id=topic.pillar, position=position, names={}, threshold=0, needs_neighbours=False
    )
    row.pillar_id, row.names, row.active = topic.pillar, dict(topic.names), True
    row.threshold, row.needs_neighbours, row.applied_hash = topic.threshold, topic.needs_neighbours, applied_hash
    session.add(row)
    session.flush()


def save_watch(
    session: Session, watch: Watch, *, position: int, actor: str, now: datetime, applied_hash: str = ""
) -> None:
    """Create a watch, or replace it with its next version."""
    row = find_watch(session, watch.topic, watch.key)
    if row is None:
        row = WatchRow(
            topic_id=watch.topic, key=watch.key, position=position, language="", query="", note="", updated_at=now
        )
    else:
        row.version += 1
    row.language, row.query, row.note = watch.language.value, watch.query, watch.note
    row.active, row.updated_at, row.applied_hash = True, now, applied_hash
    session.add(row)
    session.flush()
    detail = {"version": row.version, "language": row.language, "query": row.query, "note": row.note}
    record_event(
        session, now, actor=actor, action="saved", noun="watch", noun_id=f"{watch.topic}/{watch.key}", detail=detail
    )


def retire_watch(session: Session, topic: str, key: str, *, actor: str, now: datetime) -> None:
    """Switch a watch off; its matches and its history stay."""
    row = find_watch(session, topic, key)
    if row is None or not row.active:
        return
    row.active, row.updated_at, row.applied_hash = False, now, ""
    row.version += 1
    session.add(row)
    record_event(session, now, actor=actor, action="retired", noun="watch", noun_id=f"{topic}/{key}")


def retire_topic(session: Session, topic: str, *, actor: str, now: datetime) -> None:
    """Switch a topic off, with its watches; its matches stay in the log."""
    row = session.get(TopicRow, topic)
    if row is None or not row.active:
        return
    row.active, row.applied_hash = False, ""
    session.add(row)
    for watch in session.exec(select(WatchRow).where(WatchRow.topic_id == topic)).all():
        retire_watch(session, topic, watch.key, actor=actor, now=now)
    record_event(session, now, actor=actor, action="retired", noun="topic", noun_id=topic)


def find_watch(session: Session, topic: str, key: str) -> WatchRow | None:
    """The row of a watch, active or not."""
    return session.exec(select(WatchRow).where(WatchRow.topic_id == topic, WatchRow.key == key)).one_or_none()


def _watch(row: WatchRow) -> Watch:
    return Watch(row.topic_id, row.key, Language(row.language), row.query, row.note, row.version)
