"""Feeds of every format to entries: bytes in, values out, whatever the bytes are.

The order of work: the text (``charset``), what no parser may see (``document``), the format's reader (``jsonfeed``,
``wellformed``, else ``classic``), and here the entries: plain text, absolute links, UTC dates, keys and hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from monitor.core.languages import Language, primary_language
from monitor.core.nouns import Entry
from monitor.core.text import content_hash, tidy
from monitor.polling.charset import decode
from monitor.polling.classic import read_with_feedparser
from monitor.polling.dates import clamped, read_date
from monitor.polling.discover import advertised_feeds
from monitor.polling.document import MOST_ENTRIES, NoFeed, prepare
from monitor.polling.jsonfeed import read_json_feed
from monitor.polling.keys import absolute_link, entry_key
from monitor.polling.pieces import cut
from monitor.polling.plaintext import plain_text, tidy_paragraphs
from monitor.polling.raw import RawEntry, RawFeed, RawText
from monitor.polling.ttl import Asked, asked
from monitor.polling.wellformed import read_well_formed
from monitor.texts import marked as _

_LONGEST_TITLE = 500
_LONGEST_TEXT = 1_000_000
_WORDS_FOR_A_TITLE = 12
_MOST_CATEGORIES = 50
_UNTITLED = "…"


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as a feed shows it, before its text is read: that takes most of the time, and most entries are known.

    ``fingerprint`` changes with any byte of what the feed says of the entry; where it is the same as at the last
    visit, so is the entry.
    """

    key: str
    fingerprint: str
    raw: RawEntry
    url: str
    language: Language | None
    now: datetime

    def entry(self) -> Entry:
        """The entry with its text read.

        The content hash covers the title, the summary, the body and the time of publication as written (never
        clamped, so that it stays the same at the next visit). Addresses, categories and the time of modification
        do not count: sites change those without a change of the news.
        """
        link = _link(self.raw, self.url)
        title, summary, body = _texts(self.raw, link)
        published = read_date(self.raw.published or self.raw.updated, language=self.language)
        modified = read_date(self.raw.updated, language=self.language)
        return Entry(
            key=self.key,
            url=link,
            title=title,
            summary=summary,
            body=body,
            language=self.language,
            categories=_categories(self.raw.categories),
            published_at=clamped(published, self.now),
            modified_at=clamped(modified, self.now),
            content_hash=content_hash(title, summary, body, published.isoformat() if published else ""),
        )


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What a feed held at one visit.

    ``seen`` are the keys of entries that are written as they were before; for them there are no drafts.
    ``ttl``, ``skip_hours`` (of UTC, 0 to 23) and ``skip_days`` (0 is Monday) are what the feed asks for; ``hub``
    and ``self_url`` are those of WebSub. ``warnings`` tell an editor what was wrong and yet could be read.
    """

    drafts: tuple[Draft, ...]
    title: str = ""
    language: Language | None = None
    ttl: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    hub: str | None = None
    self_url: str | None = None
    warnings: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All entries but those seen before, their text read anew at each asking."""
        return tuple(draft.entry() for draft in self.drafts)


@dataclass(frozen=True, slots=True)
class NotAFeed:
    """The document is no feed: ``detail`` says what it is, ``feeds_found`` which feeds an HTML page names."""

    detail: str
    feeds_found: tuple[str, ...] = ()


Recall = Callable[[int], Mapping[str, str]]
"""Asked with the number of entries of a feed: the keys of its known ones, by their fingerprints."""


def _knows_nothing(_count: int) -> Mapping[str, str]:
    return {}


def parse_feed(
    body: bytes,
    *,
    url: str,
    content_type: str = "",
    language: Language | None = None,
    now: datetime,
    recall: Recall = _knows_nothing,
) -> ParsedFeed | NotAFeed:
    """Read a feed: RSS 0.9 to 2.0, RDF, Atom or JSON Feed.

    Args:
        body: The document as it came.
        url: Where it came from, the base of its relative links.
        content_type: The ``Content-Type`` header, for its charset.
        language: The source's language where it is known; an entry that declares another one keeps its own.
        now: The time of the visit, aware; dates more than a day after it are clamped to it.
        recall: What is known; entries that are written in the same way need not be read.
    """
    text = decode(body, content_type)
    if not text.strip():
        return NotAFeed(_("the document is empty"))
    if text.lstrip().startswith("{"):
        json_feed = read_json_feed(text)
        finish = json_feed and _finished(json_feed, (), Asked(), (), url=url, language=language, now=now)
        return finish or NotAFeed(_("the document is JSON, but no JSON Feed"))
    feed = prepare(text)
    if isinstance(feed, NoFeed):
        return NotAFeed(feed.detail, advertised_feeds(text, url))
    raw, seen = _read_news(feed.text, url, recall) or (_read_all(feed.text, url), ())
    if raw is None:
        return NotAFeed(_("the document begins like a feed, but no feed can be read from it"))
    return _finished(raw, seen, asked(feed.head), feed.warnings, url=url, language=language, now=now)


