"""The news of a topic or a pillar as a feed: Atom (RFC 4287) and JSON Feed 1.1, for readers and programs."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from fastapi import Request, Response
from sqlmodel import Session

from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Pillar, Topic
from monitor.core.roles import Role
from monitor.matching.excerpt import excerpt
from monitor.store.matches import LoggedMatch, newest_matches
from monitor.store.watchlist import load_pillar, load_topic, load_topics
from monitor.web.access import guarded
from monitor.web.asked import app_of
from monitor.web.languages import reader_language
from monitor.web.syndication import Entry, Feed, write_atom, write_json

router = guarded(Role.PUBLIC)

_ENTRIES = 50


class Format(StrEnum):
    """The kinds of feed."""

    ATOM = "atom"
    JSON = "json"


_WRITERS = {
    Format.ATOM: ("application/atom+xml; charset=utf-8", write_atom),
    Format.JSON: (
        "application/feed+json; charset=utf-8",
        lambda feed: json.dumps(write_json(feed), ensure_ascii=False).encode(),
    ),
}


@router.get("/topics/{topic_id}/feed.{kind}")
def topic_feed(request: Request, topic_id: str, kind: Format) -> Response:
    """The news of a topic, the newest first."""
    app = app_of(request)
    with app.database.read() as session:
        topic = load_topic(session, topic_id)
        return _answer(request, kind, _feed(request, session, topic, [topic]))


@router.get("/pillars/{pillar_id}/feed.{kind}")
def pillar_feed(request: Request, pillar_id: str, kind: Format) -> Response:
    """The news of all topics of a pillar, the newest first."""
    app = app_of(request)
    with app.database.read() as session:
        pillar = load_pillar(session, pillar_id)
        topics = [topic for topic in load_topics(session) if topic.pillar == pillar_id]
        return _answer(request, kind, _feed(request, session, pillar, topics))


def _feed(request: Request, session: Session, about: Topic | Pillar, topics: list[Topic]) -> Feed:
    app = app_of(request)
    language = reader_language(request)
    names = {topic.id: topic.names[language] for topic in topics}
    hold = app.settings.hold_for_review
    entries: dict[int, Entry] = {}
    for match in newest_matches(session, list(names), hold=hold, limit=_ENTRIES):
        known = entries.get(match.item_id)
        entries[match.item_id] = known.also_about(names[match.topic]) if known else _entry(match, names, app)
    path = request.url.path
    return Feed(
        title=f"{about.names[language]} – {app.settings.organisation}",
        language=language,
        url=f"{app.settings.base_url}{path}",
        home=f"{app.settings.base_url}{path.rpartition('/')[0]}",
        author=app.settings.organisation,
        entries=tuple(entries.values()),
        written_at=max((entry.updated_at for entry in entries.values()), default=app.clock()),
    )


def _entry(match: LoggedMatch, names: dict[str, str], app: App) -> Entry:
    document = match.document
    return Entry(
        id=f"tag:{app.settings.mail_domain},2021-02-23:item/{match.item_id}",
        url=match.url,
        title=document.title,
        language=document.language if document.language in set(Language) - {Language.ANY} else None,
        author=document.agency,
        published_at=match.published_at or match.first_seen_at,
        updated_at=match.matched_at,
        summary=str(excerpt(document, match.evidence)),
        topics=(names[match.topic],),
    )


def _answer(request: Request, kind: Format, feed: Feed) -> Response:
    """The feed, or 304 for a program that has it already."""
    media_type, write = _WRITERS[kind]
    body = write(feed)
    headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Cache-Control": "public, max-age=300"}
    headers |= {"Vary": "Accept-Language, Cookie", "Access-Control-Allow-Origin": "*"}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
