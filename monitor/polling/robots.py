"""robots.txt (RFC 9309): what a site allows automatic visitors to read, asked before pages and articles.

The evaluation is ours because the standard library's knows neither ``*`` and ``$`` in paths nor the longest match,
both of which the RFC requires: it would visit what ``Disallow: /*/search`` forbids.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from yarl import URL

from monitor.clock import utc_now
from monitor.polling.addresses import check_url
from monitor.polling.fetch import PAGE, Failed, FailureKind, Fetched, Fetcher, Outcome
from monitor.texts import marked as _

MOST_BYTES = 500 * 1024
"""What the RFC asks a visitor to read of the file; the rest does not count."""

KEPT = timedelta(hours=24)
"""How long the file is taken to say the same; the RFC allows no more."""

TRIED_AGAIN = timedelta(hours=1)
"""How long a site is left alone whose file could not be read."""

_MOST_SITES = 10_000
_LINE_END = re.compile(r"\r\n?|\n")
_PRODUCT = re.compile(r"[a-z_-]+|\*")
_SECONDS = re.compile(r"\d{1,9}(?:\.\d+)?", re.ASCII)
_ESCAPE = re.compile(r"%([0-9a-f]{2})", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Rule:
    """One ``Allow`` or ``Disallow`` line; ``path`` is normalised and may hold ``*`` and a final ``$``."""

    allow: bool
    path: str

    def matches(self, target: str) -> bool:
        """Whether the rule speaks of a normalised path; in linear time, unlike a regular expression made of it."""
        pattern = self.path.removesuffix("$")
        first, *rest = pattern.split("*")
        if not target.startswith(first):
            return False
        at, end = len(first), len(target)
        if pattern != self.path:
            last = rest.pop() if rest else ""
            if not target.endswith(last) or (pattern == first and at != end):
                return False
            end -= len(last)
        for part in rest:
            found = target.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return at <= end


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site's robots.txt says to one visitor; ``crawl_delay`` is in seconds, 0 where it asks for none."""

    rules: tuple[Rule, ...] = ()
    crawl_delay: float = 0.0

    def allows(self, path: str) -> bool:
        """Whether a path, with its query, may be read: the longest rule that fits decides, ``Allow`` in a tie."""
        target = _normal(path)
        fitting = [(len(rule.path), rule.allow) for rule in self.rules if rule.matches(target)]
        return target == "/robots.txt" or max(fitting, default=(0, True))[1]


def parse_robots(body: bytes, product: str) -> Rules:
    """Read a robots.txt as one visitor.

    Args:
        body: The file as it came; anything at all, even an HTML page, which holds no rules.
        product: The visitor's product name, such as ``RoadmapMonitor``.

    Returns:
        The rules of all groups that name the product, else of those for ``*``, else none.
    """
    groups: dict[str, list[tuple[str, str]]] = {}
    wanted, current, naming = {product.lower(), "*"}, set[str](), False
    for key, value in _lines(body):
        if key == "user-agent":
            name = _PRODUCT.match(value.lower())
            named = wanted & {name[0] if name else ""}
            current = current | named if naming else named
            groups.update((group, []) for group in named - groups.keys())
            naming = True
        elif key in {"allow", "disallow", "crawl-delay"}:
            naming = False
            for group in current:
                groups[group].append((key, value))
    return _rules(groups.get(product.lower(), groups.get("*", [])))


@dataclass(slots=True)
class _Site:
    rules: Rules | Failed = Rules()
    read_again_at: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Robots:
    """Reads pages as far as their sites' robots.txt allow, remembering each file for a day.

    Args:
        fetcher: What reads both the files and the pages; the product is the first word of its user agent.
        clock: Gives the aware time by which a remembered file grows old.
    """

    def __init__(self, fetcher: Fetcher, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.fetcher, self._clock = fetcher, clock
        self._product = fetcher.limits.user_agent.partition("/")[0]
        self._sites: dict[URL, _Site] = {}

    async def get(
        self, url: str, *, etag: str | None = None, last_modified: str | None = None, accept: str = PAGE
    ) -> Outcome:
        """Visit a page if its site allows it, at the pace that it asks for.

        A page that the site closes to automatic visitors is ``Failed`` as ``blocked``; a robots.txt that cannot
        be read closes the whole site, as the RFC has it, and gives its own failure. Arguments are the fetcher's.
        """
        page = check_url(url, allow_loopback=self.fetcher.limits.allow_loopback)
        if isinstance(page, Failed):
            return page
        rules = await self._rules_of(page.origin())
        if isinstance(rules, Failed):
            return rules
        if not rules.allows(page.raw_path_qs):
            return Failed(FailureKind.BLOCKED, _("the site's robots.txt closes this page to automatic visitors"))
        return await self.fetcher.get(
            url, etag=etag, last_modified=last_modified, accept=accept, crawl_delay=rules.crawl_delay
        )

    async def _rules_of(self, origin: URL) -> Rules | Failed:
        site = self._site(origin)
        async with site.lock:
            if site.read_again_at is None or self._clock() >= site.read_again_at:
                await self._read(site, origin)
            return site.rules

    async def _read(self, site: _Site, origin: URL) -> None:
        outcome = await self.fetcher.get(str(origin / "robots.txt"), accept="text/plain, */*;q=0.5")
        said = _said(outcome, self._product)
        failed = isinstance(said, Failed)
        known = site.read_again_at is not None and isinstance(site.rules, Rules)
        if not (failed and known):  # while the site is out, its last file holds
            site.rules = said
        site.read_again_at = self._clock() + (TRIED_AGAIN if failed else KEPT)

    def _site(self, origin: URL) -> _Site:
        """What is remembered of a site; the least recently used one makes room."""
        site = self._sites.pop(origin) if origin in self._sites else _Site()
        self._sites[origin] = site
        if len(self._sites) > _MOST_SITES:
            del self._sites[next(iter(self._sites))]
        return site


def _said(outcome: Outcome, product: str) -> Rules | Failed:
    """RFC 9309, 2.3.1: no file (4xx, endless redirects) allows all; a site that cannot answer is left alone."""
    if isinstance(outcome, Fetched):
        return parse_robots(outcome.body, product)
    if not isinstance(outcome, Failed) or outcome.kind in _NO_FILE or _is_unavailable(outcome.status):
        return Rules()
    return Failed(
        outcome.kind,
        _("the site's robots.txt cannot be read: %(detail)s", detail=outcome.detail),
        outcome.status,
        outcome.retry_after,
    )


_NO_FILE = {FailureKind.EMPTY, FailureKind.REDIRECT_LOOP, FailureKind.TOO_MANY_REDIRECTS}


def _is_unavailable(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in {408, 429}


def _lines(body: bytes) -> Iterator[tuple[str, str]]:
    text = body[:MOST_BYTES].decode("utf-8-sig", errors="replace")
    for line in _LINE_END.split(text):
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _rules(lines: Iterable[tuple[str, str]]) -> Rules:
    rules, delay = [], 0.0
    for key, value in lines:
        if key == "crawl-delay":
            delay = max(delay, float(value) if _SECONDS.fullmatch(value) else 0.0)
        elif value:  # an empty path forbids nothing
            rules.append(Rule(key == "allow", _normal(value)))
    return Rules(tuple(rules), delay)


def _normal(path: str) -> str:
    """Escapes written one way: unreserved characters plain, all others with capital digits."""
    return _ESCAPE.sub(_plain_if_unreserved, quote(path, safe=_PRINTABLE))


def _plain_if_unreserved(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()
