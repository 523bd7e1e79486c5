"""The match log: filtered, paged, counted, exported; its views and its statistics."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from sqlmodel import Session

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.roles import STAFF_ROLES, Role
from monitor.errors import MonitorError, Refused
from monitor.review.exports import Format
from monitor.review.filters import JUDGED, NOBODY, OPEN, LogQuery, Word
from monitor.review.log import MOST_COUNTED, log_counts, log_page
from monitor.review.statistics import review_statistics
from monitor.review.views import delete_view, list_views, save_view
from monitor.store.source_list import name_sources
from monitor.store.staff import list_staff
from monitor.store.watchlist import topic_names
from monitor.texts import marked as _
from monitor.translations import country_name, translations
from monitor.web.access import Viewer, guarded
from monitor.web.asked import RowId, app_of
from monitor.web.flash import back_to
from monitor.web.forms import Posted, topics_by_pillar
from monitor.web.languages import OWN_NAMES, reader_language
from monitor.web.log_file import log_file
from monitor.web.rendering import own_page

router = guarded(Role.VIEWER)

VERDICT_NAMES = {
    OPEN: _("Without a verdict"),
    JUDGED: _("With any verdict"),
    Word.RELEVANT.value: _("Relevant"),
    Word.NOISE.value: _("Noise"),
    Word.STARRED.value: _("Starred"),
}
WORTHY_NAMES = {"digest": _("In digests"), "passing": _("Mentioned in passing")}
_DAYS = (7, 30, 90, 365)


@router.get("/matches")
def show(request: Request, visitor: Viewer, after: str = "", counted: str = "") -> HTMLResponse:
    """A page of the log; ``counted`` counts at once, for browsers without scripts."""
    app = app_of(request)
    query, problem = _query(request)
    with app.database.read() as session:
        page, problem = _page(session, query, after, problem)
        counts = log_counts(session, query) if counted and not problem else None
        response = own_page(
            request,
            "matches/log.html",
            status=400 if problem else 200,
            problem=problem,
            query=query,
            lines=page.rows if page else (),
            following=f"/matches?{query.as_query(after=page.following)}" if page and page.following else "",
            is_first=not after,
            counts=counts,
            most_counted=MOST_COUNTED,
            views=list_views(session, visitor.address),
            names=verdict_names(),
            can_judge=visitor.role >= Role.REVIEWER,
            **filter_options(session, reader_language(request)),
        )
    if "hx-request" in request.headers:
        response.headers["HX-Push-Url"] = _address(query)
    return response


def verdict_names() -> dict[str, str]:
    """The names of the verdicts, by their words."""
    return {word.value: VERDICT_NAMES[word.value] for word in Word}


def _query(request: Request) -> tuple[LogQuery, str]:
    try:
        return LogQuery.of(request.query_params), ""
    except Refused as refused:
        return LogQuery(), refused.text


def _page(session: Session, query: LogQuery, after: str, problem: str) -> tuple[Any, str]:
    """The page, or what is wrong with the filter: it is shown with its fields, to be mended."""
    if problem:
        return None, problem
    try:
        return log_page(session, query, after=after), ""
    except Refused as refused:
        return None, refused.text


def _address(query: LogQuery) -> str:
    return f"/matches?{query.as_query()}" if query.as_query() else "/matches"


def filter_options(session: Session, language: Language) -> dict[str, Any]:
    """What the fields of the filter offer."""
    sources = name_sources(session)
    reviewers = [row.address for row in list_staff(session) if row.role != STAFF_ROLES[0].word]
    say = translations(language)
    return {
        "pillars": topics_by_pillar(session, language),
        "topic_names": topic_names(session, language),
        "reviewers": reviewers,
        "choices": {
            "verdict": [(word, say.gettext(name)) for word, name in VERDICT_NAMES.items()],
            "worthy": [(word, say.gettext(name)) for word, name in WORTHY_NAMES.items()],
            "source": sorted(((row.slug, f"{row.agency} ({row.slug})") for row in sources), key=lambda one: one[1]),
            "agency": [(name, name) for name in sorted({row.agency for row in sources})],
            "country": sorted(
                ((code, country_name(code, language) or code) for code in {row.country for row in sources}),
                key=lambda one: one[1],
            ),
            "language": [(one.value, OWN_NAMES[one]) for one in READER_LANGUAGES],
            "assignee": [(NOBODY, say.gettext("Nobody")), *((address, address) for address in reviewers)],
        },
    }


@router.get("/matches/counts")
def counts(request: Request) -> HTMLResponse:
    """How many matches the filter leaves, as a part of the page."""
    app = app_of(request)
    query = LogQuery.of(request.query_params)
    with app.database.read() as session:
        counted = log_counts(session, query)
    return own_page(
        request, "matches/counts.html", counts=counted, query=query, most_counted=MOST_COUNTED, names=verdict_names()
    )


@router.get("/matches/export")
def export(request: Request, format: Format = Format.CSV) -> Response:  # noqa: A002 - the name in the address
    """Exactly what the filter leaves, as a file."""
    return log_file(app_of(request), LogQuery.of(request.query_params), format)


@router.get("/matches/statistics")
def statistics(request: Request, days: int = 90) -> HTMLResponse:
    """Precision per watch, agreement, backlog, time to review."""
    app = app_of(request)
    if days not in _DAYS:
        raise Refused(_("days %(days)s: write one of %(known)s", days=days, known=", ".join(map(str, _DAYS))))
    language = reader_language(request)
    with app.database.read() as session:
        figures = review_statistics(session, app.clock(), days=days)
        names = topic_names(session, language)
    return own_page(request, "matches/statistics.html", figures=figures, topic_names=names, all_days=_DAYS)


@router.post("/matches/views")
def keep_view(request: Request, visitor: Viewer, form: Posted) -> Response:
    """Keep the filter under a name."""
    app = app_of(request)
    query = LogQuery.of(form)
    try:
        with app.database.write() as session:
            save_view(session, visitor.address, str(form.get("name", "")), query, now=app.clock())
    except MonitorError as error:
        return back_to(request, _address(query), error.text, failed=True)
    return back_to(request, _address(query), _("The view is saved."))


@router.post("/matches/views/{view_id}/delete")
def forget_view(request: Request, visitor: Viewer, view_id: RowId) -> Response:
    """Forget one of one's views."""
    app = app_of(request)
    with app.database.write() as session:
        delete_view(session, visitor.address, view_id)
    return back_to(request, "/matches", _("The view is deleted."))
