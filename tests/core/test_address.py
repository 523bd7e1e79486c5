"""An address has one form in which it is kept."""

from __future__ import annotations

import re

import pytest

from monitor.core.address import normalised_address
from monitor.errors import Refused


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Reader@Example.ORG", "reader@example.org"),
        ("a+b@example.org", "a+b@example.org"),
        ("a@host.test", "a@host.test"),
        ("reader@québec.example", "reader@xn--qubec-csa.example"),
    ],
)
def test_capitals_and_scripts_do_not_matter(written: str, kept: str) -> None:
    assert normalised_address(written) == kept


@pytest.mark.parametrize(
    "wrong",
    ["", "reader", "a@b@c.org", "rédac@example.org", "a\r\nBcc: b@example.org", "a@-.org", "a" * 65 + "@example.org"],
)
def test_what_no_mail_can_be_sent_to_is_refused(wrong: str) -> None:
    with pytest.raises(Refused, match=rf"^address {re.escape(repr(wrong))}: (?!None)[A-Z]\w+"):
        normalised_address(wrong)
