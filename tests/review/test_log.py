"""The match log: each filter finds exactly what it says, pages join without a gap, counts and exports follow."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from sqlmodel import Session

from monitor.errors import Refused
from monitor.review.exports import Format, write_log
from monitor.review.filters import LogQuery
from monitor.review.log import LogLine, log_counts, log_line, log_page, whole_log
from monitor.review.verdicts import assign, judge

Test = Callable[[LogLine], bool]


def of(name: str, value: object) -> Test:
    """Whether a line's match, or the document of it, has this value."""
    return lambda line: getattr(line.match, name, None) == value or getattr(line.match.document, name, None) == value


def both(*tests: Test) -> Test:
    return lambda line: all(test(line) for test in tests)


def nothing(_: LogLine) -> bool:
    return False


def iced(line: LogLine) -> bool:
    return "icebreakers" in line.match.document.title


FILTERS: list[tuple[dict[str, str], Test]] = [
    ({"topic": "norad"}, of("topic", "norad")),
    ({"pillar": "security"}, lambda line: line.match.topic in {"norad", "border"}),
    ({"pillar": "climate", "topic": "norad"}, nothing),
    ({"source": "ca-fr"}, of("source", "ca-fr")),
    ({"agency": "Canada"}, of("agency", "Canada")),
    ({"country": "CA", "topic": "methane"}, both(of("country", "CA"), of("topic", "methane"))),
    ({"country": "US", "source": "mx"}, nothing),
    ({"language": "es"}, of("language", "es")),
    ({"since": "2026-11-10", "until": "2026-11-15"}, lambda line: 10 <= line.match.news_at.day <= 15),
    ({"min_score": "40", "max_score": "60"}, lambda line: 0.4 <= line.match.score < 0.61),
    ({"worthy": "digest"}, of("worthy", value=True)),
    ({"worthy": "passing", "country": "US"}, both(of("worthy", value=False), of("country", "US"))),
    ({"verdict": "open"}, of("verdict", "")),
    ({"verdict": "judged"}, lambda line: line.match.verdict != ""),
    ({"verdict": "noise", "country": "CA"}, both(of("verdict", "noise"), of("country", "CA"))),
    ({"assignee": "reviewer@example.org"}, of("assignee", "reviewer@example.org")),
    ({"assignee": "nobody", "topic": "border"}, both(of("assignee", ""), of("topic", "border"))),
    ({"text": "icebreakers"}, iced),
    ({"text": "icebreak*"}, iced),
    ({"text": "NEWS icebreakers", "country": "CA"}, both(iced, of("country", "CA"))),
    ({"text": "nowhere"}, nothing),
    ({"text": "…"}, nothing),
]


@pytest.fixture
def judged(log: Any) -> Any:
    """The log, with some verdicts and assignments in it."""
    with log.database.write() as session:
        ids = log.ids(session)
        judge(session, ids[0:6], "relevant", reviewer="reviewer@example.org", now=log.now)
        judge(session, ids[6:9], "noise", reviewer="reviewer@example.org", now=log.now)
        judge(session, ids[9:10], "starred", reviewer="editor@example.org", now=log.now)
        assign(session, ids[10:15], "reviewer@example.org", actor="test", now=log.now)
    return log


def test_a_filter_finds_exactly_what_it_says(judged: Any) -> None:
    with judged.database.read() as session:
        everything = list(whole_log(session, LogQuery()))
        for values, holds in FILTERS:
            wanted = [line for line in everything if holds(line)]
            ids = [line.match.id for line in wanted]
            assert [line.match.id for line in whole_log(session, LogQuery.of(values))] == ids, values
            assert list(paged(session, LogQuery.of(values))) == ids, values
            counts = log_counts(session, LogQuery.of(values))
            assert (counts.total, counts.noise) == (len(ids), sum(of("verdict", "noise")(line) for line in wanted)), (
                values
            )


def paged(session: Session, query: LogQuery) -> Iterator[int]:
    """The ids of all matches, page by page."""
    after = "start"
    while after:
        page = log_page(session, query, after="" if after == "start" else after, limit=2)
        yield from (line.match.id for line in page.rows)
        after = page.following


