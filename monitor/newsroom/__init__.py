"""The sample newsroom: invented agencies that publish invented news on this machine, with the traps of real feeds.

``monitor demo`` polls it, and so may any test that wants a government web to read::

    with Newsroom(now) as newsroom:
        for source in newsroom.sources: ...
        newsroom.edit()  # a correction, and news of the day
"""

from __future__ import annotations

from monitor.newsroom.server import Newsroom

__all__ = ["Newsroom"]
