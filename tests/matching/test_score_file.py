"""The score's file: what is wrong with it is said word by word, and its word lists are looked for in folded text."""

from __future__ import annotations

import re

import pytest

from monitor.core.languages import Language
from monitor.errors import SettingError
from monitor.matching.score import compile_words, read_score_model
from monitor.shipped import shipped

SHIPPED = shipped("config", "score.toml").read_text(encoding="utf-8")
WORD_LISTS = {"action": {"en": ["Announc*", "set  aside"], "fr": ["mise en œuvre"], "es": ["C.A.F."]}}


@pytest.mark.parametrize(
    ("language", "text", "says"),
    [
        (Language.EN, "it was announced", True),
        (Language.EN, "an unannounced visit", False),
        (Language.EN, "funds set\naside", True),
        (Language.EN, "funds setaside", False),
        (Language.EN, "an asset aside", False),
        (Language.EN, "funds set asides", False),
        (Language.EN, "la mise en oeuvre", False),
        (Language.FR, "la mise en oeuvre", True),
        (Language.ES, "la c.a.f.", True),
        (Language.ES, "la caaaf", False),
        (None, "la mise en oeuvre", True),
        (None, "it was announced", True),
    ],
)
def test_a_word_list_is_looked_for_in_folded_text(language: Language | None, text: str, *, says: bool) -> None:
    assert bool(compile_words(WORD_LISTS)[language]["action"].search(text)) == says


def test_a_word_list_without_words_is_refused() -> None:
    with pytest.raises(SettingError, match=r"^words: words\.action = \[\]: write lists of texts"):
        compile_words({"action": {"en": [], "fr": [], "es": []}})


BROKEN = {
    ("base = 1", "base 1"): (
        "score.toml: TOML = \"Expected '=' after a key in a key/value pair (at line 6, column 6)\": "
        "correct the syntax at that place"
    ),
    (r"base = .*", 'base = "high"'): "score.toml: base = 'high': write a number",
    (r"base = .*", "base = true"): "score.toml: base = True: write a number",
    (r"base = .*", ""): "score.toml: base = None: this is missing; fit the score anew",
    (r"\[report\]", "[reports]"): "score.toml: report = None: this is missing; fit the score anew",
    (r"base = ", "colour = 3\nbase = "): "score.toml: colour = 3: no such key",
    (r"(?s)\[features\].*?\[topics", "[[features]]\n[topics"): (
        "score.toml: features = [{}]: write a table, or make the file anew by fitting the score"
    ),
    (r"\ntitle = ", "\ncolour = 3\ntitle = "): "score.toml: features.colour = 3: no such key",
    (r"\nlead = .*", "\nlead = 3"): (
        "score.toml: features.lead = 3: write a table, or make the file anew by fitting the score"
    ),
    (r"\nlead = .*", "\nlead = {weight = 1, mean = 2, most = 3}"): "score.toml: features.lead.most = 3: no such key",
    (r"\nlead = .*", '\nlead = {weight = "1", mean = 2}'): "score.toml: features.lead.weight = '1': write a number",
    (r"\nlead = .*", '\nlead = {weight = 1, mean = "2"}'): "score.toml: features.lead.mean = '2': write a number",
    (r"\narctic = .*", "\narctic = []"): "score.toml: topics.arctic = []: write a number",
    (r"(?s)\[topics\].*?\[words", "[[topics]]\n[words"): (
        "score.toml: topics = [{}]: write a table, or make the file anew by fitting the score"
    ),
    (r"(?s)\[words\.action\].*", "[words]\n"): ("score.toml: words.action = None: this is missing; fit the score anew"),
    (r"(?s)\[words\.action\].*", "[[words]]"): (
        "score.toml: words = [{}]: write a table, or make the file anew by fitting the score"
    ),
    (r"\[words\.action\]\n", '[words.action]\nde = ["kündigte"]\n'): (
        "score.toml: words.action.de = ['kündigte']: no such key"
    ),
    (r"(\[words\.action\]\n)(?s:.*?)(\n\[)", r"\1en = []\nfr = []\nes = []\n\2"): (
        'score.toml: words.action = []: write lists of texts, as in en = ["announc*"]'
    ),
    (r"(\[words\.action\]\n)(?s:.*?)(\n\[)", r"\1en = [1]\nfr = []\nes = []\n\2"): (
        'score.toml: words.action = [1]: write lists of texts, as in en = ["announc*"]'
    ),
    (r"(\[words\.action\]\n)(?s:.*?)(\n\[)", r"\1en = [' * ']\nfr = []\nes = []\n\2"): (
        "score.toml: words.action = [' * ']: write lists of texts, as in en = [\"announc*\"]"
    ),
}


@pytest.mark.parametrize(("change", "says"), BROKEN.items())
def test_a_broken_score_file_says_what_is_wrong(change: tuple[str, str], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_score_model(re.sub(*change, SHIPPED, count=1), "score.toml")
    assert str(caught.value) == says
