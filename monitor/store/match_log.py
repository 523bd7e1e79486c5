"""The match log: the matches that a filter asks for, the newest news first.

At a million matches each page must cost what the first one costs. So a page is found by keyset in one of the covering
indexes of the table ``match``, the one whose column narrows most; where a filter allows several values of it, each
value's own newest ones are taken and merged (an ``IN`` would sort them all). What a page shows is then read by id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ColumnElement, func, literal_column, select, union_all
from sqlmodel import Session, SQLModel, col

from monitor.store.archive import items_with_words
from monitor.store.keyset import below
from monitor.store.tables import MatchRow, SourceRow, TopicRow

_MOST_BRANCHES = 80
"""Of so many values each is looked up by itself; more of them are most of the table anyway."""

_FEW_ITEMS = 2_000
"""So many items with the words of a filter are looked up and sorted; for more, the log is walked to fill a page."""

_KEYS: Any = (MatchRow.news_at, MatchRow.id)


class Position(NamedTuple):
    """The place of a match in the log."""

    news_at: datetime
    match_id: int


@dataclass(frozen=True, slots=True)
class MatchFilter:
    """Which matches; what is None does not matter.

    Attributes:
        topics: Their topics.
        sources: The ids of their sources.
        language: The language of the item.
        since: News of this time or later.
        until: News from before this time.
        least: The lowest score.
        most: The score that is not reached; None for no bound.
        verdicts: The words of the latest verdict; an empty one for matches without.
        worthy: Whether they are worth a digest.
        assignee: Who is to judge them; empty for nobody.
        words: Words that are all in the item.
    """

    topics: tuple[str, ...] | None = None
    sources: tuple[int, ...] | None = None
    language: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    least: float | None = None
    most: float | None = None
    verdicts: tuple[str, ...] | None = None
    worthy: bool | None = None
    assignee: str | None = None
    words: str = ""


def log_positions(session: Session, wanted: MatchFilter, *, after: Position | None, limit: int) -> list[Position]:
    """The places of the first matches that a filter asks for, after a place or from the start."""
    conditions = _conditions(wanted)
    if after is not None:
        conditions.append(below(_KEYS, after))
    if wanted.words:
        return _with_words(session, wanted, conditions, limit)
    branches = [_newest([*conditions, *branch], limit) for branch in _branches(session, wanted)]
    return _positions(session, _merged(branches, limit)) if branches else []


def count_log(session: Session, wanted: MatchFilter, words: Sequence[str], *, most: int) -> dict[str, int]:
    """How many matches of a filter have each word as their verdict; whoever counts beyond ``most`` stops."""
    return {word: _count(session, wanted, word, most) for word in words}


def _count(session: Session, wanted: MatchFilter, word: str, most: int) -> int:
    if wanted.verdicts is not None and word not in wanted.verdicts:
        return 0
    conditions = [*_conditions(wanted), *_one_of_several(replace(wanted, verdicts=(word,)))]
    if wanted.words:
        found = items_with_words(session, wanted.words)
        if found is None:
            return 0
        conditions.append(col(MatchRow.item_id).in_(found))
    counted: Any = select(literal_column("1")).select_from(MatchRow).where(*conditions).limit(most + 1)
    return int(session.connection().execute(select(func.count()).select_from(counted.subquery())).scalar_one())


def _positions(session: Session, query: Any) -> list[Position]:
    return [Position(*row) for row in session.connection().execute(query)]


def _newest(conditions: Sequence[ColumnElement[bool]], limit: int) -> Any:
    return select(*_KEYS).where(*conditions).order_by(*(key.desc() for key in _KEYS)).limit(limit)


def _merged(branches: Sequence[Any], limit: int) -> Any:
    if len(branches) == 1:
        return branches[0]
    # Each branch is a subquery of its own: SQLite takes no ORDER BY in the parts of a UNION.
    found = union_all(*(select(branch.subquery()) for branch in branches)).subquery()
    return select(found).order_by(found.c.news_at.desc(), found.c.id.desc()).limit(limit)


def _with_words(
    session: Session, wanted: MatchFilter, conditions: list[ColumnElement[bool]], limit: int
) -> list[Position]:
    items = items_with_words(session, wanted.words)
    if items is None:
        return []
    everything = [*conditions, *_one_of_several(wanted)]
    few = list(session.connection().execute(select(items.subquery()).limit(_FEW_ITEMS + 1)).scalars())
    if len(few) > _FEW_ITEMS:
        return _positions(session, _newest([*everything, col(MatchRow.item_id).in_(items)], limit))
    # Sorted here: asked to sort, the database would rather walk the whole log in its order for a handful of items.
    found = _positions(session, select(*_KEYS).where(col(MatchRow.item_id).in_(few), *everything))
    return sorted(found, reverse=True)[:limit]


# ---- conditions ----------------------------------------------------------------------------------------------------


def _conditions(wanted: MatchFilter) -> list[ColumnElement[bool]]:
    """The conditions that any index can check while it is walked."""
    asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (wanted.language, col(MatchRow.language).__eq__),
        (wanted.since, col(MatchRow.news_at).__ge__),
        (wanted.until, col(MatchRow.news_at).__lt__),
        (wanted.least, col(MatchRow.score).__ge__),
        (wanted.most, col(MatchRow.score).__lt__),
        (wanted.worthy, col(MatchRow.worthy).__eq__),
    ]
    return [condition(value) for value, condition in asked if value is not None]


def _one_of_several(wanted: MatchFilter) -> list[ColumnElement[bool]]:
    """The conditions on columns that lead an index: one value of several."""
    return [*(_among(column, values) for column, values in _leading(wanted).values()), *_hints(wanted)]


def _branches(session: Session, wanted: MatchFilter) -> list[list[ColumnElement[bool]]]:
    """The conditions of each part in which the newest matches are looked up: one for each value of one column."""
    leading = _leading(wanted)
    if any(not values for _, values in leading.values()):
        return []
    shares = _shares(session, wanted)
    driver = min(shares, key=lambda name: shares[name], default=None)
    others = [_among(column, values) for name, (column, values) in leading.items() if name != driver]
    if driver is None:
        return [[*others, *_hints(wanted)]]
    column, values = leading[driver]
    return [[column == value, *others, *_hints(wanted)] for value in values]


def _among(column: Any, values: Sequence[Any]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column == values[0] if len(values) == 1 else column.in_(values)
    return found


def _leading(wanted: MatchFilter) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """What is asked of the columns that lead an index."""
    asked = {
        "assignee": (col(MatchRow.assignee), None if wanted.assignee is None else (wanted.assignee,)),
        "verdict": (col(MatchRow.verdict), wanted.verdicts),
        "source": (col(MatchRow.source_id), wanted.sources),
        "topic": (col(MatchRow.topic_id), wanted.topics),
    }
    return {name: (column, values) for name, (column, values) in asked.items() if values is not None}


def _hints(wanted: MatchFilter) -> list[ColumnElement[bool]]:
    """What a planner must read to see that a partial index serves."""
    judged = wanted.verdicts is not None and "" not in wanted.verdicts
    hints = [("verdict <> ''", judged), ("assignee <> ''", bool(wanted.assignee))]
    return [literal_column(hint, Boolean) for hint, holds in hints if holds]


def _shares(session: Session, wanted: MatchFilter) -> dict[str, float]:
    """Roughly what part of the log each column leaves, where its index is worth walking."""
    shares: dict[str, float] = {}
    if wanted.assignee:
        shares["assignee"] = 0
    if wanted.verdicts and "" not in wanted.verdicts:
        shares["verdict"] = _JUDGED_SHARE
    for name, values, table in (("source", wanted.sources, SourceRow), ("topic", wanted.topics, TopicRow)):
        if values and len(values) <= _MOST_BRANCHES:
            shares[name] = len(values) / max(_total(session, table), 1)
    return shares


def _total(session: Session, table: type[SQLModel]) -> int:
    return int(session.connection().execute(select(func.count()).select_from(table)).scalar_one())


_JUDGED_SHARE = 0.03
"""People judge a small part of what machines find; a single source or topic leaves less or more than that."""
