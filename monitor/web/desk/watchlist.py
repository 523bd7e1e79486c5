"""The watchlist: all pillars, topics and watches, and what waits to be published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from monitor.core.nouns import Pillar
from monitor.core.roles import Role
from monitor.errors import Conflict, Refused, SettingError
from monitor.matching.topics import TopicsFile, read_topics, write_topics
from monitor.store import config, watchlist
from monitor.store.config import Action, Change
from monitor.store.news import Latest, latest_news, weekly_counts
from monitor.store.watch_drafts import Draft, list_drafts
from monitor.store.watch_list import ListedTopic, list_topics
from monitor.texts import marked as _
from monitor.web.access import Editor, guarded, needs
from monitor.web.asked import app_of
from monitor.web.charts import Chart, bar_chart
from monitor.web.desk.entries import Uploaded, file_or_text
from monitor.web.flash import back_to
from monitor.web.forms import Entered
from monitor.web.limits import throttled
from monitor.web.rendering import own_page

router = guarded(Role.VIEWER, prefix="/watchlist")


_WEEKS = 12


@dataclass(frozen=True, slots=True)
class ShownTopic:
    """A topic of the overview: its news of the last weeks as a chart, of the last seven days, and the newest."""

    topic: ListedTopic
    chart: Chart
    recent: int
    latest: Latest | None


@router.get("")
def overview(request: Request) -> HTMLResponse:
    """All topics by pillar, with their watches, drafts and what they found of late."""
    app = app_of(request)
    now = app.clock()
    with app.database.read() as session:
        pillars = watchlist.load_pillars(session)
        topics = list_topics(session)
        counts, latest = weekly_counts(session, now, weeks=_WEEKS), latest_news(session)
        drafts: tuple[Draft, ...] = list_drafts(session)
    shown = [_shown(topic, counts.get(topic.id, ()), latest.get(topic.id)) for topic in topics]
    return own_page(
        request,
        "desk/watchlist.html",
        pillars=[(pillar, _of(pillar, shown)) for pillar in pillars],
        retired=[topic for topic in topics if not topic.active],
        watches=sum(topic.watches for topic in topics if topic.active),
        drafts=drafts,
        now=now,
    )


@router.get("/export.toml")
def export(request: Request) -> Response:
    """The whole watchlist as the file that ``monitor config`` reads."""
    app = app_of(request)
    with app.database.read() as session:
        stored = config.stored_config(session)
    headers = {"Content-Disposition": 'attachment; filename="topics.toml"', "Cache-Control": "no-store"}
    text = write_topics(stored.pillars, stored.topics)
    return Response(text, media_type="application/toml", headers=headers)


@router.get("/import", dependencies=[Depends(needs(Role.EDITOR))])
def ask_for_file(request: Request) -> HTMLResponse:
    """The form that takes a file."""
    return _import_page(request, Entered({}))


@router.post("/import", dependencies=[Depends(throttled)])
async def take_file(request: Request, form: Uploaded, editor: Editor) -> Response:
    """Show what a file would change; carry it out where that is asked for."""
    text = (await file_or_text(form, "file")).decode("utf-8", errors="replace").replace("\0", "\ufffd")
    return await run_in_threadpool(_take_file, request, text, form, editor.address)


def _take_file(request: Request, text: str, form: FormData, actor: str) -> Response:
    entered = Entered({"file": text})
    try:
        found = read_topics(text, "topics.toml")
        if form.get("action") == "apply":
            return _apply(request, found, actor, overwrite=form.get("overwrite") == "yes")
        return _import_page(request, entered, _plan(request, found))
    except SettingError as error:
        entered.errors["file"] = _(
            "%(key)s = %(value)s: %(remedy)s", key=error.key, value=repr(error.value)[:100], remedy=error.remedy
        )
    except (Conflict, Refused) as error:
        entered.errors["file"] = error.text
    return _import_page(request, entered)


def _plan(request: Request, found: TopicsFile) -> list[Change]:
    app = app_of(request)
    with app.database.read() as session:
        return config.plan_topics(session, found)


def _apply(request: Request, found: TopicsFile, actor: str, *, overwrite: bool) -> Response:
    app = app_of(request)
    with app.database.write() as session:
        changes = config.plan_topics(session, found)
        done = config.apply(session, changes, actor=actor, now=app.clock(), overwrite=overwrite)
    said = _("%(done)s changed, %(left)s left as they were.", done=done, left=len(changes) - done)
    return back_to(request, "/watchlist", said)


def _import_page(request: Request, entered: Entered, changes: list[Change] | None = None) -> HTMLResponse:
    return own_page(
        request,
        "desk/watchlist_import.html",
        status=422 if entered.errors else 200,
        entered=entered,
        changes=changes,
        held=[change for change in changes or () if change.action in {Action.KEEP, Action.CONFLICT}],
    )


def _shown(topic: ListedTopic, counts: Sequence[int], latest: Latest | None) -> ShownTopic:
    return ShownTopic(topic, bar_chart(counts), counts[-1] if counts else 0, latest)


def _of(pillar: Pillar, topics: list[ShownTopic]) -> list[ShownTopic]:
    return [shown for shown in topics if shown.topic.pillar == pillar.id and shown.topic.active]
