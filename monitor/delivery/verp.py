"""Return paths that say which mail came back (VERP), signed so that nobody can make up a bounce.

A bounce arrives at ``bounces+d123.w2f6k7…@example.org``: it is about digest 123, and the signature is ours. Nothing
need be understood of what other people's servers write into bounces, which is anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

_SIGNATURE_BYTES = 10
_TAGGED = r"{name}\+(?P<reference>[a-z]\d{{1,19}})\.(?P<signature>[a-z2-7]{{16}})@{domain}"


def return_path(reference: str, address: str, key: str) -> str:
    """The return path of one mail.

    Args:
        reference: What the mail is known by: a letter for its kind and its id, such as ``d123`` for a digest.
        address: Where bounces are received, such as ``bounces@example.org``.
        key: The secret key of the installation.
    """
    name, _, domain = address.rpartition("@")
    return f"{name}+{reference}.{_signature(reference, key)}@{domain}"


def find_return_path(text: str, address: str, key: str) -> str | None:
    """The reference of the first return path of ours that stands in a text, or None; what was made up is passed over.

    Mail servers may change the case of an address on its way; that is allowed for.
    """
    name, _, domain = address.lower().rpartition("@")
    tagged = _TAGGED.format(name=re.escape(name), domain=re.escape(domain))
    for found in re.finditer(tagged, text.lower()):
        if hmac.compare_digest(found["signature"], _signature(found["reference"], key)):
            return found["reference"]
    return None


def _signature(reference: str, key: str) -> str:
    digest = hmac.digest(key.encode(), f"return-path/{reference}".encode(), hashlib.sha256)
    # Base 32, as it is all one case: 80 bits in 16 characters.
    return base64.b32encode(digest[:_SIGNATURE_BYTES]).decode().lower()
