"""What is no news stands nowhere in public: what a reviewer called noise, and what the watchlist no longer finds."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from monitor.review.filters import LogQuery
from monitor.review.log import log_page
from monitor.review.verdicts import judge, undo
from monitor.store.news import count_news, latest_news, list_news, publishers, weekly_counts
from monitor.store.tables import MatchRow

NOISE = "A noisy release"
PUBLIC = ("/", "/topics/norad", "/pillars/security", "/topics/norad/feed.atom", "/topics/norad/feed.json",
          "/pillars/security/feed.atom", "/search?q=norad&topic=norad", "/api/v1/topics/norad/items",
          "/api/v1/search?q=norad&topic=norad")  # fmt: skip


def shown(site: Any) -> dict[str, int]:
    answers = {path: site.get(path) for path in PUBLIC}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(PUBLIC, 200)
    return {path: answer.text.count(NOISE) for path, answer in answers.items()}


def say(site: Any, item: int, word: str, note: str | None = None) -> None:
    with site.app.database.write() as session:
        wanted = select(MatchRow.id).where(MatchRow.item_id == item, MatchRow.topic_id == "norad")
        judge(session, [session.exec(wanted).one()], word, reviewer="r@example.org", now=site.now, note=note)


def counted(site: Any) -> tuple[Any, ...]:
    with site.app.database.read() as session:
        weeks = weekly_counts(session, site.now, weeks=2, topics=["norad"])["norad"]
        said = sum(one.count for one in publishers(session, "norad", site.now.replace(year=2025)))
        latest = latest_news(session).get("norad")
        return sum(weeks), count_news(session, site.now.replace(year=2025), site.now), said, latest and latest.title


def test_noise_stands_nowhere_in_public_and_is_not_counted(site: Any, newsroom: Any) -> None:
    item = newsroom.publish(NOISE, "norad")
    newsroom.publish("Other news", "norad", days=2)
    before = shown(site)
    assert all(before.values()), before
    assert counted(site) == (2, 2, 2, NOISE)
    say(site, item, "noise")
    assert not any(shown(site).values()), shown(site)
    assert counted(site) == (1, 1, 1, "Other news")
    assert "norad" not in {found["topic"] for found in site.get(f"/api/v1/items/{item}").json()["matches"]}
    with site.app.database.write() as session:
        undo(session, reviewer="r@example.org", now=site.now)
    assert shown(site) == before


def test_a_verdict_outlives_a_rematch_that_no_longer_finds_the_item(site: Any, newsroom: Any) -> None:
    item = newsroom.publish(NOISE, "norad", "border")
    say(site, item, "starred", "of weight")
    newsroom.revise(item, f"{NOISE}, short")
    with site.app.database.write() as session:
        newsroom.match(session, item, 2)
    assert not any(shown(site).values()), "what is lost is no news, whatever was said of it"
    with site.app.database.read() as session:
        lines = log_page(session, LogQuery()).rows
    assert [(line.match.topic, line.match.verdict, line.match.lost_at) for line in lines] == [
        ("norad", "starred", site.now)
    ]
    assert lines[0].verdict
    assert lines[0].verdict.note == "of weight"
    with site.app.database.write() as session:
        newsroom.match(session, item, 2, "norad")
    assert shown(site)["/topics/norad"], "found again, it is news again"
    with site.app.database.read() as session:
        (line,) = log_page(session, LogQuery(verdict="starred")).rows
    assert line.match.lost_at is None


def test_a_note_alone_keeps_a_match_as_well(site: Any, newsroom: Any) -> None:
    item = newsroom.publish(NOISE, "norad")
    say(site, item, "", "ask Ann")
    with site.app.database.write() as session:
        newsroom.match(session, item, 1)
    with site.app.database.read() as session:
        assert len(log_page(session, LogQuery()).rows) == 1


def test_evidence_beyond_the_end_of_a_changed_text_is_left_out(site: Any, newsroom: Any, desk: Any) -> None:
    newsroom.publish(NOISE, "norad")
    newsroom.set(1, summary="No.")
    assert NOISE in desk.get("/matches").text
    assert site.get("/topics/norad").status_code == 200


@pytest.mark.parametrize("ask", [
    lambda session, now: list_news(session, ["norad"]),
    lambda session, now: list_news(session),
    lambda session, now: weekly_counts(session, now, weeks=26),
    lambda session, now: latest_news(session),
    lambda session, now: publishers(session, "norad", now),
    lambda session, now: count_news(session, now, now),
])  # fmt: skip
def test_news_is_found_in_its_indexes(site: Any, ask: Any) -> None:
    if not site.app.database.is_sqlite:
        pytest.skip("PostgreSQL plans by the sizes of its tables: with a few rows it reads them all")
    seen: list[tuple[str, Any]] = []
    engine = site.app.database.engine
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append((call[2], call[3])))
    with site.app.database.read() as session:
        ask(session, site.now)
        plans = [plan for query in list(seen) for plan in explained(session, *query) if "match" in plan]
    assert plans
    assert any("ix_match_news" in plan or "ix_match_topic_news" in plan for plan in plans), plans
    assert not any(plan.startswith("SCAN match") and "INDEX" not in plan for plan in plans), plans


def explained(session: Session, query: str, values: Any) -> list[str]:
    if not query.startswith("SELECT"):
        return []
    return [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)]
