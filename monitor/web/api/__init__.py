"""``/api/v1``: what the pages do, for programs. Each module has a ``router``; ``MODULES`` names them."""

from __future__ import annotations

from monitor.web.api import description, operator, public, review, sources, watchlist

MODULES = (public, review, watchlist, sources, operator, description)
