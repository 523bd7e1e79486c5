"""Mail that comes back, by either door: a mailbox that is read, or a message that the mail server pipes to us."""

from __future__ import annotations

from collections import Counter

import structlog

from monitor.app import App
from monitor.delivery.bounces import Returned
from monitor.delivery.mailbox import Mailbox, read_mailbox
from monitor.delivery.returns import take_returned
from monitor.errors import SettingError

log = structlog.get_logger(__name__)


def take_back(app: App, raw: bytes) -> Returned:
    """Draw the consequences of one message that came to the address for bounces.

    Raises:
        SettingError: There is no such address.
    """
    address = app.settings.bounce_address
    if not address:
        raise SettingError("settings", "bounce_address", "", "set it to where undeliverable mail comes back to")
    with app.database.write() as session:
        return take_returned(session, raw, address=address, key=app.key, now=app.clock())


def empty_mailbox(app: App, mailbox: Mailbox | None = None) -> Counter[str]:
    """Read what lies unread in the mailbox for bounces; how many messages were what.

    Args:
        app: The installation.
        mailbox: Another one than the settings name.

    Raises:
        DeliveryDeferred: The mailbox cannot be read now.
        SettingError: There is no address for bounces.
    """
    found: Counter[str] = Counter()

    def take(raw: bytes) -> None:
        found[type(take_back(app, raw)).__name__.lower()] += 1

    read_mailbox(mailbox or mailbox_of(app), take)
    return found


def mailbox_of(app: App) -> Mailbox:
    """The mailbox that the settings name."""
    settings = app.settings
    password = settings.imap_password.get_secret_value()
    return Mailbox(settings.imap_host, settings.imap_port, settings.imap_user, password, settings.imap_folder)
