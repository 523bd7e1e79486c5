"""Watches for programs: drafts, publishing, history, going back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from pydantic import BaseModel

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.core.roles import Role
from monitor.store import watchlist
from monitor.store.tables import WatchRow
from monitor.store.watch_drafts import Draft, discard_draft, find_draft, publish_draft, save_draft
from monitor.store.watch_history import WatchVersion, roll_back, watch_history
from monitor.store.watch_list import list_watches
from monitor.web.access import Editor, guarded_api
from monitor.web.api.parts import Short, Text
from monitor.web.asked import Slug, app_of

router = guarded_api(Role.VIEWER, tags=["watchlist"])


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


@router.get("/topics/{topic}/watches")
def watches(request: Request, topic: Slug) -> list[WatchOut]:
    """The watches of a topic, retired ones last."""
    with app_of(request).database.read() as session:
        watchlist.find_topic(session, topic)
        return [_watch_out(row) for row in list_watches(session, topic)]


@router.get("/topics/{topic}/watches/{key}")
def watch(request: Request, topic: Slug, key: Slug) -> WatchDetail:
    """A watch with its draft and its history."""
    with app_of(request).database.read() as session:
        draft = find_draft(session, topic, key)
        row = watchlist.find_watch(session, topic, key) if draft else watchlist.load_watch(session, topic, key)
        versions = list(watch_history(session, topic, key))
    return WatchDetail(_watch_out(row) if row else None, _draft_out(draft) if draft else None, versions)


@router.put("/topics/{topic}/watches/{key}/draft")
def draft(request: Request, topic: Slug, key: Slug, body: WatchIn, editor: Editor) -> DraftOut:
    """Keep a watch as a draft; nothing changes until it is published."""
    app = app_of(request)
    with app.database.write() as session:
        wanted = Watch(topic, key, body.language, body.query, body.note)
        return _draft_out(save_draft(session, wanted, actor=editor.address, now=app.clock()))


@router.delete("/topics/{topic}/watches/{key}/draft", status_code=204)
def discard(request: Request, topic: Slug, key: Slug, editor: Editor) -> None:
    """Forget a draft."""
    app = app_of(request)
    with app.database.write() as session:
        discard_draft(session, topic, key, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/watches/{key}/publish")
def publish(request: Request, topic: Slug, key: Slug, body: Seen, editor: Editor) -> Made:
    """Make a draft live, unless another version is live than the one seen."""
    app = app_of(request)
    with app.database.write() as session:
        return Made(publish_draft(session, topic, key, seen=body.seen, actor=editor.address, now=app.clock()))


@router.post("/topics/{topic}/watches/{key}/roll-back")
def go_back(request: Request, topic: Slug, key: Slug, body: RollBack, editor: Editor) -> Made:
    """Make an earlier version live again, as the next version."""
    app = app_of(request)
    with app.database.write() as session:
        return Made(roll_back(session, topic, key, to=body.to, seen=body.seen, actor=editor.address, now=app.clock()))


@router.post("/topics/{topic}/watches/{key}/retire", status_code=204)
def retire(request: Request, topic: Slug, key: Slug, editor: Editor) -> None:
    """Switch a watch off; its history leads back."""
    app = app_of(request)
    with app.database.write() as session:
        watchlist.retire_watch(session, topic, key, actor=editor.address, now=app.clock())


def _watch_out(row: WatchRow) -> WatchOut:
    return WatchOut(row.topic_id, row.key, row.language, row.query, row.note, row.version, row.active, row.updated_at)


def _draft_out(draft: Draft) -> DraftOut:
    watch = draft.watch
    return DraftOut(watch.language.value, watch.query, watch.note, draft.based_on, draft.actor, draft.updated_at)
