"""Where mail goes: an SMTP server (``smtp``) or a folder (``outbox``)."""

from __future__ import annotations

from typing import Protocol

from monitor.delivery.outcome import Outcome


class Transport(Protocol):
    """Takes one mail for one recipient. Whatever the other side does comes back as a value."""

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Make one attempt.

        Args:
            message: A complete message with CR LF line ends, as ``build_message`` makes it.
            sender: The envelope sender, to which bounces go.
            recipient: The address that gets it.
        """
        ...

    def close(self) -> None:
        """Let go of connections; the next ``send`` opens what it needs."""
        ...
