"""The language of a document, from the tag that it carries."""

from __future__ import annotations

import pytest

from monitor.core.languages import Language, primary_language


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("fr-CA", Language.FR),
        (" EN_us ", Language.EN),
        ("es", Language.ES),
        ("de-DE", None),
        ("any", None),
        ("", None),
        (None, None),
    ],
)
def test_a_tag_stands_for_one_of_our_languages_or_none(tag: str | None, language: Language | None) -> None:
    assert primary_language(tag) is language
