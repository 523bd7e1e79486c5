"""The Roadmap at a glance: pillars with their topics, each with its activity of half a year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, Topic
from monitor.core.rhythm import gone_quiet
from monitor.store.news import Latest, latest_news, weekly_counts
from monitor.web.charts import Chart, bar_chart

WEEKS = 26


@dataclass(frozen=True, slots=True)
class ShownTopic:
    """A topic by name, with its chart and its latest news; ``quiet`` says that there has been unusually little."""

    id: str
    name: str
    chart: Chart
    latest: Latest | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class ShownPillar:
    """A pillar by name with its topics, in the Roadmap's order."""

    id: str
    name: str
    topics: tuple[ShownTopic, ...]


def load_board(
    session: Session, pillars: Sequence[Pillar], topics: Sequence[Topic], language: Language, now: datetime
) -> list[ShownPillar]:
    """These pillars, with those of the topics that are in them."""
    counts = weekly_counts(session, now, weeks=WEEKS, topics=[topic.id for topic in topics])
    latest = latest_news(session)
    shown = {topic.id: _shown(topic, counts[topic.id], latest.get(topic.id), language) for topic in topics}
    return [
        ShownPillar(
            pillar.id, pillar.names[language], tuple(shown[topic.id] for topic in topics if topic.pillar == pillar.id)
        )
        for pillar in pillars
    ]


def _shown(topic: Topic, counts: Sequence[int], latest: Latest | None, language: Language) -> ShownTopic:
    return ShownTopic(topic.id, topic.names[language], bar_chart(counts), latest, gone_quiet(counts))
