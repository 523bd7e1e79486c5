"""Suggesting words for a topic's watches from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlmodel import Session, col, or_, select

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Topic
from monitor.matching.suggest import Suggestion, passages, suggest
from monitor.store.items import StoredDocument, load_documents
from monitor.store.news import IS_NEWS
from monitor.store.tables import ItemRow, MatchRow
from monitor.store.verdicts import PASSED

_MOST_RELEVANT = 1_000
"""So many of the topic's newest items are read; with more, a suggestion tells of years gone by."""

_MOST_OTHERS = 10_000
_IN_BATCH = 200


def suggest_phrases(
    session: Session,
    topic: Topic,
    language: Language,
    *,
    most: int = 20,
    others: int = _MOST_OTHERS,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[list[Suggestion], int]:
    """Suggest phrases that set a topic's items apart from the rest of the archive.

    Its items are those with a match worth a digest, corrected by reviewers: what they call relevant counts, what they
    call noise does not.

    Args:
        session: An open transaction.
        topic: The topic with its watches.
        language: The language of the items to learn from, and of the suggestions.
        most: How many suggestions at most.
        others: How many items of the rest of the archive to read at most, the newest.
        progress: Called with how many items are read, and how many there are to read.

    Returns:
        The suggestions, and how many of the topic's items they come from.
    """
    inside = _relevant(session, topic.id, language)
    outside = _others(session, topic.id, language, others)
    about = [passages(stored.document, inside[stored.item_id]) for stored in _documents(session, list(inside))]
    rest = _told(_documents(session, outside), len(outside), progress)
    return suggest(topic, about, rest, most=most), len(inside)


_NEWEST = (col(ItemRow.first_seen_at).desc(), col(ItemRow.id).desc())

_IS_RELEVANT: Any = or_(IS_NEWS, col(MatchRow.verdict).in_(PASSED))


def _relevant(session: Session, topic: str, language: Language) -> dict[int, list[Evidence]]:
    """The newest items of a topic, with the evidence of those that are news without a reviewer's word."""
    columns: Any = (ItemRow.id, MatchRow.evidence, MatchRow.worthy, MatchRow.lost_at)
    query = select(*columns).join(MatchRow, col(MatchRow.item_id) == ItemRow.id).order_by(*_NEWEST)
    of_topic = query.where(MatchRow.topic_id == topic, ItemRow.language == language.value, _IS_RELEVANT)
    return {
        item_id: [Evidence(**found) for found in evidence] if worthy and lost_at is None else []
        for item_id, evidence, worthy, lost_at in session.exec(of_topic.limit(_MOST_RELEVANT))
    }


def _others(session: Session, topic: str, language: Language, most: int) -> list[int]:
    """The newest items that are not the topic's; the archive may hold millions, and only these are looked at."""
    of_topic = select(MatchRow.id).where(MatchRow.item_id == ItemRow.id, MatchRow.topic_id == topic, _IS_RELEVANT)
    query = select(ItemRow.id).where(ItemRow.language == language.value, ~of_topic.exists()).order_by(*_NEWEST)
    return [item_id for item_id in session.exec(query.limit(most)) if item_id is not None]


def _documents(session: Session, ids: Sequence[int]) -> Iterator[StoredDocument]:
    for start in range(0, len(ids), _IN_BATCH):
        yield from load_documents(session, ids[start : start + _IN_BATCH])


def _told(documents: Iterable[StoredDocument], total: int, progress: Callable[[int, int], None]) -> Iterator[Document]:
    for number, stored in enumerate(documents, 1):
        yield stored.document
        if number % _IN_BATCH == 0:
            progress(number, total)
