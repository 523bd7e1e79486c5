"""Signed tokens: what lets a person act without a password, and nobody else in their place."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from itsdangerous import BadSignature, HMACAlgorithm, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from monitor.errors import NotFound
from monitor.texts import marked as _

INVALID = _("This link is not valid. Open the newest mail from us and follow the link in it.")


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
    payload = base64_encode(f"[{row_id},{generation}]")
    return _signer(key, purpose).sign(payload).decode("ascii")


def read_token(key: str, purpose: Purpose, token: str) -> Named:
    """What a token names; the signature is compared in constant time.

    Raises:
        NotFound: The token was altered, guessed, or made for another purpose or with another key.
    """
    try:
        row_id, generation = json.loads(base64_decode(_signer(key, purpose).unsign(token)))
    except BadSignature as error:
        raise NotFound(INVALID) from error
    return Named(int(row_id), int(generation))


@lru_cache(maxsize=64)
def _signer(key: str, purpose: Purpose) -> Signer:
    """Signs by HMAC-SHA-256 with the purpose's own key, which is derived once and not for each token."""
    salt = f"roadmap-monitor/{purpose.value}"
    derived = Signer(key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256).derive_key()
    return Signer(derived, key_derivation="none", algorithm=HMACAlgorithm(hashlib.sha256))
