"""What the settings of mail put together: servers in turn, signatures, and errors that name what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from monitor.delivery.message import Envelope, build_message
from monitor.delivery.outcome import Delivered
from monitor.errors import SettingError
from monitor.letters import Letter
from monitor.runners.assemble import mail_servers, transport_maker
from monitor.settings import Settings, load_settings


def settings(**values: object) -> Settings:
    names = {"smtp_host": "127.0.0.1", "smtp_security": "none"} | values
    return load_settings({f"MONITOR_{name.upper()}": str(value) for name, value in names.items()})


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path / "dkim.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return path


class Taken:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.envelopes.append(envelope)
        return "250 taken"


def test_the_second_server_gets_the_signed_mail_when_the_first_is_away(
    free_port: int, key_file: Path, now: Any
) -> None:
    pytest.importorskip("dkim")
    taken = Taken()
    controller = Controller(taken, hostname="127.0.0.1", port=free_port)
    controller.start()
    wanted = settings(
        smtp_port=1,
        smtp_fallback_hosts=f"127.0.0.1:2, 127.0.0.1:{free_port}",
        dkim_domain="example.org",
        dkim_selector="monitor",
        dkim_key_file=key_file,
    )
    transport = transport_maker(wanted)()
    envelope = Envelope("R", "digests@example.org", "reader@example.ca", "<1@example.org>", now)
    message = build_message(Letter("NORAD: 3", ("<p>x</p>",), ("x",)), envelope)
    outcome = transport.send(message, sender="bounces@example.org", recipient="reader@example.ca")
    transport.close()
    controller.stop()
    assert isinstance(outcome, Delivered)
    (mail,) = taken.envelopes
    assert mail.content.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    assert (mail.mail_from, mail.rcpt_tos) == ("bounces@example.org", ["reader@example.ca"])


def test_a_fallback_server_has_the_port_of_the_first_unless_it_names_one() -> None:
    wanted = settings(smtp_fallback_hosts="relay2.example.org, relay3.example.org:2525,")
    assert mail_servers(wanted) == [("127.0.0.1", 587), ("relay2.example.org", 587), ("relay3.example.org", 2525)]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"smtp_fallback_hosts": "relay:x"}, "smtp_fallback_hosts"),
        ({"smtp_fallback_hosts": ":25"}, "smtp_fallback_hosts"),
        ({"smtp_fallback_hosts": "relay:99999"}, "smtp_fallback_hosts"),
        ({"dkim_domain": "example.org"}, "dkim_selector"),
        ({"dkim_domain": "example.org", "dkim_selector": "s", "dkim_key_file": "/nowhere"}, "dkim_key_file"),
        ({"dkim_domain": "example.org", "dkim_selector": "s", "dkim_key_file": __file__}, "dkim_key_file"),
    ],
)
def test_what_is_wrong_is_told_before_the_first_mail(values: dict[str, object], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        transport_maker(settings(**values))
