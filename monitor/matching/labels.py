"""Releases and graded labels: what the score is fitted on and measured against."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from monitor.core.languages import Language, primary_language
from monitor.core.nouns import Document, Evidence, Topic
from monitor.core.text import tidy
from monitor.errors import SettingError
from monitor.matching.concept import topic_evidence
from monitor.matching.watchlist import Watchlist


class Release(NamedTuple):
    """A publication of an archive, by its address."""

    url: str
    document: Document


class Label(NamedTuple):
    """A reviewer's grade of a publication for a topic: relevant or not, and why."""

    topic: str
    url: str
    relevant: bool
    reason: str


class Graded(NamedTuple):
    """A label with its publication and what was found there for its topic; no evidence is no match."""

    label: Label
    document: Document
    topic: Topic
    evidence: tuple[Evidence, ...]


def read_releases(lines: Iterable[str], only: Container[str] | None = None) -> Iterator[Release]:
    """Yield the releases of an archive of JSON lines with ``url``, ``title``, ``category`` and ``markdown``.

    The text becomes plain: one line for each paragraph, heading or list item; it may be called ``body``, too, and
    ``category`` may be a list. Releases are English unless they say otherwise in ``language``.

    Args:
        lines: The archive.
        only: The addresses to read, where not all are wanted.

    Raises:
        SettingError: A line is no JSON object with an address and a title, or is in a language of nobody.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if only is not None and row["url"] not in only:
                continue
            release = _release(row)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            remedy = "write a JSON object with url, title and markdown, in en, fr or es, on each line"
            raise SettingError("releases", f"line {number}", line[:80], remedy) from error
        yield release


def _release(row: Mapping[str, Any]) -> Release:
    tag, listed = row.get("language") or Language.EN, row.get("category") or []
    document = Document(
        title=plain_text(row["title"]),
        body=plain_text(row.get("markdown") or row.get("body") or ""),
        language=Language(primary_language(tag) or tag),
        categories=tuple(map(tidy, [listed] if isinstance(listed, str) else listed)),
    )
    return Release(row["url"].strip(), document)


def read_labels(lines: Iterable[str]) -> list[Label]:
    """Read labels from CSV with the columns ``topic``, ``grade`` (0, 1 or 2), ``url`` and, if any, ``reason``.

    Grades 1 and 2 are relevant.

    Raises:
        SettingError: A column is missing, a grade is none of the three, or a line is no CSV.
    """
    rows, labels, read = csv.DictReader(lines), [], 1
    try:
        for row in rows:
            labels.append(_label(row, f"line {rows.line_num}"))
            read = rows.line_num
    except csv.Error as error:
        remedy = "close each quotation mark and end each line"
        raise SettingError("labels", f"line {read + 1}", str(error), remedy) from error
    return labels


def _label(row: dict[str, str], line: str) -> Label:
    grade = row.get("grade")
    if grade not in {"0", "1", "2"} or not row.get("topic") or not row.get("url"):
        raise SettingError("labels", line, row, "give each line a topic, a url and a grade of 0, 1 or 2")
    return Label(row["topic"], row["url"].strip(), grade != "0", row.get("reason") or "")


def grade_matches(
    releases: Iterable[Release], labels: Iterable[Label], watchlist: Watchlist, topics: Mapping[str, Topic]
) -> Iterator[Graded]:
    """Yield each label with the release that it is about and the evidence found there for its topic.

    Labels of topics that ``topics`` does not hold, and of releases that the archive lacks, are left out.
    """
    by_url = defaultdict(list)
    for label in labels:
        if label.topic in topics:
            by_url[label.url].append(label)
    judged = [release for release in releases if release.url in by_url]
    found = watchlist.match_all(release.document for release in judged)
    for release, evidence in zip(judged, map(topic_evidence, found), strict=True):
        for label in by_url[release.url]:
            yield Graded(label, release.document, topics[label.topic], evidence.get(label.topic, ()))


_MARKUP = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # images
    (re.compile(r"\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)"), r"\1"),  # links
    (re.compile(r"</?[a-zA-Z][^>]*>"), ""),
    (re.compile(r"(?<!\\)(?:\*\*|__|\*|(?<!\w)_|_(?!\w)|`)"), ""),  # emphasis
    (re.compile(r"\\([^\w\s])"), r"\1"),
)
_BLOCK = re.compile(r"\n[ \t\u00a0]*(?:\n|(?=(?:[-*+]|\d+[.)])[ \t\u00a0])|(?=[ \t]+(?:[-*+]|\d+[.)])[ \t]))")
_LEADER = re.compile(r"^(?:(?:#+|>|[-*+])\s+)+")


_MISREAD_SPACE = "\u00c2\u00a0"  # a no-break space in UTF-8 that was read as Latin-1: "Leaders’Â Summit"


def plain_text(markdown: str) -> str:
    """Return Markdown as plain text: its words, each paragraph, heading or list item on one line."""
    lines = []
    for block in _BLOCK.split(markdown.replace("\r", "").replace(_MISREAD_SPACE, " ")):
        text = _LEADER.sub("", " ".join(block.split()))
        for pattern, replacement in _MARKUP:
            text = pattern.sub(replacement, text)
        lines.append(text.strip())
    return "\n".join(filter(None, lines))
