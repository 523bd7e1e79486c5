"""What the digests of many subscribers hold: the matches of a window are read once for all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from monitor.store.subscribers import topics_of_all
from monitor.store.tables import DigestItemRow, DigestRow, ItemRow, MatchRow, VerdictRow
from monitor.store.verdicts import latest_verdict, passable

LATE_ARRIVALS = timedelta(days=1)
"""How far before its window a digest looks for matches that no earlier digest of the subscriber holds.

An item is stamped with the time at which its poll began, and is visible when the poll commits: one that straddles
the end of a window is missed by that window's digest and must be found by the next.
"""

_IN_BATCH = 500

_Telling = tuple[str, int | None]
"""News of a story under a topic: whoever was told of it is not told again when a twin comes a week later."""


class HeldMatches(NamedTuple):
    """The matches in a digest; ``worthy`` says that one of them is worth one by itself."""

    ids: Sequence[int]
    worthy: bool


class _Found(NamedTuple):
    """A match of the window, with its telling."""

    match_id: int
    worthy: bool
    telling: _Telling


def select_matches(
    session: Session, subscriber_ids: Sequence[int], start: datetime, end: datetime, *, hold: bool = False
) -> Mapping[int, HeldMatches]:
    """The matches that the digests of subscribers for a window hold, by subscriber.

    They are theirs by topic, and were not sent to them before. A match that a reviewer called noise is in no digest.

    Args:
        session: An open transaction.
        subscriber_ids: Whose digests.
        start: Where the window starts, aware.
        end: Where it ends, aware.
        hold: Only what a reviewer has passed. It comes with the digest of the window in which it was passed, so that
            nothing is lost that is reviewed late.
    """
    found = _of_window(session, start, end, hold=hold)
    if not found:
        return {}
    by_topic: dict[str, list[_Found]] = defaultdict(list)
    for row in found:
        by_topic[row.topic_id].append(_Found(row.id, row.worthy, (row.topic_id, row.story_id)))
    sent, held = _sent(session, subscriber_ids, found), {}
    for subscriber_id, topics in topics_of_all(session, subscriber_ids).items():
        theirs = [one for topic in topics for one in by_topic.get(topic, ())]
        if told := sent.get(subscriber_id):
            theirs = [one for one in theirs if one.match_id not in told and one.telling not in told]
        held[subscriber_id] = HeldMatches([one.match_id for one in theirs], any(one.worthy for one in theirs))
    return held


def _of_window(session: Session, start: datetime, end: datetime, *, hold: bool) -> list[Any]:
    columns: Any = (MatchRow.id, MatchRow.topic_id, MatchRow.worthy, ItemRow.story_id, ItemRow.first_seen_at)
    query = select(*columns).join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
    came = latest_verdict(VerdictRow.at) if hold else col(ItemRow.first_seen_at)
    query = query.where(came >= start - LATE_ARRIVALS, came < end, passable(hold=hold))
    return list(session.connection().execute(query))


def _sent(session: Session, subscriber_ids: Sequence[int], found: Sequence[Any]) -> dict[int, set[int | _Telling]]:
    """What each subscriber was sent: the ids of matches, and the tellings of stories."""
    tellings, oldest = _tellings(session, found)
    query: Any = (
        select(DigestRow.subscriber_id, DigestItemRow.match_id)
        .join(DigestItemRow, col(DigestItemRow.digest_id) == col(DigestRow.id))
        # A digest holds nothing that was first seen after its window: the older ones need not be read.
        .where(col(DigestRow.subscriber_id).in_(subscriber_ids), DigestRow.window_end > oldest)
    )
    sent: dict[int, set[int | _Telling]] = defaultdict(set)
    for subscriber_id, match_id in session.connection().execute(query):
        if match_id in tellings:
            sent[subscriber_id] |= {match_id, *tellings[match_id]}
    return sent


def _tellings(session: Session, found: Sequence[Any]) -> tuple[dict[int, tuple[_Telling, ...]], datetime]:
    """The matches that tell what has been found, themselves included, and when the oldest of their items came."""
    stories = {row.story_id for row in found if row.story_id is not None}
    rows = [*found, *_matches_of(session, sorted(stories))]
    tellings: dict[int, tuple[_Telling, ...]] = {
        row.id: () if row.story_id is None else ((row.topic_id, row.story_id),) for row in rows
    }
    return tellings, min(row.first_seen_at for row in rows)


def _matches_of(session: Session, stories: Sequence[int]) -> Iterable[Any]:
    columns: Any = (MatchRow.id, MatchRow.topic_id, ItemRow.story_id, ItemRow.first_seen_at)
    query = select(*columns).join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
    for at in range(0, len(stories), _IN_BATCH):
        yield from session.exec(query.where(col(ItemRow.story_id).in_(stories[at : at + _IN_BATCH])))


def passed_items(session: Session, item_ids: Sequence[int]) -> set[int]:
    """Those of the items of which a reviewer has passed a match."""
    query = select(MatchRow.item_id).where(col(MatchRow.item_id).in_(item_ids))
    return set(session.exec(query.where(passable(hold=True))))
