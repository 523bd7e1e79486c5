"""Signed tokens: what lets a person act without a password, and nobody else in their place."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from itsdangerous import BadSignature, Serializer, URLSafeSerializer
from itsdangerous.encoding import base64_encode

from monitor.errors import NotFound
from monitor.texts import marked as _

INVALID = _("This link is not valid. Open the newest mail from us and follow the link in it.")


_SIGNER = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
"""HMAC-SHA-256, instead of itsdangerous' HMAC-SHA-1 of a key that is a plain hash."""


class _Uncompressed(URLSafeSerializer):
    """Writes what its parent would: two numbers never get shorter, and to try takes most of the time of a signature."""

    def dump_payload(self, obj: Any, *args: Any, **kwargs: Any) -> bytes:
        return base64_encode(Serializer.dump_payload(self, obj, *args, **kwargs))


class Purpose(StrEnum):
    """What a link is good for; a token for one purpose opens no other door."""

    CONFIRM = "confirm"
    MANAGE = "manage"
    UNSUBSCRIBE = "unsubscribe"
    DIGEST = "digest"
    OLD_ADDRESS = "old-address"
    NEW_ADDRESS = "new-address"
    SIGN_IN = "sign-in"


class Named(NamedTuple):
    """The row that a token names; ``generation`` is 0 for rows whose links never become void."""

    row_id: int
    generation: int


def sign(key: str, purpose: Purpose, row_id: int, generation: int = 0) -> str:
    """A token that names a row, for one purpose. Whether it has expired is for the row to say."""
    return str(_serializer(key, purpose).dumps([row_id, generation]))


def read_token(key: str, purpose: Purpose, token: str) -> Named:
    """What a token names; the signature is compared in constant time.

    Raises:
        NotFound: The token was altered, guessed, or made for another purpose or with another key.
    """
    try:
        row_id, generation = _serializer(key, purpose).loads(token)
    except BadSignature as error:
        raise NotFound(INVALID) from error
    return Named(int(row_id), int(generation))


@lru_cache(maxsize=64)
def _serializer(key: str, purpose: Purpose) -> _Uncompressed:
    return _Uncompressed(key, salt=f"roadmap-monitor/{purpose.value}", signer_kwargs=_SIGNER)
