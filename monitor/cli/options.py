"""What options of several commands have in common."""

from __future__ import annotations

from typing import Any

import typer

from monitor.core.languages import READER_LANGUAGES, Language


def reader_language(text: str) -> Language:
    """The language that an option names; ``any`` is for watches alone.

    Raises:
        BadParameter: It is none that people read.
    """
    if text not in READER_LANGUAGES:
        raise typer.BadParameter(f"{text!r}: write en, fr or es")
    return Language(text)


def language_option(*names: str, text: str = "en, fr or es.") -> Any:
    """An option that takes a reader's language, with its help."""
    return typer.Option(*names, parser=reader_language, metavar="<en|fr|es>", help=text)
