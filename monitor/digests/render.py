"""A digest's content becomes a letter, piece by piece.

What a piece says depends on little: a topic's section on the topic, the language and the zone; the frame on the
language and the sender. So each piece is rendered once for all readers who share it, and a letter is mostly a list of
pieces that exist already. The reader's own addresses fill slots that the pieces leave open.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

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

_Piece = tuple[str, ...]
"""Text, the name of a slot, text, the name of a slot, …, text."""
_Both = tuple[_Piece, _Piece]
"""A piece as HTML and as plain text."""
_HTML, _TEXT = 0, 1

_SLOTS = ("subject", "news", "counts", "web_url", "manage_url", "unsubscribe_url")
# A slot looks like an address, so that it passes wherever an address may stand; no feed can guess it.
_SLOT_ADDRESS = f"https://{secrets.token_hex(12)}.invalid/"
_SLOT = re.compile(re.escape(_SLOT_ADDRESS) + r"(\w+)/")
_OPEN_SLOTS = {name: f"{_SLOT_ADDRESS}{name}/" for name in _SLOTS}


def render_digest(content: DigestContent) -> Letter:
    """Render a digest with as many stories per topic as fit; the rest is counted and left to the web copy.

    Each story is told once. The subject counts all stories of the window. The HTML is under 100 kB.
    """
    content = replace(content, pillars=tell_once(content.pillars))
    subject = digest_subject(content)
    for cap in _CAPS:
        if cap and _shown(content, cap) > _MOST_STORIES:
            continue
        letter = _letter(content, subject, cap)
        if sum(map(_size, letter.html_parts)) < MAX_HTML_BYTES:
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
    inner = {"news": list(_news(content, cap)), "counts": list(_counts(content))}
    html, text = (
        tuple(_filled(frame[form], {name: [piece[form] for piece in pieces] for name, pieces in inner.items()}, texts))
        for form, texts in ((_HTML, {name: str(escape(value)) for name, value in own.items()}), (_TEXT, own))
    )
    return Letter(subject, html, text)


def _filled(piece: _Piece, inner: Mapping[str, Sequence[_Piece]], own: Mapping[str, str]) -> Iterator[str]:
    """The parts of a piece, its slots filled with other pieces or with the reader's own texts."""
    for index, part in enumerate(piece):
        if index % 2 == 0:
            yield part
        elif part in inner:
            for filling in inner[part]:
                yield from _filled(filling, inner, own)
        else:
            yield own[part]


def _news(content: DigestContent, cap: int) -> Iterator[_Both]:
    language, zone = content.language, content.zone
    yield _shared("opening", language, window=_window(content), total=content.total)
    for pillar in content.pillars:
        yield _shared("pillar", language, name=pillar.name)
        for topic in pillar.topics:
            yield _topic(topic, cap, language, zone)
            if more := topic.more + max(0, len(topic.stories) - cap):
                yield _shared("more", language, number=more)
    if content.changed:
        yield _shared("changed", language, changed=content.changed, shown=cap, zone=zone)
    if content.coverage:
        yield _coverage(content.coverage, language)


def _counts(content: DigestContent) -> Iterator[_Both]:
    counted = [topic for topic in content.topics if topic.total]
    for topic in counted:
        last = topic is counted[-1]
        yield _shared("count", content.language, name=topic.name, number=topic.total, last=last)


def _window(content: DigestContent) -> str:
    return _days(content.window_start, content.window_end, content.language, content.zone)


_days = lru_cache(maxsize=256)(translations.days)


@lru_cache(maxsize=_PIECES_KEPT)
def _topic(topic: TopicSection, cap: int, language: Language, zone: str) -> _Both:
    return _piece(
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


@lru_cache(maxsize=256)
def _coverage(coverage: Coverage, language: Language) -> _Both:
    return _piece("coverage", language, lines=coverage_lines(coverage, language))


@lru_cache(maxsize=_PIECES_KEPT)
def _shared(name: str, language: Language, /, **values: Hashable) -> _Both:
    return _piece(name, language, **values)


def _piece(name: str, language: Language, /, **values: Any) -> _Both:
    return _split(f"{name}.html", language, values), _split(f"{name}.txt", language, values)


def _split(template: str, language: Language, values: Mapping[str, Any]) -> _Piece:
    return tuple(_SLOT.split(render(f"digest/{template}", language, **_OPEN_SLOTS, **values)))
