"""Taking a person on as a subscriber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from monitor.core.address import normalised_address
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.schedule import Schedule
from monitor.errors import Conflict, Refused
from monitor.store.subscribers import NewSubscriber, find_subscriber, put_subscriber
from monitor.store.watchlist import load_pillars, load_topics
from monitor.subscriptions.choices import Choice

CONFIRM_WITHIN = timedelta(days=7)
KEEP_SIGNUPS = timedelta(days=30)
"""How long a request is kept: a link that is used again, or too late, still gets a helpful answer."""


def chosen_topics(session: Session, wanted: Sequence[str]) -> tuple[str, ...]:
    """The topics that a choice of topic and pillar ids stands for; an empty choice means all.

    Raises:
        Refused: An id is neither a topic's nor a pillar's.
    """
    topics = load_topics(session)
    known = {topic.id for topic in topics} | {topic.pillar for topic in topics}
    if unknown := [name for name in wanted if name not in known]:
        raise Refused(f"topic {unknown[0]!r}: no such topic or pillar; the names are {', '.join(sorted(known))}")
    return tuple(topic.id for topic in topics if not wanted or {topic.id, topic.pillar} & set(wanted))


def names_of_choice(session: Session, wanted: Sequence[str], language: Language) -> list[str]:
    """A choice in words: the names of the priorities that are chosen whole, and of the single topics of the others."""
    chosen = set(chosen_topics(session, wanted))
    topics = load_topics(session)
    names: list[str] = []
    for pillar in load_pillars(session):
        of_pillar = [topic for topic in topics if topic.pillar == pillar.id]
        single = [topic.names[language] for topic in of_pillar if topic.id in chosen]
        names += [pillar.names[language]] if single and len(single) == len(of_pillar) else single
    return names


def subscribe(
    session: Session, address: str, choice: Choice, *, consent: Mapping[str, str], actor: str, now: datetime
) -> int:
    """Make a person a subscriber, or one again, whose consent is known; their id.

    Args:
        session: An open writing transaction.
        address: Normalised already.
        choice: What they want.
        consent: How and when they agreed: kept as the record that anti-spam laws ask for.
        actor: Who adds them, for the audit trail.
        now: The present, aware UTC.

    Raises:
        Refused: The language or a topic is not valid.
        Conflict: Mail to the address bounced or was complained about.
    """
    if choice.language not in READER_LANGUAGES:
        raise Refused(f"language {choice.language.value!r}: digests are written in en, fr or es")
    subscriber = find_subscriber(session, address)
    if subscriber and subscriber.state == "suppressed":
        raise Conflict(f"{address} is suppressed: mail to it bounced, or was complained about")
    new = NewSubscriber(
        address=address,
        topics=chosen_topics(session, choice.topics),
        language=choice.language.value,
        frequency=choice.schedule.frequency.value,
        weekday=choice.schedule.weekday,
        hour=choice.schedule.hour,
        zone=choice.schedule.zone,
        consent=consent,
    )
    return put_subscriber(session, new, actor=actor, now=now)


def subscribe_confirmed(
    session: Session,
    address: str,
    *,
    topics: Sequence[str],
    language: Language,
    schedule: Schedule,
    consent: Mapping[str, str],
    actor: str,
    now: datetime,
) -> int:
    """Add a subscriber whose consent the operator vouches for; their id.

    Raises:
        Refused: The address, the language or a topic is not valid.
        Conflict: The address is subscribed already, or suppressed.
    """
    normalised = normalised_address(address)
    subscriber = find_subscriber(session, normalised)
    if subscriber and subscriber.state == "active":
        raise Conflict(f"{normalised} is subscribed already; see `monitor subscriber list`")
    choice = Choice(tuple(topics), language, schedule)
    return subscribe(session, normalised, choice, consent=consent, actor=actor, now=now)
