"""The addresses that mails lead to, and the way back from the token in an address to its row."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from monitor.errors import NotFound
from monitor.store.subscribers import Reader, load_subscriber
from monitor.store.tables import SubscriberRow
from monitor.tokens import INVALID, Purpose, read_token, sign


@dataclass(frozen=True, slots=True)
class Doors:
    """Makes the addresses of an installation's pages.

    Attributes:
        base_url: The public address without a trailing slash.
        key: What signs the tokens.
    """

    base_url: str
    key: str

    @property
    def home(self) -> str:
        """The first page."""
        return f"{self.base_url}/"

    @property
    def subscribe(self) -> str:
        """The sign-up form."""
        return f"{self.base_url}/subscribe"

    @property
    def lost_link(self) -> str:
        """The form that mails a subscriber the link to their preferences."""
        return f"{self.base_url}/preferences"

    def confirm(self, signup_id: int) -> str:
        """Where a request to subscribe is confirmed."""
        return f"{self.base_url}/confirm/{sign(self.key, Purpose.CONFIRM, signup_id)}"

    def preferences(self, subscriber: SubscriberRow | Reader) -> str:
        """Where a subscriber changes what they get."""
        return f"{self.base_url}/preferences/{self._own(Purpose.MANAGE, subscriber)}"

    def unsubscribe(self, subscriber: SubscriberRow | Reader) -> str:
        """Where a subscription ends: a button for people, and one click for mail programs (RFC 8058)."""
        return f"{self.base_url}/unsubscribe/{self._own(Purpose.UNSUBSCRIBE, subscriber)}"

    def digest(self, digest_id: int) -> str:
        """The web copy of a digest."""
        return f"{self.base_url}/digests/{sign(self.key, Purpose.DIGEST, digest_id)}"

    def address_change(self, purpose: Purpose, change_id: int) -> str:
        """Where the old or the new address confirms a change of address."""
        side = purpose.value.removesuffix("-address")
        return f"{self.base_url}/address/{side}/{sign(self.key, purpose, change_id)}"

    def _own(self, purpose: Purpose, subscriber: SubscriberRow | Reader) -> str:
        return sign(self.key, purpose, subscriber.id or 0, subscriber.link_generation)


def subscriber_of(session: Session, key: str, purpose: Purpose, token: str) -> SubscriberRow:
    """The subscriber that a token stands for.

    Raises:
        NotFound: The token is not valid, is from before a change of address, or its subscriber is gone.
    """
    named = read_token(key, purpose, token)
    subscriber = load_subscriber(session, named.row_id)
    if subscriber.link_generation != named.generation:
        raise NotFound(INVALID)
    return subscriber
