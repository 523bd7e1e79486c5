from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.languages import Language
from monitor.core.text import fold
from monitor.matching.analysis import stem, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("North American\u2060 Leaders’ Summit", "north american leaders summit"),
        ("the Leader's and LEADERʼS word", "the leader and LEADER word"),
        ("l'Arctique, d’alliance, qu’une, jusqu'au, L’OTAN", "arctique alliance une au OTAN"),
        ("aujourd'hui O'Brien don't", "aujourd hui o brien don t"),
        ("cross-border net\u2011zero Indo–Pacific", "cross border net zero indo pacific"),
        ("U.S. U.S.-Canada U.S.'s O.N.U. e.g.", "US US canada US ONU eg"),
        ("EE. UU. y EE.UU.", "EE UU y EE UU"),
        ("G-7 G7's G–20 F-35A H-1B COVID-19 T-MEC", "g7 g7 g20 F35A H1B COVID 19 t MEC"),
        ("NDCs MPs NATO's Gs", "NDC MP NATO gs"),
        ("WHO, who; Who? (WHO)", "WHO who who WHO"),
        ("1.5 °C, 1,5 °C, 2 %, snake_case", "1 5 c 1 5 c 2 snake case"),
        ("Œuvre commune à São Paulo", "oeuvre commune a sao paulo"),
        ("https://www.whitehouse.gov/briefing-room/", "https www whitehouse gov briefing room"),
        ("— … • !", ""),
    ],
)
def test_text_is_read_as_words(text: str, words: str) -> None:
    """A word in capitals here is one that was written in capitals there."""
    assert " ".join(t.word.upper() if t.capitals else t.word for t in tokens(text)) == words


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("l’Arctique", ["Arctique"]),
        ("the U.S. Navy", ["the", "U.S.", "Navy"]),
        ("NATO’s sum\u00admit\u2060!", ["NATO", "sum\u00admit"]),
        ("(G-7)", ["G-7"]),
        ("cœur", ["cœur"]),
    ],
)
def test_offsets_cut_words_out_of_the_original(text: str, cut: list[str]) -> None:
    assert [text[token.start : token.end] for token in tokens(text)] == cut


@given(st.text(st.characters() | st.sampled_from("\u2060’' .-sSqudLUGn7œé\u0301 \n"), max_size=60))
def test_words_stand_in_order_and_where_they_say(text: str) -> None:
    start = 0
    for token in tokens(text):
        assert start <= token.start < token.end <= len(text)
        start = token.start
        assert token.word in "".join(filter(str.isalnum, fold(text[token.start : token.end])))


SAME = {
    Language.EN: [
        "summit summits",
        "security securities",
        "defence defense",
        "modernise modernize modernised modernizing modernisation modernization",
        "labour labor",
        "neighbours neighbors",
        "centre centers",
        "programme programs",
        "licence license licensing",
        "kilometres kilometers",
    ],
    Language.FR: [
        "securite securites",
        "mineral minerale minerales mineraux",
        "sommet sommets",
        "acier aciers",
        "leader leaders",
        "emploi emplois",
        "loi lois",
        "petit petits",
        "credit credits",
        "emission emissions",
        "commission commissions",
        "revenu revenus",
        "reseau reseaux",
    ],
    Language.ES: [
        "mineral minerales",
        "cumbre cumbres",
        "mision misiones",
        "arma armas",
        "lider lideres",
        "mujer mujeres",
        "joven jovenes",
        "militar militares",
        "nuclear nucleares",
        "enfermedad enfermedades",
        "linea lineas",
        "opioide opioides",
        "renovable renovables",
        "pais paises",
    ],
}


@pytest.mark.parametrize(("language", "words"), [(language, row) for language, rows in SAME.items() for row in rows])
def test_forms_of_a_word_have_one_stem(language: Language, words: str) -> None:
    assert len({stem(word, language) for word in words.split()}) == 1


@pytest.mark.parametrize("words", ["modern modernize", "prize prise", "leader leadership", "organ organize"])
def test_different_words_keep_different_stems(words: str) -> None:
    one, other = words.split()
    assert stem(one, Language.EN) != stem(other, Language.EN)


def test_any_language_has_no_stems() -> None:
    assert stem("summits", Language.ANY) == "summits"


def test_stems_are_taken_by_many_threads_at_once() -> None:
    words = [f"modernizations{number}" for number in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda word: stem(word, Language.FR), words))
    assert together == [stem(word, Language.FR) for word in words]
