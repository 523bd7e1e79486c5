"""What everybody may read of one item, and of the story that it belongs to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from fastapi import Request

from monitor.core.nouns import Evidence
from monitor.core.roles import Role
from monitor.errors import NotFound
from monitor.store import dossiers
from monitor.web.access import guarded_api
from monitor.web.asked import RowId, app_of

router = guarded_api(Role.PUBLIC, tags=["public"])


@dataclass(frozen=True, slots=True)
class VersionOut:
    """A text of an item; ``content_hash`` is the SHA-256 of title, summary and text."""

    number: int
    seen_at: datetime
    title: str
    summary: str
    body: str
    published_at: datetime | None
    content_hash: str


@dataclass(frozen=True, slots=True)
class FullTextOut:
    """When the text was read from the item's own page, and the SHA-256 of that page's title and text."""

    read_at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class MatchOut:
    """A topic that an item is about; the evidence's offsets point into the newest version."""

    topic: str
    score: float
    worthy: bool
    evidence: list[Evidence]
    is_current: bool


@dataclass(frozen=True, slots=True)
class ToldOut:
    """Another item with the same news."""

    item: int
    url: str
    title: str
    agency: str
    country: str
    language: str
    news_at: datetime


@dataclass(frozen=True, slots=True)
class ItemOut:
    """All that is kept of an item; ``versions`` ends with the present text.

    ``full_text`` is null where the text is what the feed gives.
    """

    item: int
    url: str
    archive_url: str
    agency: str
    country: str
    language: str
    published_at: datetime | None
    first_seen_at: datetime
    withdrawn_at: datetime | None
    versions: list[VersionOut]
    full_text: FullTextOut | None
    matches: list[MatchOut]
    twins: dict[str, str]
    story: int | None
    told_by: list[ToldOut]


@router.get("/items/{item_id}")
def item(request: Request, item_id: RowId) -> ItemOut:
    """An item with its versions, its matches, and who told the same."""
    app = app_of(request)
    with app.database.read() as session:
        dossier = dossiers.load_dossier(session, item_id)
    document, full_text = dossier.document, dossier.full_text
    return ItemOut(
        item=item_id,
        url=dossier.url,
        archive_url=f"{app.settings.base_url}/items/{item_id}",
        agency=document.agency,
        country=document.country,
        language=dossier.language,
        published_at=dossier.published_at,
        first_seen_at=dossier.first_seen_at,
        withdrawn_at=dossier.withdrawn_at,
        versions=[VersionOut(**asdict(version)) for version in dossier.versions],
        full_text=FullTextOut(**asdict(full_text)) if full_text else None,
        matches=[
            MatchOut(found.topic, found.score, found.worthy, list(found.evidence), found.is_current)
            for found in dossier.found
        ],
        twins={language: twin if isinstance(twin, str) else twin.url for language, twin in dossier.twins.items()},
        story=dossier.story_id,
        told_by=[_told_out(told) for told in dossier.story],
    )


@router.get("/stories/{story_id}")
def story(request: Request, story_id: RowId) -> list[ToldOut]:
    """The items that tell the same news, the earliest first."""
    app = app_of(request)
    with app.database.read() as session:
        found = dossiers.tellings(session, story_id)
    if not found:
        raise NotFound(f"story_id = {story_id}: there is no such story; items name theirs")
    return list(map(_told_out, found))


def _told_out(told: dossiers.Told) -> ToldOut:
    values = asdict(told)
    return ToldOut(item=values.pop("item_id"), **values)
