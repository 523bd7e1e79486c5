"""The score: what raises and lowers it, how it is explained and read, and the concept that it judges."""

from __future__ import annotations

from dataclasses import replace
from math import log, log1p, nextafter
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Topic, TopicMatch, Watch
from monitor.matching.concept import match_topics, topic_evidence
from monitor.matching.features import FEATURES, features
from monitor.matching.layout import Layout
from monitor.matching.score import Contribution, Score, ScoreModel, explain, read_score_model, score, score_features
from monitor.matching.watchlist import Watchlist, compile_watchlist
from monitor.shipped import shipped
from monitor.translations import say

SHIPPED = shipped("config", "score.toml").read_text(encoding="utf-8")
NAMES = {"en": "Radar", "fr": "Radar", "es": "Radar"}
WATCHES = (
    Watch("radar", "en", Language.EN, "radar"),
    Watch("radar", "fr", Language.FR, "radar"),
    Watch("radar", "en-hint", Language.EN, "antenna"),
    Watch("radar", "en-not", Language.EN, '"under the radar"'),
)
RADAR = Topic("radar", "p", NAMES, WATCHES, threshold=0.45)
PADDING = " The minister spoke about the weather and the harvest of this year." * 20


@pytest.fixture(scope="module")
def model() -> ScoreModel:
    return read_score_model(SHIPPED, "score.toml")


@pytest.fixture(scope="module")
def watchlist() -> Watchlist:
    return compile_watchlist(WATCHES)


def rate(
    model: ScoreModel, body: str, title: str = "News", topic: Topic = RADAR, language: Language = Language.EN
) -> float:
    document = Document(title=title, body=body, language=language)
    evidence = topic_evidence(compile_watchlist(topic.watches).match(document))[topic.id]
    return score(document, topic, evidence, model).value


def seen(model: ScoreModel, body: str, title: str = "News", topic: Topic = RADAR) -> dict[str, float]:
    document = Document(title=title, body=body, language=Language.EN)
    evidence = topic_evidence(compile_watchlist(topic.watches).match(document))[topic.id]
    return features(Layout(document, model.words), topic, evidence)


PASSING = "It rained. They visited the radar." + PADDING

BETTER: dict[str, dict[str, Any]] = {
    "the topic in the title": {"body": PASSING, "title": "A new radar"},
    "more of it": {"body": PASSING + " The radar turns. The radar hums."},
    "a decision": {"body": PASSING.replace("They visited", "They announced funds for")},
}

WORSE: dict[str, dict[str, Any]] = {
    "an enumeration": {
        "body": PASSING.replace("the radar", "the lake, the mill, the church, the school, and the radar")
    },
    "a hint only": {"body": PASSING.replace("radar", "antenna")},
    "a career": {"body": PASSING.replace("They visited", "She previously served as an engineer of")},
    "a campaign speech": {"body": PASSING, "title": "Remarks at a campaign reception"},
    "appointments": {"body": PASSING, "title": "President announces key nominees"},
    "a press review": {"body": PASSING, "title": "What they are saying about the budget"},
    "a question": {"body": f"MS. ROY: Hello.\nQ What about the radar?\nMS. ROY: Next.{PADDING}"},
    "no neighbour": {"body": PASSING, "topic": replace(RADAR, needs_neighbours=True)},
}


@pytest.mark.parametrize("changed", BETTER.values(), ids=BETTER)
def test_raises_the_score(model: ScoreModel, changed: dict[str, Any]) -> None:
    assert rate(model, **changed) > rate(model, PASSING)


@pytest.mark.parametrize("changed", WORSE.values(), ids=WORSE)
def test_lowers_the_score(model: ScoreModel, changed: dict[str, Any]) -> None:
    assert rate(model, **changed) < rate(model, PASSING)


