"""From an archive to a watch: import, test, suggest, evaluate, explain, fit, each through its front door."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def releases() -> list[dict[str, str]]:
    """A year of weekly news: of NORAD, of icebreakers (which stand beside NORAD), and of other things."""
    today = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    rows = []
    for week in range(1, 53):
        texts = {
            "norad": f"NORAD modernization: week {week}\nThe minister gave NORAD $3 billion.\nIcebreakers sail.",
            "budget": f"Budget of the week {week}\nThe city council met in the hall.",
            "parks": f"Parks in the week {week}\nTrees were planted. A ranger saw a bear.",
        }
        for name, text in texts.items():
            title, _, body = text.partition("\n")
            published = (today - timedelta(weeks=week)).isoformat()
            url = f"https://ministry.example/{name}/{week}"
            rows.append({"url": url, "title": title, "published": published, "category": "news", "markdown": body})
    return rows


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    with gzip.open(shared / "ministry.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in releases())
        file.write("{broken\n")
    (shared / "damaged.jsonl.gz").write_bytes(gzip.compress(b"")[:10] + b"\xff" * 20)
    with (shared / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["topic", "grade", "url", "reason"])
        writer.writerows(["norad", 2, f"https://ministry.example/norad/{week}", "about it"] for week in range(1, 31))
        writer.writerow(["norad", 1, "https://ministry.example/parks/1", "a bear crossed the radar line"])
        writer.writerow(["norad", 0, "https://ministry.example/parks/2", ""])
    return shared


@pytest.fixture(scope="module", autouse=True)
def imported(folder: Path, monitor: Run) -> None:
    """All commands work on one installation, into which the archive was imported."""
    imported = monitor("import", "ministry.jsonl.gz", "--agency", "Ministry of Snow", "--country", "CA")
    assert imported.returncode == 0, imported.stderr
    assert "157 releases read: 156 new under the source ministry, 0 known already, 1 skipped. 156 items matched." in (
        imported.stdout
    )
    assert "line 157 skipped: no JSON" in imported.stderr


def test_a_second_import_from_standard_input_brings_nothing(monitor: Run) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in releases()[:5])
    again = monitor("import", "-", "--source", "other", stdin=rows)
    assert "5 releases read: 0 new under the source other, 5 known already, 0 skipped." in again.stdout


def test_a_query_is_tried_on_the_archive(monitor: Run) -> None:
    tried = monitor("watch", "test", "icebreakers", "--lang", "en", "--since", "1y", "--topic", "norad", "--limit", "2")
    assert tried.returncode == 0, tried.stderr
    assert "«Icebreakers»" in tried.stdout
    assert "52 of 156 items" in tried.stdout
    assert "█" in tried.stdout
    assert "To expect: 1 in a weekly digest" in tried.stdout
    assert "Against norad: 0 gained, 0 lost." in tried.stdout


def test_the_same_as_json(monitor: Run) -> None:
    tried = monitor("watch", "test", "ranger", "--since", "10w", "--topic", "norad", "--key", "en", "--json")
    found = json.loads(tried.stdout)
    assert found["hits"] in {9, 10}
    assert found["comparison"]["compared_with"] == "norad/en"
    assert found["comparison"]["gained"] == found["comparison"]["lost"] == found["hits"]
    assert {"item", "seen", "title", "why", "url", "score", "worthy"} == set(found["sample"][0])
    assert sum(week["hits"] for week in found["weeks"]) == found["hits"]


def test_a_query_with_a_mistake_is_shown_with_a_caret_under_it(monitor: Run) -> None:
    refused = monitor("watch", "test", "norad AND (radar OR")
    assert refused.returncode == 2
    query, caret, message = [line for line in refused.stderr.splitlines() if line.strip()]
    assert query[caret.index("^")] == "("
    assert message.startswith("monitor: This parenthesis is not closed")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["watch", "test", "norad", "--since", "soon"], ["'soon'", "2y"]),
        (["watch", "test", "norad", "--since", "9999y"], ["'9999y'", "2y"]),
        (["watch", "test", "norad", "--topic", "weather"], ["'weather'", "norad"]),
        (["watch", "suggest", "weather"], ["'weather'", "norad"]),
        (["import", "nowhere.jsonl"], ["nowhere.jsonl", "No such file"]),
        (["import", "labels.csv", "--source", "Bad Slug"], ["'Bad Slug'", "hyphens"]),
        (["import", "labels.csv", "--country", "Canada"], ["'Canada'", "CA"]),
        (["score", "explain", "99999", "norad"], ["item 99999"]),
        (["score", "explain", "1", "weather"], ["'weather'", "norad"]),
        (["watch", "evaluate", "--releases", "nowhere", "--labels", "labels.csv"], ["nowhere"]),
        (["score", "fit", "--releases", "ministry.jsonl.gz", "--labels", "ministry.jsonl.gz"], ["cannot be read"]),
        (["score", "fit", "--releases", "damaged.jsonl.gz", "--labels", "labels.csv"], ["cannot be read"]),
        (["score", "fit", "--labels", "labels.csv"], ["name both files"]),
        (["score", "fit"], ["nothing to learn from", "--from-verdicts"]),
        (["score", "fit", "--from-verdicts"], ["0 graded matches", "50 are needed"]),
        (["watch", "evaluate", "--from-verdicts"], ["none of the labels"]),
    ],
)
def test_a_wrong_request_says_what_is_wrong(monitor: Run, arguments: list[str], says: list[str]) -> None:
    refused = monitor(*arguments)
    assert refused.returncode == 2, refused.stderr
    assert all(text in refused.stderr for text in says), refused.stderr


def test_words_are_suggested_ready_to_paste(monitor: Run) -> None:
    (first, *_) = json.loads(monitor("watch", "suggest", "norad", "--json").stdout)
    assert first["in_topic"] == 52
    assert first["elsewhere"] == 0
    printed = monitor("watch", "suggest", "norad", "--limit", "3").stdout
    assert "monitor watch test --topic norad --lang en" in printed
    assert first["query"] in printed


@pytest.fixture
def clean_archive(folder: Path) -> Path:
    path = folder / "clean.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in releases()), encoding="utf-8")
    return path


def test_the_watchlist_is_measured_on_labels(monitor: Run, clean_archive: Path) -> None:
    arguments = ("watch", "evaluate", "--releases", str(clean_archive), "--labels", "labels.csv")
    report = json.loads(monitor(*arguments, "--json", "--errors").stdout)
    assert report["overall"]["matched"]["right"] == 30
    assert report["topics"]["norad"]["matched"]["missed"] == 1
    assert report["errors"][-1]["error"] == "missed"
    printed = monitor(*arguments, "--errors").stdout
    assert "worth a digest" in printed
    assert "a bear crossed the radar line" in printed


def test_a_score_is_explained(monitor: Run) -> None:
    (hit, *_) = json.loads(monitor("watch", "test", "icebreaker*", "--json").stdout)["sample"]
    told = monitor("score", "explain", str(hit["item"]), "norad")
    assert told.returncode == 0, told.stderr
    assert "of 1, and norad asks for" in told.stdout
    assert "raises the score" in told.stdout
    (other, *_) = json.loads(monitor("watch", "test", "ranger", "--json").stdout)["sample"]
    silent = monitor("score", "explain", str(other["item"]), "norad")
    assert silent.returncode == 1
    assert "No watch of norad finds anything" in silent.stdout


def test_labels_that_are_too_few_fit_no_score(monitor: Run, clean_archive: Path) -> None:
    refused = monitor("score", "fit", "--releases", str(clean_archive), "--labels", "labels.csv", "--out", "s.toml")
    assert refused.returncode == 2
    assert "too few" in refused.stderr
    assert not (clean_archive.parent / "s.toml").exists()


def test_the_index_is_built_anew(monitor: Run) -> None:
    assert "156 items are in the index." in monitor("reindex").stdout
