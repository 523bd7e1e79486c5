"""Telling each story once: news of several topics is told under one; the others have their sentence of it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from monitor.digests.content import Elsewhere, PillarSection, TopicSection


def tell_once(pillars: Iterable[PillarSection]) -> tuple[PillarSection, ...]:
    """Leave each story under the topic that it fits best, the first of equals; the other topics point there.

    Stories are the same when their addresses are.
    """
    pillars = tuple(pillars)
    urls = [story.url for pillar in pillars for topic in pillar.topics for story in topic.stories]
    if len(urls) == len(set(urls)):
        return pillars
    homes = _homes(topic for pillar in pillars for topic in pillar.topics)
    return tuple(
        replace(pillar, topics=tuple(_without_repeats(topic, homes) for topic in pillar.topics)) for pillar in pillars
    )


def _homes(topics: Iterable[TopicSection]) -> dict[str, TopicSection]:
    homes: dict[str, TopicSection] = {}
    best: dict[str, float] = {}
    for topic in topics:
        for story in topic.stories:
            score = -1 if story.score is None else story.score  # a topic comes before a reader's own keyword
            if score > best.get(story.url, -2):
                homes[story.url], best[story.url] = topic, score
    return homes


def _without_repeats(topic: TopicSection, homes: Mapping[str, TopicSection]) -> TopicSection:
    if all(homes[story.url].id == topic.id for story in topic.stories):
        return topic
    told = tuple(story for story in topic.stories if homes[story.url].id == topic.id)
    elsewhere = tuple(
        Elsewhere(homes[story.url].name, story.headline, story.url, story.source_language, story.sentence)
        for story in topic.stories
        if homes[story.url].id != topic.id
    )
    return replace(topic, stories=told, elsewhere=topic.elsewhere + elsewhere)
