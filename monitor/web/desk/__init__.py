"""The pages of the people who run the watching: the watchlist, the sources, the subscribers and their mail."""

from __future__ import annotations

from monitor.web.desk import deliveries, new_sources, sources, subscribers, topics, watches, watchlist

PAGES = (watchlist, topics, watches, new_sources, sources, subscribers, deliveries)
"""The modules whose ``router`` make up these pages; those with fixed paths come before those with a name in them."""
