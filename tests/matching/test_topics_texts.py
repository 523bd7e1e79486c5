"""The shipped watchlist and score on texts of our own: 24 topics, three languages, announcements and near-misses."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Document, Topic, TopicMatch
from monitor.matching.concept import match_topics
from monitor.matching.score import ScoreModel, read_score_model
from monitor.matching.topics import read_topics
from monitor.matching.watchlist import Watchlist, compile_watchlist
from monitor.shipped import shipped

FOLDER = Path(__file__).parents[1] / "data" / "watchlist"
TOPICS = sorted(path.stem for path in FOLDER.glob("*.toml"))


@dataclass(frozen=True)
class Text:
    """A text for a topic: one that is relevant, or one that only looks like it."""

    topic: str
    relevant: bool
    document: Document


@cache
def shipped_matcher() -> tuple[dict[str, Topic], Watchlist, ScoreModel]:
    file = read_topics(shipped("config", "topics.toml").read_text(encoding="utf-8"), "topics.toml")
    model = read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")
    watches = [watch for topic in file.topics for watch in topic.watches]
    return {topic.id: topic for topic in file.topics}, compile_watchlist(watches), model


def texts(topic: str, language: Language, prefix: str = "") -> Iterator[Text]:
    data = tomllib.loads((FOLDER / f"{topic}.toml").read_text(encoding="utf-8"))[language]
    for kind in ("relevant", "near_misses"):
        for title, body in data.get(prefix + kind, []):
            yield Text(topic, kind == "relevant", Document(title=title, body=body, language=language))


def match(text: Text) -> TopicMatch | None:
    topics, watchlist, model = shipped_matcher()
    (matches,) = match_topics([text.document], watchlist, topics, model)
    return next((match for match in matches if match.topic == text.topic), None)


def test_every_topic_has_its_texts() -> None:
    assert set(TOPICS) == set(shipped_matcher()[0])
    for topic in TOPICS:
        for language in READER_LANGUAGES:
            relevant = [text.relevant for text in texts(topic, language)]
            assert relevant.count(True) >= 5, (topic, language)
            assert relevant.count(False) >= 3, (topic, language)


@pytest.mark.parametrize("language", READER_LANGUAGES)
@pytest.mark.parametrize("topic", TOPICS)
def test_announcements_are_worth_a_digest_and_near_misses_are_not(topic: str, language: Language) -> None:
    found = {text.document.title: (text.relevant, match(text)) for text in texts(topic, language)}
    wrong = [title for title, (relevant, hit) in found.items() if relevant != bool(hit and hit.worthy)]
    assert wrong == []


def test_what_is_unresolved_is_still_wrong() -> None:
    """A text that a change has mended belongs among the others."""
    unresolved = [text for topic in TOPICS for one in READER_LANGUAGES for text in texts(topic, one, "unresolved_")]
    mended = [text.document.title for text in unresolved if text.relevant == bool((hit := match(text)) and hit.worthy)]
    assert unresolved
    assert mended == []


def test_most_near_misses_do_not_even_match() -> None:
    near = [text for topic in TOPICS for one in READER_LANGUAGES for text in texts(topic, one) if not text.relevant]
    matched = [text.document.title for text in near if match(text)]
    assert len(matched) <= len(near) // 8, matched


@pytest.mark.parametrize("language", [Language.FR, Language.ES])
def test_a_text_of_unknown_language_is_read_by_all_watches(language: Language) -> None:
    known = next(texts("norad", language))
    unknown = Text("norad", known.relevant, Document(title=known.document.title, body=known.document.body))
    hit = match(unknown)
    assert hit
    assert hit.worthy


def test_evidence_cuts_out_what_it_names() -> None:
    for topic in TOPICS:
        for text in texts(topic, Language.FR):
            hit = match(text)
            for found in hit.evidence if hit else ():
                field = getattr(text.document, found.field)
                assert 0 <= found.start < found.end <= len(field)
                assert field[found.start : found.end].strip() == field[found.start : found.end]
