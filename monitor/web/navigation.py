"""The main navigation: what a visitor sees follows from their role."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.core.roles import Role
from monitor.texts import marked as _


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in the navigation; its name is an id of the catalogues."""

    path: str
    name: str
    role: Role = Role.PUBLIC


NAVIGATION = (
    Entry("/", _("Roadmap")),
    Entry("/search", _("Search")),
    Entry("/subscribe", _("Subscribe")),
    Entry("/matches", _("Match log"), Role.VIEWER),
    Entry("/watchlist", _("Watchlist"), Role.VIEWER),
    Entry("/sources", _("Sources"), Role.VIEWER),
    Entry("/subscribers", _("Subscribers"), Role.OPERATOR),
    Entry("/deliveries", _("Deliveries"), Role.OPERATOR),
    Entry("/queue", _("Queue"), Role.OPERATOR),
    Entry("/staff", _("Staff"), Role.OPERATOR),
    Entry("/account", _("Account"), Role.VIEWER),
)
"""In the order in which they are shown; a page is added here together with its router."""


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is shown.

    ``here`` says that the visitor is on this page or below it, ``desk`` that it is one of those who run the service.
    """

    path: str
    name: str
    here: bool
    desk: bool


def navigation(role: Role, path: str) -> list[Link]:
    """The entries for a role, seen from a page."""
    shown = (entry for entry in NAVIGATION if role >= entry.role)
    return [Link(one.path, one.name, _is_at(path, one.path), one.role > Role.PUBLIC) for one in shown]


def _is_at(path: str, entry: str) -> bool:
    return path == entry or (entry != "/" and path.startswith(f"{entry}/"))
