"""A log of matches to review: 24 items of four sources in three topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from monitor.core.languages import Language
from monitor.core.nouns import Entry, Evidence, Pillar, SourceSpec, Topic, TopicMatch, Watch
from monitor.core.roles import Role
from monitor.staff.people import add_staff
from monitor.store import config
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.items import find_known, insert_entries
from monitor.store.matches import Found, save_matches
from monitor.store.sources import save_source

TOPICS = ("norad", "border", "methane")
SOURCES = {"ca-en": ("Canada", "CA", Language.EN), "ca-fr": ("Canada", "CA", Language.FR),
           "us": ("United States", "US", Language.EN), "mx": ("México", "MX", Language.ES)}  # fmt: skip
HOSTILE = '=HYPERLINK("http://evil.example") <b>&\x0b'


@dataclass
class Log:
    """The database, and the time: a day after the newest news."""

    database: Database
    now: datetime

    def ids(self, session: Session) -> list[int]:
        from monitor.review.filters import LogQuery
        from monitor.review.log import whole_log

        return [line.match.id for line in whole_log(session, LogQuery())]


@pytest.fixture
def log(database: Database, now: datetime) -> Log:
    """Item n is n days old; every second is worth a digest; scores run from 0 to 0.95."""
    pillars = (Pillar("security", {"en": "Security", "fr": "Sécurité", "es": "Seguridad"}),
               Pillar("climate", {"en": "Climate", "fr": "Climat", "es": "Clima"}))  # fmt: skip
    topics = tuple(
        Topic(name, "climate" if name == "methane" else "security", {"en": name, "fr": name, "es": name},
              (Watch(name, "any", Language.ANY, name),), 0.5)
        for name in TOPICS
    )  # fmt: skip
    with database.write() as session:
        config.apply(session, config.plan(session, Config(pillars, topics, ())), actor="test", now=now)
        for role in (Role.REVIEWER, Role.EDITOR, Role.VIEWER):
            add_staff(session, f"{role.word}@example.org", role, actor="test", now=now)
        for number, (slug, (agency, country, language)) in enumerate(SOURCES.items()):
            spec = SourceSpec(slug, f"https://{slug}.example/feed", agency, country, language)
            source_id = save_source(session, spec, actor="test", now=now)
            for n in range(number, 24, 4):
                _add(session, source_id, language, n, now)
    return Log(database, now)


def _add(session: Session, source_id: int, language: Language, n: int, now: datetime) -> None:
    title = HOSTILE if n == 7 else f"News {n} on {TOPICS[n % 3]}" + (" and icebreakers" if n % 6 == 0 else "")
    at = now - timedelta(days=n + 1)
    entry = Entry(
        f"k{n}", f"https://agency.example/{n}", title, summary=f"A summary. {TOPICS[n % 3]} is here.", published_at=at
    )
    insert_entries(session, source_id, language.value, [entry], at)
    (known,) = find_known(session, source_id, keys=[f"k{n}"], latest=1)
    topic = TOPICS[n % 3]
    evidence = (Evidence("any", 1, topic, "summary", 11, 11 + len(topic)),)
    match = TopicMatch(topic, round(n * 0.04, 2), n % 2 == 0, evidence)
    save_matches(session, [Found(known.id, 1, [match])], watchlist_version="v", now=at)
