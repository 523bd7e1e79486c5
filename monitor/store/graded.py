"""Reviewers' verdicts as labels: what the score is fitted on and measured against, beside graded files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.matching.concept import topic_evidence
from monitor.matching.labels import Graded, Label
from monitor.store.items import StoredDocument, load_documents
from monitor.store.live_watchlist import Matcher
from monitor.store.tables import ItemRow, MatchRow, VerdictRow
from monitor.store.verdicts import NOISE

_IN_BATCH = 200


def judged_matches(session: Session, matcher: Matcher) -> Iterator[Graded]:
    """Yield the matches that reviewers have judged, each by its latest verdict: noise is 0, all else is relevant.

    The evidence is what the watches find now, so that a label outlives the watch that it was given to; a match that
    they no longer find comes without any. Matches of topics that are not watched any more are left out.

    Args:
        session: An open transaction.
        matcher: The watchlist as it is now.
    """
    judged = session.exec(_latest_verdicts()).all()
    for start in range(0, len(judged), _IN_BATCH):
        rows = [row for row in judged[start : start + _IN_BATCH] if row.topic_id in matcher.topics]
        documents = load_documents(session, sorted({row.item_id for row in rows}))
        yield from _graded(rows, {stored.item_id: stored for stored in documents}, matcher)


def _latest_verdicts() -> Any:
    """Select the latest verdict of each match that has one, with a word in it, in the order of the items."""
    latest = select(func.max(VerdictRow.id)).where(VerdictRow.word != "").group_by(col(VerdictRow.match_id))
    columns: Any = (MatchRow.item_id, MatchRow.topic_id, ItemRow.url, VerdictRow.word, VerdictRow.note)
    joined = select(*columns).join(MatchRow, col(MatchRow.id) == col(VerdictRow.match_id))
    joined = joined.join(ItemRow, col(ItemRow.id) == col(MatchRow.item_id))
    return joined.where(col(VerdictRow.id).in_(latest)).order_by(col(MatchRow.item_id), col(MatchRow.topic_id))


def _graded(rows: Sequence[Any], documents: dict[int, StoredDocument], matcher: Matcher) -> Iterator[Graded]:
    hits = matcher.watchlist.match_all(stored.document for stored in documents.values())
    found = dict(zip(documents, map(topic_evidence, hits), strict=True))
    for row in rows:
        label = Label(row.topic_id, row.url, row.word != NOISE, row.note)
        evidence = found[row.item_id].get(row.topic_id, ())
        yield Graded(label, documents[row.item_id].document, matcher.topics[row.topic_id], evidence)
