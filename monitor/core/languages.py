"""The languages that the service reads and writes."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """A language of a source, an item, a watch or a reader; ``ANY`` is for watches only."""

    EN = "en"
    FR = "fr"
    ES = "es"
    ANY = "any"


READER_LANGUAGES = (Language.EN, Language.FR, Language.ES)
"""The languages in which a person can read the service and its mails."""


def primary_language(tag: str | None) -> Language | None:
    """The language that a BCP 47 tag stands for (``fr-CA`` gives French), or None if it is none of ours."""
    primary = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return Language(primary) if primary in READER_LANGUAGES else None
