"""What the modules of the API have in common: pages of lists, and the kinds of what is asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import StringConstraints

T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Cursor = Annotated[str, Query(max_length=500, description="`following` of the page before; empty for the first page.")]
Day = Annotated[date | None, Query(ge=date(1900, 1, 1), le=date(2200, 1, 1))]
Short = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[^\x00]*$")]
Text = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
File = Annotated[str, StringConstraints(max_length=2_000_000, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page of a list; ``following`` is the cursor of the next page, None at the end."""

    rows: list[T]
    following: str | None
