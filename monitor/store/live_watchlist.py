"""The compiled watchlist of this process: compiled in the background when a watch or a topic changed, swapped whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from monitor.store.upsert import insert_or_update

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
        return next(self.match_all([document]))

    def match_all(self, documents: Sequence[Document]) -> Iterator[tuple[TopicMatch, ...]]:
        """Yield the topics that each document matches."""
        return match_topics(documents, self.watchlist, self.topics, self.model)


class LiveWatchlist:
    """Hands out the matcher for the watchlist as it is stored.

    A thread of its own compiles. The finished matcher takes the place of the last one in one assignment, so that
    whoever still works with the last one has a whole one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._compiler = ThreadPoolExecutor(1, thread_name_prefix="watchlist")
        self._compiling: tuple[str, Future[Matcher]] | None = None
        self._matcher: Matcher | None = None

    def matcher(self, session: Session) -> Matcher:
        """The matcher for what the session sees; after a change, this waits for it. For whoever stores matches."""
        fingerprint = store.watchlist_fingerprint(session)
        ready = self._matcher
        if ready is not None and ready.fingerprint == fingerprint:
            return ready
        return self._compile(session, fingerprint).result()

    def rebuild(self, session: Session) -> None:
        """Begin to compile what the session sees, if it has changed, and return at once."""
        fingerprint = store.watchlist_fingerprint(session)
        if self._matcher is None or self._matcher.fingerprint != fingerprint:
            self._compile(session, fingerprint)

    def _compile(self, session: Session, fingerprint: str) -> Future[Matcher]:
        """What is being compiled for a fingerprint; begun if need be, and again where it came to nothing."""
        with self._lock:
            if self._compiling is not None:
                meant, future = self._compiling
                if meant == fingerprint and not (future.done() and future.exception()):
                    return future
            future = self._compiler.submit(self._swap, store.load_watchlist(session), fingerprint)
            self._compiling = fingerprint, future
            return future

    def _swap(self, topics: tuple[Topic, ...], fingerprint: str) -> Matcher:
        self._matcher = matcher = compile_matcher(topics, fingerprint)
        return matcher


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
    # As an upsert: two ticks at once may both find no fingerprint yet.
    insert_or_update(session, KeptRow, [{"name": _FINGERPRINT, "value": fingerprint}], unique=("name",))
    recent = update(ItemRow).where(col(ItemRow.first_seen_at) >= now - REMATCHED)
    session.connection().execute(recent.values(matched_revision=0))
    return True
