"""The watchlist as an editor looks at it: retired topics and watches included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.store.tables import TopicRow, WatchDraftRow, WatchRow


@dataclass(frozen=True, slots=True)
class ListedTopic:
    """A topic with how many active watches and drafts it has."""

    id: str
    pillar: str
    names: Mapping[str, str]
    threshold: float
    active: bool
    watches: int
    drafts: int


def list_topics(session: Session) -> tuple[ListedTopic, ...]:
    """All topics, in order."""
    active = select(WatchRow.topic_id, func.count()).where(col(WatchRow.active)).group_by(col(WatchRow.topic_id))
    drafts = select(WatchDraftRow.topic_id, func.count()).group_by(col(WatchDraftRow.topic_id))
    watches, drafted = (dict(session.exec(query).all()) for query in (active, drafts))
    rows = session.exec(select(TopicRow).order_by(col(TopicRow.position), col(TopicRow.id)))
    return tuple(
        ListedTopic(
            row.id,
            row.pillar_id,
            row.names,
            row.threshold,
            row.active,
            watches.get(row.id, 0),
            drafted.get(row.id, 0),
        )
        for row in rows
    )


def list_watches(session: Session, topic: str) -> Sequence[WatchRow]:
    """The watches of a topic, in order, retired ones last."""
    query = select(WatchRow).where(WatchRow.topic_id == topic)
    return session.exec(query.order_by(col(WatchRow.active).desc(), col(WatchRow.position), col(WatchRow.id))).all()
