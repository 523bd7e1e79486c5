"""The topics file: what it may hold, what it says when it is wrong, and that it is written as it is read."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Pillar, Topic, Watch
from monitor.errors import Permanent, Refused, SettingError
from monitor.matching.topics import Role, read_topic, read_topics, role, write_topics
from monitor.shipped import shipped

SHIPPED = shipped("config", "topics.toml").read_text(encoding="utf-8")

GOOD = """
[[pillars]]
id = "security"
name = { en = "Security", fr = "Sécurité", es = "Seguridad" }

[[pillars]]
id = "trade"
name = { en = "Trade", fr = "Commerce", es = "Comercio" }

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

[[topics.watches]]
key = "fr"
language = "fr"
query = "norad"
"""

TOO_LONG = "n" * 61
NAMES = 'name = { en = "NORAD", fr = "NORAD", es = "NORAD" }'
QUERY = "query = '''norad OR \"continental defence\"'''"

WRONG = {
    (r"\[\[pillars\]\]", "[[pillars"): (
        "TOML = \"Expected ']]' at the end of an array declaration (at line 2, column 10)\": "
        "correct the syntax at that place"
    ),
    (r"\[\[pillars\]\]", 'colour = "red"\n[[pillars]]'): "colour = 'red': no such key; known are pillars, topics",
    (r"(?s)\A.*?(?=\[\[topics)", "pillars = 3\n"): "pillars = 3: write each as a [[pillars]] table",
    (r"(?s)\A.*?(?=\[\[topics)", "pillars = [3]\n"): "pillars = [3]: write each as a [[pillars]] table",
    ('id = "security"', "id = 3"): "pillars[1].id = 3: write a text in quotes",
    ('id = "security"', 'id = " "'): "pillars[1].id = ' ': it may not be empty",
    ('id = "security"', 'id = "security"\nnote = ""'): "pillars.security.note = '': no such key; known are id, name",
    ('name = { en = "Security".*', ""): 'pillars.security.name = None: write { en = "…", fr = "…", es = "…" }',
    ('"Seguridad"', '"Seguridad", de = "Sicherheit"'): (
        "pillars.security.name.de = 'Sicherheit': no such key; known are en, fr, es"
    ),
    (NAMES, 'name = "NORAD"'): 'topics.norad.name = \'NORAD\': write { en = "…", fr = "…", es = "…" }',
    (NAMES, 'name = { en = "NORAD", fr = "NORAD" }'): "topics.norad.name.es = None: write a text in quotes",
    ('id = "norad"', 'id = "nor ad"'): (
        "topics[1].id = 'nor ad': use small letters, digits and single hyphens, at most 60"
    ),
    ('id = "norad"', f'id = "{TOO_LONG}"'): (
        f"topics[1].id = '{TOO_LONG}': use small letters, digits and single hyphens, at most 60"
    ),
    ("threshold", "threshhold"): (
        "topics.norad.threshhold = 0.4: no such key; known are id, pillar, name, threshold, needs_neighbours, watches"
    ),
    ('pillar = "security"', 'pillar = "defence"'): "topics.norad.pillar = 'defence': write one of security, trade",
    ('pillar = "security"', "pillar = []"): "topics.norad.pillar = []: write one of security, trade",
    ("0.4", "1.2"): "topics.norad.threshold = 1.2: write a number from 0 to 1",
    ("0.4", "-0.1"): "topics.norad.threshold = -0.1: write a number from 0 to 1",
    ("0.4", "true"): "topics.norad.threshold = True: write a number from 0 to 1",
    ("0.4", '"high"'): "topics.norad.threshold = 'high': write a number from 0 to 1",
    ("= true", '= "yes"'): "topics.norad.needs_neighbours = 'yes': write true or false",
    ("note", 'querry = "x"\nnote'): (
        "topics.norad.watches.en.querry = 'x': no such key; known are key, language, query, note"
    ),
    ("note = .*", "note = 3"): "topics.norad.watches.en.note = 3: write a text in quotes",
    ('language = "en"', 'language = "de"'): ("topics.norad.watches.en.language = 'de': write one of en, fr, es, any"),
    (QUERY, "query = ' '"): "topics.norad.watches.en.query = ' ': it may not be empty",
    (QUERY, "query = 'norad OR (radar'"): (
        "topics.norad.watches.en.query = 'norad OR (radar': "
        "This parenthesis is not closed (at character 10). Add a closing one."
    ),
    ('key = "en"', 'key = "EN"'): (
        "topics.norad.watches[1].key = 'EN': use small letters, digits and single hyphens, at most 60"
    ),
}


def test_a_topic_is_read_with_all_that_it_says() -> None:
    file = read_topics(GOOD, "topics.toml")
    watch = Watch("norad", "en", Language.EN, 'norad OR "continental defence"', "Continental defence.")
    french = Watch("norad", "fr", Language.FR, "norad")
    names = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
    assert file.topics == (Topic("norad", "security", names, (watch, french), threshold=0.4, needs_neighbours=True),)
    assert file.pillars[0].names["fr"] == "Sécurité"


@pytest.mark.parametrize(("change", "says"), WRONG.items())
def test_what_is_wrong_is_said_by_key_value_and_remedy(change: tuple[str, str], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_topics(re.sub(*change, GOOD, count=1), "topics.toml")
    assert str(caught.value) == f"topics.toml: {says}"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("pillars", "pillars.security.id = 'security': each needs its own"),
        ("topics", "topics.norad.id = 'norad': each needs its own"),
        ("topics.watches", "topics.norad.watches.en.key = 'en': each needs its own"),
    ],
)
def test_each_needs_its_own_id(table: str, says: str) -> None:
    start = GOOD.index(f"[[{table}]]")
    again = GOOD[start:].split("\n\n", maxsplit=1)[0]
    with pytest.raises(SettingError) as caught:
        read_topics(f"{GOOD[:start]}{again}\n\n{GOOD[start:]}", "topics.toml")
    assert str(caught.value) == f"topics.toml: {says}"


TYPED: dict[str, object] = {"id": "norad", "pillar": "p", "name": {"en": " NORAD", "fr": "NORAD", "es": "NORAD"}}


def test_a_topic_that_was_typed_is_read_as_one_of_a_file() -> None:
    names = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
    assert read_topic(TYPED, ["p"]) == Topic("norad", "p", names, threshold=0.5, needs_neighbours=False)
    longest = TOO_LONG[:60]
    assert read_topic(TYPED | {"id": longest, "threshold": 1}, ["p"]).id == longest


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"pillar": "q"}, "the topic: pillar = 'q': write one of p, o"),
        ({"name": {"en": "NORAD", "fr": "", "es": "NORAD"}}, "the topic: name.fr = '': it may not be empty"),
        ({"id": "NORAD"}, "topic 'NORAD': use small letters, digits and single hyphens, at most 60"),
        ({"id": TOO_LONG}, f"topic '{TOO_LONG[:60]}': use small letters, digits and single hyphens, at most 60"),
    ],
)
def test_a_topic_that_cannot_be_one_is_refused(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(Permanent) as caught:
        read_topic(TYPED | wrong, ["p", "o"])
    assert str(caught.value) == says


def test_a_topic_without_an_id_is_refused() -> None:
    with pytest.raises(Refused, match=r"^topic '': use small letters"):
        read_topic({"pillar": "p"}, ["p"])


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
        ("es-metals-not", Role.NOT),
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


@pytest.mark.parametrize(
    ("query", "written"),
    [
        ("one\nOR two\\", "query = '''\none\nOR two\\\n'''\n"),
        ("one\nOR '''two", 'query = """one\nOR \'\'\'two"""\n'),
    ],
)
def test_a_query_is_written_on_its_lines(query: str, written: str) -> None:
    watch = Watch("t", "en", Language.EN, query)
    assert written in write_topics([], [Topic("t", "p", {}, (watch,))])


def test_a_topic_without_watches_is_read_again() -> None:
    topic = Topic("t", "p", {"en": "T", "fr": "T", "es": "T"}, threshold=0.5)
    written = write_topics([Pillar("p", topic.names)], [topic])
    assert read_topics(written, "written").topics == (topic,)
