"""News that belongs to several topics is told once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.digests.content import Elsewhere, PillarSection, Story, TopicSection
from monitor.digests.render import render_digest
from monitor.digests.repeats import tell_once
from monitor.digests.sample import sample_digest

SAMPLE = sample_digest(Language.EN)
BASE = SAMPLE.topics[0].stories[0]


def story(name: str, score: float = 0.8) -> Story:
    return replace(BASE, headline=name, url=f"https://example.org/{name}", score=score)


def test_a_story_is_told_where_it_fits_best() -> None:
    security = PillarSection(
        "Security",
        (
            TopicSection("norad", "NORAD", (story("a", 0.7), story("b"))),
            TopicSection("arctic", "Arctic", (story("a", 0.9), story("b"))),
        ),
    )
    (told,) = tell_once([security])
    norad, arctic = told.topics
    assert [s.headline for s in norad.stories] == ["b"], "the first of equals"
    assert norad.elsewhere == (Elsewhere("Arctic", "a", "https://example.org/a", BASE.source_language, BASE.sentence),)
    assert [s.headline for s in arctic.stories] == ["a"]
    assert [e.topic for e in arctic.elsewhere] == ["NORAD"]


names = st.sampled_from("abcdefgh")
topics = st.lists(st.lists(st.builds(story, names, st.floats(0, 1)), max_size=5, unique_by=lambda s: s.url), max_size=6)


@given(topics)
def test_nothing_is_lost_and_nothing_doubled(stories: list[list[Story]]) -> None:
    sections = tuple(TopicSection(f"t{i}", f"Topic {i}", tuple(found)) for i, found in enumerate(stories))
    (told,) = tell_once([PillarSection("P", sections)])
    urls = [s.url for topic in told.topics for s in topic.stories]
    assert len(urls) == len(set(urls))
    assert set(urls) == {s.url for found in stories for s in found}
    for before, after in zip(sections, told.topics, strict=True):
        assert before.total == after.total
        assert {s.url for s in before.stories} == {s.url for s in after.stories} | {e.url for e in after.elsewhere}


def test_a_digest_counts_each_story_once_and_points_to_it() -> None:
    topics = tuple(TopicSection(name, name, (story("a"),)) for name in ("NORAD", "Arctic"))
    letter = render_digest(replace(SAMPLE, pillars=(PillarSection("Security", topics),)))
    assert "1 new story on your topics" in letter.html
    assert letter.html.count('class="headline"') == 1
    for part in (letter.html, letter.text):
        assert "See also: NORAD" in part
