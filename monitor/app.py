"""An installation at work: what the tasks, the pages and the commands are handed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from monitor.clock import utc_now
from monitor.delivery.message import message_id
from monitor.delivery.pool import Pace
from monitor.delivery.transport import Transport
from monitor.digests.build import MessageId
from monitor.digests.content import Sender
from monitor.digests.select import Links
from monitor.polling.fetch import Fetcher
from monitor.settings import Settings
from monitor.store.engine import Database
from monitor.store.live_watchlist import LiveWatchlist
from monitor.store.subscribers import Reader
from monitor.store.tables import SubscriberRow
from monitor.subscriptions.links import Doors


@dataclass(frozen=True, slots=True)
class App:
    """What the tasks work with; one per process."""

    settings: Settings
    key: str
    database: Database
    make_transport: Callable[[], Transport]
    make_fetcher: Callable[[], Fetcher]
    pace: Pace = field(default_factory=Pace)
    live: LiveWatchlist = field(default_factory=LiveWatchlist)
    stopping: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = utc_now

    @property
    def message_id(self) -> MessageId:
        """How a digest's Message-ID follows from its key, in the domain of this installation."""
        return partial(message_id, domain=self.settings.mail_domain)

    @property
    def sender(self) -> Sender:
        """Who mails."""
        return Sender(self.settings.organisation, self.settings.postal_address, self.settings.contact)

    @property
    def doors(self) -> Doors:
        """The addresses of this installation's pages that mails lead to."""
        return Doors(self.settings.base_url, self.key)

    def links(self, subscriber: SubscriberRow | Reader, digest_id: int | None = None) -> Links:
        """The addresses in a digest that are a reader's own; before there is one, its web copy is the first page."""
        doors = self.doors
        web = doors.digest(digest_id) if digest_id else doors.home
        return Links(manage=doors.preferences(subscriber), unsubscribe=doors.unsubscribe(subscriber), web=web)

    def shared_links(self, subscriber: SubscriberRow | Reader, digest_id: int | None = None) -> Links:
        """The same for a copy that others see: without the links with which whoever holds them acts for the reader."""
        lost = self.doors.lost_link
        return replace(self.links(subscriber, digest_id), manage=lost, unsubscribe=lost)


@dataclass(frozen=True, slots=True)
class Intent:
    """A task to run over some rows."""

    task: str
    ids: tuple[int, ...]
