"""What a person agrees to when they subscribe, and the record of it that anti-spam laws ask for (CASL, CAN-SPAM)."""

from __future__ import annotations

from datetime import datetime

from monitor.core.languages import Language
from monitor.texts import marked as _

WORDING = _(
    "By subscribing I agree to get these digests by e-mail. Each mail has a link that ends them at once, and my "
    "address is used for nothing else."
)
WORDING_VERSION = "1"
"""Rises with each change of the wording; the record of a consent names it."""


def form_consent(form: str, language: Language, now: datetime) -> dict[str, str]:
    """The record of what was agreed to on a form; ``confirmed`` completes it when the address has confirmed.

    It holds no network address: that the owner of the mailbox confirmed is the proof, and better than an address
    that many people share.
    """
    return {"how": "form", "form": form, "wording": WORDING_VERSION, "language": language.value, "at": now.isoformat()}


def confirmed(consent: dict[str, str], now: datetime) -> dict[str, str]:
    """The record with the time of the confirmation."""
    return {**consent, "confirmed_at": now.isoformat()}
