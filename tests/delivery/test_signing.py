"""DKIM signatures hold, cover what they must, and break when the mail is changed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from monitor.delivery.message import Envelope, build_message, message_id
from monitor.delivery.outcome import Delivered, Outcome
from monitor.delivery.signing import Signer, Signing
from monitor.errors import SettingError
from monitor.letters import Letter

dkim = pytest.importorskip("dkim")

WHEN = datetime(2026, 11, 22, 13, tzinfo=UTC)
ENVELOPE = Envelope(
    "Roadmap Monitor",
    "digests@example.org",
    "reader@example.ca",
    message_id(1, WHEN, "example.org"),
    WHEN,
    list_id="digests.example.org",
    unsubscribe_url="https://example.org/u/" + "t" * 300,
)
MESSAGE = build_message(Letter("Méthane : 1", ("<p>Été</p>",), ("Été\n.\n",)), ENVELOPE)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def signer(key: rsa.RSAPrivateKey) -> Signer:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return Signer("example.org", "monitor", pem.decode())


def verifies(message: bytes, key: rsa.RSAPrivateKey) -> bool:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return bool(dkim.verify(message, dnsfunc=lambda name, timeout=5: record))


def test_a_signed_message_verifies_until_it_is_changed(signer: Signer, key: rsa.RSAPrivateKey) -> None:
    signed = signer.sign(MESSAGE)
    assert signed.endswith(MESSAGE)
    assert verifies(signed, key)
    for before, after in ((b"/u/ttt", b"/u/xxx"), (b"One-Click", b"No-Click"), (b"<p>", b"<b>"), (b"reader@", b"x@")):
        assert before in signed
        assert not verifies(signed.replace(before, after), key)


def test_a_key_that_cannot_be_read_is_a_wrong_setting() -> None:
    with pytest.raises(SettingError, match="dkim_key") as raised:
        Signer("example.org", "monitor", "not a key").sign(MESSAGE)
    assert "not a key" not in str(raised.value)


def test_the_key_is_not_shown(signer: Signer) -> None:
    assert "PRIVATE" not in repr(signer)


def test_a_transport_signs_what_it_sends(signer: Signer, key: rsa.RSAPrivateKey) -> None:
    class Fake:
        sent = b""

        def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
            self.sent = message
            return Delivered()

        def close(self) -> None:
            self.sent = b""

    fake = Fake()
    transport = Signing(fake, signer)
    assert transport.send(MESSAGE, sender="b@example.org", recipient="reader@example.ca") == Delivered()
    assert verifies(fake.sent, key)
    transport.close()
    assert fake.sent == b""
