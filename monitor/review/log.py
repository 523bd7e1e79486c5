"""The match log as reviewers read it: a page of it, one match, and how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from monitor.core.paging import Page, page_of, read_cursor
from monitor.errors import NotFound
from monitor.matching.excerpt import Excerpt, excerpt
from monitor.review.filters import LogQuery, Word, resolve
from monitor.store.match_log import Position, count_log, log_positions
from monitor.store.matches import LoggedMatch, list_matches
from monitor.store.verdicts import LatestVerdict, latest_verdicts
from monitor.texts import marked as _

MOST_COUNTED = 10_000
"""Beyond it a count says "more than": counting a million takes longer than anybody waits for it."""

_IN_BATCH = 500


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log: a match, the sentence that shows why, and the verdict that counts, if any."""

    match: LoggedMatch
    shown: Excerpt
    verdict: LatestVerdict | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many matches a filter leaves, by the word of their verdict; at most ``MOST_COUNTED`` and one are counted."""

    open: int
    relevant: int
    noise: int
    starred: int

    @property
    def total(self) -> int:
        """All of them; too few where one of the counts stopped."""
        return self.open + self.relevant + self.noise + self.starred


def log_page(session: Session, query: LogQuery, *, after: str = "", limit: int = 50) -> Page[LogLine]:
    """A page of the log, the newest news first.

    Args:
        session: An open transaction.
        query: Which matches.
        after: The cursor of the page; empty for the first.
        limit: How many lines at most.

    Raises:
        Refused: A field of the query, or the cursor, cannot be read.
    """
    start = Position(*read_cursor(after, datetime, int)) if after else None
    found = page_of(log_positions(session, resolve(session, query), after=start, limit=limit + 1), limit, tuple)
    return Page(tuple(log_lines(session, [position.match_id for position in found.rows])), found.following)


def log_lines(session: Session, ids: Sequence[int]) -> list[LogLine]:
    """The lines of these matches, in this order; those that are gone are left out."""
    matches = {match.id: match for match in list_matches(session, ids=ids, limit=len(ids))}
    verdicts = latest_verdicts(session, ids)
    return [
        LogLine(matches[one], excerpt(matches[one].document, matches[one].evidence), verdicts.get(one))
        for one in ids
        if one in matches
    ]


def log_line(session: Session, match_id: int) -> LogLine:
    """The line of one match.

    Raises:
        NotFound: There is no such match.
    """
    for line in log_lines(session, [match_id]):
        return line
    raise NotFound(_("match %(match_id)s: there is none with this id", match_id=str(match_id)))


def whole_log(session: Session, query: LogQuery) -> Iterator[LogLine]:
    """Every line that a query asks for, read bit by bit.

    Raises:
        Refused: A field of the query cannot be read.
    """
    wanted = resolve(session, query)
    after: Position | None = None
    while positions := log_positions(session, wanted, after=after, limit=_IN_BATCH):
        yield from log_lines(session, [position.match_id for position in positions])
        after = positions[-1]


def log_counts(session: Session, query: LogQuery) -> Counts:
    """How many matches a query asks for, by verdict.

    Raises:
        Refused: A field of the query cannot be read.
    """
    found = count_log(session, resolve(session, query), ("", *Word), most=MOST_COUNTED)
    return Counts(found[""], found[Word.RELEVANT], found[Word.NOISE], found[Word.STARRED])
