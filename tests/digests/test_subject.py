"""Subjects say the news, in one line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.digests.content import DigestContent, PillarSection, Story, TopicSection, Twin
from monitor.digests.sample import sample_digest
from monitor.digests.subject import digest_subject

END = datetime(2026, 11, 22, 13, tzinfo=UTC)
WEEK = timedelta(days=7)
STORY = Story("Canada buys icebreakers", "https://example.org/1", "Coast Guard", "CA", Language.EN, END)


def digest(*counts: tuple[str, int], language: Language = Language.EN, length: timedelta = WEEK) -> DigestContent:
    """A digest of topics with as many stories as wanted."""
    topics = tuple(TopicSection(name, name, (STORY,) * number) for name, number in counts)
    return replace(
        sample_digest(language),
        pillars=(PillarSection("Security", topics),),
        window_start=END - length,
        window_end=END,
    )


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        (digest(("NORAD", 3), ("Climate", 2)), "NORAD: 3, Climate: 2 – week to 22 November"),
        (
            digest(("NORAD", 3), ("Climat", 2), language=Language.FR),
            "NORAD\u00a0: 3, Climat\u00a0: 2 – semaine se terminant le 22 novembre",
        ),
        (
            digest(("NORAD", 3), ("Clima", 2), language=Language.ES),
            "NORAD: 3, Clima: 2 – semana al 22 de noviembre",
        ),
        (digest(("Climate", 1), ("NORAD", 3)), "NORAD: 3, Climate: 1 – week to 22 November"),
        (digest(("NORAD", 2), length=timedelta(days=1)), "NORAD: 2 – 22 November"),
        (digest(("NORAD", 2), length=timedelta(minutes=15)), "NORAD: 2"),
        (digest(("NORAD", 2), length=3 * WEEK), "NORAD: 2 – 1–22 Nov 2026"),
        (digest(("NORAD", 1)), "NORAD: Canada buys icebreakers – week to 22 November"),
        (digest(("NORAD", 1), length=timedelta(minutes=15)), "NORAD: Canada buys icebreakers"),
        (digest(), "Nothing new – week to 22 November"),
        (
            digest(*((f"A topic of some length {i}", 2) for i in range(7))),
            "A topic of some length 0: 2, A topic of some length 1: 2 and 5 more topics – week to 22 November",
        ),
    ],
)
def test_subjects(content: DigestContent, subject: str) -> None:
    assert digest_subject(content) == subject


def test_a_single_story_is_told_in_the_readers_language() -> None:
    story = replace(STORY, twin=Twin(Language.FR, "Le Canada achète des brise-glaces", "https://example.org/fr"))
    content = digest(language=Language.FR, length=timedelta(minutes=15))
    content = replace(content, pillars=(PillarSection("x", (TopicSection("arctic", "Arctique", (story,)),)),))
    assert digest_subject(content) == "Arctique\u00a0: Le Canada achète des brise-glaces"


@given(st.lists(st.tuples(st.text(max_size=300), st.integers(0, 40)), max_size=12), st.sampled_from(list(Language)[:3]))
def test_any_names_make_one_short_line(counts: list[tuple[str, int]], language: Language) -> None:
    subject = digest_subject(digest(*counts, language=language))
    assert len(subject.splitlines()) == 1
    assert len(subject) <= 200
    assert subject == subject.strip()
    subject.encode()
