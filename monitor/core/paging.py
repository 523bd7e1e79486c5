"""Pages of a long list by keyset: a cursor holds the sort keys of the last row shown, never an offset."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from monitor.core.ids import MOST_ID
from monitor.errors import Refused
from monitor.texts import marked as _

T = TypeVar("T")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and the cursor of those that follow; empty at the end."""

    rows: tuple[T, ...]
    following: str = ""


def page_of(rows: Sequence[T], limit: int, keys: Callable[[T], tuple[Any, ...]]) -> Page[T]:
    """The page that ``limit + 1`` rows make: the one too many tells that more follow.

    Args:
        rows: What was read, at most ``limit + 1`` rows.
        limit: How many a page holds.
        keys: The sort keys of a row, for the cursor: numbers, texts or times.
    """
    shown = tuple(rows[:limit])
    return Page(shown, cursor(*keys(shown[-1])) if len(rows) > limit else "")


def cursor(*keys: Any) -> str:
    """A cursor that holds sort keys, safe in an address."""
    plain = [key.isoformat() if isinstance(key, datetime) else key for key in keys]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, *kinds: type) -> tuple[Any, ...]:
    """The sort keys in a cursor.

    Args:
        text: The cursor.
        kinds: What each key is: ``int``, ``float``, ``str`` or ``datetime``.

    Raises:
        Refused: The cursor was not made by ``cursor`` for keys of these kinds.
    """
    try:
        keys = json.loads(base64.urlsafe_b64decode(text[:_LONGEST] + "=" * (-len(text) % 4)))
        return tuple(_read(key, kind) for key, kind in zip(keys, kinds, strict=True))
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise Refused(
            _("cursor %(text)s: take the cursor from the answer before, or leave it out", text=repr(text[:40]))
        ) from error


def _read(key: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(key)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    if isinstance(key, bool) or not isinstance(key, (int, float) if kind is float else kind):
        raise TypeError("a key of another kind")
    if isinstance(key, int) and not 0 <= key <= MOST_ID:
        raise ValueError("a number that no row has")
    if isinstance(key, str):
        key.encode()  # a lone surrogate, which no database holds
    return key
