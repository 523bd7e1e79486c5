"""Which items tell the same news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.polling.stories import Story, Telling, find_stories

MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STATEMENT = (
    "The President of the United States and the Prime Minister of Canada met in Ottawa today. They agreed to modernise "
    "the North Warning System, to invest 4.5 billion dollars in ports of entry, and to meet in Washington in May. "
    "They also spoke about the Columbia River Treaty and about steel from Hamilton and Pittsburgh."
)
_numbers = iter(range(1, 10_000))


def telling(
    url: str, *, text: str = "", title: str = "Joint statement on the North Warning System", **other: object
) -> Telling:
    made = Telling(next(_numbers), url, title, text, Language.EN, MONDAY)
    return replace(made, **other)  # type: ignore[arg-type] # the fields of Telling


def grouped(*tellings: Telling) -> list[set[int]]:
    return [set(story.item_ids) for story in find_stories(tellings)]


def ids(*tellings: Telling) -> set[int]:
    return {item.item_id for item in tellings}


def test_items_that_stand_alone_are_in_no_story() -> None:
    one, other = telling("https://a.example.gov/1", title="One"), telling("https://a.example.gov/2", title="Other")
    assert find_stories([one, other]) == ()
    assert find_stories([]) == ()


def test_cross_posts_have_one_address() -> None:
    one = telling("http://www.a.example.gov/1?utm_source=x")
    other = telling("https://b.example.gov/copy", canonical_url="https://www.a.example.gov/1")
    assert grouped(one, other) == [ids(one, other)]


def test_twins_name_each_other() -> None:
    english = telling("https://a.example.ca/en/1", twins=frozenset({"https://a.example.ca/fr/1"}))
    french = telling("https://a.example.ca/fr/1", language=Language.FR, title="Déclaration")
    assert grouped(english, french) == [ids(english, french)]


def canadian(language: str, slug: str, at: datetime = MONDAY, department: str = "parks-canada") -> Telling:
    folder = {"en": "news", "fr": "nouvelles"}[language]
    url = f"https://www.canada.ca/{language}/{department}/{folder}/2026/11/{slug}.html"
    return telling(url, language=Language(language), at=at, title=slug)


def test_canadian_addresses_pair_by_the_second_of_their_publication() -> None:
    english = canadian("en", "new-trail-opens-in-the-north")
    french = canadian("fr", "ouverture-dun-nouveau-sentier-dans-le-nord", department="parcs-canada")
    later = canadian("fr", "un-autre-communique", MONDAY + timedelta(seconds=1))
    assert grouped(english, french, later) == [ids(english, french)]


def test_of_several_in_one_second_the_most_similar_addresses_pair() -> None:
    english = [canadian("en", "minister-announces-ice-roads"), canadian("en", "statement-on-the-columbia-river-treaty")]
    french = [
        canadian("fr", "declaration-sur-le-traite-du-fleuve-columbia"),
        canadian("fr", "le-ministre-annonce-routes"),
    ]
    assert sorted(map(sorted, grouped(*english, *french))) == sorted(
        [sorted(ids(english[0], french[1])), sorted(ids(english[1], french[0]))]
    )


def test_elsewhere_the_same_paths_pair_nothing() -> None:
    english = canadian("en", "one")
    french = canadian("fr", "un")
    moved = [
        replace(item, url=item.url.replace("www.canada.ca", "canada.ca.evil.example")) for item in (english, french)
    ]
    assert find_stories(moved) == ()


def test_a_joint_statement_of_two_publishers_is_one_story() -> None:
    here = telling("https://www.whitehouse.gov/1", text=STATEMENT)
    there = telling(
        "https://pm.gc.ca/1",
        text=f"{STATEMENT} Contact: PMO Media Relations, Ottawa.",
        title="Joint Statement by the Prime Minister on the North Warning System",
        at=MONDAY + 30 * HOUR,
    )
    stories = find_stories([there, here])
    assert stories == (Story((here.item_id, there.item_id)),)
    assert stories[0].first == here.item_id


def test_the_title_alone_joins_nothing() -> None:
    """516 titles of White House releases are each of several."""
    titles = [telling(f"https://a.example.gov/{n}", title="Nominations Sent to the Senate") for n in range(3)]
    texts = [
        replace(item, text=f"{name} of Ohio, to be a judge. " * 20) for item, name in zip(titles, "ABC", strict=True)
    ]
    assert find_stories(titles) == ()
    assert find_stories([replace(item, text="Short text.") for item in titles]) == ()
    assert find_stories([texts[0], replace(texts[1], text=STATEMENT)]) == ()


def test_a_template_filled_in_twice_is_two_stories() -> None:
    """Disaster declarations for two states differ in names and numbers only."""
    template = (
        "Today, the President declared that a major disaster exists in the State of {0} and ordered Federal aid to "
        "supplement recovery efforts in the area affected by severe storms. Funding is available to people in "
        "the counties of {1}, {2} and {3}. Assistance can include grants for temporary housing and home repairs."
    )
    ohio = telling("https://a.example.gov/1", text=template.format("Ohio", "Adams", "Clark", "Darke"))
    iowa = telling("https://a.example.gov/2", text=template.format("Iowa", "Boone", "Cedar", "Floyd"))
    assert find_stories([ohio, iowa]) == ()
    assert grouped(ohio, replace(ohio, item_id=9_999, url="https://a.example.gov/3")) == [{ohio.item_id, 9_999}]


@pytest.mark.parametrize(
    "change",
    [
        {"at": MONDAY + timedelta(days=4)},
        {"language": Language.FR},
        {"title": "Readout of a telephone call about something else entirely"},
    ],
    ids=["days later", "another language", "another title"],
)
def test_near_texts_need_the_same_days_language_and_title(change: dict[str, Any]) -> None:
    one = telling("https://a.example.gov/1", text=STATEMENT)
    other = replace(telling("https://b.example.gov/2", text=STATEMENT), **change)
    assert find_stories([one, other]) == ()


def test_links_chain_into_one_story_whatever_the_order() -> None:
    english = canadian("en", "statement")
    french = canadian("fr", "declaration")
    copy = telling("https://b.example.gov/copy", canonical_url=french.url, at=MONDAY + HOUR)
    expected = (Story((english.item_id, french.item_id, copy.item_id)),)
    for order in permutations((english, french, copy)):
        assert find_stories(order) == expected


def test_only_fresh_texts_are_compared() -> None:
    """What has been compared before is known: as a story, or as news of its own."""
    old, older, fresh = (telling(f"https://{name}.example.gov/1", text=STATEMENT) for name in "abc")
    assert find_stories([old, older], fresh=[]) == ()
    assert find_stories([old, older, fresh], fresh=[fresh.item_id]) == find_stories([old, older, fresh])
    held = [replace(old, story_id=7), replace(older, story_id=7, text="Edited since.")]
    assert find_stories(held, fresh=[]) == (Story((old.item_id, older.item_id)),)
    assert grouped(*held, fresh) == [ids(old, older, fresh)], "one of a story is enough"


def test_among_hundreds_after_one_template_a_copy_is_found() -> None:
    """Their titles are all alike; each text is compared with those of some of them, the nearest in time."""
    template = (
        "Today the Senate received a nomination of the President: {0} of {1}, to be a judge for a term of {2} years. "
        * 3
    )
    others = [
        telling(
            f"https://a.example.gov/{n}",
            title="Nomination Sent to the Senate",
            text=template.format(f"Name{n}", f"Town{n}", n),
            at=MONDAY + n * timedelta(minutes=5),
        )
        for n in range(300)
    ]
    copy = replace(others[150], item_id=9_999, url="https://b.example.gov/1")
    assert grouped(*others, copy) == [{others[150].item_id, 9_999}]
    assert [set(story.item_ids) for story in find_stories([*others, copy], fresh=[9_999])] == [
        {others[150].item_id, 9_999}
    ]
