"""The score of a match: the probability, from 0 to 1, that a reviewer would call it relevant.

It is a logistic model over the features of ``features.py``. Its weights stand in ``config/score.toml`` with the
report of their fit; ``fit.py`` makes that file anew from graded matches.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, expm1
from types import MappingProxyType
from typing import Any

from monitor.core.languages import READER_LANGUAGES
from monitor.core.nouns import Document, Evidence, Topic
from monitor.core.text import fold
from monitor.errors import SettingError
from monitor.matching.features import FEATURES, features
from monitor.matching.layout import WORD_LISTS, Layout, Words
from monitor.texts import Text
from monitor.texts import marked as _

WordLists = Mapping[str, Mapping[str, Sequence[str]]]
"""The word lists as they are written: name, language, words; a word that ends in a star stands for its forms."""


@dataclass(frozen=True, slots=True)
class Weight:
    """What one unit of a feature adds to the score (in log-odds), and its mean among graded matches."""

    weight: float
    mean: float


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """The score's configuration.

    ``base`` is the log-odds of a match with mean features; ``topics`` is what a topic adds to it.
    """

    base: float
    weights: Mapping[str, Weight]
    topics: Mapping[str, float]
    word_lists: WordLists
    words: Words


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a feature does to a score: ``effect`` is in log-odds, against a match with the mean of the feature."""

    feature: str
    value: float
    effect: float


@dataclass(frozen=True, slots=True)
class Score:
    """A score and what it is made of, the largest effects first."""

    value: float
    contributions: tuple[Contribution, ...]


def read_score_model(text: str, where: str) -> ScoreModel:
    """Read a score file (TOML); ``where`` is what errors call it.

    Raises:
        SettingError: Something in the file is missing or wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(where, "TOML", str(error), "correct the syntax at that place") from error
    _demand_keys(data, {"base", "report", "features", "topics", "words"}, where, "")
    weights = _table(data, "features", where)
    _demand_keys(weights, set(FEATURES), where, "features.")
    lists = _table(data, "words", where)
    _demand_keys(lists, set(WORD_LISTS), where, "words.")
    return ScoreModel(
        base=_number(data, "base", where, ""),
        weights={name: _weight(weights, name, where) for name in FEATURES},
        topics={topic: _number(data["topics"], topic, where, "topics.") for topic in _table(data, "topics", where)},
        word_lists=MappingProxyType(lists),
        words=compile_words(lists, where),
    )


def compile_words(lists: WordLists, where: str = "words") -> Words:
    """The word lists as patterns for folded text: those of each language, and of all together.

    Raises:
        SettingError: A list is not made of texts, or a language is none of the service's.
    """
    for name, languages in lists.items():
        _demand_keys(languages, set(READER_LANGUAGES), where, f"words.{name}.")
    return {
        language: {name: _any_of(lists, name, read, where) for name in lists}
        for language, read in [(None, READER_LANGUAGES), *((one, (one,)) for one in READER_LANGUAGES)]
    }


def _any_of(lists: WordLists, name: str, languages: Iterable[str], where: str) -> re.Pattern[str]:
    phrases = [phrase for language in languages for phrase in lists[name][language]]
    if not phrases or not all(isinstance(phrase, str) and phrase.strip(" *") for phrase in phrases):
        raise SettingError(where, f"words.{name}", phrases, 'write lists of texts, as in en = ["announc*"]')
    alternatives = "|".join(dict.fromkeys(map(_pattern, phrases)))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


def _pattern(phrase: str) -> str:
    return re.escape(" ".join(fold(phrase).split())).replace(r"\ ", r"\s+").replace(r"\*", r"\w*")


def score(document: Document, topic: Topic, evidence: Sequence[Evidence], model: ScoreModel) -> Score:
    """Return the score of a document's match with ``topic``."""
    return score_features(features(Layout(document, model.words), topic, evidence), topic.id, model)


def score_features(found: Mapping[str, float], topic: str, model: ScoreModel) -> Score:
    """Return the score of a match whose features are known."""
    contributions = [
        Contribution(name, found[name], weight.weight * (found[name] - weight.mean))
        for name, weight in model.weights.items()
    ]
    odds = model.base + model.topics.get(topic, 0.0) + sum(part.effect for part in contributions)
    contributions.sort(key=lambda part: -abs(part.effect))
    return Score(1 / (1 + exp(-odds)), tuple(contributions))


def explain(score: Score, *, most: int = 6) -> list[Text]:
    """Say in sentences what raised and what lowered a score, the largest effects first.

    Args:
        score: The score to explain.
        most: How many effects to name at most; those that matter little are left out.
    """
    return [
        _(
            "%(feature)s: %(value)s (%(effect)s)",
            feature=FEATURES[part.feature],
            value=_shown(part),
            effect=_("raises the score") if part.effect > 0 else _("lowers the score"),
        )
        for part in score.contributions[:most]
        if abs(part.effect) >= _TELLING
    ]


_TELLING = 0.1  # in log-odds: about two points of a hundred at most
_AMOUNTS = frozenset({"names", "terms", "density", "cluster", "substance", "length"})
_SHARES = frozenset({"listed", "asked", "career"})


def _shown(part: Contribution) -> str:
    if part.feature in _AMOUNTS:
        return f"{expm1(part.value):.3g}"
    if part.feature in _SHARES:
        return f"{part.value:.0%}"
    return _("yes") if part.value else _("no")


def _weight(weights: Mapping[str, Any], name: str, where: str) -> Weight:
    row = _table(weights, name, where, "features.")
    _demand_keys(row, {"weight", "mean"}, where, f"features.{name}.")
    at = f"features.{name}."
    return Weight(_number(row, "weight", where, at), _number(row, "mean", where, at))


def _table(data: Mapping[str, Any], key: str, where: str, at: str = "") -> dict[str, Any]:
    value = data.get(key)
    if not isinstance(value, dict):
        raise SettingError(where, f"{at}{key}", value, "write a table, or make the file anew by fitting the score")
    return value


def _number(data: Mapping[str, Any], key: str, where: str, at: str) -> float:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingError(where, f"{at}{key}", value, "write a number")
    return float(value)


def _demand_keys(data: Mapping[str, Any], keys: set[str], where: str, at: str) -> None:
    for key in sorted(data.keys() ^ keys):
        remedy = "this is missing; fit the score anew" if key in keys else "no such key"
        raise SettingError(where, f"{at}{key}", data.get(key), remedy)