def _read_all(text: str, url: str) -> RawFeed | None:
    return read_well_formed(text, url) or read_with_feedparser(text, url)


def _read_news(text: str, url: str, recall: Recall) -> tuple[RawFeed, tuple[str, ...]] | None:
    """The feed without the entries that are known, and the keys of these; None where it must be read as a whole."""
    pieces = cut(text, url)
    if pieces is None:
        return None
    known = recall(len(pieces.entries))
    rest = pieces.without(known)
    raw = _read_all(rest, url) if rest else None
    news = tuple(own for own in pieces.fingerprints if own not in known)
    if raw is None or len(raw.entries) != len(news):
        return None
    seen = dict.fromkeys(known[own] for own in pieces.fingerprints if own in known)
    return replace(raw, pieces=news), tuple(seen)


def _finished(
    raw: RawFeed,
    seen: tuple[str, ...],
    wishes: Asked,
    warnings: tuple[str, ...],
    *,
    url: str,
    language: Language | None,
    now: datetime,
) -> ParsedFeed:
    declared = primary_language(raw.language)
    pieces = raw.pieces or [""] * len(raw.entries)
    shown = list(islice(zip(raw.entries, pieces, strict=True), MOST_ENTRIES))
    telling = [(entry, piece) for entry, piece in shown if entry.tells_something]
    drafts: dict[str, Draft] = {}
    for entry, piece in telling:
        made = draft(entry, url=url, language=_language(entry, declared, language), now=now, fingerprint=piece)
        if made.key not in seen:
            drafts.setdefault(made.key, made)
    empty, repeated = len(shown) - len(telling), len(telling) - len(drafts)
    notes = {
        _("empty entries: %(empty)s", empty=empty): empty,
        _("entries that repeat the key of another: %(repeated)s", repeated=repeated): repeated,
    }
    return ParsedFeed(
        drafts=tuple(drafts.values()),
        title=_plain(raw.title, _LONGEST_TITLE),
        language=language or declared,
        ttl=wishes.ttl,
        skip_hours=wishes.skip_hours,
        skip_days=wishes.skip_days,
        hub=absolute_link(raw.hub, url) or None,
        self_url=absolute_link(raw.self_url, url) or None,
        warnings=(*warnings, *(note for note, count in notes.items() if count)),
        seen=seen,
    )


def draft(raw: RawEntry, *, url: str, language: Language | None, now: datetime, fingerprint: str = "") -> Draft:
    """The draft of an entry; without a GUID and a link, its key is the hash of its text, which is then read.

    Its fingerprint is the given one, else that of what is written.
    """
    link = _link(raw, url)
    given = tidy(raw.guid)
    digest = "" if given or link else content_hash(*_texts(raw, link), raw.published or raw.updated)
    return Draft(entry_key(given, link, digest), fingerprint or raw.fingerprint(url), raw, url, language, now)


def _link(raw: RawEntry, url: str) -> str:
    return absolute_link(raw.link, absolute_link(raw.base, url) or url)


def _texts(raw: RawEntry, link: str) -> tuple[str, str, str]:
    """Title, summary and body; without a title, the first words of the text stand in for it, else the address."""
    summary, body = _plain(raw.summary, _LONGEST_TEXT), _plain(raw.body, _LONGEST_TEXT)
    title = tidy(_plain(raw.title, _LONGEST_TITLE))
    return title or _opening(summary or body) or link or _UNTITLED, summary, body


def _language(raw: RawEntry, feed: Language | None, source: Language | None) -> Language | None:
    own = primary_language(raw.language)
    return own if own and own != feed else source or own or feed


def _plain(raw: RawText, longest: int) -> str:
    return (plain_text if raw.html else tidy_paragraphs)(raw.value)[:longest].rstrip()


def _opening(text: str) -> str:
    words = text.split()
    cut = " ".join(words[:_WORDS_FOR_A_TITLE])
    return cut if len(words) <= _WORDS_FOR_A_TITLE else f"{cut} …"


def _categories(raw: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(dict.fromkeys(filter(None, map(tidy, raw))), _MOST_CATEGORIES))
