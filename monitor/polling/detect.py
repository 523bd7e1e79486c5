"""A detector that proposes the selectors of a page which lists publications, for an editor to look at."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from statistics import median

from bs4 import Tag

from monitor.core.text import tidy
from monitor.polling.dates import read_date
from monitor.polling.keys import absolute_link
from monitor.polling.pages import soup

_FEWEST = 3
_FURNITURE = ("nav", "header", "footer", "form", "aside")
_FURNITURE_ROLES = frozenset(("navigation", "banner", "contentinfo", "search"))
_LIKELY_ITEMS = frozenset(("li", "article", "div", "tr", "section", "dd", "p", "a"))
_STABLE_CLASS = re.compile(r"[a-z][a-z_-]*[a-z](?:__[a-z-]+)?", re.IGNORECASE)
_VOLATILE_CLASS = re.compile(r"(?:^|[-_])(?:odd|even|first|last|active|row-?\d*|col.*|mrgn.*|clearfix)(?:$|[-_])")
_TITLE_LENGTHS = range(15, 300)
_SHORTEST_SUMMARY = 60
_ANYWHERE = "https://example.org/"  # only whether a link leads somewhere counts here
_HEADINGS = ("h2", "h3", "h4", "h5")
_PARTS = ("span", "p", "div", "td", "small", "dd", "strong")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Selectors for a page, how many publications they find, and the first titles for the editor to judge by."""

    selectors: dict[str, str]
    found: int
    titles: tuple[str, ...]


def propose_selectors(html: str) -> Proposal | None:
    """The selectors under which a page looks most like a list of publications, or None where nothing does.

    Repeated elements of one kind count, each with a link of its own whose text is as long as a title; the more
    of them, the longer their titles and the more of them with dates, the better. Menus, headers and footers do
    not count. It is a proposal: whoever adds a source sees the titles first.
    """
    page = soup(html)
    if page is None:
        return None
    groups: dict[str, list[Tag]] = defaultdict(list)
    for element in page.find_all(_LIKELY_ITEMS):
        if not _is_furniture(element):
            groups[_selector_of(element)].append(element)
    proposals = [_proposal(selector, items) for selector, items in groups.items() if len(items) >= _FEWEST]
    return max(filter(None, proposals), key=_score, default=None)


def _proposal(selector: str, items: list[Tag]) -> Proposal | None:
    links = [link for link in map(_main_link, items) if link and absolute_link(str(link["href"]), _ANYWHERE)]
    titled = {str(link["href"]): tidy(link.get_text(" ")) for link in links}
    titles = tuple(title for title in titled.values() if len(title) in _TITLE_LENGTHS)
    if len(titles) < max(_FEWEST, 0.7 * len(items)):
        return None
    parts = {"item": selector, "title": _title_in(items), "date": _date_in(items), "summary": _summary_in(items)}
    return Proposal({name: part for name, part in parts.items() if part}, len(titles), titles[:10])


def _score(proposal: Proposal) -> float:
    typical = float(median(map(len, proposal.titles)))
    return proposal.found * math.sqrt(typical) * (2 if "date" in proposal.selectors else 1)


def _main_link(item: Tag) -> Tag | None:
    links = item.select("a[href]", limit=20) or ([item] if item.name == "a" and item.has_attr("href") else [])
    return max(links, key=lambda link: len(tidy(link.get_text(" "))), default=None)


def _title_in(items: list[Tag]) -> str:
    links = {f"{_named(link)}[href]" for link in map(_main_link, items) if link}
    linked = [f"{heading} a[href]" for heading in _HEADINGS]
    return _first_that_fits([*linked, *_HEADINGS, *sorted(links), *_classed(items)], items, _is_title, 0.7)


def _date_in(items: list[Tag]) -> str:
    return _first_that_fits(["time[datetime]", "time", *_classed(items)], items, _is_date, 0.7)


def _summary_in(items: list[Tag]) -> str:
    return _first_that_fits(["p", *_classed(items)], items, _is_summary, 0.5)


def _classed(items: list[Tag]) -> list[str]:
    """The parts of the first items that have a class to select them by."""
    names = (_named(tag) for item in items[:5] for tag in item.find_all(_PARTS))
    return sorted({name for name in names if "." in name})


def _first_that_fits(selectors: list[str], items: list[Tag], fits: Callable[[str], bool], share: float) -> str:
    return next((selector for selector in selectors if _share(items, selector, fits) >= share), "")


def _share(items: list[Tag], selector: str, fits: Callable[[str], bool]) -> float:
    found = [item.select_one(selector) for item in items[:30]]
    texts = [tidy(str(tag.get("datetime") or tag.get_text(" "))) for tag in found if tag]
    return sum(map(fits, texts)) / len(found)


def _is_title(text: str) -> bool:
    return len(text) in _TITLE_LENGTHS and not _is_date(text)


def _is_summary(text: str) -> bool:
    return len(text) > _SHORTEST_SUMMARY


def _is_date(text: str) -> bool:
    return len(text) < 60 and read_date(text, language=None) is not None


def _is_furniture(element: Tag) -> bool:
    return any(
        above.name in _FURNITURE or str(above.get("role", "")) in _FURNITURE_ROLES
        for above in (element, *element.parents)
    )


def _selector_of(element: Tag) -> str:
    parent = element.parent
    above = f"#{parent['id']}" if parent and _STABLE_CLASS.fullmatch(str(parent.get("id", ""))) else ""
    return f"{above or (_named(parent) if parent else '')} > {_named(element)}"


def _named(tag: Tag) -> str:
    """The tag with its first class that looks as if it would last."""
    classes = (str(name) for name in tag.get("class") or ())
    lasting = (name for name in classes if _STABLE_CLASS.fullmatch(name) and not _VOLATILE_CLASS.search(name))
    return ".".join([tag.name, *islice(lasting, 1)])
