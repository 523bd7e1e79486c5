"""Verdicts: one or many at a stroke, taken back at a stroke; views; who is to judge; the statistics of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.errors import Conflict, NotFound, Refused
from monitor.review.filters import LogQuery
from monitor.review.log import log_line
from monitor.review.statistics import agreement_of, precision_of_watches, review_statistics, wilson
from monitor.review.verdicts import assign, judge, undo
from monitor.review.views import delete_view, list_views, save_view
from monitor.store.review_figures import Judged, Said

ME, OTHER = "reviewer@example.org", "editor@example.org"


def word(log: Any, match_id: int) -> str:
    with log.database.read() as session:
        return log_line(session, match_id).match.verdict


def test_undo_takes_back_a_stroke_at_a_time(log: Any) -> None:
    with log.database.write() as session:
        ids = log.ids(session)
        judge(session, ids[:3], "relevant", reviewer=ME, now=log.now)
        judge(session, ids[:2], "noise", reviewer=OTHER, now=log.now)
        judge(session, ids[1:5], "starred", reviewer=ME, now=log.now)
    assert [word(log, one) for one in ids[:5]] == ["noise", "starred", "starred", "starred", "starred"]
    with log.database.write() as session:
        assert sorted(undo(session, reviewer=ME, now=log.now)) == sorted(ids[1:5])
    assert [word(log, one) for one in ids[:5]] == ["noise", "noise", "relevant", "", ""]
    with log.database.write() as session:
        assert sorted(undo(session, reviewer=ME, now=log.now)) == sorted(ids[:3])
        assert undo(session, reviewer=ME, now=log.now) == []
    assert [word(log, one) for one in ids[:5]] == ["noise", "noise", "", "", ""]


def test_an_old_verdict_is_no_slip(log: Any) -> None:
    with log.database.write() as session:
        judge(session, log.ids(session)[:1], "noise", reviewer=ME, now=log.now)
        assert undo(session, reviewer=ME, now=log.now + timedelta(hours=13)) == []


def test_a_note_leaves_the_verdict_as_it_is(log: Any) -> None:
    with log.database.write() as session:
        one, other = log.ids(session)[:2]
        judge(session, [one], "noise", reviewer=ME, now=log.now)
        judge(session, [one, other], "", reviewer=ME, now=log.now, note="look again")
    assert (word(log, one), word(log, other)) == ("noise", "")


WRONG: list[tuple[list[int], str, str | None, type[Exception]]] = [
    ([], "noise", None, Refused),
    (list(range(1, 1002)), "noise", None, Refused),
    ([1], "maybe", None, Refused),
    ([1], "noise", "x" * 2001, Refused),
    ([1], "noise", "nul\x00", Refused),
    ([999_999], "noise", None, NotFound),
]


def test_a_wrong_verdict_changes_nothing(log: Any) -> None:
    for ids, verdict, note, error in WRONG:
        with log.database.write() as session, pytest.raises(error):
            judge(session, ids, verdict, reviewer=ME, now=log.now, note=note)
    with log.database.read() as session:
        assert {log_line(session, one).match.verdict for one in log.ids(session)} == {""}


def test_only_who_may_judge_is_assigned(log: Any) -> None:
    with log.database.write() as session:
        ids = log.ids(session)[:2]
        assert assign(session, ids, ME, actor=OTHER, now=log.now) == 2
        assert log_line(session, ids[0]).match.assignee == ME
        assert assign(session, ids, "", actor=OTHER, now=log.now) == 2
        for nobody in ("viewer@example.org", "stranger@example.org"):
            with pytest.raises(Refused, match=nobody):
                assign(session, ids, nobody, actor=OTHER, now=log.now)


def test_views_are_ones_own(log: Any) -> None:
    query = LogQuery(topic="norad", verdict="open")
    with log.database.write() as session:
        save_view(session, ME, " Mine ", query, now=log.now)
        save_view(session, ME, "Mine", LogQuery(topic="border"), now=log.now)
        (view,) = list_views(session, ME)
        assert view.query == "topic=border"
        assert list_views(session, OTHER) == []
        with pytest.raises(NotFound):
            delete_view(session, OTHER, view.id or 0)
        delete_view(session, ME, view.id or 0)
        for name in ("", "x" * 61):
            with pytest.raises(Refused):
                save_view(session, ME, name, query, now=log.now)
        with pytest.raises(Refused, match="'weather'"):
            save_view(session, ME, "Wrong", LogQuery(topic="weather"), now=log.now)
        for number in range(50):
            save_view(session, ME, f"View {number}", query, now=log.now)
        with pytest.raises(Conflict):
            save_view(session, ME, "One too many", query, now=log.now)


def test_statistics_of_what_was_judged(log: Any) -> None:
    with log.database.write() as session:
        ids = log.ids(session)
        judge(session, ids[0:1], "relevant", reviewer=ME, now=log.now)  # norad, found a day ago
        judge(session, ids[3:4], "noise", reviewer=ME, now=log.now)  # norad, found four days ago
        judge(session, ids[3:4], "noise", reviewer=OTHER, now=log.now + timedelta(days=1))
        judge(session, ids[0:1], "noise", reviewer=OTHER, now=log.now)
        figures = review_statistics(session, log.now)
    (norad,) = figures.precision
    assert (norad.topic, norad.watch, norad.judged, norad.relevant) == ("norad", "any", 2, 0)
    assert (figures.agreement.pairs, figures.agreement.agreed) == (2, 1)
    assert figures.judged == {ME: 2, OTHER: 2}
    assert figures.usual == timedelta(days=2.5)
    assert sum(figures.backlog.values()) == 11, "of the 12 worth a digest, one was judged"


def test_precision_has_an_interval() -> None:
    found = [Judged("norad", "relevant", frozenset({"a", "b"})), Judged("norad", "noise", frozenset({"a"}))]
    assert [(one.watch, one.share) for one in precision_of_watches(found)] == [("a", 0.5), ("b", 1.0)]
    assert round(wilson(1, 1), 2) == 0.21
    assert round(wilson(100, 100), 2) == 0.96


@pytest.mark.parametrize(
    ("words", "agreed", "kappa"),
    [(["rr", "nn"], 2, 1.0), (["rn", "nr"], 0, -1.0), (["rr", "rr"], 2, None), ([], 0, None)],
)
def test_agreement_beyond_chance(words: list[str], agreed: int, kappa: float | None) -> None:
    names = {"r": "relevant", "n": "noise"}
    said = [Said(n, who, names[letter]) for n, pair in enumerate(words) for who, letter in zip("ab", pair, strict=True)]
    found = agreement_of(said)
    assert (found.pairs, found.agreed, found.kappa) == (len(words), agreed, kappa)
