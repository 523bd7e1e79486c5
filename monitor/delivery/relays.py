"""Several mail servers in turn: the next one is asked when one cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.delivery.outcome import Deferred, Outcome
from monitor.delivery.transport import Transport
from monitor.texts import joined


class Relays:
    """A transport over others, in order of preference.

    Only a server that never came to the mail is passed over: one that has deferred it, or lost the line in the middle,
    may have it, and asking another would double it.

    Args:
        transports: The servers; at least one.
    """

    def __init__(self, transports: Sequence[Transport]) -> None:
        if not transports:
            raise ValueError("there must be a server to send through")
        self._transports = list(transports)

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Make one attempt, through the first server that can be reached; that one is asked first from then on."""
        details = []
        for transport in list(self._transports):
            outcome = transport.send(message, sender=sender, recipient=recipient)
            if not (isinstance(outcome, Deferred) and outcome.unreachable):
                self._transports.sort(key=lambda other: other is not transport)
                return outcome
            details.append(outcome.detail)
        return Deferred(joined(*details), unreachable=True)

    def close(self) -> None:
        """Close all of them."""
        for transport in self._transports:
            transport.close()
