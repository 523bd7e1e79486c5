"""A query as a tree of frozen values, and how the tree is written.

Fields and weights stand at the words that they are about, wherever they stood in the query as it was typed:
``title:(norad OR "missile warning"^2)`` is written ``title:norad OR title:"missile warning"^2``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from monitor.core.nouns import FieldName

AttributeName = Literal["source", "agency", "country", "lang", "category"]
"""What a query may ask of an item beside its text."""

OPERATOR_WORDS = frozenset({"and", "or", "not", "et", "ou", "y", "o"})
"""Bare words that are (or that a person may mean as) operators; inside quotes they are words."""

_BARE = re.compile(r"[^\W_](?:[^\W_]|[.'’&-](?=[^\W_]))*[*.]?")


@dataclass(frozen=True, slots=True)
class Words:
    """One word of the text, several in a row (a phrase), or several near one another.

    ``near`` is the number of other words that may stand between them, in any order; None asks for a phrase.
    ``exact`` switches stemming off. ``field`` is None where any part of the text will do.
    """

    text: str
    exact: bool = False
    near: int | None = None
    field: FieldName | None = None
    weight: float = 1.0

    @property
    def term(self) -> str:
        """The words as one would write them in a query, without field and weight."""
        # "cross-border" is two words, and to be near one another is said of a phrase.
        words = _quoted(self.text) if self.near is None else f"{_in_quotes(self.text)}~{self.near}"
        return f"{'=' if self.exact else ''}{words}"

    def __str__(self) -> str:
        field = f"{self.field}:" if self.field else ""
        weight = "" if self.weight == 1 else f"^{self.weight:g}"
        return f"{field}{self.term}{weight}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that the item says of itself: ``agency:"National Defence"``, ``lang:fr``."""

    name: AttributeName
    text: str

    def __str__(self) -> str:
        return f"{self.name}:{_quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Not:
    """True where ``node`` is not."""

    node: Node

    def __str__(self) -> str:
        return f"NOT {_grouped(self.node)}"


@dataclass(frozen=True, slots=True)
class And:
    """True where all of two or more nodes are."""

    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_grouped, self.nodes))


@dataclass(frozen=True, slots=True)
class Or:
    """True where one of two or more nodes is."""

    nodes: tuple[Node, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_grouped, self.nodes))


Node = Words | Attribute | Not | And | Or


def depth(node: Node) -> int:
    """How many nodes lie on the longest way from ``node`` to a leaf, both included."""
    match node:
        case And(nodes) | Or(nodes):
            return 1 + max(map(depth, nodes))
        case Not(child):
            return 1 + depth(child)
        case _:
            return 1


def needs_something(node: Node) -> bool:
    """Whether an item must hold something for ``node`` to be true: ``NOT x`` is true of nearly every item."""
    match node:
        case And(nodes):
            return any(map(needs_something, nodes))
        case Or(nodes):
            return all(map(needs_something, nodes))
        case Not():
            return False
        case _:
            return True


def positive_words(node: Node) -> Iterator[Words]:
    """Yield the words that can make the query true, in the order in which they are written."""
    match node:
        case Words():
            yield node
        case And(nodes) | Or(nodes):
            for child in nodes:
                yield from positive_words(child)
        case Attribute() | Not():
            pass


def _grouped(node: Node) -> str:
    return f"({node})" if isinstance(node, And | Or) else str(node)


def _quoted(text: str) -> str:
    if _BARE.fullmatch(text) and text.casefold() not in OPERATOR_WORDS:
        return text
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
