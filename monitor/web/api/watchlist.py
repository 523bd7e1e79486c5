"""The watchlist for programs: what the pages under /watchlist do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, StringConstraints

from monitor.app import App
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Watch
from monitor.core.roles import Role
from monitor.errors import NotFound, Refused
from monitor.matching.topics import read_topic, read_topics, write_topics
from monitor.store import config, watchlist
from monitor.store.backtest import Bounds, backtest
from monitor.store.suggest import suggest_phrases
from monitor.store.tables import WatchRow
from monitor.store.watch_drafts import Draft, discard_draft, find_draft, publish_draft, save_draft
from monitor.store.watch_history import WatchVersion, roll_back, watch_history
from monitor.store.watch_list import list_watches
from monitor.web.access import Editor, guarded_api
from monitor.web.desk.topics import READ_FOR_SUGGESTIONS
from monitor.web.desk.trials import try_on_text

router = guarded_api(Role.VIEWER, tags=["watchlist"])

Id = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,100}$")]
Text = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
Short = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Query(ge=0, lt=2**31)]


class WatchIn(BaseModel):
    """A watch as it shall be."""

    language: Language = Language.ANY
    query: Text
    note: Short = ""


class Seen(BaseModel):
    """The version that whoever asks takes for the live one; 0 for none."""

    seen: int


class RollBack(Seen):
    """The version to go back to."""

    to: int


class TrialIn(WatchIn):
    """A query to try; ``key`` names the watch that it would replace, ``weeks`` is how far back to look."""

    key: Short = "tried"
    weeks: Annotated[int, Query(ge=1, le=520)] = 52


class TestIn(WatchIn):
    """A query to test on a text, or on the page at an address."""

    sample: Text


class TopicIn(BaseModel):
    """A topic as it shall be; names by language."""

    pillar: Short
    names: dict[Language, Short]
    threshold: float = 0.5
    needs_neighbours: bool = False


class ImportIn(BaseModel):
    """A topics file; it is carried out only with ``apply``, and edits made here are kept without ``overwrite``."""

    text: Annotated[str, StringConstraints(max_length=2_000_000, pattern=r"^[^\x00]*$")]
    apply: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class WatchOut:
    """A watch as it is live, or was when it was retired."""

    topic: str
    key: str
    language: str
    query: str
    note: str
    version: int
    active: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DraftOut:
    """A watch that waits to be published."""

    language: str
    query: str
    note: str
    based_on: int
    actor: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class WatchDetail:
    """A watch with its draft and its versions, the latest first."""

    watch: WatchOut | None
    draft: DraftOut | None
    versions: list[WatchVersion]


@dataclass(frozen=True, slots=True)
class Made:
    """The version that is live now."""

    version: int


@dataclass(frozen=True, slots=True)
class HitOut:
    """An item that a query found."""

    item: int
    title: str
    url: str
    first_seen_at: datetime
    score: float | None


@dataclass(frozen=True, slots=True)
class PreviewOut:
    """What a query would have found; ``gained`` and ``lost`` are against what is live."""

    items: int
    hits: int
    worthy: int | None
    per_digest: float
    precision: float | None
    judged: int
    gained: int
    lost: int
    reached: datetime
    stopped_after: str
    weeks: list[int]
    newest: list[HitOut]


@dataclass(frozen=True, slots=True)
class TestOut:
    """Whether a text is found, by which words, and by what is live; ``problem`` says why there was no text."""

    found: bool
    found_by_live: bool
    score: float | None
    worthy: bool
    evidence: list[str]
    problem: str


@dataclass(frozen=True, slots=True)
class SuggestionOut:
    """Words that set a topic's items apart."""

    query: str
    in_topic: int
    elsewhere: int
    example: str


@dataclass(frozen=True, slots=True)
class ChangeOut:
    """A difference between a file and what is stored."""

    action: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class ImportOut:
    """What a file changes, and how much of it was carried out."""

    changes: list[ChangeOut]
    done: int


