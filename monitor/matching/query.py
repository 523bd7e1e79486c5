"""The query language of watches: Lucene's syntax (``syntax.py``), read into a tree of our own (``tree.py``).

What it means is written for analysts in docs/query-language.md. luqum's objects never leave these two files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from luqum import tree as lucene

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import FieldName
from monitor.core.text import fold, tidy, visible_offsets
from monitor.errors import QueryError
from monitor.matching.analysis import tokens
from monitor.matching.syntax import parse_syntax
from monitor.matching.tree import (
    OPERATOR_WORDS,
    And,
    Attribute,
    AttributeName,
    Node,
    Not,
    Or,
    Words,
    depth,
    needs_something,
)
from monitor.texts import marked as _

MAX_LENGTH = 2_000  # characters, as typed and as printed
MAX_DEPTH = 20
MAX_WORDS = 200
MAX_PREFIXES = 20
MIN_PREFIX = 3  # letters or digits before the star
MAX_NEAR = 100
MAX_WEIGHT = 100.0

_MAX_NESTING = 100  # of luqum's tree, which also holds groups: keeps recursion far from Python's limit
_TEXT_FIELDS = ("title", "summary", "body")
_ATTRIBUTES = ("source", "agency", "country", "lang", "category")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood. Its text is the canonical one, which parses to the same query again."""

    root: Node
    language: Language

    def __str__(self) -> str:
        return str(self.root)


def parse_query(text: str, language: Language = Language.ANY) -> Query:
    """Read a watch's query; ``language`` says whose stems its words have.

    Raises:
        QueryError: The query cannot be understood, asks for too much, or has nothing that must be found.
    """
    if len(text) > MAX_LENGTH:
        problem = _("The query has %(count)s characters; %(most)s are allowed", count=len(text), most=MAX_LENGTH)
        raise QueryError(problem, MAX_LENGTH, _("Make several watches of it."))
    visible = visible_offsets(text)
    try:
        read = parse_syntax("".join(text[offset] for offset in visible))
        root = _Reader().read(read, _Scope())
        _check(root)
    except QueryError as error:
        position = visible[error.position] if error.position < len(visible) else len(text)
        raise QueryError(error.problem, position, error.remedy) from error.__cause__
    return Query(root, language)