FEATURE_VALUES = [
    ("title", {"title": "A radar"}, 1),
    ("title", {"title": "An antenna"}, 0),
    ("title-hint", {"title": "An antenna"}, 1),
    ("title-hint", {"title": "An antenna of a radar"}, 0),
    ("title-hint", {"body": "A radar."}, 0),
    ("lead", {"title": "A radar"}, 0),
    ("lead", {"summary": "y" * 600 + " radar"}, 1),
    ("lead", {"summary": "An antenna."}, 0),
    ("lead", {"body": "y" * 598 + " radar"}, 1),
    ("lead", {"body": "y" * 599 + " radar"}, 0),
    ("names", {"title": "A radar", "body": "A radar. An antenna."}, log1p(2)),
    ("terms", {"title": "A radar", "body": "A radar. An antenna."}, log1p(2)),
    ("density", {"body": "A radar."}, log1p(100 * 1 / 50)),
    ("density", {"body": "radar " * 2 + "word " * 198}, log1p(100 * 2 / 200)),
    ("cluster", {"title": "A radar", "body": "A radar.\nTwo radars. An antenna.\nA radar."}, log1p(2)),
    ("cluster", {"title": "A radar", "summary": "A radar.", "body": "A radar."}, log1p(1)),
    ("cluster", {"body": "Q The radar?"}, 0),
    ("substance", {"body": "They announced a radar. A radar for $5. A radar. They announced rain."}, log1p(2)),
    ("substance", {"body": "They announced a radar, an antenna, and $5."}, log1p(1)),
    ("listed", {"body": "a, b, c, d, radar. E, f, g, radar."}, 1 / 2),
    ("listed", {"body": "Q The radar?"}, 0),
    ("plain", {"body": "a, b, c, radar."}, 0),
    ("plain", {"body": "a, b, radar."}, 1),
    ("asked", {"body": "Q The radar?\nMS. ROY: The radar. The radar."}, 1 / 3),
    ("names", {"body": "Q The radar?\nMS. ROY: The radar. The radar."}, log1p(2)),
    ("career", {"body": "She previously served at the radar. The radar turns."}, 1 / 2),
    ("hints-only", {"body": "An antenna."}, 1),
    ("hints-only", {"body": "An antenna. A radar."}, 0),
    ("no-neighbour", {"body": "A radar."}, 1),
    ("no-neighbour", {"title": "Canada", "body": "A radar."}, 0),
    ("no-neighbour", {"body": "y" * 600 + ". A radar in Canada."}, 0),
    ("no-neighbour", {"body": "y" * 600 + ". A radar. Canada."}, 1),
    ("no-neighbour", {"summary": "Canada", "body": "A radar."}, 0),
    ("no-neighbour", {"body": "Canada is cold. A radar."}, 0),
    ("no-neighbour", {"body": "y" * 598 + " Canada. A radar."}, 1),
    ("length", {"title": "A radar", "summary": "A radar.", "body": "A radar turns."}, log1p(7)),
    ("kind-personnel", {"title": "News", "body": "A radar."}, 0),
    ("kind-personnel", {"title": "Commissioner appointed", "body": "A radar."}, 1),
    ("kind-personnel", {"title": "Radar commissioner appointed"}, 0),
    ("kind-remarks", {"title": "Remarks", "body": "A radar."}, 1),
    ("kind-remarks", {"title": "News", "body": "A radar.", "categories": ("Notes", "Remarks")}, 1),
    ("kind-remarks", {"title": "News", "body": "Remarks on a radar."}, 0),
    ("kind-transcript", {"title": "Press-Briefing", "body": "A radar."}, 1),
]


@pytest.mark.parametrize(("feature", "texts", "value"), FEATURE_VALUES)
def test_a_feature_has_its_value(model: ScoreModel, feature: str, texts: dict[str, Any], value: float) -> None:
    document = Document(**{"title": "", "language": Language.EN, **texts})
    topic = replace(RADAR, needs_neighbours=True)
    evidence = topic_evidence(compile_watchlist(topic.watches).match(document))[topic.id]
    assert features(Layout(document, model.words), topic, evidence)[feature] == pytest.approx(value)


