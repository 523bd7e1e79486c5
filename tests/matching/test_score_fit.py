"""Fitting the score, and measuring it."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Topic, Watch
from monitor.errors import Refused
from monitor.matching.accuracy import Count, Outcome, TopicReport, evaluate
from monitor.matching.concept import topic_evidence
from monitor.matching.features import FEATURES
from monitor.matching.fit import EXPECTED, cross_validate, fit, outcomes
from monitor.matching.labels import Graded, Label
from monitor.matching.score import ScoreModel, read_score_model, score
from monitor.matching.watchlist import compile_watchlist
from monitor.shipped import shipped

WATCHES = (Watch("radar", "en", Language.EN, "radar"),)
RADAR = Topic("radar", "p", {"en": "Radar", "fr": "Radar", "es": "Radar"}, WATCHES, threshold=0.45)
LAKE = replace(RADAR, id="lake", watches=(Watch("lake", "en", Language.EN, "lake"),))


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")


def graded(count: int = 120) -> list[Graded]:
    """Texts whose relevance shows: the relevant name the topic in the title and decide, the others list it."""
    watchlist = compile_watchlist(WATCHES)
    rows = []
    for number, relevant in product(range(count // 2), (True, False)):
        body = f"They announced {number} radars." if relevant else f"A lake, a mill, a church, {number} cows, a radar."
        document = Document(title=f"Radar {number}" if relevant else f"News {number}", body=body, language=Language.EN)
        label = Label("radar", f"u{number}{relevant}", relevant=relevant, reason="")
        rows.append(Graded(label, document, RADAR, topic_evidence(watchlist.match(document))["radar"]))
    return rows


TEXTS = (
    ("Radar {}", "They announced radars at the lake.", 10),
    ("News {}", "A radar was built in {}. It is at a lake.", 7),
    ("News {}", "They saw the radar, the lake, and {} cows.", 5),
    ("News {}", "A lake, a mill, a church, {} cows, a radar.", 1),
)
"""Title, body, and how many of ten are relevant."""


def mixed() -> list[Graded]:
    """Eighty texts of four kinds, every other one graded for two topics; no feature tells all of their labels."""
    watchlist = compile_watchlist((*WATCHES, *LAKE.watches))
    rows = []
    for (title, body, share), number in product(TEXTS, range(20)):
        document = Document(title=title.format(number), body=body.format(number), language=Language.EN)
        evidence = topic_evidence(watchlist.match(document))
        for topic, shift in ((RADAR, 0), (LAKE, 2))[: 1 + number % 2]:
            relevant = (7 * number + shift) % 10 < share
            rows.append(Graded(label(topic.id, relevant=relevant), document, topic, evidence[topic.id]))
    return rows


REPORT = {
    "fitted": date(2026, 11, 23),
    "rows": 120,
    "relevant": 66,
    "documents": 80,
    "folds": 5,
    "precision": 0.711,
    "recall": 0.97,
    "f1": 0.821,
    "log_loss": 0.466,
    "calibration": [
        "0.0-0.2: 0.07 of 30",
        "0.4-0.6: 0.71 of 41",
        "0.6-0.8: 0.52 of 29",
        "0.8-1.0: 1.00 of 20",
    ],
}
LEARNT = {
    "title": (1.3002, 0.1667),
    "names": (0.4217, 0.7607),
    "density": (0.2533, 1.1837),
    "substance": (1.189, 0.1733),
    "listed": (-1.4555, 0.25),
    "plain": (0.9555, 0.75),
    "length": (-0.2195, 2.4715),
}
"""Weight and mean of what differs between the texts; the least loss lies there, as trying all sides of it tells."""


def label(topic: str, *, relevant: bool = True) -> Label:
    return Label(topic, "u", relevant=relevant, reason="")


def some(relevant: int, others: int) -> list[Graded]:
    rows = graded()
    return rows[: 2 * relevant : 2] + rows[1 : 2 * others : 2]


class TestFit:
    """Fitting on graded matches."""

    def test_a_fit_learns_what_the_labels_say(self, model: ScoreModel) -> None:
        rows = graded()
        fitted = read_score_model(fit(rows, model.word_lists, date(2026, 11, 23)), "fitted")
        report = evaluate(outcomes(rows, fitted))
        assert report.overall.worthy.f1 == 1
        assert fitted.word_lists == model.word_lists

    def test_a_fit_in_figures(self, model: ScoreModel) -> None:
        text = fit(mixed(), model.word_lists, date(2026, 11, 23))
        fitted = read_score_model(text, "fitted")
        weights = {name: (found.weight, found.mean) for name, found in fitted.weights.items()}
        unmoved = {name: EXPECTED.get(name, 0) for name in FEATURES if name not in LEARNT}
        assert tomllib.loads(text)["report"] == REPORT
        assert {name: weights[name] for name in LEARNT} == {
            name: pytest.approx(pair, abs=0.002) for name, pair in LEARNT.items()
        }
        assert {name: weights[name][0] for name in unmoved} == pytest.approx(unmoved, abs=0.002)
        assert fitted.topics == pytest.approx({"lake": -0.0711, "radar": 0.0711}, abs=0.002)
        assert fitted.base == pytest.approx(0.2579, abs=0.002)
        assert not re.search(r"\.\d{5}", text), "nobody compares the fifth decimal"

    def test_the_report_is_of_the_first_way_to_divide_the_documents(self, model: ScoreModel) -> None:
        rows = mixed()
        scored = cross_validate(rows, model.word_lists)
        worthy = evaluate(scored).overall.worthy
        assert (round(worthy.precision, 3), round(worthy.recall, 3)) == (REPORT["precision"], REPORT["recall"])
        assert (
            cross_validate(rows, model.word_lists, seed=0) == scored != cross_validate(rows, model.word_lists, seed=1)
        )

    def test_a_model_scores_rows_as_it_scores_matches(self, model: ScoreModel) -> None:
        topic = replace(RADAR, id="norad")
        row = graded(2)[0]._replace(topic=topic)
        expected = score(row.document, topic, row.evidence, model).value
        assert outcomes([row, row._replace(evidence=())], model) == [
            Outcome(row.label, "Radar 0", topic, expected),
            Outcome(row.label, "Radar 0", topic, None),
        ]

    def test_cross_validation_scores_every_row_and_keeps_those_without_a_match(self, model: ScoreModel) -> None:
        missed = graded(2)[0]._replace(evidence=())
        scored = cross_validate([*graded(), missed], model.word_lists)
        assert len(scored) == 121
        assert [row.matched for row in scored].count(False) == 1
        assert evaluate(scored).overall.worthy.precision == 1

    def test_the_signs_are_those_that_an_analyst_expects(self, model: ScoreModel) -> None:
        upside_down = [row._replace(label=row.label._replace(relevant=not row.label.relevant)) for row in graded()]
        fitted = read_score_model(fit(upside_down, model.word_lists, date(2026, 11, 23)), "fitted")
        assert fitted.weights["title"].weight >= 0
        assert fitted.weights["listed"].weight <= 0

    @pytest.mark.parametrize(("relevant", "others"), [(0, 0), (25, 24), (46, 4), (4, 46)])
    def test_too_few_rows_are_refused(self, model: ScoreModel, relevant: int, others: int) -> None:
        with pytest.raises(Refused) as caught:
            fit(some(relevant, others), model.word_lists, date(2026, 11, 23))
        assert str(caught.value) == (
            f"{relevant + others} graded matches, {relevant} of them relevant, are too few to fit a score on: "
            "50 are needed, and 5 of each kind"
        )

    @pytest.mark.parametrize(("relevant", "others"), [(45, 5), (5, 45)])
    def test_fifty_rows_with_five_of_each_kind_are_enough(self, model: ScoreModel, relevant: int, others: int) -> None:
        assert "rows = 50\n" in fit(some(relevant, others), model.word_lists, date(2026, 11, 23))

    def test_rows_of_one_document_cannot_be_divided(self, model: ScoreModel) -> None:
        one = graded(2)[0].document
        with pytest.raises(Refused, match=r"^120 graded .*, of which there are 1: grade matches of more"):
            fit([row._replace(document=one) for row in graded()], model.word_lists, date(2026, 11, 23))

    def test_without_the_extra_it_says_what_to_install(
        self, model: ScoreModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "scipy.optimize", None)
        with pytest.raises(Refused, match=r"^Fitting needs more libraries: install roadmap-monitor\[fit\]\.$"):
            fit(graded(), model.word_lists, date(2026, 11, 23))


def outcomes_of(
    relevant: Sequence[float | None], irrelevant: Sequence[float | None], topic: Topic = RADAR
) -> list[Outcome]:
    return [
        Outcome(label(topic.id, relevant=is_so), "title", topic, score)
        for is_so, scores in ((True, relevant), (False, irrelevant))
        for score in scores
    ]


def test_an_evaluation_counts_matches_and_what_is_worthy() -> None:
    report = evaluate(outcomes_of([0.9, 0.45, 0.2, None], [0.95, 0.1]))
    assert report.overall.matched == Count(right=3, wrong=2, missed=1)
    assert report.overall.worthy == Count(right=2, wrong=1, missed=2)
    assert report.overall.worthy.f1 == pytest.approx(4 / 7)
    assert [row.score for row in report.errors] == [0.95, None, 0.2], "by how far from the threshold of 0.45"


def test_topics_are_counted_apart_in_the_order_of_their_names() -> None:
    report = evaluate(outcomes_of([0.9], []) + outcomes_of([None], [0.8], LAKE))
    assert report.overall == TopicReport("all", Count(1, 1, 1), Count(1, 1, 1))
    assert report.topics == (
        TopicReport("lake", Count(0, 1, 1), Count(0, 1, 1)),
        TopicReport("radar", Count(1, 0, 0), Count(1, 0, 0)),
    )


def test_nothing_to_get_wrong_is_perfect() -> None:
    assert evaluate([]).overall.worthy.f1 == 1
