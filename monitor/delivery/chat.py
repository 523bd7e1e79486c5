"""Chat and push services (Slack, Discord, Matrix, Telegram …), told through the library Apprise.

Needs the extra ``channels``. The address of such a channel is a secret: whoever has it may write there.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from monitor.delivery.outcome import Deferred, Delivered, Outcome
from monitor.errors import Refused
from monitor.texts import marked as _

_REMEDY = _("install roadmap-monitor[channels], or give the https:// address of a program that takes webhooks")
_WORD_JOINER = "\u2060"


def is_chat(url: str) -> bool:
    """Whether an address is a chat's or push service's, rather than a program's that takes webhooks."""
    return not url.lower().startswith(("https://", "http://"))


def masked(url: str) -> str:
    """The address of a channel as it may be shown: a service's scheme alone, since all that follows may be secret."""
    return f"{_scheme(url)}://…" if is_chat(url) else url


def check_service(url: str) -> str:
    """The name of the service that an address leads to, such as ``Slack``.

    Raises:
        Refused: The extra is not installed, or no service has such an address.
    """
    return str(_open(url).service_name)


def tell(url: str, title: str, body: str) -> Outcome:
    """Make one attempt at telling a service, over a connection of Apprise's own; it takes some seconds at most.

    Args:
        url: The service's address.
        title: Foreign text, on one line.
        body: Foreign text, in lines.
    """
    try:
        service = _open(url)
    except Refused as error:
        return Deferred(error.text)  # the other worker may have the extra; after three days it is given up
    told = service.notify(body=harmless(body), title=harmless(title), body_format="text")
    return (
        Delivered(str(service.service_name))
        if told
        else Deferred(_("%(service)s did not take it", service=str(service.service_name)))
    )


def harmless(text: str) -> str:
    """Text in which nothing calls out to everybody (``@everyone``, ``<!channel>``); it looks as before."""
    return re.sub("([@<])", rf"\1{_WORD_JOINER}", text)


def _open(url: str) -> Any:
    try:
        from apprise import Apprise  # noqa: PLC0415 (an optional extra)
    except ImportError as error:
        needs = _("a channel at %(url)s needs the library Apprise: %(remedy)s", url=masked(url), remedy=_REMEDY)
        raise Refused(needs) from error
    # Both write whole addresses, and what is sent there, into their logs.
    for library in ("apprise", "urllib3"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        raise Refused(
            _(
                "%(scheme)s is no service that Apprise knows, or its address lacks a part; "
                "Apprise's documentation tells how each is written",
                scheme=repr(_scheme(url)),
            )
        )
    return service


def _scheme(url: str) -> str:
    scheme = url.partition("://")[0]
    return scheme if "://" in url and re.fullmatch("[A-Za-z0-9]{1,20}", scheme) else "(no scheme)"
