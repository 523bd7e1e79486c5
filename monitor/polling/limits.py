"""The limits of a visit; import them from ``monitor.polling.fetch``, which keeps them."""

from __future__ import annotations

from dataclasses import dataclass

from monitor import __version__


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one visit may cost, and how it names itself.

    ``total_seconds`` covers name look-up, connecting, all redirects and the body, but not waiting for a turn.
    ``host_gap_seconds`` is the least pause between two requests to one host. ``allow_loopback`` lets this
    machine be visited: for tests and the demo, set by whoever starts the process, never from a request.
    ``user_agent`` begins with the product name that robots.txt files address, and should end in a contact.
    """

    max_raw_bytes: int = 10_000_000
    max_decoded_bytes: int = 20_000_000
    total_seconds: float = 60.0
    connect_seconds: float = 15.0
    lookup_seconds: float = 10.0
    max_redirects: int = 5
    host_gap_seconds: float = 1.0
    allow_loopback: bool = False
    user_agent: str = f"RoadmapMonitor/{__version__}"