@router.get("/topics/{topic}/watches")
def watches(request: Request, topic: Id) -> list[WatchOut]:
    """The watches of a topic, retired ones last."""
    with _app(request).database.read() as session:
        watchlist.find_topic(session, topic)
        return [_watch_out(row) for row in list_watches(session, topic)]


@router.get("/topics/{topic}/watches/{key}")
def watch(request: Request, topic: Id, key: Id) -> WatchDetail:
    """A watch with its draft and its history."""
    with _app(request).database.read() as session:
        row, draft = watchlist.find_watch(session, topic, key), find_draft(session, topic, key)
        if row is None and draft is None:
            raise NotFound(f"watch {topic}/{key}: no such watch")
        versions = list(watch_history(session, topic, key))
    return WatchDetail(_watch_out(row) if row else None, _draft_out(draft) if draft else None, versions)


@router.put("/topics/{topic}/watches/{key}/draft")
def draft(request: Request, topic: Id, key: Id, body: WatchIn, editor: Editor) -> DraftOut:
    """Keep a watch as a draft; nothing changes until it is published."""
    app = _app(request)
    with app.database.write() as session:
        wanted = Watch(topic, key, body.language, body.query, body.note)
        save_draft(session, wanted, actor=editor.address, now=app.clock())
        kept = find_draft(session, topic, key)
    if kept is None:
        raise NotFound(f"watch {topic}/{key} has no draft")
    return _draft_out(kept)


