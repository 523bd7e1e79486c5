"""Fitting the score on graded matches; the learner is the extra ``fit``, which a running service does not need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import log
from statistics import fmean
from types import MappingProxyType
from typing import Any

import tomlkit

from monitor.core.text import content_hash
from monitor.errors import Refused
from monitor.matching.accuracy import Outcome, evaluate
from monitor.matching.features import FEATURES, features
from monitor.matching.labels import Graded
from monitor.matching.layout import Layout
from monitor.matching.score import (
    Score,
    ScoreModel,
    Weight,
    WordLists,
    compile_words,
    score_features,
)

FOLDS = 5
EXPECTED: Mapping[str, float] = MappingProxyType(
    {
        "title": 1.0,
        "title-hint": 0.3,
        "lead": 0.3,
        "names": 0.3,
        "terms": 0.3,
        "density": 0.1,
        "cluster": 0.5,
        "substance": 0.5,
        "listed": -1.0,
        "plain": 0.5,
        "asked": -1.5,
        "career": -2.0,
        "hints-only": -1.5,
        "no-neighbour": -1.5,
        "kind-campaign": -2.0,
        "kind-personnel": -3.0,
        "kind-reactions": -2.0,
    }
)
"""What an analyst expects of the weights. Fitting starts there and keeps the signs: 500 rows hold few careers and
few questions, and chance would otherwise make a career speak *for* relevance, which nobody would believe."""

_TRUST = 0.3
"""How far the rows may move the weights: the variance that is expected around ``EXPECTED``. By cross-validation F1 is
0.915 with 0.1 and with 0.3, 0.909 with 1; log loss is 0.278, 0.270 and 0.266: the middle loses on neither."""

_HEADER = """\
The score's weights and words; docs/matching.md says how to read and how to refit them.

