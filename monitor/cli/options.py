"""What options of several commands have in common."""

from __future__ import annotations

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
