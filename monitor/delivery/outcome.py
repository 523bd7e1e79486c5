"""What an attempt at sending may end in. Expected outcomes are values, as in ``monitor.polling.outcomes``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The next server has taken responsibility for the mail; ``detail`` is its answer."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: a 4xx answer, a lost connection, or a server that may not be talked to as it is.

    ``unreachable`` says that the server never came to the mail, so that another relay may be asked in its stead.
    """

    detail: str
    unreachable: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Not ever: a 5xx answer. ``bounced`` says that the address was refused, rather than this mail."""

    detail: str
    bounced: bool


Outcome = Delivered | Deferred | Refused
