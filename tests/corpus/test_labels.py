"""The shipped watchlist and score on 559 graded rows of real releases: the numbers that docs/matching.md states."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Watch
from monitor.core.text import fold
from monitor.matching.accuracy import Report, evaluate
from monitor.matching.fit import cross_validate
from monitor.matching.labels import Graded, grade_matches, plain_text, read_labels, read_releases
from monitor.matching.score import read_score_model
from monitor.matching.topics import read_topics
from monitor.matching.watchlist import compile_watchlist
from monitor.shipped import shipped

RELEASES = Path(__file__).parents[3] / "shared" / "corpus" / "releases"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not RELEASES.is_dir(), reason="the real releases are not beside the checkout"),
    pytest.mark.timeout(300),
]


def archive() -> Iterator[str]:
    with gzip.open(RELEASES / "whitehouse.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from lines


@pytest.fixture(scope="module")
def graded() -> list[Graded]:
    file = read_topics(shipped("config", "topics.toml").read_text(encoding="utf-8"), "topics.toml")
    watchlist = compile_watchlist(watch for topic in file.topics for watch in topic.watches)
    with (RELEASES / "labels-topics.csv").open(encoding="utf-8", newline="") as lines:
        labels = read_labels(lines)
    releases = read_releases(archive(), only={label.url for label in labels})
    return list(grade_matches(releases, labels, watchlist, {topic.id: topic for topic in file.topics}))


@pytest.fixture(scope="module")
def report(graded: list[Graded]) -> Report:
    """The labels scored in five folds, split by document."""
    model = read_score_model(shipped("config", "score.toml").read_text(encoding="utf-8"), "score.toml")
    return evaluate(cross_validate(graded, model.word_lists))


def test_every_label_is_judged(graded: list[Graded]) -> None:
    assert len(graded) == 559


def test_nearly_everything_relevant_is_matched(report: Report) -> None:
    assert report.overall.matched.recall >= 0.97


def test_what_is_worth_a_digest_is_told_from_what_is_not(report: Report) -> None:
    assert report.overall.worthy.f1 >= 0.86


def test_no_topic_is_left_behind(report: Report) -> None:
    assert [topic.topic for topic in report.topics if topic.worthy.f1 < 0.70] == []


def test_the_summit_is_found_whatever_the_apostrophe() -> None:
    """A plain search for the phrase finds none of these titles: they hold U+2019, U+00A0 and U+2060."""
    watchlist = compile_watchlist([Watch("t", "en", Language.EN, 'title:"North American Leaders\' Summit"')])
    titles = {plain_text(json.loads(line)["title"]) for line in archive()}
    named = [title for title in titles if "north american leaders" in fold(title)]
    found = [title for title in titles if watchlist.match(Document(title=title, language=Language.EN))]
    assert len(named) >= 4
    assert sorted(found) == sorted(named)
