"""What the sample newsroom publishes: the press offices with their releases, and the sources that do not work."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec

_FOLDER = Path(__file__).parent / "releases"
_FILES = {"rss": "feed.xml", "wordpress": "feed", "atom": "atom.xml", "rdf": "index.rdf", "json": "feed.json"}


@dataclass(frozen=True, slots=True)
class Release:
    """One publication of a sample press office; all of it is invented.

    Attributes:
        name: The last part of its address; EN/FR twins share it.
        title: The headline; unlike summary and body it is plain text, not HTML.
        summary: What the feed says of it.
        body: Its whole text, where the feed carries one.
        days: How many days before the newsroom's present it is dated; negative for a mistyped date that lies ahead;
            None where the source gives no date.
        about: The topics that it is about: each should be found, and worth a digest.
        near: The topics whose words it uses in another sense: none may be worth a digest.
        guid: The GUID to show, where it is not its own.
        link: The link to show, where it is not its own.
        late: Whether it is published only with ``Newsroom.edit``.
        edited: The texts that ``Newsroom.edit`` puts in place of the first ones.
    """

    name: str
    title: str
    summary: str
    body: str = ""
    days: float | None = None
    about: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    guid: str = ""
    link: str = ""
    late: bool = False
    edited: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Office:
    """A sample press office with the feed in which it publishes; ``dates`` is a CLDR pattern."""

    slug: str
    agency: str
    country: str
    language: Language
    format: str
    folder: str
    releases: tuple[Release, ...]
    dates: str = ""

    @property
    def path(self) -> str:
        """The path of its feed."""
        return f"{self.folder}/{_FILES[self.format]}"

    def spec(self, base: str) -> SourceSpec:
        """The source that it is for a monitor, below the newsroom's address."""
        return SourceSpec(self.slug, base + self.path, self.agency, self.country, self.language)

    def at_state(self, *, edited: bool) -> tuple[Release, ...]:
        """The releases that it shows, newest first, before or after ``Newsroom.edit``."""
        shown = [_edited(release) if edited else release for release in self.releases if edited or not release.late]
        return tuple(sorted(shown, key=lambda release: release.days if release.days is not None else 99))


@dataclass(frozen=True, slots=True)
class Trouble:
    """A source that does not work, and how it answers instead."""

    slug: str
    agency: str
    country: str
    status: int
    body: str = ""

    @property
    def path(self) -> str:
        """The path at which a feed is expected."""
        return f"/{self.slug}/feed.xml"

    def spec(self, base: str) -> SourceSpec:
        """The source that it is for a monitor, below the newsroom's address."""
        return SourceSpec(self.slug, base + self.path, self.agency, self.country, Language.EN)


TROUBLES = (
    # How firewalls of government sites answer a client that they distrust: 202, and not a byte.
    Trouble("sample-harbour-en", "Sample Harbour Authority", "CA", 202),
    # A page of excuses that claims to be a success.
    Trouble(
        "sample-statistics-en",
        "Sample Bureau of Statistics",
        "US",
        200,
        "<!doctype html><html lang='en'><head><title>Technical Difficulties</title></head><body><h1>Technical "
        "Difficulties</h1><p>We are experiencing technical difficulties. Please try again later.</p></body></html>",
    ),
    Trouble("sample-archive-en", "Sample National Archive", "CA", 404, "<!doctype html><title>Not found</title>"),
)


@cache
def read_offices() -> tuple[Office, ...]:
    """The press offices, one for each file in ``releases``."""
    return tuple(_office(path.stem, path.read_text(encoding="utf-8")) for path in sorted(_FOLDER.glob("*.toml")))


def _office(slug: str, text: str) -> Office:
    document = tomllib.loads(text)
    releases = tuple(_release(row) for row in document.pop("releases"))
    return Office(slug=slug, language=Language(document.pop("language")), releases=releases, **document)


def _release(row: dict[str, Any]) -> Release:
    return Release(**row | {name: tuple(row.get(name, ())) for name in ("about", "near")})


def _edited(release: Release) -> Release:
    return replace(release, **release.edited) if release.edited else release
