"""Pillars, topics and watches: rows to values and back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, Topic, Watch
from monitor.errors import Conflict, NotFound
from monitor.store.events import record_event
from monitor.store.tables import EventRow, PillarRow, TopicRow, WatchRow, WatchVersionRow
from monitor.texts import marked as _

T = TypeVar("T", Pillar, Topic)

NO_SUCH_TOPIC = _("There is no such topic.")
NO_SUCH_PILLAR = _("There is no such priority.")


def load_pillars(session: Session) -> tuple[Pillar, ...]:
    """All pillars, in the Roadmap's order."""
    columns: Any = (PillarRow.id, PillarRow.names)
    rows = session.exec(select(*columns).order_by(col(PillarRow.position), col(PillarRow.id)))
    return tuple(Pillar(row.id, row.names) for row in rows)


def load_topics(session: Session) -> tuple[Topic, ...]:
    """All active topics in order, without their watches: pages name topics, and may cost no reading of thousands."""
    columns: Any = (TopicRow.id, TopicRow.pillar_id, TopicRow.names, TopicRow.threshold, TopicRow.needs_neighbours)
    query = select(*columns).where(col(TopicRow.active)).order_by(col(TopicRow.position), col(TopicRow.id))
    return tuple(
        Topic(row.id, row.pillar_id, row.names, (), row.threshold, row.needs_neighbours) for row in session.exec(query)
    )


def topic_names(session: Session, language: Language) -> dict[str, str]:
    """The name of each active topic in a language, by its id, in order."""
    return {topic.id: topic.names[language] for topic in load_topics(session)}


def load_topic(session: Session, topic_id: str) -> Topic:
    """An active topic, without its watches.

    Raises:
        NotFound: There is no such topic, or it is retired.
    """
    return _named(load_topics(session), topic_id, NO_SUCH_TOPIC)


def load_pillar(session: Session, pillar_id: str) -> Pillar:
    """A pillar.

    Raises:
        NotFound: There is no such pillar.
    """
    return _named(load_pillars(session), pillar_id, NO_SUCH_PILLAR)


def _named(things: Iterable[T], wanted: str, otherwise: str) -> T:
    for thing in things:
        if thing.id == wanted:
            return thing
    raise NotFound(otherwise)


def load_watchlist(session: Session) -> tuple[Topic, ...]:
    """All active topics with their active watches, in order."""
    watches: dict[str, list[Watch]] = defaultdict(list)
    columns: Any = (WatchRow.topic_id, WatchRow.key, WatchRow.language, WatchRow.query, WatchRow.note, WatchRow.version)
    query = select(*columns).where(col(WatchRow.active)).order_by(col(WatchRow.position), col(WatchRow.id))
    for topic, key, language, *rest in session.exec(query):
        watches[topic].append(Watch(topic, key, Language(language), *rest))
    return tuple(replace(topic, watches=tuple(watches[topic.id])) for topic in load_topics(session))


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
        raise Conflict(
            _("pillar %(pillar_id)s still has topics; keep it in the file, or move them first", pillar_id=pillar_id)
        )
    session.connection().execute(delete(PillarRow).where(col(PillarRow.id) == pillar_id))


def save_topic(
    session: Session,
    topic: Topic,
    *,
    actor: str,
    now: datetime,
    position: int | None = None,
    applied_hash: str | None = None,
) -> None:
    """Create or replace a topic, without its watches; see ``save_watch`` for position and ``applied_hash``."""
    row = session.get(TopicRow, topic.id) or TopicRow(
        id=topic.id,
        pillar_id=topic.pillar,
        position=_next_position(session, TopicRow.position) if position is None else position,
        names={},
        threshold=0,
        needs_neighbours=False,
    )
    row.pillar_id, row.names, row.active = topic.pillar, dict(topic.names), True
    row.threshold, row.needs_neighbours = topic.threshold, topic.needs_neighbours
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    session.add(row)
    session.flush()
    detail = {"names": row.names, "threshold": row.threshold, "needs_neighbours": row.needs_neighbours}
    record_event(session, now, actor=actor, action=_("saved"), noun="topic", noun_id=topic.id, detail=detail)