def test_evidence_that_overlaps_is_one_place(model: ScoreModel) -> None:
    """It has the term that begins first and is longest, and names the topic where one of its evidence does."""
    document = Document("A radar station opens. The radar station.", body="A radar station.", language=Language.EN)
    evidence = [
        Evidence("en", 1, '"station opens"', "title", 8, 21),
        Evidence("en-hint", 1, "radar", "title", 2, 7),
        Evidence("en-hint", 1, '"radar station"', "title", 2, 15),
        Evidence("en", 1, "opens", "title", 16, 21),
        Evidence("en-hint", 1, "radar", "title", 27, 32),
        Evidence("en-hint", 1, '"radar station opens"', "title", 27, 40),
        Evidence("en-hint", 1, "radar", "body", 2, 7),
    ]
    places = Layout(document, model.words).places(evidence)
    assert [(one.field, one.start, one.end, one.term, one.names, one.sentence.number) for one in places] == [
        ("body", 2, 7, "radar", False, 0),
        ("title", 2, 21, '"radar station"', True, 0),
        ("title", 27, 40, '"radar station opens"', False, 1),
    ]


def test_a_question_ends_where_somebody_answers(model: ScoreModel) -> None:
    body = "Q The radar?\nAnd when?\nMS. ROY: The radar will open in May."
    assert seen(model, body)["asked"] == 0.5


def test_an_initial_ends_no_sentence(model: ScoreModel) -> None:
    assert seen(model, "The U.S. Senate, the House, the court, the press, and others saw the radar.")["plain"] == 0


@pytest.mark.parametrize(
    ("language", "body"),
    [
        (Language.EN, "The minister announced $5 million for the radar."),
        (Language.FR, "La ministre a annoncé 5 millions de dollars pour le radar."),
    ],
)
def test_the_same_news_scores_the_same_in_another_language(model: ScoreModel, language: Language, body: str) -> None:
    english = rate(model, "The minister announced $5 million for the radar.", "Radar")
    assert rate(model, body, "Radar", language=language) == pytest.approx(english, abs=0.05)


def test_words_of_another_language_do_not_count(model: ScoreModel) -> None:
    """A French *délégation* is no personnel notice because English lists delegations as one."""
    document = Document(title="Visite d'une délégation", body="Le radar.", language=Language.FR)
    assert Layout(document, model.words).kinds == frozenset()


def test_a_score_is_a_probability_made_of_its_contributions(model: ScoreModel) -> None:
    document = Document(title="A new radar", body=PASSING, language=Language.EN)
    evidence = (Evidence("en", 1, "radar", "title", 6, 11),)
    result = score(document, RADAR, evidence, model)
    assert 0 < result.value < 1
    assert {part.feature for part in result.contributions} == set(FEATURES)
    effects = [abs(part.effect) for part in result.contributions]
    assert effects == sorted(effects, reverse=True)


def test_a_match_with_mean_features_has_the_base_for_its_odds(model: ScoreModel) -> None:
    means = {name: weight.mean for name, weight in model.weights.items()}
    result = score_features(means, "radar", model)
    assert log(result.value / (1 - result.value)) == pytest.approx(model.base)
    assert {part.effect for part in result.contributions} == {0}
    more = score_features(means | {"names": means["names"] + 2}, "radar", model)
    assert more.contributions[0].effect == pytest.approx(2 * model.weights["names"].weight)


def test_a_score_is_explained_in_words_that_can_be_translated(model: ScoreModel) -> None:
    document = Document(title="A new radar", body=PASSING, language=Language.EN)
    evidence = (Evidence("en", 1, "radar", "title", 6, 11),)
    sentences = explain(score(document, RADAR, evidence, model))
    assert "The title names the topic: yes (raises the score)" in sentences
    assert len(sentences) <= 6
    told = [say(sentence, Language.FR) for sentence in sentences]
    assert "Le titre nomme le sujet\u00a0: oui (élève la note)" in told