@router.delete("/topics/{topic}/watches/{key}/draft", status_code=204)
def discard(request: Request, topic: Id, key: Id, editor: Editor) -> None:
    """Forget a draft."""
    app = _app(request)
    with app.database.write() as session:
        discard_draft(session, topic, key, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/watches/{key}/publish")
def publish(request: Request, topic: Id, key: Id, body: Seen, editor: Editor) -> Made:
    """Make a draft live, unless another version is live than the one seen."""
    app = _app(request)
    with app.database.write() as session:
        return Made(publish_draft(session, topic, key, seen=body.seen, actor=editor.address, now=app.clock()))


@router.post("/topics/{topic}/watches/{key}/roll-back")
def go_back(request: Request, topic: Id, key: Id, body: RollBack, editor: Editor) -> Made:
    """Make an earlier version live again, as the next version."""
    app = _app(request)
    with app.database.write() as session:
        return Made(roll_back(session, topic, key, to=body.to, seen=body.seen, actor=editor.address, now=app.clock()))


@router.post("/topics/{topic}/watches/{key}/retire", status_code=204)
def retire(request: Request, topic: Id, key: Id, editor: Editor) -> None:
    """Switch a watch off; its history leads back."""
    app = _app(request)
    with app.database.write() as session:
        if watchlist.find_watch(session, topic, key) is None:
            raise NotFound(f"watch {topic}/{key}: no such watch")
        watchlist.retire_watch(session, topic, key, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/preview")
def preview(request: Request, topic: Id, body: TrialIn, editor: Editor) -> PreviewOut:  # noqa: ARG001 - for the role
    """What a query would have found for a topic, and what would change."""
    app = _app(request)
    since = app.clock() - timedelta(weeks=body.weeks)
    with app.database.read() as session:
        matcher = app.live.matcher(session)
        found = backtest(
            session,
            matcher,
            body.query,
            body.language,
            since,
            topic=topic,
            key=body.key,
            bounds=Bounds(seconds=15),
            sample=20,
        )
    change = found.comparison
    return PreviewOut(
        items=found.items,
        hits=found.hits,
        worthy=found.worthy,
        per_digest=found.per_digest,
        precision=found.precision,
        judged=found.judged,
        gained=change.gained if change else 0,
        lost=change.lost if change else 0,
        reached=found.reached,
        stopped_after=found.stopped_after,
        weeks=[week.hits for week in found.weeks],
        newest=[
            HitOut(hit.item_id, hit.document.title, hit.url, hit.first_seen_at, hit.finding.score)
            for hit in found.sample
        ],
    )


@router.post("/topics/{topic}/test")
async def test(request: Request, topic: Id, body: TestIn, editor: Editor) -> TestOut:  # noqa: ARG001 - for the role
    """Whether a query finds one text, or the page at an address."""
    tried = await try_on_text(_app(request), Watch(topic, "tried", body.language, body.query), body.sample.strip())
    if tried.document is None or tried.finding is None:
        return TestOut(False, False, None, False, [], tried.problem)  # noqa: FBT003 - the fields are named above
    document, finding = tried.document, tried.finding
    words = [getattr(document, one.field)[one.start : one.end] for one in finding.evidence]
    return TestOut(finding.hit, finding.before, finding.score, finding.worthy, words, "")


@router.get("/topics/{topic}/suggestions")
def suggestions(
    request: Request,
    topic: Id,
    editor: Editor,  # noqa: ARG001 - for the role
    language: Literal["en", "fr", "es"] = "en",
) -> list[SuggestionOut]:
    """Words that set a topic's items apart from all others."""
    app = _app(request)
    with app.database.read() as session:
        topics = app.live.matcher(session).topics
        if topic not in topics:
            raise NotFound(f"topic {topic}: no such active topic")
        found, _ = suggest_phrases(session, topics[topic], Language(language), others=READ_FOR_SUGGESTIONS)
    return [SuggestionOut(one.query, one.in_topic, one.elsewhere, one.example) for one in found]


@router.put("/topics/{topic}", status_code=204)
def save_topic(request: Request, topic: Id, body: TopicIn, editor: Editor) -> None:
    """Make a topic, or change its name, its priority and its threshold."""
    app = _app(request)
    names = {str(language): body.names.get(language, "") for language in READER_LANGUAGES}
    row: dict[str, Any] = {"id": topic, "name": names, "pillar": body.pillar, "threshold": body.threshold}
    with app.database.write() as session:
        pillars = [pillar.id for pillar in watchlist.load_pillars(session)]
        wanted = read_topic(row | {"needs_neighbours": body.needs_neighbours}, pillars)
        watchlist.save_topic(session, wanted, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/retire", status_code=204)
def retire_topic(request: Request, topic: Id, editor: Editor) -> None:
    """Switch a topic off, with its watches."""
    app = _app(request)
    with app.database.write() as session:
        watchlist.find_topic(session, topic)
        watchlist.retire_topic(session, topic, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/restore", status_code=204)
def restore_topic(request: Request, topic: Id, editor: Editor) -> None:
    """Switch a retired topic on again, with the watches that were retired with it."""
    app = _app(request)
    with app.database.write() as session:
        watchlist.restore_topic(session, topic, actor=editor.address, now=app.clock())


@router.get("/watchlist.toml")
def export(request: Request) -> Response:
    """The whole watchlist as the file that ``monitor config`` reads."""
    with _app(request).database.read() as session:
        stored = config.stored_config(session)
    return Response(write_topics(stored.pillars, stored.topics), media_type="application/toml")


@router.post("/watchlist/import")
def import_(request: Request, body: ImportIn, editor: Editor) -> ImportOut:
    """What a topics file would change, and with ``apply`` the change itself."""
    app = _app(request)
    if not body.text.strip():
        raise Refused("text: send a topics file, as /api/v1/watchlist.toml gives it")
    file = read_topics(body.text, "text")
    with app.database.write() as session:
        changes = config.plan_topics(session, file)
        overwrite, now = body.overwrite, app.clock()
        done = config.apply(session, changes, actor=editor.address, now=now, overwrite=overwrite) if body.apply else 0
    return ImportOut([ChangeOut(one.action.value, one.kind, one.id) for one in changes], done)


def _watch_out(row: WatchRow) -> WatchOut:
    return WatchOut(row.topic_id, row.key, row.language, row.query, row.note, row.version, row.active, row.updated_at)


def _draft_out(draft: Draft) -> DraftOut:
    watch = draft.watch
    return DraftOut(watch.language.value, watch.query, watch.note, draft.based_on, draft.actor, draft.updated_at)


def _app(request: Request) -> App:
    app: App = request.app.state.app
    return app
