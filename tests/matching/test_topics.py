"""The topics file: what it may hold, what it says when it is wrong, and that it is written as it is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Pillar, Topic, Watch
from monitor.errors import SettingError
from monitor.matching.topics import Role, read_topics, role, write_topics
from monitor.shipped import shipped

SHIPPED = shipped("config", "topics.toml").read_text(encoding="utf-8")

GOOD = """
[[pillars]]
id = "security"
name = { en = "Security", fr = "Sécurité", es = "Seguridad" }

[[topics]]
id = "norad"
pillar = "security"
name = { en = "NORAD", fr = "NORAD", es = "NORAD" }
threshold = 0.4
needs_neighbours = true

[[topics.watches]]
key = "en"
language = "en"
query = '''norad OR "continental defence"'''
note = "Continental defence."
"""

WRONG = {
    "no TOML": ("[[pillars", "[[pillars]]", "TOML"),
    "an unknown key at the top": ('colour = "red"\n[[pillars]]', "[[pillars]]", "colour"),
    "an unknown key of a topic": ("threshhold = 0.4", "threshold = 0.4", "topics.norad.threshhold"),
    "an unknown key of a watch": ('querry = "x"\nnote', "note", "topics.norad.watches.en.querry"),
    "a table that is a value": ("pillars = 3\n[[topics]]", None, "pillars"),
    "a missing name": (
        'name = { en = "NORAD", fr = "NORAD" }',
        'name = { en = "NORAD", fr = "NORAD", es = "NORAD" }',
        "topics.norad.name.es",
    ),
    "a name in another language": (
        'es = "Seguridad", de = "Sicherheit" }',
        'es = "Seguridad" }',
        "pillars.security.name.de",
    ),
    "a name that is a text": (
        'name = "NORAD"',
        'name = { en = "NORAD", fr = "NORAD", es = "NORAD" }',
        "topics.norad.name",
    ),
    "an unknown pillar": ('pillar = "defence"', 'pillar = "security"', "topics.norad.pillar"),
    "a threshold out of bounds": ("threshold = 1.2", "threshold = 0.4", "topics.norad.threshold"),
    "a threshold in words": ('threshold = "high"', "threshold = 0.4", "topics.norad.threshold"),
    "a flag in words": ('needs_neighbours = "yes"', "needs_neighbours = true", "topics.norad.needs_neighbours"),
    "a language of nobody": ('language = "de"', 'language = "en"', "topics.norad.watches.en.language"),
    "an empty query": (
        "query = ' '",
        "query = '''norad OR \"continental defence\"'''",
        "topics.norad.watches.en.query",
    ),
    "a bad query": (
        "query = '''norad OR (radar'''",
        "query = '''norad OR \"continental defence\"'''",
        "topics.norad.watches.en.query",
    ),
    "an id with a space": ('id = "nor ad"', 'id = "norad"', "topics[1].id"),
    "a number for a note": ("note = 3", 'note = "Continental defence."', "topics.norad.watches.en.note"),
}


def test_a_topic_is_read_with_all_that_it_says() -> None:
    file = read_topics(GOOD, "topics.toml")
    watch = Watch("norad", "en", Language.EN, 'norad OR "continental defence"', "Continental defence.")
    names = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
    assert file.topics == (Topic("norad", "security", names, (watch,), threshold=0.4, needs_neighbours=True),)
    assert file.pillars[0].names["fr"] == "Sécurité"


@pytest.mark.parametrize(("bad", "good", "key"), WRONG.values(), ids=WRONG)
def test_an_error_names_the_dotted_key(bad: str, good: str | None, key: str) -> None:
    text = (
        GOOD[GOOD.index("[[topics]]") :].replace("[[topics]]", bad, 1) if good is None else GOOD.replace(good, bad, 1)
    )
    with pytest.raises(SettingError) as caught:
        read_topics(text, "topics.toml")
    assert (caught.value.where, caught.value.key) == ("topics.toml", key)
    assert caught.value.remedy


def test_a_bad_query_is_wrong_at_a_character() -> None:
    with pytest.raises(SettingError, match=r"This parenthesis is not closed \(at character 10\)"):
        read_topics(GOOD.replace('OR "continental defence"', "OR (radar"), "topics.toml")


@pytest.mark.parametrize("table", ["pillars", "topics", "topics.watches"])
def test_each_needs_its_own_id(table: str) -> None:
    start = GOOD.index(f"[[{table}]]")
    again = GOOD[start:].split("\n\n", maxsplit=1)[0]
    with pytest.raises(SettingError, match="each needs its own"):
        read_topics(f"{GOOD[:start]}{again}\n\n{GOOD[start:]}", "topics.toml")


def test_the_shipped_file_covers_every_topic_in_every_language() -> None:
    file = read_topics(SHIPPED, "config/topics.toml")
    assert (len(file.pillars), len(file.topics)) == (6, 24)
    assert {topic.pillar for topic in file.topics} == {pillar.id for pillar in file.pillars}
    for topic in file.topics:
        naming = {watch.language for watch in topic.watches if role(watch.key) is Role.NAMES}
        assert naming.issuperset(READER_LANGUAGES), topic.id
        assert all(watch.note for watch in topic.watches), topic.id


def test_the_shipped_file_is_as_it_would_be_written() -> None:
    file = read_topics(SHIPPED, "config/topics.toml")
    assert write_topics(file.pillars, file.topics) == SHIPPED


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("en", Role.NAMES),
        ("fr-metals", Role.NAMES),
        ("en-hint", Role.HINTS),
        ("es-not", Role.NOT),
        ("hint", Role.HINTS),
    ],
)
def test_the_last_part_of_a_key_is_its_role(key: str, expected: Role) -> None:
    assert role(key) is expected


_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60).map(str.strip)
_names = st.fixed_dictionaries({str(language): _texts.filter(bool) for language in READER_LANGUAGES})
_queries = st.sampled_from(["norad", 'norad OR "l\'Arctique"~3', "a1 AND NOT b2", "one\nOR \"'''two\"", "=Été"])


@settings(max_examples=60, deadline=None)
@given(
    st.builds(Topic, st.just("t"), st.just("p"), _names, threshold=st.floats(0, 1), needs_neighbours=st.booleans()),
    _queries,
    _texts,
)
def test_what_is_written_is_read_again(topic: Topic, query: str, note: str) -> None:
    pillar = Pillar("p", topic.names)
    topic = replace(topic, watches=(Watch("t", "fr-hint", Language.FR, query, note),))
    file = read_topics(write_topics([pillar], [topic]), "written")
    assert (file.pillars, file.topics) == ((pillar,), (topic,))


def test_a_topic_without_watches_is_read_again() -> None:
    topic = Topic("t", "p", {"en": "T", "fr": "T", "es": "T"}, threshold=0.5)
    written = write_topics([Pillar("p", topic.names)], [topic])
    assert read_topics(written, "written").topics == (topic,)