def test_an_explanation_names_the_effects_that_matter() -> None:
    effects = [
        Contribution("names", log1p(3), 2.0),
        Contribution("asked", 0.25, -1.0),
        Contribution("title", 0.0, -0.5),
        Contribution("plain", 1.0, 0.1),
        Contribution("lead", 1.0, 0.09),
    ]
    assert [str(sentence) for sentence in explain(Score(0.5, tuple(effects)))] == [
        "Places that name the topic, outside questions: 3 (raises the score)",
        "Share of the evidence that stands in reporters' questions: 25% (lowers the score)",
        "The title names the topic: no (lowers the score)",
        "A plain sentence holds evidence: yes (raises the score)",
    ]
    assert len(explain(Score(0.5, tuple(effects[:4] * 2)))) == 6
    assert len(explain(Score(0.5, tuple(effects)), most=2)) == 2


class TestConcept:
    """A topic's watches are one concept."""

    def test_evidence_of_all_watches_is_merged_in_the_order_of_the_text(
        self, model: ScoreModel, watchlist: Watchlist
    ) -> None:
        document = Document(title="A radar", body="An antenna and a radar.", language=Language.EN)
        ((found,),) = match_topics([document], watchlist, {"radar": RADAR}, model)
        assert [(one.watch, one.field, one.start) for one in found.evidence] == [
            ("en", "title", 2),
            ("en-hint", "body", 3),
            ("en", "body", 17),
        ]

    def test_a_match_is_worthy_from_its_threshold_on(self, model: ScoreModel) -> None:
        watches = tuple(replace(one, topic="arctic") for one in WATCHES)
        arctic = replace(RADAR, id="arctic", watches=watches)
        document = Document(title="A radar", body="An antenna and a radar.", language=Language.EN)
        evidence = topic_evidence(compile_watchlist(watches).match(document))["arctic"]
        value = score(document, arctic, evidence, model).value
        for threshold in (value, nextafter(value, 1)):
            topics = {"arctic": replace(arctic, threshold=threshold)}
            ((found,),) = match_topics([document], compile_watchlist(watches), topics, model)
            assert found == TopicMatch("arctic", value, threshold == value, evidence)

    def test_a_topic_adds_its_number_to_the_odds(self, model: ScoreModel) -> None:
        document = Document(title="A radar", language=Language.EN)
        evidence = (Evidence("en", 1, "radar", "title", 2, 7),)
        arctic, other = (score(document, replace(RADAR, id=one), evidence, model).value for one in ("arctic", "radar"))
        odds = log(arctic / (1 - arctic)) - log(other / (1 - other))
        assert odds == pytest.approx(model.topics["arctic"])

    def test_of_evidence_that_begins_at_one_place_the_longest_is_first(self) -> None:
        watches = [Watch("radar", "en", Language.EN, query) for query in ("radar", '"radar station"')]
        document = Document(title="A radar station", language=Language.EN)
        found = topic_evidence(compile_watchlist(watches).match(document))["radar"]
        assert [one.term for one in found] == ['"radar station"', "radar"]

    def test_another_sense_is_no_evidence(self, watchlist: Watchlist) -> None:
        document = Document(title="Under the radar", body="It flew under the radar.", language=Language.EN)
        assert topic_evidence(watchlist.match(document)) == {}

    def test_a_topic_may_have_several_other_senses(self) -> None:
        another = Watch("radar", "en-2-not", Language.EN, '"price radar"')
        document = Document(title="The price radar, under the radar", language=Language.EN)
        watchlist = compile_watchlist([*WATCHES, another])
        assert topic_evidence(watchlist.match(document)) == {}

    def test_the_meant_sense_beside_another_stays(self, watchlist: Watchlist) -> None:
        document = Document(title="", body="It flew under the radar. The radar saw it.", language=Language.EN)
        (found,) = topic_evidence(watchlist.match(document))["radar"]
        assert document.body[found.start - 4 : found.end] == "The radar"

    def test_a_topic_that_is_not_asked_for_is_left_out(self, model: ScoreModel, watchlist: Watchlist) -> None:
        assert list(match_topics([Document(title="Radar")], watchlist, {}, model)) == [()]
