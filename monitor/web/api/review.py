"""The match log for programs: read and exported by viewers, judged by reviewers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from monitor.core.ids import MOST_ID
from monitor.core.roles import Role
from monitor.review.exports import Format, line_values
from monitor.review.filters import LogQuery
from monitor.review.log import log_counts, log_line, log_page
from monitor.review.statistics import review_statistics
from monitor.review.verdicts import LONGEST_NOTE, MOST_AT_ONCE, assign, judge, undo
from monitor.web.access import Reviewer, guarded_api
from monitor.web.api.parts import Cursor, Listed
from monitor.web.asked import RowId, app_of
from monitor.web.log_file import log_file

router = guarded_api(Role.VIEWER, tags=["review"])

Ids = Annotated[list[Annotated[int, Field(ge=1, le=MOST_ID)]], Field(min_length=1, max_length=MOST_AT_ONCE)]


def log_query(  # noqa: PLR0917 - FastAPI reads the query string by the names of its parameters
    pillar: str = "",
    topic: str = "",
    source: str = "",
    agency: str = "",
    country: str = "",
    language: str = "",
    since: str = "",
    until: str = "",
    min_score: str = "",
    max_score: str = "",
    verdict: str = "",
    worthy: str = "",
    assignee: str = "",
    text: str = "",
) -> LogQuery:
    """The filter in a request's query string; docs/review.md tells what each part takes."""
    return LogQuery.of(locals())


Filter = Annotated[LogQuery, Depends(log_query)]


class Said(BaseModel):
    """A verdict on some matches; an empty ``word`` leaves what was said before, a null ``note`` the note."""

    ids: Ids
    word: str = Field(default="", max_length=20)
    note: str | None = Field(default=None, max_length=LONGEST_NOTE)


class Assigned(BaseModel):
    """Who is to judge some matches: an address, or empty for nobody."""

    ids: Ids
    assignee: str = Field(default="", max_length=254)


@router.get("/matches")
def list_log(
    request: Request,
    query: Filter,
    cursor: Cursor = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listed[dict[str, Any]]:
    """A page of the match log, the newest news first."""
    app = app_of(request)
    with app.database.read() as session:
        page = log_page(session, query, after=cursor, limit=limit)
    return Listed([line_values(line) for line in page.rows], page.following or None)


@router.get("/matches/counts")
def count(request: Request, query: Filter) -> dict[str, int]:
    """How many matches a filter leaves, by verdict; counting stops beyond 10,000 of each."""
    app = app_of(request)
    with app.database.read() as session:
        return asdict(log_counts(session, query))


@router.get("/matches/export", response_class=StreamingResponse)
def export(request: Request, query: Filter, format: Format = Format.JSONL) -> StreamingResponse:  # noqa: A002 - the name in the address
    """Exactly what a filter leaves, whole, as CSV, JSON lines or Atom."""
    return log_file(app_of(request), query, format)


@router.get("/matches/{match_id}")
def read_one(request: Request, match_id: RowId) -> dict[str, Any]:
    """One match."""
    app = app_of(request)
    with app.database.read() as session:
        return line_values(log_line(session, match_id))


@router.get("/statistics")
def read_statistics(request: Request, days: Annotated[int, Query(ge=1, le=3650)] = 90) -> dict[str, Any]:
    """Precision per watch, agreement, backlog and time to review; times in seconds."""
    app = app_of(request)
    with app.database.read() as session:
        return asdict(review_statistics(session, app.clock(), days=days))


@router.post("/verdicts")
def give_verdict(request: Request, visitor: Reviewer, said: Said) -> dict[str, list[int]]:
    """Give matches a verdict at one stroke; which of them there are."""
    app = app_of(request)
    with app.database.write() as session:
        judged = judge(session, said.ids, said.word, reviewer=visitor.address, now=app.clock(), note=said.note)
    return {"ids": judged}


@router.post("/verdicts/undo")
def take_back(request: Request, visitor: Reviewer) -> dict[str, list[int]]:
    """Take back what one said last; which matches it was about."""
    app = app_of(request)
    with app.database.write() as session:
        return {"ids": undo(session, reviewer=visitor.address, now=app.clock())}


@router.post("/assignments")
def give_to(request: Request, visitor: Reviewer, assigned: Assigned) -> dict[str, int]:
    """Say who is to judge matches."""
    app = app_of(request)
    with app.database.write() as session:
        found = assign(session, assigned.ids, assigned.assignee, actor=visitor.address, now=app.clock())
    return {"assigned": found}
