"""DKIM signatures (RFC 6376), for an installation whose mail server does not sign. Needs the extra ``dkim``."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.delivery.outcome import Outcome
from monitor.delivery.transport import Transport
from monitor.errors import SettingError

# RFC 8058, 4: both List headers must be signed, or mailbox providers offer no one-click unsubscribe.
_SIGNED: tuple[str, ...] = (
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Auto-Submitted",
)
_SIGNED += ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs messages for one domain.

    Attributes:
        domain: The domain of the From address.
        selector: The name under which the public key stands in the DNS: ``SELECTOR._domainkey.DOMAIN``.
        private_key: An RSA key in PEM; kept out of every representation.
    """

    domain: str
    selector: str
    private_key: str = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The message with its signature on top.

        Raises:
            SettingError: The extra is not installed, or the key cannot be read.
        """
        try:
            import dkim  # noqa: PLC0415 (an optional extra)
        except ImportError as error:
            raise SettingError("settings", "dkim_key_file", "(set)", "install roadmap-monitor[dkim]") from error
        head = message.partition(b"\r\n\r\n")[0].lower()
        present = [name.encode() for name in _SIGNED if b"\r\n" + name.lower().encode() + b":" in b"\r\n" + head]
        try:
            signature: bytes = dkim.sign(
                message,
                self.selector.encode(),
                self.domain.encode(),
                self.private_key.encode(),
                canonicalize=(b"relaxed", b"simple"),
                include_headers=present,
            )
        except dkim.DKIMException as error:
            raise SettingError("settings", "dkim_key_file", "(hidden)", f"give an RSA key in PEM: {error}") from error
        return signature + message


class Signing:
    """A transport that signs each message before another one sends it."""

    def __init__(self, transport: Transport, signer: Signer) -> None:
        self._transport, self._signer = transport, signer

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        """Sign and send."""
        return self._transport.send(self._signer.sign(message), sender=sender, recipient=recipient)

    def close(self) -> None:
        """Close the transport underneath."""
        self._transport.close()
