"""Continuing a sorted query after a row, whatever its depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, tuple_


def below(columns: Sequence[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that come after ``keys`` where all columns sort downwards; the columns must be unique together."""
    return tuple_(*columns) < tuple_(*keys)


def above(columns: Sequence[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that come after ``keys`` where all columns sort upwards; the columns must be unique together."""
    return tuple_(*columns) > tuple_(*keys)
