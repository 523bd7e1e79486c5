"""A digest's content becomes a letter, piece by piece.

What a piece says depends on little: a topic's section on the topic, the language and the zone; the frame on the
language and the sender. So each piece is rendered once for all readers who share it, and a letter is mostly a list of
pieces that exist already. The reader's own addresses fill slots that the pieces leave open.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import escape

from monitor import translations
from monitor.core.languages import Language
from monitor.digests.content import Coverage, DigestContent, TopicSection
from monitor.digests.phrases import byline, coverage_lines, reason, twin_label
from monitor.digests.repeats import tell_once
from monitor.digests.subject import digest_subject
from monitor.letters import Letter, render, web_address

# Gmail cuts a mail at 102 kB and hides the rest, the unsubscribe link with it.
MAX_HTML_BYTES = 100_000
_CAPS = (25, 15, 10, 7, 5, 3, 2, 1, 0)
_MOST_STORIES = 80  # a story takes 1.2 kB at the least, so more cannot fit and need not be tried
_MOST_ELSEWHERE = 8
_PIECES_KEPT = 4096

_Parts = tuple[str, ...]
"""Text, the name of a slot, text, the name of a slot, …, text."""


class _Piece(NamedTuple):
    html: _Parts
    text: _Parts


class _Topic(NamedTuple):
    """All that a digest says of a topic: its section, and its count among others and as the last of them."""

    section: _Piece
    one_count: _Piece
    last_count: _Piece


_SLOTS = ("subject", "news", "counts", "web_url", "manage_url", "unsubscribe_url")
# A slot looks like an address, so that it passes wherever an address may stand; no feed can guess it.
_SLOT_ADDRESS = f"https://{secrets.token_hex(12)}.invalid/"
_SLOT = re.compile(re.escape(_SLOT_ADDRESS) + r"(\w+)/")
_OPEN_SLOTS = {name: f"{_SLOT_ADDRESS}{name}/" for name in _SLOTS}


def render_digest(content: DigestContent) -> Letter:
    """Render a digest with as many stories per topic as fit; the rest is counted and left to the web copy.

    Each story is told once. The subject counts all stories of the window. The HTML is under 100 kB.
    """
    pillars = tell_once(content.pillars)
    if pillars is not content.pillars:
        content = replace(content, pillars=pillars)
    subject = digest_subject(content)
    for cap in _CAPS:
        if cap and _shown(content, cap) > _MOST_STORIES:
            continue
        letter = _letter(content, subject, cap)
        if sum(len(part) if part.isascii() else _size(part) for part in letter.html_parts) < MAX_HTML_BYTES:
            break
    return letter


def _shown(content: DigestContent, cap: int) -> int:
    return sum(min(cap, len(topic.stories)) for topic in content.topics)


@lru_cache(maxsize=_PIECES_KEPT)
def _size(part: str) -> int:
    return len(part.encode())


def _letter(content: DigestContent, subject: str, cap: int) -> Letter:
    frame = _shared("frame", content.language, window=_window(content), sender=content.sender)
    own = {
        "subject": subject,
        "web_url": web_address(content.web_url),
        "manage_url": web_address(content.manage_url),
        "unsubscribe_url": web_address(content.unsubscribe_url),
    }
    topics = [_topic(topic, cap, content.language, content.zone) for topic in content.topics]
    counts, news = _counts(content, topics), _news(content, topics, cap)
    html: dict[str, Sequence[str]] = {name: (str(escape(text)),) for name, text in own.items()}
    html["counts"] = [piece.html[0] for piece in counts]
    html["news"] = [part for piece in news for part in _filled(piece.html, html)]
    text: dict[str, Sequence[str]] = {name: (value,) for name, value in own.items()}
    text["counts"] = [piece.text[0] for piece in counts]
    text["news"] = [part for piece in news for part in _filled(piece.text, text)]
    return Letter(subject, tuple(_filled(frame.html, html)), tuple(_filled(frame.text, text)))


def _filled(parts: _Parts, fillings: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The parts of a piece, its slots filled."""
    if len(parts) == 1:
        return parts
    filled = [parts[0]]
    for slot, part in zip(parts[1::2], parts[2::2], strict=True):
        filled += fillings[slot]
        filled.append(part)
    return filled


def _news(content: DigestContent, topics: Iterable[_Topic], cap: int) -> list[_Piece]:
    """What stands in the frame, in order; ``topics`` are the rendered ones, in the order of the pillars."""
    language, rendered = content.language, iter(topics)
    news = [_shared("opening", language, window=_window(content), total=content.total)]
    for pillar in content.pillars:
        news.append(_shared("pillar", language, name=pillar.name))
        for topic in pillar.topics:
            news.append(next(rendered).section)
            if more := topic.more + max(0, len(topic.stories) - cap):
                news.append(_shared("more", language, number=more))
    if content.changed:
        news.append(_shared("changed", language, changed=content.changed, shown=cap, zone=content.zone))
    if content.coverage:
        news.append(_coverage(content.coverage, language))
    return news


def _counts(content: DigestContent, topics: Sequence[_Topic]) -> list[_Piece]:
    counted = [told for told, topic in zip(topics, content.topics, strict=True) if topic.total]
    return [*(told.one_count for told in counted[:-1]), *(told.last_count for told in counted[-1:])]


def _window(content: DigestContent) -> str:
    return _days(content.window_start, content.window_end, content.language, content.zone)


_days = lru_cache(maxsize=256)(translations.days)


@lru_cache(maxsize=_PIECES_KEPT)
def _topic(topic: TopicSection, cap: int, language: Language, zone: str) -> _Topic:
    section = _piece(
        "topic",
        language,
        topic=topic,
        stories=topic.stories[:cap],
        cap=cap,
        shown_elsewhere=min(cap, _MOST_ELSEWHERE),
        byline=lambda story: byline(story, language, zone),
        reason=lambda story: reason(story, language),
        twin_label=lambda twin: twin_label(twin.language, language),
    )
    count, last = (_piece("count", language, name=topic.name, number=topic.total, last=last) for last in (False, True))
    return _Topic(section, count, last)


@lru_cache(maxsize=256)
def _coverage(coverage: Coverage, language: Language) -> _Piece:
    return _piece("coverage", language, lines=coverage_lines(coverage, language))


@lru_cache(maxsize=_PIECES_KEPT)
def _shared(name: str, language: Language, /, **values: Hashable) -> _Piece:
    return _piece(name, language, **values)


def _piece(name: str, language: Language, /, **values: Any) -> _Piece:
    return _Piece(_split(f"{name}.html", language, values), _split(f"{name}.txt", language, values))


def _split(template: str, language: Language, values: Mapping[str, Any]) -> _Parts:
    return tuple(_SLOT.split(render(f"digest/{template}", language, **_OPEN_SLOTS, **values)))
