"""Lists that go on over several pages: turned as far as their publications are new, and never in circles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from urllib.parse import urlsplit

from monitor.core.nouns import SourceKind
from monitor.polling.fetch import Failed, Fetched, Outcome
from monitor.polling.pages import ParsedPage, StructureChanged, repeats
from monitor.polling.parse import Draft
from monitor.polling.reading import is_unchanged, parse_listing
from monitor.polling.robots import Robots
from monitor.store.visits import SourceState
from monitor.texts import marked as _

MOST_PAGES = 5
"""So many pages of a list are read at one visit, the first included: more was missed than a visit may ask for."""


class Paging(StrEnum):
    """How a list goes on after its first page."""

    ENDS = "ends"
    """It names no next page, or one of another site, which is not followed."""
    GOES_ON = "goes on"
    """The next page lists other publications."""
    REPEATS = "repeats"
    """The next page lists nothing but what the first one does: the site does not turn its pages."""
    UNREAD = "unread"
    """The next page could not be read."""


Parse = Callable[[Fetched], ParsedPage | StructureChanged]


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of turning one page: the page where ``paging`` is ``GOES_ON``, else why there is none.

    ``note`` is in plain words for an editor; ``failed`` is set where the page could not be fetched.
    """

    paging: Paging
    page: ParsedPage | None = None
    note: str = ""
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class Further:
    """What the pages after the first one brought: drafts, notes for an editor, and the failure that ended it."""

    drafts: tuple[Draft, ...] = ()
    notes: tuple[str, ...] = ()
    failed: Failed | None = None


async def turn_page(robots: Robots, pages: Sequence[ParsedPage], url: str, parse: Parse) -> Turn:
    """Read the page that the last of ``pages`` names as the next.

    Args:
        robots: What asks; the site's robots.txt and its pace are kept.
        pages: The pages of the list that were read before, the first one first.
        url: The address of the first; the list is followed on its host alone.
        parse: Reads a page of this list.
    """
    following, number = pages[-1].next_url, len(pages) + 1
    if not following or _host(following) != _host(url):
        return Turn(Paging.ENDS)
    answer = await robots.get(following)
    if isinstance(answer, Failed):
        return Turn(
            Paging.UNREAD,
            note=_("page %(number)s could not be read: %(problem)s", number=number, problem=answer.detail),
            failed=answer,
        )
    page = await asyncio.to_thread(parse, answer) if isinstance(answer, Fetched) else StructureChanged(_("it is empty"))
    if isinstance(page, StructureChanged):
        return Turn(
            Paging.UNREAD, note=_("page %(number)s could not be read: %(problem)s", number=number, problem=page.detail)
        )
    same = next((earlier for earlier, shown in enumerate(pages, start=1) if repeats(page, shown)), None)
    if same is not None:
        return Turn(
            Paging.REPEATS,
            note=_(
                "page %(number)s is page %(same)s again: the site does not turn its pages", number=number, same=same
            ),
        )
    return Turn(Paging.GOES_ON, page)


async def turn_pages(
    robots: Robots,
    source: SourceState,
    outcome: Outcome,
    *,
    knows: Callable[[Sequence[Draft]], bool],
    stopping: Callable[[], bool],
    now: datetime,
) -> Further:
    """Read the pages after the first one of a list, as long as nothing on the last one read is known.

    A source that is visited for the first time shows its first page alone, as a feed does.

    Args:
        robots: What asks.
        source: The source, as it was before the visit.
        outcome: How the visit to its first page ended.
        knows: Whether the source has an item of any of these drafts.
        stopping: Asked before each page; once true, no other is read.
        now: The time of the visit, aware UTC.
    """
    if source.spec.kind is not SourceKind.PAGE or source.last_success_at is None or not isinstance(outcome, Fetched):
        return Further()
    parse = partial(parse_listing, source.spec, now=now)
    first = None if is_unchanged(source, outcome) else await asyncio.to_thread(parse, outcome)
    pages = [first] if isinstance(first, ParsedPage) else []
    while pages and pages[-1].next_url and not stopping() and not await asyncio.to_thread(knows, pages[-1].drafts):
        if len(pages) == MOST_PAGES:
            return _further(
                pages,
                _("%(count)s pages held nothing known, and the list goes on: items were missed", count=MOST_PAGES),
            )
        turn = await turn_page(robots, pages, outcome.final_url, parse)
        if turn.page is None:
            return _further(pages, turn.note, turn.failed)
        pages.append(turn.page)
    return _further(pages)


def _further(pages: Sequence[ParsedPage], note: str = "", failed: Failed | None = None) -> Further:
    first = {draft.key for page in pages[:1] for draft in page.drafts}
    rest = {draft.key: draft for page in pages[1:] for draft in page.drafts if draft.key not in first}
    return Further(tuple(rest.values()), (note,) if note else (), failed)


def _host(url: str) -> str:
    return urlsplit(url).netloc
