"""The topics for programs, and the whole watchlist as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.roles import Role
from monitor.errors import Refused
from monitor.matching.topics import read_topic, read_topics, write_topics
from monitor.store import config, watchlist
from monitor.web.access import Editor, guarded_api
from monitor.web.api.parts import File, Short
from monitor.web.asked import Slug, app_of

router = guarded_api(Role.VIEWER, tags=["watchlist"])


class TopicIn(BaseModel):
    """A topic as it shall be; names by language."""

    pillar: Short
    names: dict[Language, Short]
    threshold: float = 0.5
    needs_neighbours: bool = False


class ImportIn(BaseModel):
    """A topics file; it is carried out only with ``apply``, and edits made here are kept without ``overwrite``."""

    text: File
    apply: bool = False
    overwrite: bool = False


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


@router.put("/topics/{topic}", status_code=204)
def save_topic(request: Request, topic: Slug, body: TopicIn, editor: Editor) -> None:
    """Make a topic, or change its name, its priority and its threshold."""
    app = app_of(request)
    names = {str(language): body.names.get(language, "") for language in READER_LANGUAGES}
    row: dict[str, Any] = {"id": topic, "name": names, "pillar": body.pillar, "threshold": body.threshold}
    with app.database.write() as session:
        pillars = [pillar.id for pillar in watchlist.load_pillars(session)]
        wanted = read_topic(row | {"needs_neighbours": body.needs_neighbours}, pillars)
        watchlist.save_topic(session, wanted, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/retire", status_code=204)
def retire_topic(request: Request, topic: Slug, editor: Editor) -> None:
    """Switch a topic off, with its watches."""
    app = app_of(request)
    with app.database.write() as session:
        watchlist.retire_topic(session, topic, actor=editor.address, now=app.clock())


@router.post("/topics/{topic}/restore", status_code=204)
def restore_topic(request: Request, topic: Slug, editor: Editor) -> None:
    """Switch a retired topic on again, with the watches that were retired with it."""
    app = app_of(request)
    with app.database.write() as session:
        watchlist.restore_topic(session, topic, actor=editor.address, now=app.clock())


@router.get("/watchlist.toml")
def export(request: Request) -> Response:
    """The whole watchlist as the file that ``monitor config`` reads."""
    with app_of(request).database.read() as session:
        stored = config.stored_config(session)
    return Response(write_topics(stored.pillars, stored.topics), media_type="application/toml")


@router.post("/watchlist/import")
def import_(request: Request, body: ImportIn, editor: Editor) -> ImportOut:
    """What a topics file would change, and with ``apply`` the change itself."""
    app = app_of(request)
    if not body.text.strip():
        raise Refused("text: send a topics file, as /api/v1/watchlist.toml gives it")
    file = read_topics(body.text, "text")
    with app.database.write() as session:
        changes = config.plan_topics(session, file)
        overwrite, now = body.overwrite, app.clock()
        done = config.apply(session, changes, actor=editor.address, now=now, overwrite=overwrite) if body.apply else 0
    return ImportOut([ChangeOut(one.action.value, one.kind, one.id) for one in changes], done)