def save_watch(
    session: Session,
    watch: Watch,
    *,
    actor: str,
    now: datetime,
    position: int | None = None,
    applied_hash: str | None = None,
    reason: str = "",
) -> int:
    """Create a watch, or replace it with its next version; the version's number.

    Args:
        session: An open writing transaction.
        watch: The watch as it shall be; its own version does not count.
        actor: Who does it.
        now: The time of the change, aware UTC.
        position: Where a new watch stands among those of its topic; the last where left out.
        applied_hash: The config file's content that this is; where left out, an edit in the product, the one applied
            before is kept, so that the file is known to differ.
        reason: What the history says beside the version.
    """
    row = find_watch(session, watch.topic, watch.key)
    if row is None:
        place = _next_position(session, WatchRow.position) if position is None else position
        row = WatchRow(
            topic_id=watch.topic, key=watch.key, position=place, language="", query="", note="", updated_at=now
        )
    else:
        row.version += 1
    row.language, row.query, row.note = watch.language.value, watch.query, watch.note
    row.active, row.updated_at = True, now
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    _keep(session, row, actor=actor, now=now, action=_("saved"), reason=reason)
    return row.version


def retire_watch(
    session: Session, topic: str, key: str, *, actor: str, now: datetime, applied_hash: str | None = None
) -> None:
    """Switch a watch off, unless it is; its matches and its history stay.

    Raises:
        NotFound: There is no such watch.
    """
    row = load_watch(session, topic, key)
    if not row.active:
        return
    row.active, row.updated_at = False, now
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    row.version += 1
    _keep(session, row, actor=actor, now=now, action=_("retired"), reason="retired")


def retire_topic(session: Session, topic: str, *, actor: str, now: datetime, applied_hash: str | None = None) -> None:
    """Switch a topic off with its watches, unless it is; its matches stay in the log.

    Raises:
        NotFound: There is no such topic.
    """
    row = find_topic(session, topic)
    if not row.active:
        return
    row.active = False
    row.applied_hash = row.applied_hash if applied_hash is None else applied_hash
    session.add(row)
    for watch in session.exec(select(WatchRow).where(WatchRow.topic_id == topic)).all():
        retire_watch(session, topic, watch.key, actor=actor, now=now, applied_hash=applied_hash)
    record_event(session, now, actor=actor, action=_("retired"), noun="topic", noun_id=topic)


def restore_topic(session: Session, topic: str, *, actor: str, now: datetime) -> int:
    """Switch a retired topic on again, with the watches that were retired in the same moment; how many these are.

    Raises:
        NotFound: There is no such topic.
        Conflict: It is active.
    """
    row = find_topic(session, topic)
    if row.active:
        raise Conflict(_("topic %(topic)s is active already", topic=topic))
    row.active = True
    session.add(row)
    when = select(func.max(EventRow.at)).where(
        EventRow.noun == "topic", EventRow.noun_id == topic, EventRow.action == "retired"
    )
    retired = select(WatchRow).where(
        WatchRow.topic_id == topic, ~col(WatchRow.active), WatchRow.updated_at == when.scalar_subquery()
    )
    watches = session.exec(retired.order_by(col(WatchRow.position))).all()
    for watch in watches:
        save_watch(session, _watch(watch), actor=actor, now=now, reason="restored")
    record_event(session, now, actor=actor, action=_("restored"), noun="topic", noun_id=topic)
    return len(watches)


def find_watch(session: Session, topic: str, key: str) -> WatchRow | None:
    """The row of a watch, active or not."""
    return session.exec(select(WatchRow).where(WatchRow.topic_id == topic, WatchRow.key == key)).one_or_none()


def load_watch(session: Session, topic: str, key: str) -> WatchRow:
    """The row of a watch, active or not.

    Raises:
        NotFound: There is no such watch.
    """
    row = find_watch(session, topic, key)
    if row is None:
        raise NotFound(_("watch %(topic)s/%(key)s: no such watch", topic=topic, key=key))
    return row


def find_topic(session: Session, topic: str) -> TopicRow:
    """The row of a topic, active or not.

    Raises:
        NotFound: There is no such topic.
    """
    row = session.get(TopicRow, topic)
    if row is None:
        raise NotFound(_("topic %(topic)s: no such topic", topic=repr(topic)))
    return row


def _keep(session: Session, row: WatchRow, *, actor: str, now: datetime, action: str, reason: str) -> None:
    """Write a watch with its place in the history and in the audit trail."""
    session.add(row)
    session.flush()
    content: dict[str, Any] = {"language": row.language, "query": row.query, "note": row.note}
    version = WatchVersionRow(
        watch_id=row.id or 0, number=row.version, active=row.active, actor=actor, at=now, reason=reason, **content
    )
    session.add(version)
    session.flush()
    noun_id, detail = f"{row.topic_id}/{row.key}", {"version": row.version, "reason": reason, **content}
    record_event(session, now, actor=actor, action=action, noun="watch", noun_id=noun_id, detail=detail)


def _next_position(session: Session, positions: int) -> int:
    return (session.exec(select(func.max(positions))).one() or 0) + 1


def _watch(row: WatchRow) -> Watch:
    return Watch(row.topic_id, row.key, Language(row.language), row.query, row.note, row.version)
