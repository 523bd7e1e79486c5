"""Texts for people that are written in one place and said in another, in the language of whoever reads them there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import reduce
from typing import Any, Self

_PACKED = '{"text": '


class Text(str):
    """A sentence in English that knows how it came about, so that it can be said in another language.

    It is a plain string to whoever does not care: to the command line, the logs and the API.

    Attributes:
        id: The sentence as the catalogues have it, such as ``"%(count)s items have no link"``.
        values: What it names. A whole number is written as the language writes numbers, another text is said in the
            same language; a number that counts nothing, such as a port, is given as a string.
    """

    __slots__ = ("id", "values")

    id: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, /, **values: Any) -> Self:
        """Put the values into the sentence; without values it may hold percent signs."""
        self = super().__new__(
            cls, text % {name: _english(value) for name, value in values.items()} if values else text
        )
        self.id, self.values = text, values
        return self

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.id,), dict(self.values)  # how copy and pickle make it again


def marked(text: str, /, **values: Any) -> Text:
    """Mark a text for the catalogues where it is written (imported as ``_``); whoever shows it translates it."""
    return Text(text, **values)


def joined(*texts: str) -> str:
    """Several texts as one, with semicolons between them; empty ones are left out."""
    told = [text for text in texts if text]
    return reduce(lambda before, text: Text("%(before)s; %(text)s", before=before, text=text), told) if told else ""


def pack(text: str) -> str:
    """A text as it is kept in a row or a cookie: with its values where it has some."""
    if isinstance(text, Text) and text.values:
        return _PACKED + json.dumps(text.id) + ', "values": ' + json.dumps(_plain(text.values)) + "}"
    return str(text)


def unpack(kept: str) -> Text:
    """A text from what ``pack`` gave; any other string is a text without values."""
    if not kept.startswith(_PACKED):
        return Text(kept)
    read = json.loads(kept)
    return Text(read["text"], **{name: _lively(value) for name, value in read["values"].items()})


def _english(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, each text among them packed, every other thing as a string."""
    return {name: value if isinstance(value, int) else _packed(value) for name, value in values.items()}


def _packed(value: Any) -> str:
    return pack(value) if isinstance(value, Text) else str(value)


def _lively(value: Any) -> Any:
    return unpack(value) if isinstance(value, str) else value