base is the log-odds of a match with mean features. Each feature adds weight x (its value - mean), and a topic
adds its own number. The score is 1 / (1 + exp(-sum)). The words may be edited by hand; refit after that."""


@dataclass(frozen=True, slots=True)
class _Row:
    graded: Graded
    found: dict[str, float]
    fold_key: str


def fit(rows: Iterable[Graded], word_lists: WordLists, on: date) -> str:
    """Fit the score on graded matches and return the text of a score file.

    The report in the file is by cross-validation, split by document. Rows without evidence are left out:
    where nothing matched there is nothing to score.

    Args:
        rows: Matches with labels, or with the verdicts of reviewers.
        word_lists: The words that the features read; they go into the file as they are.
        on: The day of the fit.

    Raises:
        Refused: The extra is not installed, or the rows are too few, all of one kind or of too few documents.
    """
    usable = _usable(rows, word_lists)
    model = _model(usable, word_lists)
    return _write(model, _report(usable, word_lists, on))


def cross_validate(rows: Iterable[Graded], word_lists: WordLists, *, seed: int = 0) -> list[Outcome]:
    """Score each row by a model that was fitted without the row's document, in five folds.

    Args:
        rows: Labels with what matched; those without evidence come back without a score.
        word_lists: The words that the features read.
        seed: Which of many ways to divide the documents.

    Raises:
        Refused: As for ``fit``.
    """
    every = list(rows)
    usable = _usable(every, word_lists)
    scored = [
        _outcome(row.graded, value) for row, value in zip(usable, _held_out(usable, word_lists, seed), strict=True)
    ]
    return scored + [_outcome(row, None) for row in every if not row.evidence]


def outcomes(rows: Iterable[Graded], model: ScoreModel) -> list[Outcome]:
    """Score rows by a model as it is."""
    return [_outcome(row, _score(row, model).value if row.evidence else None) for row in rows]


def _score(row: Graded, model: ScoreModel) -> Score:
    return score_features(features(Layout(row.document, model.words), row.topic, row.evidence), row.topic.id, model)


def _outcome(row: Graded, value: float | None) -> Outcome:
    return Outcome(row.label, row.document.title, row.topic, value)


def _usable(rows: Iterable[Graded], word_lists: WordLists) -> list[_Row]:
    words = compile_words(word_lists)
    usable = [
        _Row(
            row,
            features(Layout(row.document, words), row.topic, row.evidence),
            content_hash(row.document.title, row.document.body),
        )
        for row in rows
        if row.evidence
    ]
    relevant = sum(row.graded.label.relevant for row in usable)
    if len(usable) < 10 * FOLDS or min(relevant, len(usable) - relevant) < FOLDS:
        raise Refused(
            f"{len(usable)} graded matches, {relevant} of them relevant, are too few to fit a score on: "
            f"{10 * FOLDS} are needed, and {FOLDS} of each kind"
        )
    return usable


def _held_out(rows: Sequence[_Row], word_lists: WordLists, seed: int) -> list[float]:
    folds = [int(content_hash(row.fold_key, str(seed)), 16) % FOLDS for row in rows]
    if len(set(folds)) == 1:
        raise Refused(
            f"{len(rows)} graded matches cannot be divided by their documents, of which there are "
            f"{len({row.fold_key for row in rows})}: grade matches of more documents"
        )
    models = [
        _model([row for row, its in zip(rows, folds, strict=True) if its != number], word_lists)
        for number in range(FOLDS)
    ]
    return [
        score_features(row.found, row.graded.topic.id, models[its]).value for row, its in zip(rows, folds, strict=True)
    ]


def _model(rows: Sequence[_Row], word_lists: WordLists) -> ScoreModel:
    means = {name: fmean(row.found[name] for row in rows) for name in FEATURES}
    topics = sorted({row.graded.topic.id for row in rows})
    table = [
        [row.found[name] - means[name] for name in FEATURES] + [float(row.graded.topic.id == topic) for topic in topics]
        for row in rows
    ]
    expected = [EXPECTED.get(name, 0.0) for name in FEATURES] + [0.0] * len(topics)
    base, weights = _logistic(table, [row.graded.label.relevant for row in rows], expected)
    return ScoreModel(
        base=base,
        weights={name: Weight(weight, means[name]) for name, weight in zip(FEATURES, weights, strict=False)},
        topics=dict(zip(topics, weights[len(FEATURES) :], strict=True)),
        word_lists=word_lists,
        words=compile_words(word_lists),
    )


def _logistic(
    table: Sequence[Sequence[float]], labels: Sequence[bool], expected: Sequence[float]
) -> tuple[float, list[float]]:
    """The intercept and the weights of the likeliest logistic model, given what is expected of the weights."""
    try:
        import numpy as np  # noqa: PLC0415 - an extra, needed here only
        from scipy.optimize import minimize  # type: ignore[import-untyped]  # noqa: PLC0415 - no types; as above
    except ImportError as error:
        raise Refused("Fitting needs more libraries: install roadmap-monitor[fit].") from error
    values, relevant, prior = np.array(table), np.array(labels), np.array(expected)

    def loss(parameters: Any) -> tuple[float, Any]:
        weights, odds = parameters[:-1], values @ parameters[:-1] + parameters[-1]
        away, wrong = weights - prior, 1 / (1 + np.exp(-odds)) - relevant
        total = np.sum(np.logaddexp(0, odds) - relevant * odds) + np.sum(away**2) / (2 * _TRUST)
        return float(total), np.append(values.T @ wrong + away / _TRUST, np.sum(wrong))

    signs = [(0, None) if weight > 0 else (None, 0) if weight < 0 else (None, None) for weight in expected]
    found = minimize(loss, np.append(prior, 0.0), jac=True, method="L-BFGS-B", bounds=[*signs, (None, None)]).x
    return float(found[-1]), [float(weight) for weight in found[:-1]]


def _report(rows: Sequence[_Row], word_lists: WordLists, on: date) -> dict[str, object]:
    values = _held_out(rows, word_lists, seed=0)
    relevant = [row.graded.label.relevant for row in rows]
    worthy = evaluate(_outcome(row.graded, value) for row, value in zip(rows, values, strict=True)).overall.worthy
    return {
        "fitted": on,
        "rows": len(rows),
        "relevant": sum(relevant),
        "documents": len({row.fold_key for row in rows}),
        "folds": FOLDS,
        "precision": round(worthy.precision, 3),
        "recall": round(worthy.recall, 3),
        "f1": round(worthy.f1, 3),
        "log_loss": round(
            -fmean(
                log(max(value if is_so else 1 - value, 1e-9)) for value, is_so in zip(values, relevant, strict=True)
            ),
            3,
        ),
        "calibration": _calibration(values, relevant),
    }


def _calibration(values: Sequence[float], relevant: Sequence[bool]) -> list[str]:
    """For scores of 0 to 0.2, 0.2 to 0.4 and so on: how many there are and what share of them is relevant."""
    bins = [min(int(value * 5), 4) for value in values]
    counts, right = Counter(bins), Counter(number for number, is_so in zip(bins, relevant, strict=True) if is_so)
    return [
        f"{number / 5:.1f}-{(number + 1) / 5:.1f}: {right[number] / counts[number]:.2f} of {counts[number]}"
        for number in sorted(counts)
    ]


def _write(model: ScoreModel, report: dict[str, object]) -> str:
    document = tomlkit.document()
    for line in _HEADER.splitlines():
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    document.add("base", tomlkit.item(round(model.base, 4)))
    document.add("report", tomlkit.item(report))
    document.add("features", _inline({name: _rounded(weight) for name, weight in model.weights.items()}))
    document.add("topics", tomlkit.item({topic: round(weight, 4) for topic, weight in model.topics.items()}))
    document.add("words", tomlkit.item({name: dict(lists) for name, lists in model.word_lists.items()}))
    return tomlkit.dumps(document)


def _rounded(weight: Weight) -> dict[str, float]:
    return {"weight": round(weight.weight, 4), "mean": round(weight.mean, 4)}


def _inline(rows: dict[str, dict[str, float]]) -> Any:
    table = tomlkit.table()
    for name, row in rows.items():
        inline = tomlkit.inline_table()
        inline.update(row)
        inline.comment(FEATURES[name])
        table.add(name, inline)
    return table
