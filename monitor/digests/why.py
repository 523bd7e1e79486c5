"""Why an item did, or did not, come to a subscriber: told from the ledger, the matches and the calendar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any

from sqlmodel import Session, col, select

from monitor import translations
from monitor.core.ids import read_id
from monitor.core.languages import Language
from monitor.digests.build import next_digest, window_start
from monitor.errors import NotFound
from monitor.store.holdings import LATE_ARRIVALS
from monitor.store.subscribers import topics_of
from monitor.store.tables import (
    DigestItemRow,
    DigestPersonalRow,
    DigestRow,
    ItemRow,
    MatchRow,
    SubscriberRow,
)
from monitor.store.verdicts import NOISE, PASSED
from monitor.texts import marked as _


class Cause(Enum):
    """What can be said of an item and a subscriber."""

    SENT = auto()
    SENT_FOR_KEYWORD = auto()
    UNSENT = auto()
    TOLD_BEFORE = auto()
    UNMATCHED = auto()
    NO_TOPIC = auto()
    NOT_FOLLOWED = auto()
    LOST = auto()
    NOISE = auto()
    HELD = auto()
    PASSING = auto()
    EARLIER = auto()
    WAITS = auto()


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is true of an item and a subscriber.

    Attributes:
        cause: What.
        values: What its sentence names: a topic's id, a day, terms.
        digest_id: The digest that it is about, if it is about one.
    """

    cause: Cause
    values: Mapping[str, Any] = field(default_factory=dict)
    digest_id: int | None = None


_SENTENCES: Mapping[Cause, str] = {
    Cause.SENT: _("It was in your digest of %(day)s under %(topic)s."),
    Cause.SENT_FOR_KEYWORD: _("It was in your digest of %(day)s for your keyword %(query)s."),
    Cause.UNSENT: _("It is in your digest of %(day)s, which has not gone out."),
    Cause.TOLD_BEFORE: _("Your digest of %(day)s told the same news from another source under %(topic)s."),
    Cause.UNMATCHED: _("It has come in and has not been matched with the topics yet."),
    Cause.NO_TOPIC: _("No topic’s watch finds it."),
    Cause.NOT_FOLLOWED: _("It belongs to %(topic)s, which you do not follow."),
    Cause.LOST: _("The watches of %(topic)s do not find it any more."),
    Cause.NOISE: _("A reviewer found that it does not belong to %(topic)s."),
    Cause.HELD: _("It belongs to %(topic)s and waits for a reviewer."),
    Cause.PASSING: _("It names %(topic)s only in passing; that alone makes no digest."),
    Cause.EARLIER: _("It was found on %(day)s, before the time that your digests cover."),
    Cause.WAITS: _("It belongs to %(topic)s and comes with your digest of %(day)s."),
}


def find_item(session: Session, wanted: str) -> ItemRow:
    """The item with this address, or this number.

    Raises:
        NotFound: No source has published it, as far as we know.
    """
    found = None
    if item_id := read_id(wanted):
        found = session.get(ItemRow, item_id)
    if found is None:
        found = session.exec(select(ItemRow).where(ItemRow.url == wanted).order_by(col(ItemRow.id)).limit(1)).first()
    if found is None:
        raise NotFound(_("This publication was not found at any source that is watched."))
    return found


def explain(
    session: Session, subscriber: SubscriberRow, item: ItemRow, now: datetime, *, hold: bool = False
) -> list[Reason]:
    """Why an item did, or did not, come to a subscriber; where it was sent, only that.

    Args:
        session: An open transaction.
        subscriber: Whose digests.
        item: The item.
        now: The present, aware UTC.
        hold: Whether digests carry only what a reviewer has passed.
    """
    sent = [*_sent(session, subscriber, item), *_sent_for_keywords(session, subscriber, item)]
    if sent:
        return sent
    if item.matched_revision < item.revision:
        return [Reason(Cause.UNMATCHED)]
    asked = _Asked(session, subscriber, item, now, hold)
    by_score = select(MatchRow).where(MatchRow.item_id == item.id).order_by(col(MatchRow.score).desc())
    followed = set(topics_of(session, subscriber.id or 0))
    reasons = [
        _of_match(asked, match) if match.topic_id in followed else Reason(Cause.NOT_FOLLOWED, {"topic": match.topic_id})
        for match in session.exec(by_score)
    ]
    return reasons or [Reason(Cause.NO_TOPIC)]


