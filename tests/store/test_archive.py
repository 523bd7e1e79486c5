"""The index names every item that a query may be true of, and is always in step with the items."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import col, select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec, Watch
from monitor.errors import QueryError
from monitor.matching.query import parse_query
from monitor.matching.watchlist import compile_watchlist
from monitor.store import items, sources
from monitor.store.archive import find_candidates, index_items, reindex
from monitor.store.engine import Database
from monitor.store.tables import ItemRow


def store(database: Database, now: datetime, entries: Sequence[Entry], language: Language = Language.EN) -> int:
    spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry of Snow", "CA", language)
    with database.write() as session:
        source = sources.save_source(session, spec, actor="test", now=now)
        items.insert_entries(session, source, language.value, entries, now)
    return source


def entry(title: str, body: str = "", language: Language | None = None) -> Entry:
    return Entry(key=title, url=f"https://ministry.example/{title}", title=title, body=body, language=language)


def candidates(
    database: Database, query: str, now: datetime, language: Language = Language.ANY, *, reads: Language = Language.ANY
) -> list[str]:
    with database.read() as session:
        found = find_candidates(session, [parse_query(query, language)], now - timedelta(days=1), language=reads)
        ids = [item_id for item_id, _ in found]
        titles = dict(session.exec(select(ItemRow.id, ItemRow.title).where(col(ItemRow.id).in_(ids))).all())
    return [titles[item_id] for item_id in ids]


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("securite", Language.FR),
        ("sécurités", Language.FR),
        ("alliance", Language.FR),
        ('"sommet des alliés"', Language.FR),
        ("sommet*", Language.ANY),
        ("US", Language.ANY),
        ("G-7", Language.ANY),
        ("incendie OR allies", Language.FR),
        ("sommet AND country:CA", Language.ANY),
        ("NOT incendie AND sommet", Language.ANY),
        ("title:sommet", Language.ANY),
    ],
)
def test_accents_signs_and_hidden_characters_do_not_matter(
    database: Database, now: datetime, query: str, language: Language
) -> None:
    wanted = "Le G7 parle de sécurité au som\u2060met des U.S. et d’alliances"
    store(database, now, [entry(wanted, "Les alliés."), entry("Rien")], Language.FR)
    assert candidates(database, query, now, language) == [wanted]


def test_only_items_with_all_the_words_are_named(database: Database, now: datetime) -> None:
    texts = ["arctic sovereignty", "arctic research", "sovereignty", "a fire"]
    store(database, now, [entry(text) for text in texts])
    assert candidates(database, '"arctic sovereignty" OR fires', now, Language.EN) == ["a fire", "arctic sovereignty"]


def test_where_no_word_must_be_there_all_items_are_named_newest_first(database: Database, now: datetime) -> None:
    store(database, now, [entry("older")])
    store(database, now + timedelta(hours=1), [entry("newer")])
    assert candidates(database, "country:CA", now) == ["newer", "older"]
    assert candidates(database, "older OR country:CA", now) == ["newer", "older"]


def test_items_that_a_language_does_not_read_are_left_out(database: Database, now: datetime) -> None:
    found = [entry(f"alliance {language}", language=language) for language in (Language.EN, Language.FR)]
    store(database, now, found)
    assert candidates(database, "alliance", now, Language.FR, reads=Language.FR) == ["alliance fr"]


def test_a_revised_item_is_found_by_its_new_words(database: Database, now: datetime) -> None:
    source = store(database, now, [entry("statement", "about nothing")])
    with database.write() as session:
        (known,) = items.find_known(session, source, keys=["statement"], latest=0)
        items.revise_items(session, {known.id: entry("statement", "about icebreakers")}, now)
    assert candidates(database, "icebreaker", now, Language.EN) == ["statement"]


def test_what_is_rolled_back_is_not_in_the_index(database: Database, now: datetime) -> None:
    spec = SourceSpec("ministry", "https://ministry.example/feed", "Ministry", "CA", Language.EN)

    def fail() -> None:
        with database.write() as session:
            items.insert_entries(
                session, sources.save_source(session, spec, actor="test", now=now), "en", [entry("arctic")], now
            )
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        fail()
    store(database, now, [entry("desert")])
    assert candidates(database, "arctic", now) == []


def test_an_item_with_too_many_words_is_named_by_every_query(database: Database, now: datetime) -> None:
    flood = " ".join(f"w{number:x}" for number in range(25_000))
    store(database, now, [entry("flood", flood), entry("arctic " + "x" * 5_000)])
    assert "flood" in candidates(database, "nothing", now)
    assert len(candidates(database, "x" * 1_500, now)) == 2, "long words are cut, in the index and in the query"


def test_the_index_can_be_built_anew(database: Database, now: datetime) -> None:
    store(database, now, [entry("arctic"), entry("desert")])
    seen: list[tuple[int, int]] = []
    with database.write() as session:
        assert reindex(session, lambda done, total: seen.append((done, total))) == 2
    assert seen == [(2, 2)]
    assert candidates(database, "arctic", now) == ["arctic"]


def test_an_item_that_is_deleted_is_named_no_more(database: Database, now: datetime) -> None:
    store(database, now, [entry("arctic")])
    with database.write() as session:
        session.connection().execute(delete(ItemRow))
    assert candidates(database, "arctic", now) == []


TEXT = (
    "arctic Arctique l'Arctique ártico sécurité securities NORAD norad defence defense modernize modernisation"
    " moderne U.S. US G-7 G7 NDCs NDC Leaders' leader summits sommet cumbre carboneutralité alliés d'alliance"
    " and des the cross-border F-35A Москва ᐃᓄᒃᑎᑐᑦ 北極 2030 $3.5 e-mail straße œuvre mañana dying skies early"
)
WORDS = TEXT.split()


def random_entries(seed: int) -> list[Entry]:
    chance = random.Random(seed)

    def words(most: int) -> str:
        return " ".join(chance.choice(WORDS) + chance.choice(["", "", ",", ".", ")"]) for _ in range(most))

    languages = (Language.EN, Language.FR, Language.ES, None)
    return [
        Entry(
            key=str(number),
            url=f"https://ministry.example/{number}",
            title=words(3),
            summary=words(2),
            body=words(6),
            language=chance.choice(languages),
        )
        for number in range(80)
    ]


terms = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda word: f"={word}"),
    st.sampled_from(["arct*", "secur*", "mod*", "moderni*", "Моск*", "NOR*", "summit*", "all*", "carbon*"]),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"~3'),
    st.sampled_from(["country:CA", "agency:snow", "lang:fr", "title:arctic", "body:NORAD"]),
)
queries = st.recursive(
    terms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' AND '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' OR '.join(parts)})"),
        inner.map(lambda part: f"NOT ({part})"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=queries, language=st.sampled_from([*Language]))
def test_the_index_never_loses_a_hit(database: Database, now: datetime, query: str, language: Language) -> None:
    if not stored(database):
        store(database, now, random_entries(1), Language.EN)
        with database.write() as session:  # items of unknown language, as a source in another language leaves them
            session.connection().execute(update(ItemRow).where(col(ItemRow.id) % 4 == 0).values(language="de"))
            reindex(session)
    try:
        watchlist = compile_watchlist([Watch("t", "k", language, query)])
    except QueryError:
        return  # a query of negations only
    with database.read() as session:
        candidates = find_candidates(session, [parse_query(query, language)], now, language=language)
        documents = items.load_documents(session, stored(database))
    hits = {found.item_id for found in documents if watchlist.match(found.document)}
    assert hits <= {item_id for item_id, _ in candidates}


def stored(database: Database) -> list[int]:
    with database.read() as session:
        return [item_id for item_id in session.exec(select(ItemRow.id)) if item_id is not None]


def test_an_item_filed_again_and_again_is_found_by_all_that_it_held(database: Database, now: datetime) -> None:
    """What SQLite's contentless tables do with a row that is there already is not in its manual."""
    chance = random.Random(2)
    held: dict[int, set[str]] = {}
    store(database, now, [entry(str(number)) for number in range(40)])
    ids = stored(database)
    for _ in range(12):
        with database.write() as session:
            for item_id in chance.sample(ids, 20):
                words = {f"w{chance.randrange(60)}" for _ in range(8)}
                held.setdefault(item_id, set()).update(words)
                session.connection().execute(
                    update(ItemRow).where(col(ItemRow.id) == item_id).values(body=" ".join(words))
                )
                index_items(session, [item_id])
    with database.read() as session:
        for number in range(60):
            found = {item for item, _ in find_candidates(session, [parse_query(f"w{number}", Language.ANY)], now)}
            holding = {item for item, words in held.items() if f"w{number}" in words}
            assert found == holding if database.is_sqlite else found <= holding
