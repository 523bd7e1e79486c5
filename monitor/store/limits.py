"""Limits of the public forms, per network and hour; counted in rows, so that all processes share them."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from sqlmodel import Session

from monitor.store.tallies import count_up

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_PREFIX = {4: 24, 6: 64}
"""A home or an office has such a network, and so has whoever can change their address at will."""


def network_of(address: str | None) -> str:
    """The network that an address is in, such as ``192.0.2.0/24``; all that have none share one, ``unknown``."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network(f"{found}/{_PREFIX[found.version]}", strict=False))


def within_network_limit(
    session: Session, form: str, address: str | None, *, key: str, limit: int, now: datetime
) -> bool:
    """Count one more use of a public form by a network, and tell whether it may still be used this hour.

    What is stored is a keyed hash of the network and the hour: it tells networks apart, and neither which they are
    nor whether the same one came in another hour.

    Args:
        session: An open writing transaction.
        form: Which form.
        address: The address that the request came from, or None where it has none.
        key: The key of the installation.
        limit: How many uses an hour are allowed.
        now: The present, aware UTC.
    """
    hour = now.strftime("%Y%m%dT%H")
    hashed = hmac.new(key.encode(), f"{form}/{network_of(address)}/{hour}".encode(), sha256).hexdigest()[:32]
    return count_up(session, f"{form}/{hashed}", now, period=HOUR) <= limit


def within_own_limit(
    session: Session, what: str, subscriber_id: int, *, limit: int, period: timedelta, now: datetime
) -> bool:
    """Count one more use of something costly by a subscriber, and tell whether they may still use it."""
    return count_up(session, f"{what}/{subscriber_id}", now, period=period) <= limit
