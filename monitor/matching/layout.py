"""A document divided into paragraphs and sentences, and what can be said of each sentence.

Words enter only through the word lists of the score's configuration (``config/score.toml``), which hold English,
French and Spanish, so that a sentence means the same in each.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from monitor.core.languages import Language
from monitor.core.nouns import Document, Evidence, FieldName
from monitor.core.text import fold
from monitor.matching.topics import Role, role

KINDS = ("transcript", "remarks", "campaign", "personnel", "reactions", "readout")
"""The kinds of publication that count; a title or a category gives them away by the words of ``kind-…``."""

WORD_LISTS = ("action", "career", "neighbour", *(f"kind-{kind}" for kind in KINDS))
"""The word lists that are needed."""

Words = Mapping[Language | None, Mapping[str, re.Pattern[str]]]
"""The word lists by language and name, each as a pattern for folded text; None holds all languages together."""

LEAD = 600
"""Characters of the body: the first two or three sentences of a release."""

_SENTENCE_END = re.compile(
    r"""(?<![\s.(][A-Za-z])[.!?…]["'”’»)\]]*\s+(?=["'“‘«(\[¿¡]?[A-ZÀ-Þ0-9])  # not after an initial: U.S. Senate
    | \n+""",
    re.VERBOSE,
)
_QUESTION = re.compile(
    r"(?:(?:Q|QUESTION|REPORTER|PREGUNTA|PERIODISTA|INTERLOCUTORA?|JOURNALISTE)\b\s?[:.)]?|[PR]\s?:)\s"
)
_SPEAKER = re.compile(r"[A-ZÀ-Þ][A-ZÀ-Þ .'’\-]{2,60}:")
_SUM = re.compile(
    r"[$€£]\s?\d|\d\s?(?:%|\$|€|per ?cent|pour cent|por ciento|million|milliard|billion|trillion|millones)"
)
_SEPARATOR = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is asked of a sentence; ``paragraph`` numbers the line of the text that it stands in."""

    number: int
    paragraph: int
    separators: int
    decides: bool
    counts: bool
    career: bool
    neighbour: bool
    asked: bool


class Place(NamedTuple):
    """Where there is evidence; overlapping evidence is one place.

    ``term`` is that of the evidence which begins first and is longest; ``names`` says that some of the evidence
    names the topic.
    """

    field: FieldName
    start: int
    end: int
    term: str
    names: bool
    sentence: Sentence


class Layout:
    """A document as the score reads it; one serves all topics that the document matches."""

    def __init__(self, document: Document, words: Words) -> None:
        self._document, self._words = document, words[document.language]
        self._texts: Mapping[FieldName, _Text] = {
            "title": _Text(document.title, self._words),
            "summary": _Text(document.summary, self._words),
            "body": _Text(document.body, self._words),
        }

    @cached_property
    def length(self) -> int:
        """Words of title, summary and body together."""
        document = self._document
        return sum(len(text.split()) for text in (document.title, document.summary, document.body))

    @cached_property
    def kinds(self) -> frozenset[str]:
        """The kinds of publication that the title and the categories speak of."""
        named = fold(" ".join((self._document.title, *self._document.categories))).replace("-", " ")
        return frozenset(kind for kind in KINDS if self._words[f"kind-{kind}"].search(named))

    @cached_property
    def opens_with_neighbour(self) -> bool:
        """Whether the title, the summary or the lead holds a word for a neighbour or what neighbours share."""
        opening = " ".join((self._document.title, self._document.summary, self._document.body[:LEAD]))
        return bool(self._words["neighbour"].search(fold(opening)))

    def places(self, evidence: Iterable[Evidence]) -> list[Place]:
        """The places of ``evidence``, in the order of the text."""
        places: list[Place] = []
        for found in sorted(evidence, key=lambda found: (found.field, found.start, -found.end)):
            names = role(found.watch) is Role.NAMES
            last = places[-1] if places else None
            if last and last.field == found.field and found.start < last.end:
                places[-1] = last._replace(end=max(last.end, found.end), names=last.names or names)
            else:
                sentence = self._texts[found.field].sentence(found.start)
                places.append(Place(found.field, found.start, found.end, found.term, names, sentence))
        return places


class _Text:
    """One field; its sentences are read when they are first asked for."""

    def __init__(self, text: str, words: Mapping[str, re.Pattern[str]]) -> None:
        self._text, self._words = text, words
        self._read: dict[int, Sentence] = {}

    @cached_property
    def _sentences(self) -> list[int]:
        return [0, *(end.end() for end in _SENTENCE_END.finditer(self._text))]

    @cached_property
    def _paragraphs(self) -> list[int]:
        return [0, *(end.end() for end in re.finditer(r"\n+", self._text))]

    @cached_property
    def _asked(self) -> list[bool]:
        """Whether each paragraph belongs to a reporter's question: a question lasts until somebody answers."""
        asked, result = False, []
        for start in self._paragraphs:
            if _QUESTION.match(self._text, start):
                asked = True
            elif _SPEAKER.match(self._text, start):
                asked = False
            result.append(asked)
        return result

    def sentence(self, offset: int) -> Sentence:
        number = bisect_right(self._sentences, offset) - 1
        if number not in self._read:
            self._read[number] = self._sentence(number)
        return self._read[number]

    def _sentence(self, number: int) -> Sentence:
        text = _cut(self._text, self._sentences, number)
        paragraph = bisect_right(self._paragraphs, self._sentences[number]) - 1
        folded = fold(text)
        return Sentence(
            number=number,
            paragraph=paragraph,
            separators=len(_SEPARATOR.findall(text)),
            decides=self._says("action", folded),
            counts=bool(_SUM.search(folded)),
            career=self._says("career", folded),
            neighbour=self._says("neighbour", folded),
            asked=self._asked[paragraph],
        )

    def _says(self, words: str, folded: str) -> bool:
        return bool(self._words[words].search(folded))


def _cut(text: str, starts: Sequence[int], number: int) -> str:
    end = starts[number + 1] if number + 1 < len(starts) else len(text)
    return text[starts[number] : end]
