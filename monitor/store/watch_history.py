"""What watches were before: each version with who made it and when, and the way back to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.errors import Conflict, NotFound
from monitor.store.tables import WatchRow, WatchVersionRow
from monitor.store.watchlist import find_watch, save_watch
from monitor.texts import marked as _


@dataclass(frozen=True, slots=True)
class WatchVersion:
    """A watch as it was from ``at`` on (aware UTC); ``reason`` is empty for an edit."""

    number: int
    language: str
    query: str
    note: str
    active: bool
    actor: str
    at: datetime
    reason: str


def watch_history(session: Session, topic: str, key: str) -> tuple[WatchVersion, ...]:
    """All versions of a watch, the latest first; none where there is no such watch."""
    query = (
        select(WatchVersionRow)
        .join(WatchRow, col(WatchRow.id) == col(WatchVersionRow.watch_id))
        .where(WatchRow.topic_id == topic, WatchRow.key == key)
        .order_by(col(WatchVersionRow.number).desc())
    )
    return tuple(_version(row) for row in session.exec(query))


def check_seen(row: WatchRow | None, seen: int) -> None:
    """Make sure that whoever changes a watch has seen what it is now.

    Raises:
        Conflict: Somebody else has changed the watch since; ``seen`` is the version that was looked at, 0 for none.
    """
    live = row.version if row else 0
    if live != seen:
        raise Conflict(
            _(
                "the watch was changed meanwhile: version %(live)s is live, and you have seen version %(seen)s; "
                "look at what is new, then do it again",
                live=live,
                seen=seen,
            )
        )


def roll_back(session: Session, topic: str, key: str, *, to: int, seen: int, actor: str, now: datetime) -> int:
    """Make an earlier version of a watch live again, as a new version; its number.

    Args:
        session: An open writing transaction.
        topic: The watch's topic.
        key: The watch's key.
        to: The number of the version to go back to.
        seen: The version that whoever asks takes for the live one.
        actor: Who asks.
        now: The present, aware UTC.

    Raises:
        NotFound: There is no such version.
        Conflict: Another version is live than the one seen, or the earlier one says what is live already.
    """
    row = find_watch(session, topic, key)
    wanted = next((version for version in watch_history(session, topic, key) if version.number == to), None)
    if row is None or wanted is None:
        raise NotFound(_("watch %(topic)s/%(key)s has no version %(to)s", topic=topic, key=key, to=to))
    check_seen(row, seen)
    content = (wanted.language, wanted.query, wanted.note)
    if row.active and content == (row.language, row.query, row.note):
        raise Conflict(_("version %(to)s says what is live already", to=to))
    watch = Watch(topic, key, Language(wanted.language), wanted.query, wanted.note)
    return save_watch(session, watch, actor=actor, now=now, reason=f"rolled back to {to}")


def _version(row: WatchVersionRow) -> WatchVersion:
    return WatchVersion(row.number, row.language, row.query, row.note, row.active, row.actor, row.at, row.reason)