_UNSUPPORTED = {
    lucene.Fuzzy: (_("A word takes no ~"), _('Only a phrase does: "two words"~5. For word forms write moderni*.')),
    lucene.Regex: (_("Regular expressions are not understood"), _("Write the forms with OR, or moderni*.")),
    lucene.Range: (_("Ranges are not understood"), _("Choose the dates outside the query.")),
    lucene.From: (_("Comparisons are not understood"), _("Choose the dates outside the query.")),
    lucene.To: (_("Comparisons are not understood"), _("Choose the dates outside the query.")),
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """What stands around a part of the query."""

    field: str = ""
    weight: float = 1.0
    nesting: int = 1

    def inside(self, item: lucene.Item) -> _Scope:
        """The scope of what ``item`` holds."""
        if self.nesting > _MAX_NESTING:
            raise _too_deep(item.pos)
        field, weight = self.field, self.weight
        if isinstance(item, lucene.SearchField):
            field = _field(item.name, field, item.pos)
        if isinstance(item, lucene.Boost):
            weight = _weight(weight * float(item.force), item.pos)
        return _Scope(field, weight, self.nesting + 1)


class _Reader:
    """Turns luqum's tree into ours; fields and weights travel down to the words."""

    def __init__(self) -> None:
        self._words = 0
        self._prefixes = 0

    def read(self, item: lucene.Item, scope: _Scope) -> Node:
        match item:
            case lucene.OrOperation():
                return Or(self._operands(Or, item, scope))
            case lucene.BaseOperation():  # AND, and the blank between two words
                return And(self._operands(And, item, scope))
            case lucene.Not() | lucene.Prohibit():
                return _negated(self.read(item.a, scope.inside(item)))
            case lucene.Plus():
                return self.read(item.a, scope.inside(item))
            case lucene.BaseGroup() | lucene.Boost() | lucene.SearchField():
                return self.read(item.expr, scope.inside(item))
        return self._leaf(item, scope)

    def _operands(self, kind: type[And | Or], item: lucene.BaseOperation, scope: _Scope) -> tuple[Node, ...]:
        """The operands, with those of the same kind dissolved into what they hold."""
        nodes = [self.read(operand, scope.inside(item)) for operand in item.operands]
        return tuple(inner for node in nodes for inner in (node.nodes if isinstance(node, kind) else (node,)))

    def _leaf(self, item: lucene.Item, scope: _Scope) -> Node:
        if isinstance(item, lucene.Proximity):
            item, near = item.term, item.degree
        else:
            near = None
        if not isinstance(item, lucene.Word | lucene.Phrase):
            problem, remedy = _UNSUPPORTED[type(item)]
            raise QueryError(problem, item.pos, remedy)
        written = _written(item)
        text = written.lstrip("= ")
        words = self._count(text, item.pos)
        if scope.field in _ATTRIBUTES:
            return _attribute(cast("AttributeName", scope.field), text, near, item.pos)
        if near is not None and near > MAX_NEAR:
            raise QueryError(
                _("Words cannot be near within %(near)s", near=near),
                item.pos,
                _("The most is ~%(most)s.", most=MAX_NEAR),
            )
        field = cast("FieldName", scope.field) if scope.field else None
        return Words(text, written.startswith("="), near if words > 1 else None, field, scope.weight)

    def _count(self, text: str, position: int) -> int:
        """Check the words of a leaf and count them towards the limits."""
        ends = {token.end for token in tokens(text)}
        if not ends:
            raise QueryError(_("There is no word in this"), position, _("Write letters or digits."))
        stars = [match.start() for match in re.finditer(r"\*", text)]
        for token in tokens(text):
            if token.end in stars and len(token.word) < MIN_PREFIX:
                remedy = _("Write at least %(least)s letters before the star.", least=MIN_PREFIX)
                raise QueryError(_("%(word)s* would match too much", word=token.word), position, remedy)
        if any(star not in ends or text[star + 1 : star + 2].isalnum() for star in stars):
            raise QueryError(_("A star stands elsewhere than after a word"), position, _("Write moderni*."))
        self._words += len(ends)
        self._prefixes += len(stars)
        if self._words > MAX_WORDS or self._prefixes > MAX_PREFIXES:
            problem = _(
                "The query has more than %(words)s words or %(stars)s stars",
                words=MAX_WORDS,
                stars=MAX_PREFIXES,
            )
            raise QueryError(problem, position, _("Make several watches of it."))
        return len(ends)


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _written(item: lucene.Term) -> str:
    """The text of a word or phrase, on one line and without escapes; an escaped star is only a sign."""
    bare = isinstance(item, lucene.Word)
    raw = item.value if bare else item.value[1:-1]
    text = tidy(_ESCAPED.sub(lambda escape: " " if escape[1] == "*" else escape[1], raw))
    if bare:
        _check_bare(text, item.pos)
        mark = _ESCAPED.sub("  ", raw).find('"')
        if mark >= 0:
            raise QueryError(
                _("A quotation mark stands in a word"), item.pos + mark, _("Put a space before the phrase.")
            )
    return text


def _check_bare(text: str, position: int) -> None:
    if text.casefold() in OPERATOR_WORDS:
        remedy = _(
            'The operators are AND, OR and NOT, in capitals. Write "%(text)s" where you mean the word.', text=text
        )
        raise QueryError(_("%(text)s may be meant as an operator", text=text), position, remedy)
    if text.startswith("!") or text in {"&&", "||"}:
        raise QueryError(_("%(text)s is not an operator here", text=text[:20]), position, _("Write AND, OR or NOT."))
    if re.search(r"\?\w", text):
        raise QueryError(_("A question mark stands for no letter here"), position, _("Write the forms with OR."))


def _attribute(name: AttributeName, text: str, near: int | None, position: int) -> Attribute:
    if near is not None:
        raise QueryError(
            _("%(field)s takes no ~", field=f"{name}:"),
            position,
            _('Write %(field)s"all the words in order".', field=f"{name}:"),
        )
    if name == "lang":
        text = fold(text)
        if text not in READER_LANGUAGES:
            raise QueryError(
                _("%(text)s is no language of the service", text=text[:20]),
                position,
                _("Write lang:en, lang:fr or lang:es."),
            )
    return Attribute(name, text)


def _field(name: str, outer: str, position: int) -> str:
    if outer:
        raise QueryError(
            _("%(field)s stands inside %(outer)s", field=f"{name}:", outer=f"{outer}:"),
            position,
            _("Close the field before, or remove one."),
        )
    if name not in _TEXT_FIELDS + _ATTRIBUTES:
        known = ", ".join(f"{field}:" for field in _TEXT_FIELDS + _ATTRIBUTES)
        raise QueryError(
            _("There is no field %(field)s", field=f"{name[:20]}:"),
            position,
            _('The fields are %(known)s. Or put it in "…".', known=known),
        )
    return name


def _weight(weight: float, position: int) -> float:
    rounded = round(weight, 2)
    if not 0 < rounded <= MAX_WEIGHT:
        raise QueryError(
            _("A weight of %(weight)s is out of bounds", weight=f"{weight:g}"),
            position,
            _("Write 0.01 to %(most)s.", most=f"{MAX_WEIGHT:g}"),
        )
    return rounded


def _negated(node: Node) -> Node:
    return node.node if isinstance(node, Not) else Not(node)


def _check(root: Node) -> None:
    if depth(root) > MAX_DEPTH:
        raise _too_deep(0)
    if not needs_something(root):
        remedy = _("Give every alternative a word that must be found, as in norad NOT santa.")
        raise QueryError(_("The query would match nearly everything"), 0, remedy)
    if len(str(root)) > MAX_LENGTH:
        problem = _("The query is too long once its fields and weights are written at each word")
        raise QueryError(problem, MAX_LENGTH, _("Make several watches of it."))


def _too_deep(position: int) -> QueryError:
    return QueryError(_("The query is nested too deeply"), position, _("%(most)s levels are allowed.", most=MAX_DEPTH))
