"""Citations hold what they should, and nothing of a title breaks out of its field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from monitor.core.citation import Citation, as_bibtex, as_ris

CITATION = Citation(
    item_id=7,
    agency="Global Affairs, Canada",
    title="Roadmap: 100% of {goals} & $5 met",
    url="https://example.org/a_b?c=1&d=2",
    language="en-CA",
    published_at=datetime(2026, 11, 22, 23, tzinfo=UTC),
    read_at=datetime(2026, 11, 23, 12, 5, tzinfo=UTC),
    archive_url="https://monitor.example/items/7",
    content_hash="abc",
)


def test_ris() -> None:
    assert as_ris(CITATION).split("\r\n") == [
        "TY  - GOVDOC",
        "ID  - roadmap-monitor-7",
        "AU  - Global Affairs Canada,",
        "TI  - Roadmap: 100% of {goals} & $5 met",
        "PY  - 2026",
        "DA  - 2026/11/22",
        "Y2  - 2026/11/23",
        "LA  - en-CA",
        "UR  - https://example.org/a_b?c=1&d=2",
        "L2  - https://monitor.example/items/7",
        "N1  - Read by Roadmap Monitor on 2026-11-23 12:05 UTC: https://monitor.example/items/7 (SHA-256 abc)",
        "ER  - ",
        "",
    ]


def test_bibtex() -> None:
    entry = as_bibtex(CITATION)
    assert entry.startswith("@online{roadmap-monitor-7,\n  author = {{Global Affairs, Canada}},\n")
    assert r"  title = {{Roadmap: 100\% of \{goals\} \& \$5 met}}," in entry
    assert "  url = {https://example.org/a_b?c=1&d=2}," in entry
    assert "  date = {2026-11-22}," in entry
    assert "  year = {2026}," in entry
    assert "  urldate = {2026-11-23}," in entry
    assert "  langid = {english}," in entry
    assert "\n  note = {Read by Roadmap Monitor on 2026-11-23 12:05 UTC: " in entry
    assert "langid" not in as_bibtex(replace(CITATION, language=""))


def test_a_hostile_title_stays_in_its_field() -> None:
    hostile = replace(
        CITATION, title="x\r\nER  - \r\nTY  - JOUR }, owned = {yes", url="https://a/}\n{b", published_at=None
    )
    lines = as_ris(hostile).split("\r\n")
    assert [line[:2] for line in lines].count("ER") == 1
    assert "DA" not in [line[:2] for line in lines]
    entry = as_bibtex(hostile)
    assert entry.replace(r"\{", "").replace(r"\}", "").count("{") == entry.replace(r"\{", "").replace(r"\}", "").count(
        "}"
    )
    assert "owned = {yes" not in entry
    assert "  url = {https://a/b}," in entry
