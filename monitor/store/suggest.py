"""Suggesting words for a topic's watches from what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Topic
from monitor.matching.suggest import Suggestion, passages, suggest
from monitor.store.items import StoredDocument, load_documents
from monitor.store.news import IS_NEWS
from monitor.store.tables import ItemRow, MatchRow
from monitor.store.verdicts import relevance

_MOST_RELEVANT = 1_000
"""So many of the topic's newest items are read; with more, a suggestion tells of years gone by."""

_MOST_OTHERS = 10_000
_IN_BATCH = 200


def suggest_phrases(
    session: Session,
    topic: Topic,
    language: Language,
    *,
    verdicts: Mapping[int, bool] | None = None,
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
        verdicts: Whether an item is relevant to the topic, by the item's id; what reviewers said where left out.
        most: How many suggestions at most.
        others: How many items of the rest of the archive to read at most, the newest.
        progress: Called with how many items are read, and how many there are to read.

    Returns:
        The suggestions, and how many of the topic's items they come from.
    """
    judged = relevance(session, topic.id) if verdicts is None else verdicts
    worthy = select(MatchRow.item_id, MatchRow.evidence).where(MatchRow.topic_id == topic.id, IS_NEWS)
    relevant: dict[int, Sequence[dict[str, Any]]] = {
        item_id: [] for item_id, is_relevant in judged.items() if is_relevant
    }
    relevant |= {item_id: evidence for item_id, evidence in session.exec(worthy) if judged.get(item_id, True)}
    ids = select(ItemRow.id).where(ItemRow.language == language.value).order_by(col(ItemRow.first_seen_at).desc())
    newest = [item_id for item_id in session.exec(ids) if item_id is not None]
    inside = [item_id for item_id in newest if item_id in relevant][:_MOST_RELEVANT]
    outside = [item_id for item_id in newest if item_id not in relevant][:others]
    about = [
        passages(stored.document, [Evidence(**found) for found in relevant[stored.item_id]])
        for stored in _documents(session, inside)
    ]
    rest = _told(_documents(session, outside), len(outside), progress)
    return suggest(topic, about, rest, most=most), len(inside)


def _documents(session: Session, ids: Sequence[int]) -> Iterator[StoredDocument]:
    for start in range(0, len(ids), _IN_BATCH):
        yield from load_documents(session, ids[start : start + _IN_BATCH])


def _told(documents: Iterable[StoredDocument], total: int, progress: Callable[[int, int], None]) -> Iterator[Document]:
    for number, stored in enumerate(documents, 1):
        yield stored.document
        if number % _IN_BATCH == 0:
            progress(number, total)
