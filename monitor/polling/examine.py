"""What an address offers as a source, before anything is stored: a feed, a site's feeds, or a page that lists news."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import count
from types import MappingProxyType
from urllib.parse import urlsplit

from monitor.core.languages import Language
from monitor.core.nouns import Document, Entry, SourceKind, SourceSpec
from monitor.polling.article import read_article
from monitor.polling.charset import decode
from monitor.polling.detect import propose_selectors
from monitor.polling.discover import feed_candidates
from monitor.polling.fetch import FEED, PAGE, Failed, FailureKind, Fetched, Fetcher, NotModified
from monitor.polling.pages import ParsedPage, StructureChanged, parse_page
from monitor.polling.paging import Paging, turn_page
from monitor.polling.parse import ParsedFeed, parse_feed
from monitor.polling.robots import Robots
from monitor.texts import marked as _

_LONGEST_SLUG = 80

_MOST_TRIED = 8
"""Addresses tried beside the one that was given: a person waits, and a site should not be combed."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to read an address; ``entries`` are what it shows now, for a person to judge by.

    ``paging`` tells whether a page's list goes on over more pages.
    """

    url: str
    kind: SourceKind
    title: str
    language: Language | None
    entries: tuple[Entry, ...]
    selectors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    paging: Paging = Paging.ENDS


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of examining an address: offers, the best first, or in plain words why there is none."""

    offers: tuple[Offer, ...] = ()
    problem: str = ""


async def examine(fetcher: Fetcher, url: str, now: datetime) -> Examination:
    """Visit an address and, where it is a page, the feeds that it names or that usually lie beside it.

    Args:
        fetcher: What asks; the robots.txt of the site is kept for all but the address itself.
        url: A feed's, a page's or a site's address, as a person gives it.
        now: The present, aware UTC.
    """
    answer = await fetcher.get(url, accept=FEED)
    if not isinstance(answer, Fetched):
        return Examination(problem=_failed(answer).detail)
    if (offer := await asyncio.to_thread(_as_feed, answer, now)) is not None:
        return Examination((offer,))
    html = decode(answer.body, answer.content_type)
    feeds = await _feeds_of(fetcher, html, answer.final_url, now)
    page = await _as_page(fetcher, answer, html, now)
    offers = (*feeds, *([page] if page else []))
    return Examination(
        offers, "" if offers else _("no feed was found there, and the page shows no list of publications")
    )


async def _feeds_of(fetcher: Fetcher, html: str, url: str, now: datetime) -> list[Offer]:
    robots = Robots(fetcher)
    found: dict[str, Offer] = {}
    for candidate in feed_candidates(html, url)[:_MOST_TRIED]:
        answer: Fetched | NotModified | Failed = await robots.get(candidate, accept=FEED)
        offer = await asyncio.to_thread(_as_feed, answer, now) if isinstance(answer, Fetched) else None
        if offer is not None:
            found.setdefault(offer.url, offer)
    return list(found.values())


def _as_feed(answer: Fetched, now: datetime) -> Offer | None:
    parsed = parse_feed(answer.body, url=answer.final_url, content_type=answer.content_type, now=now)
    if not isinstance(parsed, ParsedFeed):
        return None
    return Offer(answer.permanent_url or answer.url, SourceKind.FEED, parsed.title, parsed.language, parsed.entries)


async def _as_page(fetcher: Fetcher, answer: Fetched, html: str, now: datetime) -> Offer | None:
    proposal = await asyncio.to_thread(propose_selectors, html)
    if proposal is None:
        return None
    parse = partial(_parse, proposal.selectors, now)
    parsed = await asyncio.to_thread(parse, answer)
    if not isinstance(parsed, ParsedPage):
        return None
    entries = parsed.entries
    language = next((entry.language for entry in entries if entry.language), None)
    turn = await turn_page(Robots(fetcher), [parsed], answer.final_url, parse)
    return Offer(answer.url, SourceKind.PAGE, parsed.title, language, entries, proposal.selectors, turn.paging)


def _parse(selectors: Mapping[str, str], now: datetime, answer: Fetched) -> ParsedPage | StructureChanged:
    return parse_page(answer.body, url=answer.final_url, content_type=answer.content_type, selectors=selectors, now=now)


def spec_of(
    offer: Offer, *, agency: str, country: str, language: Language | None, taken: Collection[str]
) -> SourceSpec | None:
    """The source that an offer becomes, or None where its language is neither declared nor given.

    Args:
        offer: The chosen offer.
        agency: The agency's name; its feed's title where empty.
        country: An ISO 3166 code, ``INT`` or ``EU``.
        language: The language where the feed does not declare one of ours.
        taken: The slugs that are in use.
    """
    spoken = language or offer.language
    if spoken is None:
        return None
    return SourceSpec(
        slug=free_slug(offer.url, country, spoken.value, taken),
        url=offer.url,
        agency=agency or offer.title or _host(offer.url),
        country=country,
        language=spoken,
        kind=offer.kind,
        selectors=dict(offer.selectors),
    )


def free_slug(url: str, country: str, language: str, taken: Collection[str]) -> str:
    """A slug for a source that nobody has: made of country, host and language, and numbered where need be."""
    named = f"{country}-{_host(url).removeprefix('www.')}-{language}".lower()
    plain = re.sub(r"[^a-z0-9]+", "-", named)[:_LONGEST_SLUG].strip("-")
    return next(name for name in _numbered(plain) if name not in taken)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "source"
    except ValueError:
        return "source"


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _failed(answer: NotModified | Failed) -> Failed:
    """Why there is no page: a 304 that nobody asked for is a failure as well."""
    return answer if isinstance(answer, Failed) else Failed(FailureKind.BAD_HTTP, _("the site sent no page"))


async def try_selectors(
    fetcher: Fetcher, url: str, selectors: Mapping[str, str], now: datetime
) -> ParsedPage | StructureChanged | Failed:
    """What a page lists under some selectors, or why it cannot be read so; its next page is looked at as well.

    Args:
        fetcher: What asks; the robots.txt of the site is kept, as it is when the page is visited on schedule.
        url: The page.
        selectors: As in ``parse_page``, checked already (``core.sources_file``).
        now: The present, aware UTC.
    """
    robots, parse = Robots(fetcher), partial(_parse, selectors, now)
    answer = await robots.get(url)
    if not isinstance(answer, Fetched):
        return _failed(answer)
    parsed = await asyncio.to_thread(parse, answer)
    if not isinstance(parsed, ParsedPage):
        return parsed
    turn = await turn_page(robots, [parsed], answer.final_url, parse)
    return replace(parsed, warnings=(*parsed.warnings, turn.note)) if turn.note else parsed


async def read_document(fetcher: Fetcher, url: str) -> Document | Failed:
    """The publication at an address, as matching would see it; nothing is stored.

    Args:
        fetcher: What asks; a person named the address, so that it alone is visited.
        url: The address.
    """
    answer = await fetcher.get(url, accept=PAGE)
    if not isinstance(answer, Fetched):
        return _failed(answer)
    article = await asyncio.to_thread(read_article, answer.body, url=answer.final_url, content_type=answer.content_type)
    if article is None:
        return Failed(FailureKind.BAD_HTTP, _("there is no page with text at this address"))
    return Document(title=article.title, body=article.text, language=article.language)
