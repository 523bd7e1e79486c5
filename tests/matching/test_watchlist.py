from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Document, Watch
from monitor.errors import QueryError
from monitor.matching.watchlist import MAX_EVIDENCE, compile_watchlist

EN, FR, ES, ANY = Language.EN, Language.FR, Language.ES, Language.ANY
SUMMIT = '"North American Leaders\' Summit"'


def watch(query: str, language: Language = EN, key: str = "main") -> Watch:
    return Watch("topic", key, language, query)


def found(query: str, document: Document, language: Language) -> list[str] | None:
    """What the evidence cuts out of the document, or None where the watch is not true of it."""
    hits = compile_watchlist([watch(query, language)]).match(document)
    return [getattr(document, e.field)[e.start : e.end] for e in hits[0].evidence] if hits else None


CASES: list[tuple[Language, str, str, list[str] | None]] = [
    # The apostrophes and the hidden characters of real titles
    (EN, SUMMIT, "Fact Sheet: North American Leaders' Summit", ["North American Leaders' Summit"]),
    (EN, SUMMIT, "The North American Leaders’ Summit (NALS)", ["North American Leaders’ Summit"]),
    (EN, SUMMIT, "North American\u2060 Leadersʼ Sum\u00admit", ["North American\u2060 Leadersʼ Sum\u00admit"]),
    (EN, SUMMIT, "NORTH AMERICAN LEADER’S SUMMIT", ["NORTH AMERICAN LEADER’S SUMMIT"]),
    (EN, SUMMIT, "North\u00a0American\nLeaders Summits", ["North\u00a0American\nLeaders Summits"]),
    (EN, SUMMIT, "Leaders’ Summit of North American states", None),
    # Smart case
    (EN, "WHO", "those who know the WHO", ["WHO"]),
    (EN, "WHO", "Those who know, Who knows", None),
    (EN, "who", "Those who know the WHO", ["who", "WHO"]),
    (EN, "U.S.", "the U.S., the US and the U.S's; let us", ["U.S.", "US", "U.S"]),
    (EN, "UN", "an un-American act", None),
    (FR, "ONU", "L’ONU et l'O.N.U., à l’onu", ["ONU", "O.N.U."]),
    (ES, "OMS", "La OMS (oms)", ["OMS"]),
    (EN, '"WHO report"', "Who reports? A WHO report.", ["WHO report"]),
    (EN, "NDC", "new NDCs", ["NDCs"]),
    # Letters with numbers
    (EN, "G7", "The G-7, G7’s and g7; G 7", ["G-7", "G7", "g7"]),
    (FR, "G-20", "au G20", ["G20"]),
    (EN, "covid-19", "COVID-19 and Covid 19, covid", ["COVID-19", "Covid 19"]),
    # Word boundaries
    (EN, "art", "the Arctic smart part", None),
    (EN, '"political climate"', "a geopolitical climate", None),
    (EN, 'climate NOT "political climate"', "in this political climate", None),
    (EN, 'climate NOT "political climate"', "a climate minister", ["climate"]),
    # Stems
    (EN, "tariff", "Tariffs", ["Tariffs"]),
    (EN, "=tariff", "Tariffs", None),
    (EN, "=tariff", "a TARIFF", ["TARIFF"]),
    (EN, "continental defence", "continental defense", ["continental", "defense"]),
    (ANY, "tariff", "tariffs", None),
    (FR, "securite", "La sécurité, les Sécurités", ["sécurité", "Sécurités"]),
    (FR, '"minéraux critiques"', "des mineraux critiques", ["mineraux critiques"]),
    (FR, "=carboneutralité", "la carboneutralite", ["carboneutralite"]),
    (ES, "mineral", "los minerales críticos", ["minerales"]),
    (ES, '"cumbre de lideres"', "las Cumbres de Líderes", ["Cumbres de Líderes"]),
    # Elisions and hyphens
    (FR, "Arctique", "de l’Arctique", ["Arctique"]),
    (FR, "l'Arctique", "en Arctique", ["Arctique"]),
    (FR, '"sécurité de l’Arctique"', "sécurité de l'Arctique", ["sécurité de l'Arctique"]),
    (FR, '"sommet d’alliance"', "un sommet d'alliances", ["sommet d'alliances"]),
    (EN, "cross-border", "cross border and cross-border", ["cross border", "cross-border"]),
    (EN, '"net zero"', "net\u2011zero", ["net\u2011zero"]),
    (EN, "Indo-Pacific", "the Indo–Pacific, the Pacific", ["Indo–Pacific"]),
    (ES, "T-MEC", "el T-MEC; el t-mec", ["T-MEC"]),
    # Prefixes
    (EN, "moderni*", "modernise, modernization, modern", ["modernise", "modernization"]),
    (FR, '"critique* mineral*"', "critiques minerales", ["critiques minerales"]),
    (EN, '"moder* radar"', "modernised radars", ["modernised radars"]),
    (EN, "norad*", "NORAD", ["NORAD"]),
    (EN, "NORA*", "NORAD, norad", ["NORAD"]),
    # Near
    (EN, '"canada climate minister"~3', "The minister for climate met Canada", ["minister for climate met Canada"]),
    (EN, '"canada minister"~1', "Canada has a minister", None),
    (EN, '"canada minister"~2', "Canada has a minister", ["Canada has a minister"]),
    (EN, '"canada minister"~0', "minister Canada", ["minister Canada"]),
    (EN, '"canada trade"~2', "trade, Canada and trade", ["trade, Canada", "Canada and trade"]),
    (EN, '"canada minister"~3', "Canada minister and minister", ["Canada minister"]),
    (EN, '"canada minister"~1', "minister Canada has a minister", ["minister Canada"]),
    # Operators
    (EN, "norad nato", "NORAD only", None),
    (EN, "norad radar summit", "NORAD, a radar, a summit", ["NORAD", "radar", "summit"]),
    (EN, "norad radar summit", "NORAD, a radar", None),
    (EN, "norad radar summit", "NORAD, a summit", None),
    (EN, "norad radar summit", "a radar, a summit", None),
    (EN, "norad OR nato", "NORAD only", ["NORAD"]),
    (EN, "(norad AND radar) OR (nato AND summit)", "norad, a nato summit", ["nato", "summit"]),
    (EN, "norad -santa", "NORAD tracks Santa", None),
    (EN, "(a OR NOT b) norad", "norad", ["norad"]),
    (EN, "(norad OR nato) (radar OR summit)", "NORAD at a summit", ["NORAD", "summit"]),
    (EN, "(norad OR nato) (radar OR summit)", "NORAD and NATO", None),
    (EN, "(norad OR nato) (radar OR summit)", "a radar at a summit", None),
    (EN, "(norad OR nato OR radar) (summit OR budget)", "a radar in the budget", ["radar", "budget"]),
    (EN, "(norad OR nato OR radar) (summit OR budget)", "a radar of NORAD", None),
    (EN, "(norad OR nato) -santa", "NORAD tracks Santa", None),
    (EN, '("early warning radar" nato) OR norad', "early warning radar of NATO", ["early warning radar", "NATO"]),
    (EN, '("early warning radar" nato) OR norad', "early warning, warning radar, NATO, NORAD", ["NORAD"]),
    (EN, 'norad -"early warning radar"', "NORAD: early warning radar", None),
    (EN, 'norad -"early warning radar"', "NORAD: early warning, warning radar", ["NORAD"]),
    (EN, "norad -(santa reindeer)", "NORAD tracks Santa", ["NORAD"]),
    (EN, "norad -(santa reindeer)", "NORAD, Santa and a reindeer", None),
    (EN, "norad -(santa OR reindeer)", "NORAD and a reindeer", None),
]


