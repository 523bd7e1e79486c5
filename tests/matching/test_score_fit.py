"""Fitting the score, measuring it, and reading the archives and grades that both need."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from itertools import product

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Topic, Watch
from monitor.errors import Refused, SettingError
from monitor.matching.accuracy import Count, Outcome, evaluate
from monitor.matching.concept import topic_evidence
from monitor.matching.fit import cross_validate, fit, outcomes
from monitor.matching.labels import Graded, Label, Release, grade_matches, plain_text, read_labels, read_releases
from monitor.matching.score import ScoreModel, read_score_model
from monitor.matching.watchlist import Watchlist, compile_watchlist
from monitor.shipped import shipped

WATCHES = (Watch("radar", "en", Language.EN, "radar"),)
RADAR = Topic("radar", "p", {"en": "Radar", "fr": "Radar", "es": "Radar"}, WATCHES, threshold=0.45)


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")


@pytest.fixture(scope="module")
def watchlist() -> Watchlist:
    return compile_watchlist(WATCHES)


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


class TestFit:
    """Fitting on graded matches."""

    def test_a_fit_learns_what_the_labels_say(self, model: ScoreModel) -> None:
        rows = graded()
        fitted = read_score_model(fit(rows, model.word_lists, date(2026, 11, 23)), "fitted")
        report = evaluate(outcomes(rows, fitted))
        assert report.overall.worthy.f1 == 1
        assert fitted.word_lists == model.word_lists

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

    @pytest.mark.parametrize("rows", [[], graded(20), [row for row in graded() if row.label.relevant]])
    def test_too_few_rows_are_refused(self, model: ScoreModel, rows: Sequence[Graded]) -> None:
        with pytest.raises(Refused, match="too few"):
            fit(rows, model.word_lists, date(2026, 11, 23))

    def test_without_the_extra_it_says_what_to_install(
        self, model: ScoreModel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "scipy.optimize", None)
        with pytest.raises(Refused, match=r"roadmap-monitor\[fit\]"):
            fit(graded(), model.word_lists, date(2026, 11, 23))


def label(topic: str, url: str = "u", *, relevant: bool = True) -> Label:
    return Label(topic, url, relevant=relevant, reason="")


def outcomes_of(relevant: Sequence[float | None], irrelevant: Sequence[float | None]) -> list[Outcome]:
    return [
        Outcome(label("radar", relevant=is_so), "title", RADAR, score)
        for is_so, scores in ((True, relevant), (False, irrelevant))
        for score in scores
    ]


def test_an_evaluation_counts_matches_and_what_is_worthy() -> None:
    report = evaluate(outcomes_of([0.9, 0.2, None], [0.8, 0.1]))
    assert report.overall.matched == Count(right=2, wrong=2, missed=1)
    assert report.overall.worthy == Count(right=1, wrong=1, missed=2)
    assert report.overall.worthy.f1 == pytest.approx(0.4)
    assert [row.score for row in report.errors] == [None, 0.8, 0.2]
    assert [topic.topic for topic in report.topics] == ["radar"]


def test_nothing_to_get_wrong_is_perfect() -> None:
    assert evaluate([]).overall.worthy.f1 == 1


class TestLabels:
    """Archives and grades."""

    def test_markdown_becomes_plain_lines(self) -> None:
        blocks = [
            "# A *title*\n",
            "First [line](https://x.example/a_(b))\nwraps.\u00a0 \n  ",
            "-   **one**\n-   two\\*\n",
            "![x](y)",
        ]
        assert plain_text("\n".join(blocks)) == "A title\nFirst line wraps.\none\ntwo*"

    def test_releases_are_read_line_by_line(self) -> None:
        lines = [
            '{"url": "u", "title": "T", "category": "fact-sheets", "markdown": "Some *text*"}',
            "",
            '{"url": "v", "title": "V"}',
        ]
        document = Document(title="T", body="Some text", language=Language.EN, categories=("fact-sheets",))
        first, second = read_releases(lines)
        assert first == Release("u", document)
        assert second.document.body == ""
        assert [release.url for release in read_releases(lines, only={"v"})] == ["v"]

    @pytest.mark.parametrize("line", ["{", '{"title": "T"}', "[]", '{"url": "u", "title": 3}'])
    def test_a_line_that_is_no_release_is_named(self, line: str) -> None:
        with pytest.raises(SettingError, match="line 1"):
            list(read_releases([line]))

    def test_labels_know_relevant_from_not(self) -> None:
        rows = read_labels(["topic,grade,url,reason", "radar,2,u,about", "radar,0,v,passing"])
        assert [row.relevant for row in rows] == [True, False]

    @pytest.mark.parametrize("row", ["radar,3,u,x", "radar,,u,x", ",1,u,x", "radar,1,,x"])
    def test_a_label_without_a_grade_is_named(self, row: str) -> None:
        with pytest.raises(SettingError, match="line 2"):
            read_labels(["topic,grade,url,reason", row])

    def test_a_label_meets_its_release_and_its_evidence(self, watchlist: Watchlist) -> None:
        releases = [Release("u", Document(title="Radar", language=Language.EN)), Release("v", Document(title="x"))]
        releases.append(Release("nobody graded this one", Document(title="Radar", language=Language.EN)))
        labels = [label("radar", "u"), label("radar", "v"), label("other", "u")]
        rows = list(grade_matches(releases, labels, watchlist, {"radar": RADAR}))
        assert [(row.label.url, len(row.evidence)) for row in rows] == [("u", 1), ("v", 0)]
