"""The compiled watchlist of this process: compiled anew when a watch or a topic changed, then swapped whole."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from monitor.core.nouns import Document, Topic, TopicMatch
from monitor.matching.concept import match_topics
from monitor.matching.score import ScoreModel, read_score_model
from monitor.matching.watchlist import Watchlist, compile_watchlist
from monitor.shipped import shipped
from monitor.store import watchlist as store
from monitor.store.tables import ItemRow, KeptRow

REMATCHED = timedelta(days=14)
"""How far back items are matched again after a change of the watchlist: what the next digest may still hold, twice."""

_FINGERPRINT = "watchlist"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A watchlist with all that is needed to match and score an item; immutable, so threads may share it."""

    fingerprint: str
    watchlist: Watchlist
    topics: Mapping[str, Topic]
    model: ScoreModel

    def match(self, document: Document) -> tuple[TopicMatch, ...]:
        """The topics that a document matches."""
        return match_topics(document, self.watchlist, self.topics, self.model)


class LiveWatchlist:
    """Hands out the matcher for the watchlist as it is stored now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._matcher: Matcher | None = None

    def matcher(self, session: Session) -> Matcher:
        """The matcher for what the session sees; compiled by the first caller after a change."""
        fingerprint = store.watchlist_fingerprint(session)
        with self._lock:
            if self._matcher is None or self._matcher.fingerprint != fingerprint:
                self._matcher = compile_matcher(store.load_topics(session), fingerprint)
            return self._matcher


def compile_matcher(topics: tuple[Topic, ...], fingerprint: str = "") -> Matcher:
    """A matcher for these topics and the shipped score."""
    path = shipped("config", "score.toml")
    model = read_score_model(path.read_text(encoding="utf-8"), str(path))
    watches = compile_watchlist(watch for topic in topics for watch in topic.watches)
    return Matcher(fingerprint, watches, {topic.id: topic for topic in topics}, model)


def reopen_if_changed(session: Session, now: datetime) -> bool:
    """After a change of the watchlist, mark the latest items as unmatched; whether there was a change."""
    fingerprint = store.watchlist_fingerprint(session)
    kept = session.get(KeptRow, _FINGERPRINT)
    if kept is not None and kept.value == fingerprint:
        return False
    session.merge(KeptRow(name=_FINGERPRINT, value=fingerprint))
    recent = update(ItemRow).where(col(ItemRow.first_seen_at) >= now - REMATCHED)
    session.connection().execute(recent.values(matched_revision=0))
    return True
