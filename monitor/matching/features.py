"""The features that the score of a match is made of: numbers that an analyst can check by eye."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import log1p
from types import MappingProxyType

from monitor.core.nouns import Evidence, Topic
from monitor.matching.layout import KINDS, LEAD, Layout, Place
from monitor.texts import marked as _

_LIST = 4  # commas and semicolons from which on a sentence is read as an enumeration
_SHORTEST = 50  # words: a shorter text counts as one of so many
_PLAIN = 2  # commas and semicolons up to which it is not

FEATURES: Mapping[str, str] = MappingProxyType(
    {
        "title": _("The title names the topic"),
        "title-hint": _("The title only hints at the topic"),
        "lead": _("The first lines name the topic"),
        "names": _("Places that name the topic, outside questions"),
        "terms": _("Different terms"),
        "density": _("Places per hundred words"),
        "cluster": _("Places in one paragraph"),
        "substance": _("Sentences with evidence that decide, announce or hold a sum"),
        "listed": _("Share of the evidence that stands in enumerations"),
        "plain": _("A plain sentence holds evidence"),
        "asked": _("Share of the evidence that stands in reporters' questions"),
        "career": _("Share of the evidence that stands beside a career"),
        "hints-only": _("Nothing names the topic: there are hints only"),
        "no-neighbour": _("Neither Canada nor Mexico nor the border is near the evidence"),
        "length": _("Words in the text"),
        "kind-transcript": _("It is a transcript of questions and answers"),
        "kind-remarks": _("It is a speech"),
        "kind-campaign": _("It is a campaign speech"),
        "kind-personnel": _("It is about people and posts, and the title does not name the topic"),
        "kind-reactions": _("It collects praise or comment"),
        "kind-readout": _("It is the readout of a meeting or a call"),
    }
)
"""The features, and what each says. Amounts are logarithms: ``log(1 + amount)``."""


def features(layout: Layout, topic: Topic, evidence: Sequence[Evidence]) -> dict[str, float]:
    """Return the features of a document's match with ``topic``, in the order of ``FEATURES``."""
    places = layout.places(evidence)
    told = [place for place in places if not place.sentence.asked]
    found = _prominence(places) | _amount(told, layout.length) | _substance(told)
    found["asked"] = _share([place.sentence.asked for place in places])
    found["career"] = _share([place.sentence.career for place in places])
    found["hints-only"] = float(not any(place.names for place in places))
    found["no-neighbour"] = float(topic.needs_neighbours and not _near_neighbours(layout, places))
    found["length"] = log1p(layout.length)
    found |= {f"kind-{kind}": float(kind in layout.kinds) for kind in KINDS}
    found["kind-personnel"] *= 1 - found["title"]  # an ambassador for the Arctic is news about the Arctic
    return {name: found[name] for name in FEATURES}


def _prominence(places: Iterable[Place]) -> dict[str, float]:
    titles = {place.names for place in places if place.field == "title"}
    leads = any(place.names for place in places if place.field == "summary" or _in_lead(place))
    return {"title": float(True in titles), "title-hint": float(titles == {False}), "lead": float(leads)}


def _in_lead(place: Place) -> bool:
    return place.field == "body" and place.start < LEAD


def _amount(told: Sequence[Place], length: int) -> dict[str, float]:
    paragraphs = Counter((place.field, place.sentence.paragraph) for place in told)
    return {
        "names": log1p(sum(place.names for place in told)),
        "terms": log1p(len({place.term for place in told})),
        "density": log1p(100 * len(told) / max(length, _SHORTEST)),
        "cluster": log1p(max(paragraphs.values(), default=0)),
    }


def _substance(told: Sequence[Place]) -> dict[str, float]:
    sentences = {(place.field, place.sentence.number): place.sentence for place in told}.values()
    return {
        "substance": log1p(sum(sentence.decides or sentence.counts for sentence in sentences)),
        "listed": _share([place.sentence.separators >= _LIST for place in told]),
        "plain": float(any(sentence.separators <= _PLAIN for sentence in sentences)),
    }


def _near_neighbours(layout: Layout, places: Iterable[Place]) -> bool:
    return layout.opens_with_neighbour or any(place.sentence.neighbour for place in places)


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 0.0
