"""Archives of releases and graded labels: what they hold, and what is said of a line that is wrong."""

from __future__ import annotations

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Topic, Watch
from monitor.errors import SettingError
from monitor.matching.labels import Graded, Label, Release, grade_matches, plain_text, read_labels, read_releases
from monitor.matching.watchlist import compile_watchlist

WATCHES = (Watch("radar", "en", Language.EN, "radar"),)
RADAR = Topic("radar", "p", {"en": "Radar", "fr": "Radar", "es": "Radar"}, WATCHES)


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        (
            (
                "# A *title*\n\nFirst [line](https://x.example/a_(b))\nwraps.\u00a0 \n  \n"
                "-   **one**\n-   two\\*\n\n![x](y)\n"
            ),
            "A title\nFirst line wraps.\none\ntwo*",
        ),
        ("of two\r\nlines\r\n\r\nand more", "of two lines\nand more"),
        ("Leaders’\u00c2\u00a0Summit", "Leaders’ Summit"),
    ],
)
def test_markdown_becomes_plain_lines(markdown: str, plain: str) -> None:
    assert plain_text(markdown) == plain


@pytest.mark.parametrize(
    ("line", "document"),
    [
        (
            '{"url": " u ", "title": "*T*", "category": "fact-sheets", "markdown": "Some *text*"}',
            Document(title="T", body="Some text", language=Language.EN, categories=("fact-sheets",)),
        ),
        ('{"url": "u", "title": "T", "category": ""}', Document(title="T", language=Language.EN)),
        (
            '{"url": "u", "title": "T", "body": "Texte", "language": "fr-CA", "category": ["a ", "b"]}',
            Document(title="T", body="Texte", language=Language.FR, categories=("a", "b")),
        ),
    ],
)
def test_a_release_is_read_with_all_that_it_says(line: str, document: Document) -> None:
    assert list(read_releases([line])) == [Release("u", document)]


def test_only_those_releases_are_read_that_are_asked_for() -> None:
    lines = ['{"url": "u", "title": 3}', "", '{"url": "v", "title": "V"}']
    assert [release.url for release in read_releases(lines, only={"v"})] == ["v"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("{", "{"),
        ("[]", "[]"),
        ('{"title": "T"}', '{"title": "T"}'),
        ('{"url": ["u"], "title": "T"}', '{"url": ["u"], "title": "T"}'),
        ('{"url": "u", "title": 3}', '{"url": "u", "title": 3}'),
        ('{"url": "u", "title": "T", "category": [3]}', '{"url": "u", "title": "T", "category": [3]}'),
        ('{"url": "u", "title": "T", "language": "de"}', '{"url": "u", "title": "T", "language": "de"}'),
        ("[" * 200_000, "[" * 80),
    ],
)
def test_a_line_that_is_no_release_is_named(line: str, shown: str) -> None:
    with pytest.raises(SettingError) as caught:
        list(read_releases(['{"url": "u", "title": "T"}', "", line]))
    assert str(caught.value) == (
        f"releases: line 3 = {shown!r}: write a JSON object with url, title and markdown, in en, fr or es, on each line"
    )


def test_labels_know_relevant_from_not() -> None:
    lines = ["topic,grade,url,reason", "radar,2,u,about", "radar,1, v ,", "lake,0,w"]
    assert read_labels(lines) == [
        Label("radar", "u", relevant=True, reason="about"),
        Label("radar", "v", relevant=True, reason=""),
        Label("lake", "w", relevant=False, reason=""),
    ]


@pytest.mark.parametrize("row", ["radar,3,u,x", "radar,,u,x", ",1,u,x", "radar,1,,x"])
def test_a_label_without_a_grade_is_named(row: str) -> None:
    shown = dict(zip(("topic", "grade", "url", "reason"), row.split(","), strict=True))
    with pytest.raises(SettingError) as caught:
        read_labels(["topic,grade,url,reason\n", row])
    assert str(caught.value) == f"labels: line 2 = {shown}: give each line a topic, a url and a grade of 0, 1 or 2"


def test_a_label_is_named_by_its_line_in_the_file() -> None:
    with pytest.raises(SettingError, match="line 5"):
        read_labels(["topic,grade,url,reason\n", "\n", 'radar,1,u,"a\n', 'b"\n', "radar,3,u,x\n"])


def test_a_quotation_mark_that_is_never_closed_is_named() -> None:
    with pytest.raises(SettingError) as caught:
        read_labels(["topic,grade,url,reason\n", "radar,1,u,\n", 'radar,1,u,"\n', "x" * 200_000])
    assert str(caught.value) == (
        "labels: line 3 = 'field larger than field limit (131072)': close each quotation mark and end each line"
    )


def test_a_label_meets_its_release_and_its_evidence() -> None:
    radar, other = Document(title="Radar", language=Language.EN), Document(title="x")
    releases = [Release("u", radar), Release("v", other), Release("nobody graded this one", radar)]
    labels = [
        Label(topic, url, relevant=True, reason="") for topic, url in [("radar", "u"), ("radar", "v"), ("other", "u")]
    ]
    watchlist = compile_watchlist(WATCHES)
    found = list(grade_matches(releases, labels, watchlist, {"radar": RADAR}))
    evidence = watchlist.match(radar)[0].evidence
    assert found == [Graded(labels[0], radar, RADAR, evidence), Graded(labels[1], other, RADAR, ())]