def test_the_newest_news_come_first(log: Any) -> None:
    with log.database.read() as session:
        times = [line.match.news_at for line in whole_log(session, LogQuery())]
    assert times == sorted(times, reverse=True)
    assert len(times) == 24


WRONG = [
    ({"topic": "weather"}, "topic 'weather'"),
    ({"pillar": "x"}, "pillar 'x'"),
    ({"source": "x"}, "source 'x'"),
    ({"country": "XX"}, "country 'XX'"),
    ({"language": "de"}, "language 'de'"),
    ({"since": "yesterday"}, "since 'yesterday': write a day"),
    ({"until": "9999-12-31"}, "until '9999-12-31'"),
    ({"min_score": "101"}, "min_score '101'"),
    ({"max_score": "-1"}, "max_score '-1'"),
    ({"verdict": "maybe"}, "verdict 'maybe'"),
    ({"worthy": "yes"}, "worthy 'yes'"),
    ({"text": "x" * 201}, "text: it has 201"),
    ({"text": "nul\x00byte"}, "text 'nul"),
    ({"agency": "lone \ud800"}, "agency"),
]
CURSORS = ["x", "WzFd", "WyIyMDI2LTExLTIxVDA0OjI0OjAwIiwyMl0", "W251bGwsMV0", "/" * 600]


def test_a_wrong_filter_or_cursor_says_what_is_wrong(log: Any) -> None:
    with log.database.read() as session:
        for values, says in WRONG:
            with pytest.raises(Refused, match=says):
                log_page(session, LogQuery.of(values))
        for after in CURSORS:
            with pytest.raises(Refused, match="cursor"):
                log_page(session, LogQuery(), after=after)


def test_a_page_stays_where_it_was_when_news_come_in(log: Any) -> None:
    with log.database.read() as session:
        first = log_page(session, LogQuery(), limit=5)
    with log.database.write() as session:
        judge(session, [line.match.id for line in first.rows], "noise", reviewer="reviewer@example.org", now=log.now)
        ids = log.ids(session)
    with log.database.read() as session:
        second = log_page(session, LogQuery(), after=first.following, limit=5)
    assert [line.match.id for line in second.rows] == ids[5:10]


def exported(log: Any, kind: Format, **values: str) -> str:
    with log.database.read() as session:
        return "".join(
            write_log(whole_log(session, LogQuery(**values)), kind, base_url="https://m.example", now=log.now)
        )


def test_csv_holds_the_filtered_set_and_no_formula(judged: Any) -> None:
    text = exported(judged, Format.CSV)
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    with judged.database.read() as session:
        assert [int(row["id"]) for row in rows] == judged.ids(session)
    (hostile,) = [row for row in rows if "HYPERLINK" in row["title"]]
    assert hostile["title"].startswith("'=")
    assert not [value for row in rows for value in row.values() if value[:1] in set("=+-@")]
    assert exported(judged, Format.CSV, text="nowhere") == "\ufeff"


def test_json_lines_hold_the_filtered_set(judged: Any) -> None:
    rows = [json.loads(line) for line in exported(judged, Format.JSONL, verdict="noise").splitlines()]
    assert len(rows) == 3
    assert {(row["verdict"], row["reviewer"]) for row in rows} == {("noise", "reviewer@example.org")}


def test_atom_is_well_formed_whatever_the_titles_hold(judged: Any) -> None:
    feed = ET.fromstring(exported(judged, Format.ATOM))
    titles = [title.text for title in feed.iterfind("{*}entry/{*}title")]
    assert len(titles) == 24
    assert any("<b>&" in (title or "") for title in titles)


def test_a_line_shows_the_sentence_and_the_latest_verdict(log: Any) -> None:
    with log.database.write() as session:
        one = log.ids(session)[0]
        judge(session, [one], "noise", reviewer="reviewer@example.org", now=log.now, note="a namesake")
        judge(session, [one], "relevant", reviewer="editor@example.org", now=log.now)
        line = log_line(session, one)
    assert ("norad", True) in line.shown.parts
    assert line.verdict
    assert (line.match.verdict, line.verdict.reviewer, line.verdict.note) == (
        "relevant",
        "editor@example.org",
        "a namesake",
    )
