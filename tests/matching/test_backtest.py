"""A trial tells hits from gains and losses, scores as the topic would, and weeks are counted in UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.nouns import Document, Topic, Watch
from monitor.errors import QueryError
from monitor.matching.backtest import TRIED, Trial, expected_per_digest, weeks
from monitor.matching.score import ScoreModel, read_score_model
from monitor.shipped import shipped

EN, FR, ANY = Language.EN, Language.FR, Language.ANY


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")


def topic(*watches: tuple[str, str]) -> Topic:
    made = tuple(Watch("norad", key, EN, query) for key, query in watches)
    return Topic("norad", "security-defence", {"en": "NORAD"}, made, threshold=0.0)


def trial(query: str, against: Topic | None = None, *, key: str = TRIED, model: ScoreModel | None = None) -> Trial:
    return Trial(Watch(against.id if against else TRIED, key, EN, query), against, model)


def document(title: str, language: Language | None = EN) -> Document:
    return Document(title=title, language=language)


@pytest.mark.parametrize(
    ("key", "title", "expected"),
    [
        (TRIED, "Radar upgrade", (True, False)),
        (TRIED, "NORAD statement", (False, True)),
        (TRIED, "NORAD radar", (True, True)),
        (TRIED, "Snow", (False, False)),
        ("en", "NORAD radar", (True, True)),
        ("en", "early warning radar", (True, False)),
        ("en-more", "NORAD radar", (True, False)),
        ("en-more", "early warning", (False, True)),
    ],
)
def test_a_query_is_compared_with_a_watch_or_with_the_whole_topic(
    key: str, title: str, expected: tuple[bool, bool]
) -> None:
    tried = trial("radar", topic(("en", "norad"), ("en-more", '"early warning"')), key=key)
    found = tried.run(document(title))
    assert (found.hit, found.before) == expected


def test_it_says_what_it_is_compared_with() -> None:
    current = topic(("en", "norad"))
    assert trial("radar").compared_with == ""
    assert trial("radar", current).compared_with == "norad"
    assert trial("radar", current, key="en").compared_with == "norad/en"


def test_another_sense_makes_no_match_before(model: ScoreModel) -> None:
    """What a ``not`` watch covers is no evidence of the topic: the query would gain the item."""
    current = topic(("en", "norad"), ("en-not", '"norad tracks santa"'))
    found = trial("santa", current, model=model).run(document("NORAD tracks Santa"))
    assert (found.hit, found.before) == (True, False)
    assert found.score is None, "all that the query finds is another sense, too: nothing would match"


def test_items_in_languages_that_the_query_does_not_read_are_neither_gained_nor_lost() -> None:
    current = topic(("en", "norad"))
    current = replace(current, watches=(*current.watches, Watch("norad", "any", ANY, "norad")))
    tried = trial("radar", current)
    assert tried.run(document("NORAD radar", FR)) == tried.run(document("Neige", EN))
    assert tried.run(document("NORAD radar", None)).hit
    assert Trial(Watch("norad", TRIED, ANY, "radar"), current).run(document("NORAD radar", FR)).hit


def test_the_score_is_that_of_the_topic_with_the_query_in_place(model: ScoreModel) -> None:
    text = Document(title="NORAD", body="A radar is built. NORAD announced $3 billion for it.", language=EN)
    current = topic(("en", "norad"))
    on_top = trial("radar", current, model=model).run(text)
    instead = trial("radar", current, key="en", model=model).run(text)
    assert on_top.score is not None
    assert instead.score is not None
    assert on_top.score > instead.score, "NORAD stands in the title, and still counts where it is not replaced"
    assert on_top.worthy
    assert on_top.reasons[0] == "The title names the topic: yes (raises the score)"
    assert trial("radar", replace(current, threshold=on_top.score), model=model).run(text).worthy
    assert not trial("radar", replace(current, threshold=on_top.score + 1e-9), model=model).run(text).worthy
    assert [found.term for found in on_top.evidence] == ["radar"]


def test_a_query_that_cannot_be_understood_is_refused() -> None:
    with pytest.raises(QueryError):
        trial("norad AND (")


MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock is set to the time of an island in the Pacific."""
    monkeypatch.setenv("TZ", "Pacific/Pago_Pago")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_away")
def test_weeks_begin_on_monday_in_utc_and_empty_ones_count() -> None:
    eve = datetime.fromisoformat("2026-11-15T23:30:00-05:00")  # a Sunday in Ottawa, Monday in UTC
    counted = weeks(MONDAY - timedelta(days=10), MONDAY + timedelta(days=3), [(eve, True), (MONDAY, False)])
    assert [(week.monday, week.hits, week.worthy) for week in counted] == [
        (date(2026, 11, 2), 0, 0),
        (date(2026, 11, 9), 0, 0),
        (date(2026, 11, 16), 2, 1),
    ]


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=60))
def test_no_hit_is_lost_between_the_weeks(days: list[tuple[int, bool]]) -> None:
    hits = [(MONDAY + timedelta(days=day, hours=7), worthy) for day, worthy in days]
    counted = weeks(MONDAY, MONDAY + timedelta(days=401), hits)
    assert sum(week.hits for week in counted) == len(hits)
    assert sum(week.worthy for week in counted) == sum(worthy for _, worthy in hits)
    assert [week.monday for week in counted] == sorted({week.monday for week in counted})


def test_to_expect_is_the_median_so_that_one_busy_week_promises_nothing() -> None:
    hits = [(MONDAY, False)] * 40 + [(MONDAY + timedelta(days=7), True)] * 2
    counted = weeks(MONDAY, MONDAY + timedelta(days=14), hits)
    assert expected_per_digest(counted, scored=False) == 2
    assert expected_per_digest(counted, scored=True) == 0
    assert expected_per_digest((), scored=True) == 0
