"""The score: what raises and lowers it, how it is explained and read, and the concept that it judges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, Topic, Watch
from monitor.errors import SettingError
from monitor.matching.concept import match_topics, topic_evidence
from monitor.matching.features import FEATURES, features
from monitor.matching.layout import Layout
from monitor.matching.score import ScoreModel, explain, read_score_model, score
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

BETTER = {
    "the topic in the title": {"body": PASSING, "title": "A new radar"},
    "more of it": {"body": PASSING + " The radar turns. The radar hums."},
    "a decision": {"body": PASSING.replace("They visited", "They announced funds for")},
}

WORSE = {
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
def test_raises_the_score(model: ScoreModel, changed: dict[str, str]) -> None:
    assert rate(model, **changed) > rate(model, PASSING)


@pytest.mark.parametrize("changed", WORSE.values(), ids=WORSE)
def test_lowers_the_score(model: ScoreModel, changed: dict[str, str]) -> None:
    assert rate(model, **changed) < rate(model, PASSING)


def test_a_neighbour_near_the_evidence_is_enough(model: ScoreModel) -> None:
    topic = replace(RADAR, needs_neighbours=True)
    near = PASSING.replace("the radar", "the radar in Canada")
    assert seen(model, near, topic=topic)["no-neighbour"] == 0
    assert seen(model, PADDING + PASSING, topic=topic)["no-neighbour"] == 1


def test_an_appointment_that_the_title_ties_to_the_topic_is_news(model: ScoreModel) -> None:
    assert seen(model, PASSING, "Radar commissioner appointed")["kind-personnel"] == 0
    assert seen(model, PASSING, "Commissioner appointed")["kind-personnel"] == 1


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


def test_a_score_is_explained_in_words_that_can_be_translated(model: ScoreModel) -> None:
    document = Document(title="A new radar", body=PASSING, language=Language.EN)
    evidence = (Evidence("en", 1, "radar", "title", 6, 11),)
    sentences = explain(score(document, RADAR, evidence, model))
    assert "The title names the topic: yes (raises the score)" in sentences
    assert len(sentences) <= 6
    told = [say(sentence, Language.FR) for sentence in sentences]
    assert "Le titre nomme le sujet\u00a0: oui (élève la note)" in told


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
        assert found.worthy == (found.score >= RADAR.threshold)

    def test_another_sense_is_no_evidence(self, watchlist: Watchlist) -> None:
        document = Document(title="Under the radar", body="It flew under the radar.", language=Language.EN)
        assert topic_evidence(watchlist.match(document)) == {}

    def test_the_meant_sense_beside_another_stays(self, watchlist: Watchlist) -> None:
        document = Document(title="", body="It flew under the radar. The radar saw it.", language=Language.EN)
        (found,) = topic_evidence(watchlist.match(document))["radar"]
        assert document.body[found.start - 4 : found.end] == "The radar"

    def test_a_topic_that_is_not_asked_for_is_left_out(self, model: ScoreModel, watchlist: Watchlist) -> None:
        assert list(match_topics([Document(title="Radar")], watchlist, {}, model)) == [()]


def test_a_broken_score_file_says_what_is_wrong() -> None:
    changes = {
        "TOML": ("base = ", "base"),
        "base": (SHIPPED[SHIPPED.index("base = ") :].split("\n")[0], 'base = "high"'),
        "features.colour": ("[features]\n", "[features]\ncolour = {weight = 1.0, mean = 0.0}\n"),
        "features.title": ("\ntitle = ", "\ntitel = "),
        "features": ("[features]\n", "[numbers]\n"),
        "features.lead": (SHIPPED[SHIPPED.index("\nlead = ") :].split("\n")[1], "lead = 3"),
        "words.action": (
            SHIPPED[SHIPPED.index("[words.action]\n") :].split("[words.")[1],
            "action]\nen = []\nfr = []\nes = []\n\n",
        ),
        "words.action.de": ("[words.action]\n", '[words.action]\nde = ["an"]\n'),
    }
    for key, (good, bad) in changes.items():
        with pytest.raises(SettingError) as caught:
            read_score_model(SHIPPED.replace(good, bad, 1), "score.toml")
        assert caught.value.key in {key, "features.titel"}
