"""The syntax of queries: Lucene's, parsed by luqum; what luqum would misread is found before, with its place."""

from __future__ import annotations

import re

from luqum import tree as lucene
from luqum.exceptions import ParseError
from luqum.thread import parse as parse_lucene

from monitor.errors import QueryError
from monitor.texts import marked as _


def parse_syntax(text: str) -> lucene.Item:
    """Luqum's tree of a query; the places in it are those in the text.

    Raises:
        QueryError: It does not follow the syntax.
    """
    return _parse(_prepare(text))


_PARTS = re.compile(
    r"""
      \\.                                              # an escaped character
    | (?P<exact>=?)"(?P<phrase>(?:[^\\"]|\\.)*)"
    | (?P<exactly>=?)[“„«](?P<typographic>[^“”„«»"]*)[“”»]
    | (?P<sign>[()"“”„«»])
    | (?P<distance>~)(?![0-9]+(?![0-9.]))              # luqum would fail, or take a number of its own
    | (?P<weight>\^)(?!(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?![0-9.]))
    """,
    re.VERBOSE | re.DOTALL,
)


def _prepare(text: str) -> str:
    """Return what luqum shall read, of the same length: every phrase in ``"…"``, an exact one as ``"=…"``.

    Parentheses and quotation marks that have no partner, and signs that have no number, are found here, where their
    place is known.
    """
    groups: list[int] = []
    for part in _PARTS.finditer(text):
        sign = part["sign"]
        if sign == "(":
            groups.append(part.start())
        elif sign == ")":
            if not groups:
                raise QueryError(
                    _("This parenthesis closes nothing"), part.start(), _("Remove it, or open one before.")
                )
            groups.pop()
        elif part["distance"] or part["weight"]:
            raise _unreadable_number(part.start())
        elif sign:
            raise QueryError(_("This quotation mark has no partner"), part.start(), _('Put the phrase in "…".'))
    if groups:
        raise QueryError(_("This parenthesis is not closed"), groups[-1], _("Add a closing one."))
    return _PARTS.sub(_plain_phrase, text)


def _plain_phrase(part: re.Match[str]) -> str:
    phrase = part["phrase"] if part["phrase"] is not None else part["typographic"]
    if phrase is None:
        return part[0]
    exact = part["exact"] or part["exactly"] or ""
    return f'"{exact}{phrase}"'


def _parse(text: str) -> lucene.Item:
    if not text.strip():
        raise QueryError(_("The query is empty"), 0, _("Write the words to watch for."))
    try:
        return parse_lucene(text)
    except ParseError as error:
        raise _syntax_error(text, str(error)) from error
    except (ValueError, ArithmeticError) as error:  # luqum converts numbers while it parses: here in nora"d^. x"
        raise _unreadable_number(max(text.rfind("~"), text.rfind("^"))) from error


def _unreadable_number(position: int) -> QueryError:
    return QueryError(_("A number after ~ or ^ cannot be read"), position, _('Write "two words"~5 or word^2.'))


def _syntax_error(text: str, message: str) -> QueryError:
    place = re.search(r"at position (\d+)!?$", message)
    if not place:
        return QueryError(_("The query ends too early"), len(text), _("Write a word after the last operator."))
    at = int(place[1])
    word = text[at:].split(maxsplit=1)[0]
    return QueryError(
        _("%(word)s is not expected here", word=word[:20]),
        at,
        _('Put phrases, and signs that are meant as words, in "…".'),
    )
