"""Which addresses the service may visit: only those on the public internet.

Two guards, because a name may resolve to one address when it is checked and to another when it is used (DNS
rebinding). ``check_url`` turns away what can be seen in the text. ``guarded_socket`` looks at the very address that
is about to be connected to, whatever name, redirect or encoding led to it.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from monitor.polling.outcomes import Failed, FailureKind
from monitor.texts import marked as _

LONGEST_URL = 2048
LOWEST_OPEN_PORT = 1024
"""Below it only 80 and 443: nobody may use the service to knock at a mail server or a name server."""

_V4_SPECIAL = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this network"; Linux connects 0.0.0.0 to loopback
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; cloud metadata of some providers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # IETF protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
"""The IANA special-purpose registry, written out: what ``ipaddress`` calls global differs between Python releases."""

_V6_GLOBAL = IPv6Network("2000::/3")
"""All that IANA has given out. Outside it lie loopback, mapped and compatible IPv4, NAT64 (64:ff9b::/96 and
64:ff9b:1::/48), unique local, link-local, site-local and multicast addresses."""

_V6_SPECIAL = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # IETF protocol assignments, with Teredo, which wraps an IPv4 address
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which wraps an IPv4 address
        "3fff::/20",  # documentation
    )
)

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_FORBIDDEN_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str | int, ...]]
"""What ``getaddrinfo`` yields: family, type, protocol, canonical name, socket address."""


class AddressRefusedError(OSError):
    """An address that the service does not connect to; an ``OSError``, because it stands for a failed connect."""


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether an IP address belongs to a host on the public internet.

    Raises:
        ValueError: ``address`` is a string but no IP address.
    """
    ip = ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _V4_SPECIAL)
    return ip in _V6_GLOBAL and not any(ip in network for network in _V6_SPECIAL)


def is_allowed(address: str, *, allow_loopback: bool) -> bool:
    """Whether the service may connect to an IP address; what is no IP address is not allowed."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return is_public(ip) or (allow_loopback and any(ip in network for network in _LOOPBACK))


def allowed_addresses(host: str, addresses: Iterable[str], *, allow_loopback: bool) -> list[str]:
    """Those of a name's addresses that the service may connect to.

    Raises:
        AddressRefusedError: None is left.
    """
    allowed = [address for address in addresses if is_allowed(address, allow_loopback=allow_loopback)]
    if not allowed:
        raise AddressRefusedError(f"{host} leads to an address that is not on the public internet")
    return allowed


def guarded_socket(info: AddressInfo, *, allow_loopback: bool) -> socket.socket:
    """A socket for an address that is about to be connected to.

    Raises:
        AddressRefusedError: The address is not one that the service may connect to.
    """
    family, kind, protocol, _, address = info
    if not is_allowed(str(address[0]), allow_loopback=allow_loopback):
        raise AddressRefusedError(f"{address[0]} is not on the public internet")
    return socket.socket(family, kind, protocol)


def check_url(url: str, *, base: URL | None = None, allow_loopback: bool = False) -> URL | Failed:
    r"""Parse an address that somebody else wrote, or say why it cannot be visited.

    The parsed value is what must be visited: parsing the text a second time, by other rules, is how
    ``http://169.254.169.254\@public/`` gets past a check. International names become ASCII; a trailing dot,
    a default port and the fragment are dropped.

    Args:
        url: The address; absolute, or relative to ``base``.
        base: Where a redirect or a link was found.
        allow_loopback: Whether this machine may be visited, for tests and the demo.
    """
    if len(url) > LONGEST_URL:
        return _bad(_("the address is longer than %(most)s characters", most=LONGEST_URL))
    if _FORBIDDEN_CHARACTER.search(url):
        return _bad(_("the address contains a control character or a backslash"))
    try:
        parsed = _in_one_form(URL(url) if base is None else base.join(URL(url)))
    except ValueError as error:
        return _bad(_("the address cannot be read: %(error)s", error=error))
    return _shape_problem(parsed) or _host_problem(parsed.raw_host or "", allow_loopback=allow_loopback) or parsed


def _in_one_form(url: URL) -> URL:
    host = url.raw_host or ""
    if host.endswith(".") and host != ".":
        url = url.with_host(host[:-1])
    if url.explicit_port is not None and url.is_default_port():
        url = url.with_port(None)
    return url.with_fragment(None) if url.raw_fragment else url


def _shape_problem(url: URL) -> Failed | None:
    if url.scheme not in {"http", "https"}:
        return _bad(_("the address must begin with http:// or https://"))
    if "@" in url.raw_authority:
        return _bad(_("the address contains a user name"))
    if url.port in {80, 443} or (url.port or 0) >= LOWEST_OPEN_PORT:
        return None
    return _bad(_("port %(port)s is not one for web pages", port=str(url.port)))


@lru_cache(maxsize=1024)  # hosts have many feeds and are asked again and again; most of an address's check is this
def _host_problem(host: str, *, allow_loopback: bool) -> Failed | None:
    if ":" in host or _is_dotted_quad(host):
        allowed = is_allowed(host, allow_loopback=allow_loopback)
        return None if allowed else _refused(_("%(host)s is not on the public internet", host=host))
    if not _HOST_NAME.fullmatch(host):
        return _bad(_("%(host)s is not the name of a host", host=repr(host)))
    if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 all mean 127.0.0.1 to the system's resolver; no name ends like this.
        return _refused(_("%(host)s is an IP address in disguise", host=host))
    return None


def _is_dotted_quad(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _refused(detail: str) -> Failed:
    return Failed(FailureKind.REFUSED_ADDRESS, detail)


def _bad(detail: str) -> Failed:
    return Failed(FailureKind.BAD_URL, detail)