@pytest.mark.parametrize(("language", "query", "text", "cut"), CASES)
def test_a_watch_finds_what_an_analyst_expects(
    language: Language, query: str, text: str, cut: list[str] | None
) -> None:
    item_language = None if language is ANY else language
    for document in (Document(text, language=item_language), Document("", body=text, language=item_language)):
        assert found(query, document, language) == cut


ITEM = Document(
    title="NORAD modernised",
    summary="A radar",
    body="The radar of the two countries, and NORAD.",
    source="ca-defence-news",
    agency="Department of National Defence",
    country="CA",
    language=EN,
    categories=("News releases", "Défense"),
)


@pytest.mark.parametrize(
    ("query", "cut"),
    [
        ("title:norad", ["NORAD"]),
        ("summary:norad", None),
        ("summary:norad OR title:norad", ["NORAD"]),
        ("body:(norad radar)", ["radar", "NORAD"]),
        ("norad -title:norad", None),
        ("norad -summary:norad", ["NORAD", "NORAD"]),
        ('"modernised radar"', None),  # a phrase does not go from one field into the next
        ('norad agency:"national defence"', ["NORAD", "NORAD"]),
        ("norad agency:nation*", ["NORAD", "NORAD"]),
        ("norad agency:nation", None),
        ('norad agency:"nation* defence"', ["NORAD", "NORAD"]),
        ("norad country:ca lang:en", ["NORAD", "NORAD"]),
        ("norad country:(US OR ca)", ["NORAD", "NORAD"]),
        ("norad lang:fr", None),
        ("norad source:ca-defence", ["NORAD", "NORAD"]),
        ("norad source:defence-ca", None),
        ('category:"news releases" radar', ["radar", "radar"]),
        ('category:"releases defense"', None),  # nor from one category into the next
        ("category:defense", ["NORAD modernised"]),
        ("source:ca-defence-news OR tariff", ["NORAD modernised"]),
        ("source:ca-defence-news -tariff", ["NORAD modernised"]),
        ("norad -country:CA", None),
    ],
)
def test_fields_and_attributes(query: str, cut: list[str] | None) -> None:
    assert found(query, ITEM, EN) == cut


