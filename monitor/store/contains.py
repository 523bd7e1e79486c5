"""Searching columns for a text that a person typed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import col


def contains(column: Any, text: str) -> ColumnElement[bool]:
    """Whether a column holds a text, whatever its case; the text's own ``%`` and ``_`` stand for themselves."""
    return func.lower(col(column)).contains(text.lower(), autoescape=True)
