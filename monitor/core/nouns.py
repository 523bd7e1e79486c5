"""The nouns of the service as frozen values (see docs/design.md); tables of the same names live in ``store``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from monitor.core.languages import Language

Names = Mapping[str, str]
"""A name per reader language: ``{"en": …, "fr": …, "es": …}``."""

FieldName = Literal["title", "summary", "body"]
"""The parts of an item's text in which a watch may find evidence."""


class SourceKind(StrEnum):
    """How a source is read: as a feed of any format, or as an HTML page that lists publications."""

    FEED = "feed"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Pillar:
    """One of the Roadmap's six priorities."""

    id: str
    names: Names


@dataclass(frozen=True, slots=True)
class Watch:
    """One query that finds items for a topic, in one language or any.

    ``key`` is unique within the topic and survives edits; ``version`` rises by one with each edit.
    """

    topic: str
    key: str
    language: Language
    query: str
    note: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Topic:
    """Something a person can follow.

    ``threshold`` is the score (0 to 1) from which a match is worth a digest. ``needs_neighbours`` says that
    the topic asks for the neighbours or their border near the evidence (trade *between them*, not any trade).
    """

    id: str
    pillar: str
    names: Names
    watches: tuple[Watch, ...] = ()
    threshold: float = 0.5
    needs_neighbours: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """What matching sees of an item. All text is plain; offsets of evidence point into these strings."""

    title: str
    summary: str = ""
    body: str = ""
    source: str = ""
    agency: str = ""
    country: str = ""
    language: Language | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a watch found its term: ``getattr(document, field)[start:end]`` is the text that matched."""

    watch: str
    version: int
    term: str
    field: FieldName
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicMatch:
    """An item's match with a topic. ``worthy`` says that the score reaches the topic's threshold."""

    topic: str
    score: float
    worthy: bool
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One publication as a feed or a page shows it at one visit; ``key`` identifies it within its source.

    ``published_at`` and ``modified_at`` are aware UTC, or None where the source gives none that can be read.
    """

    key: str
    url: str
    title: str
    summary: str = ""
    body: str = ""
    language: Language | None = None
    categories: tuple[str, ...] = ()
    published_at: datetime | None = None
    modified_at: datetime | None = None
    content_hash: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What is written down about a source; its state (validators, pace, health) is in the store.

    ``country`` is an ISO 3166 code, ``INT`` or ``EU``. ``selectors`` is for pages: CSS selectors under the
    names ``item``, ``title``, ``link``, ``date``, ``summary`` and ``next``; for both kinds, ``article`` finds the main
    text of an item's own page. ``last_verified`` is the day on which the address was last seen to work, or empty.
    """

    slug: str
    url: str
    agency: str
    country: str
    language: Language
    kind: SourceKind = SourceKind.FEED
    selectors: Mapping[str, str] = field(default_factory=dict)
    last_verified: str = ""
    note: str = ""
