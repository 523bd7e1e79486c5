"""A topic as one concept: the evidence of all its watches, in whichever language, merged into one match."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from monitor.core.nouns import Document, Evidence, Topic, TopicMatch
from monitor.matching.features import features
from monitor.matching.layout import Layout
from monitor.matching.reading import FIELDS
from monitor.matching.score import ScoreModel, score_features
from monitor.matching.topics import Role, role
from monitor.matching.watchlist import WatchHit, Watchlist


def match_topics(
    documents: Sequence[Document], watchlist: Watchlist, topics: Mapping[str, Topic], model: ScoreModel
) -> Iterator[tuple[TopicMatch, ...]]:
    """Yield the topics that each document matches, in the order of the watchlist.

    A match is worthy when its score reaches the topic's threshold. Hits of a topic that ``topics`` does not
    hold are left out.
    """
    for document, hits in zip(documents, watchlist.match_all(documents), strict=True):
        yield _scored(document, hits, topics, model)


def _scored(
    document: Document, hits: Iterable[WatchHit], topics: Mapping[str, Topic], model: ScoreModel
) -> tuple[TopicMatch, ...]:
    layout = Layout(document, model.words)
    matches = []
    for topic_id, evidence in topic_evidence(hits).items():
        topic = topics.get(topic_id)
        if topic:
            value = score_features(features(layout, topic, evidence), topic_id, model).value
            matches.append(TopicMatch(topic_id, value, value >= topic.threshold, evidence))
    return tuple(matches)


def topic_evidence(hits: Iterable[WatchHit]) -> dict[str, tuple[Evidence, ...]]:
    """Return the evidence of each topic, title first and in the order of the text.

    What a watch with the role ``NOT`` covers is no evidence; a topic of which nothing is left has no match.
    """
    found: dict[str, list[Evidence]] = {}
    other_senses: defaultdict[str, list[Evidence]] = defaultdict(list)
    for hit in hits:
        if role(hit.watch.key) is Role.NOT:
            other_senses[hit.watch.topic] += hit.evidence
        else:
            found.setdefault(hit.watch.topic, []).extend(hit.evidence)
    merged = {topic: _without(evidence, other_senses[topic]) for topic, evidence in found.items()}
    return {topic: evidence for topic, evidence in merged.items() if evidence}


def _without(evidence: Iterable[Evidence], other_senses: Iterable[Evidence]) -> tuple[Evidence, ...]:
    spans = [(other.field, other.start, other.end) for other in other_senses]
    kept = {
        found
        for found in evidence
        if not any(field == found.field and start < found.end and found.start < end for field, start, end in spans)
    }
    return tuple(sorted(kept, key=lambda found: (FIELDS.index(found.field), found.start, -found.end, found.term)))
