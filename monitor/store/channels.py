"""Channels: the programs that are told of news, and what each was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from monitor.errors import Conflict, NotFound, Refused
from monitor.store.events import record_event
from monitor.store.tables import ChannelRow, ItemRow, MatchRow, PushRow
from monitor.store.upsert import insert_new
from monitor.store.verdicts import passable
from monitor.store.watchlist import load_topics
from monitor.texts import marked as _

_LOOK_BACK = timedelta(days=7)
"""News that is older is not told any more: a program that was away for longer reads the feed."""


def add_channel(
    session: Session, name: str, url: str, secret: str, topics: Sequence[str], *, actor: str, now: datetime
) -> ChannelRow:
    """Tell a program of the news of some topics from now on; none for all.

    Raises:
        Conflict: There is a channel of this name.
        Refused: There is no such topic.
    """
    if session.exec(select(ChannelRow).where(ChannelRow.name == name)).first():
        raise Conflict(f"there is a channel {name!r} already; see `monitor channel list`")
    known = {topic.id for topic in load_topics(session)}
    if unknown := [topic for topic in topics if topic not in known]:
        raise Refused(f"topic {unknown[0]!r}: there is none such; the topics are {', '.join(sorted(known))}")
    row = ChannelRow(name=name, url=url, secret=secret, topics=list(topics), created_at=now)
    session.add(row)
    session.flush()
    record_event(session, now, actor=actor, action=_("added"), noun="channel", noun_id=name)
    return row


def remove_channel(session: Session, name: str, *, actor: str, now: datetime) -> None:
    """Tell a program nothing more, and forget what it was told.

    Raises:
        NotFound: There is no such channel.
    """
    row = session.exec(select(ChannelRow).where(ChannelRow.name == name)).first()
    if row is None:
        raise NotFound(f"there is no channel {name!r}; see `monitor channel list`")
    session.delete(row)
    record_event(session, now, actor=actor, action=_("removed"), noun="channel", noun_id=name)


def list_channels(session: Session) -> Sequence[ChannelRow]:
    """All channels, by name."""
    return session.exec(select(ChannelRow).order_by(col(ChannelRow.name))).all()


def load_push(session: Session, push_id: int) -> tuple[PushRow, ChannelRow]:
    """What a channel is to be told of, and the channel.

    Raises:
        NotFound: The one or the other is gone.
    """
    found = session.exec(select(PushRow, ChannelRow).join(ChannelRow).where(PushRow.id == push_id)).first()
    if found is None:
        raise NotFound("this channel, or what it was to be told of, does not exist any more")
    return found


def list_pushes(session: Session, *, limit: int) -> Sequence[tuple[PushRow, str]]:
    """What the channels were told last, with each channel's name."""
    query = select(PushRow, ChannelRow.name).join(ChannelRow).order_by(col(PushRow.id).desc()).limit(limit)
    return session.exec(query).all()


def post_news(session: Session, *, hold: bool, domain: str, now: datetime) -> int:
    """Let each channel be told of the news that it was not told of yet; of how much."""
    return sum(_post(session, channel, hold, domain, now) for channel in list_channels(session) if channel.active)


def _post(session: Session, channel: ChannelRow, hold: bool, domain: str, now: datetime) -> int:  # noqa: FBT001
    told: Any = (
        select(PushRow.id).where(PushRow.channel_id == channel.id, col(PushRow.match_id) == col(MatchRow.id)).exists()
    )
    news = (
        select(MatchRow.id)
        .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
        .where(ItemRow.first_seen_at >= max(channel.created_at, now - _LOOK_BACK))
        .where(col(MatchRow.worthy), passable(hold=hold), ~told)
        .order_by(col(MatchRow.id))
    )
    if channel.topics:
        news = news.where(col(MatchRow.topic_id).in_(channel.topics))
    rows = [_row(channel, match_id or 0, domain, now) for match_id in session.exec(news)]
    return insert_new(session, PushRow, rows)


def _row(channel: ChannelRow, match_id: int, domain: str, now: datetime) -> dict[str, Any]:
    return {
        "channel_id": channel.id,
        "match_id": match_id,
        "state": "built",
        "message_id": f"push.{channel.id}.{match_id}@{domain}",
        "subject": "",
        "built_at": now,
        "attempts": 0,
        "next_attempt_at": now,
        "last_error": "",
    }