def sentence(reason: Reason, language: Language, zone: str, topics: Mapping[str, str]) -> str:
    """A reason in a reader's language; ``topics`` gives each topic's name."""
    values = dict(reason.values)
    if "topic" in values:
        values["topic"] = topics.get(values["topic"], values["topic"])
    if "day" in values:
        values["day"] = translations.full_day(values["day"], language, zone)
    return translations.translations(language).gettext(_SENTENCES[reason.cause]) % values


def _sent(session: Session, subscriber: SubscriberRow, item: ItemRow) -> Iterator[Reason]:
    query = (
        select(DigestRow, MatchRow.topic_id)
        .join(DigestItemRow, col(DigestItemRow.digest_id) == col(DigestRow.id))
        .join(MatchRow, col(MatchRow.id) == col(DigestItemRow.match_id))
        .where(DigestRow.subscriber_id == subscriber.id, MatchRow.item_id == item.id)
        .order_by(col(DigestRow.id))
    )
    for digest, topic in session.exec(query):
        yield _in_digest(Cause.SENT, digest, topic=topic)


def _sent_for_keywords(session: Session, subscriber: SubscriberRow, item: ItemRow) -> Iterator[Reason]:
    query = (
        select(DigestRow, DigestPersonalRow.query)
        .join(DigestPersonalRow, col(DigestPersonalRow.digest_id) == col(DigestRow.id))
        .where(DigestRow.subscriber_id == subscriber.id, DigestPersonalRow.item_id == item.id)
        .order_by(col(DigestRow.id))
    )
    for digest, query_text in session.exec(query):
        yield _in_digest(Cause.SENT_FOR_KEYWORD, digest, query=query_text)


def _in_digest(cause: Cause, digest: DigestRow, **values: str) -> Reason:
    """That an item is in a digest; one that bounced has gone out."""
    return Reason(cause if digest.sent_at else Cause.UNSENT, {"day": digest.window_end, **values}, digest.id)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked: about whom, about what, and when."""

    session: Session
    subscriber: SubscriberRow
    item: ItemRow
    now: datetime
    hold: bool


def _of_match(asked: _Asked, match: MatchRow) -> Reason:
    """Why a match with a topic that they follow has not come to them."""
    topic = {"topic": match.topic_id}
    if match.verdict == NOISE:
        return Reason(Cause.NOISE, topic)
    if match.lost_at:
        return Reason(Cause.LOST, topic)
    if asked.hold and match.verdict not in PASSED:
        return Reason(Cause.HELD, topic)
    if told := _told_before(asked, match):
        return Reason(Cause.TOLD_BEFORE, {**topic, "day": told.window_end}, told.id)
    if not match.worthy:
        return Reason(Cause.PASSING, topic)
    return _of_time(asked, topic)


def _of_time(asked: _Asked, topic: Mapping[str, str]) -> Reason:
    if not asked.hold and asked.item.first_seen_at < window_start(asked.subscriber, asked.now) - LATE_ARRIVALS:
        return Reason(Cause.EARLIER, {"day": asked.item.first_seen_at})
    return Reason(Cause.WAITS, {**topic, "day": next_digest(asked.subscriber, asked.now)})


def _told_before(asked: _Asked, match: MatchRow) -> DigestRow | None:
    if asked.item.story_id is None:
        return None
    query = (
        select(DigestRow)
        .join(DigestItemRow, col(DigestItemRow.digest_id) == col(DigestRow.id))
        .join(MatchRow, col(MatchRow.id) == col(DigestItemRow.match_id))
        .join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
        .where(DigestRow.subscriber_id == asked.subscriber.id)
        .where(ItemRow.story_id == asked.item.story_id, MatchRow.topic_id == match.topic_id)
    )
    return asked.session.exec(query.order_by(col(DigestRow.id)).limit(1)).first()
