"""``/api/v1``: what the pages do, for programs. Each module has a ``router``; ``MODULES`` names them."""

from __future__ import annotations

from monitor.web.api import (
    description,
    events,
    items,
    news,
    operator,
    queue,
    review,
    sources,
    staff,
    topics,
    trials,
    views,
    watches,
)

MODULES = (news, items, review, views, watches, trials, topics, sources, operator, staff, queue, events, description)
