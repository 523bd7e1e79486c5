"""What a webhook is sent, signed as Standard Webhooks asks, and what its answer means (pure)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.texts import marked as _

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with, so that they are known as such
_TRY_LATER = frozenset({408, 409, 425, 429})


def make_secret() -> str:
    """A new secret, of 24 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def signed_headers(secret: str, message_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
    """The headers with which a receiver tells that a body is ours, unaltered, and not an old one sent anew.

    Args:
        secret: As ``make_secret`` makes it.
        message_id: The same each time that the same news is sent: who has seen it has had it.
        body: What is sent.
        now: The present, aware.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    timestamp = str(int(now.timestamp()))
    signature = hmac.digest(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def webhook_body(kind: str, now: datetime, data: Mapping[str, Any]) -> bytes:
    """What is sent: what happened, when it is told, and the news itself."""
    return json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, ensure_ascii=False).encode()


def outcome_of(status: int) -> Outcome:
    """What the status of an answer means: 2xx is taken, 4xx is no (but for "later"), all else is tried again."""
    if 200 <= status < 300:
        return Delivered(str(status))
    if 400 <= status < 500 and status not in _TRY_LATER:
        return Refused(_("the program answered %(status)s", status=str(status)), bounced=False)
    return Deferred(_("the program answered %(status)s", status=str(status)))
