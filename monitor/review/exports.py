"""The match log as a file: CSV, JSON lines or Atom, line by line, so that it may be of any length."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from monitor.letters import one_line, web_address
from monitor.review.log import LogLine

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_XML_FORBIDDEN = {
    code: None for code in (*range(0x20), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)) if code not in {9, 10, 13}
}


class Format(StrEnum):
    """What a file is."""

    CSV = "csv"
    JSONL = "jsonl"
    ATOM = "atom"


MEDIA_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/x-ndjson",
    Format.ATOM: "application/atom+xml; charset=utf-8",
}


def line_values(line: LogLine) -> dict[str, Any]:
    """What programs are told of a match; times are ISO 8601, UTC."""
    match, verdict = line.match, line.verdict
    return {
        "id": match.id,
        "topic": match.topic,
        "score": round(match.score, 4),
        "worthy": match.worthy,
        "verdict": match.verdict,
        "note": verdict.note if verdict else "",
        "reviewer": verdict.reviewer if verdict else "",
        "judged_at": verdict.at.isoformat() if verdict else "",
        "assignee": match.assignee,
        "lost_at": match.lost_at.isoformat() if match.lost_at else "",
        "news_at": match.news_at.isoformat(),
        "first_seen_at": match.first_seen_at.isoformat(),
        "agency": match.document.agency,
        "country": match.document.country,
        "source": match.document.source,
        "language": match.document.language.value if match.document.language else "",
        "title": match.document.title,
        "evidence": str(line.shown),
        "watches": sorted({evidence.watch for evidence in match.evidence}),
        "url": match.url,
        "item": match.item_id,
    }


def write_log(lines: Iterable[LogLine], kind: Format, *, base_url: str, now: datetime) -> Iterator[str]:
    """The parts of the file that holds these lines."""
    match kind:
        case Format.CSV:
            return _csv(lines)
        case Format.JSONL:
            return (json.dumps(line_values(line), ensure_ascii=False) + "\n" for line in lines)
        case Format.ATOM:
            return _atom(lines, base_url, now)


def _csv(lines: Iterable[LogLine]) -> Iterator[str]:
    """With a byte order mark: without it, spreadsheets read accents wrongly."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    heading = "\ufeff"
    for line in lines:
        values = line_values(line)
        if heading:
            buffer.write(heading)
            writer.writerow(values)
            heading = ""
        writer.writerow(map(_cell, values.values()))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if heading:
        yield heading


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a quote goes before what might be one."""
    text = ", ".join(value) if isinstance(value, list) else value
    return f"'{text}" if isinstance(text, str) and text.startswith(_FORMULA) else text


def _atom(lines: Iterable[LogLine], base_url: str, now: datetime) -> Iterator[str]:
    yield (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>Roadmap Monitor</title>\n<id>{_xml(base_url)}/matches</id>\n<updated>{now.isoformat()}</updated>\n"
        f"<author><name>Roadmap Monitor</name></author>\n<link href={_attribute(base_url + '/matches')}/>\n"
    )
    yield from (_entry(line, base_url) for line in lines)
    yield "</feed>\n"


def _entry(line: LogLine, base_url: str) -> str:
    match = line.match
    link = f"<link href={_attribute(address)}/>\n" if (address := web_address(match.url)) else ""
    verdict = f'<category scheme="verdict" term={_attribute(match.verdict)}/>\n' if match.verdict else ""
    return (
        f"<entry>\n<title>{_xml(one_line(match.document.title))}</title>\n<id>{_xml(base_url)}/matches/{match.id}</id>\n"
        f"<updated>{match.news_at.isoformat()}</updated>\n{link}"
        f'<category scheme="topic" term={_attribute(match.topic)}/>\n{verdict}'
        f"<source><title>{_xml(one_line(match.document.agency))}</title></source>\n"
        f"<summary>{_xml(str(line.shown))}</summary>\n</entry>\n"
    )


def _xml(text: str) -> str:
    return escape(text.translate(_XML_FORBIDDEN))


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_XML_FORBIDDEN))