@pytest.mark.parametrize(
    ("item_language", "keys"),
    [(EN, ["en", "any"]), (FR, ["fr", "any"]), (ES, ["any"]), (None, ["en", "fr", "any"]), (ANY, ["en", "fr", "any"])],
)
def test_an_item_is_read_by_the_watches_of_its_language_and_of_any(
    item_language: Language | None, keys: list[str]
) -> None:
    watchlist = compile_watchlist(
        [watch("norad", EN, "en"), watch("norad", FR, "fr"), watch("norad", ANY, "any"), watch("source:x", FR, "x")]
    )
    hits = watchlist.match(Document("NORAD", language=item_language))
    assert [hit.watch.key for hit in hits] == keys


def test_a_watch_of_attributes_only_is_of_its_language_too() -> None:
    watchlist = compile_watchlist([watch("source:x", FR)])
    assert not watchlist.match(Document("NORAD", source="x", language=EN))
    assert watchlist.match(Document("", source="x", language=FR))[0].evidence == ()


def test_evidence_names_the_watch_its_version_and_the_term_as_written() -> None:
    first, second = (
        compile_watchlist([replace(watch('title:"norad modern*"^3 OR radar'), version=7)]).match(ITEM)[0].evidence[:2]
    )
    assert (first.watch, first.version, first.term, first.field) == ("main", 7, '"norad modern*"', "title")
    assert (second.term, second.field, second.start, second.end) == ("radar", "summary", 2, 7)


def test_evidence_is_capped_with_the_title_first() -> None:
    document = Document("norad " * 10, body="norad " * 100, language=EN)
    evidence = compile_watchlist([watch("norad")]).match(document)[0].evidence
    assert len(evidence) == MAX_EVIDENCE
    assert [e.field for e in evidence].count("title") == 10


def test_a_watchlist_may_be_empty() -> None:
    assert not compile_watchlist([]).match(ITEM)


def test_hits_come_in_the_order_of_the_watches() -> None:
    watchlist = compile_watchlist([watch("radar", key="b"), watch("norad", key="a"), watch("nato", key="c")])
    assert [hit.watch.key for hit in watchlist.match(ITEM)] == ["b", "a"]


def test_many_items_at_once_are_matched_as_each_is_alone() -> None:
    """Whatever their languages and lengths, and however many batches they make."""
    texts = ["NORAD", "", "a radar of NORAD " * 5_000, "nothing", "radar NORAD", "radars", "le NORAD"]
    languages = [EN, FR, None, ES]
    documents = [Document(text, body=text, language=language) for language in languages for text in texts * 3]
    watchlist = compile_watchlist(
        [watch(query, lang, query) for query in ('"radar norad"', "norad") for lang in Language]
    )
    together = list(watchlist.match_all(iter(documents)))
    assert len(together) == len(documents)
    for document, hits in zip(documents, together, strict=True):
        alone = watchlist.match(document)
        assert hits.numbers == alone.numbers
        assert [hit.evidence for hit in hits] == [hit.evidence for hit in alone]
    assert {len(hits) for hits in together} == {0, 2, 4, 8}


@pytest.mark.parametrize("query", ["norad", "title:norad", '"radar norad"~1', "norad OR norad*", "norad source:wh"])
def test_each_of_several_items_is_read_by_itself(query: str) -> None:
    texts = ["a radar", "NORAD, a radar", "radar", "NORAD", "", "NORAD radar"]
    watchlist = compile_watchlist([watch(query)])
    documents = [Document(text, source="wh" * ("radar" in text)) for text in texts]
    alone = [len(watchlist.match(document)) for document in documents]
    assert [len(hits) for hits in watchlist.match_all(documents)] == alone
    assert set(alone) == {0, 1}


def test_hits_are_a_sequence() -> None:
    hits = compile_watchlist([watch("nato", key="a"), watch("radar", key="b"), watch("norad", key="c")]).match(ITEM)
    assert hits.numbers == [1, 2]
    assert (hits[0].watch.key, hits[-1].watch.key) == ("b", "c")
    assert [hit.watch.key for hit in hits[:1]] == ["b"]


def test_the_version_changes_with_a_watch_and_not_with_their_order() -> None:
    one, other = watch("norad", key="1"), watch("nato", key="2")
    version = compile_watchlist([one, other]).version
    assert compile_watchlist([other, one]).version == version
    assert compile_watchlist([one, replace(other, query="nato summit")]).version != version
    assert compile_watchlist([one]).version != version


def test_an_error_names_the_watch() -> None:
    with pytest.raises(QueryError) as caught:
        compile_watchlist([watch("norad"), watch("norad AND (")])
    said = "topic/main: This parenthesis is not closed (at character 11). Add a closing one."
    assert str(caught.value) == said


def test_a_watchlist_is_shared_between_threads() -> None:
    watchlist = compile_watchlist([watch("moderni* radar")])
    documents = [Document(f"modernising{number} radars", language=EN) for number in range(500)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(watchlist.match, documents))


def test_what_is_remembered_of_words_is_bounded_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.matching.lexicon._REMEMBERED", 4)
    watchlist = compile_watchlist([watch("norad")])
    body = " ".join(["a b c d e f", "x" * 300, "norad"])
    assert [len(watchlist.match(Document("T", body=body, language=EN))) for _ in range(3)] == [1, 1, 1]
