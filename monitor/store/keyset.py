"""Continuing a sorted query after a row, whatever its depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, literal, tuple_


def below(columns: Sequence[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that come after ``keys`` where all columns sort downwards; the columns must be unique together."""
    after: ColumnElement[bool] = tuple_(*columns) < _values(columns, keys)
    return after


def above(columns: Sequence[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that come after ``keys`` where all columns sort upwards; the columns must be unique together."""
    after: ColumnElement[bool] = tuple_(*columns) > _values(columns, keys)
    return after


def _values(columns: Sequence[Any], keys: Sequence[Any]) -> Any:
    # Each value with the type of its column: a time is stored otherwise than a driver would write it by itself.
    return tuple_(*(literal(key, column.type) for column, key in zip(columns, keys, strict=True)))
