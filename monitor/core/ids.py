"""The ids of rows, as they come from outside: in addresses, forms and cursors."""

from __future__ import annotations

MOST_ID = 2**31 - 1
"""The greatest id that a row can have: PostgreSQL answers a greater one with an error, not with "no such row"."""


def read_id(text: str) -> int:
    """The id that a text is; 0, which no row has, where it is none."""
    found = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(MOST_ID)) else 0
    return found if found <= MOST_ID else 0
