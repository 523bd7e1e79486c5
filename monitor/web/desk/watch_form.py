"""The form of a watch: what an editor typed, the watch that it makes, and where its query is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.datastructures import FormData

from monitor.core.languages import Language
from monitor.core.nouns import Watch
from monitor.errors import QueryError, Refused
from monitor.matching.query import parse_query
from monitor.matching.topics import check_id
from monitor.texts import marked as _
from monitor.web.desk.entries import read_language, texts
from monitor.web.forms import Entered

LONGEST_NOTE = 2_000

SPANS: Mapping[str, tuple[str, timedelta]] = {
    "13w": (_("three months"), timedelta(weeks=13)),
    "26w": (_("six months"), timedelta(weeks=26)),
    "52w": (_("a year"), timedelta(weeks=52)),
    "104w": (_("two years"), timedelta(weeks=104)),
    "520w": (_("ten years"), timedelta(weeks=520)),
}
"""How far back a preview may look: what is chosen, what it is called, and how long it is."""

USUAL_SPAN = "52w"


@dataclass(slots=True)
class WatchForm:
    """What was typed. ``watch`` is None where something is wrong; ``query_error`` tells where in the query."""

    entered: Entered
    watch: Watch | None = None
    query_error: QueryError | None = None

    @property
    def pointed(self) -> tuple[str, str, str]:
        """The query before the problem, the character at the problem, and the query after it."""
        query = self.entered.text("query")
        at = min(self.query_error.position, len(query)) if self.query_error else len(query)
        return query[max(0, at - 60) : at], query[at : at + 1], query[at + 1 : at + 61]

    @property
    def span(self) -> str:
        """How far back the preview looks, one of ``SPANS``."""
        return self.entered.text("span") if self.entered.text("span") in SPANS else USUAL_SPAN

    def since(self, now: datetime) -> datetime:
        """The time from which on the preview looks."""
        return now - SPANS[self.span][1]


def form_of(watch: Watch) -> WatchForm:
    """The form that shows a watch."""
    values = {"key": watch.key, "language": watch.language.value, "query": watch.query, "note": watch.note}
    return read_watch(FormData(values), watch.topic, watch.key)


def read_watch(form: FormData, topic: str, key: str = "") -> WatchForm:
    """Read the form of a watch.

    Args:
        form: What was posted.
        topic: The watch's topic.
        key: The watch's key; read from the form where empty.
    """
    read = WatchForm(texts(form))
    entered = read.entered
    key = key or _read_key(entered)
    language = read_language(entered)
    query = entered.text("query")
    if len(entered.text("note")) > LONGEST_NOTE:
        entered.errors["note"] = _("Write at most two thousand characters.")
    read.query_error = _problem(query, language)
    if read.query_error:
        entered.errors["query"] = read.query_error.advice
    if not entered.errors:
        read.watch = Watch(topic, key, language, query, entered.text("note"))
    return read


def _read_key(entered: Entered) -> str:
    try:
        return check_id("key", entered.text("key"))
    except Refused:
        entered.errors["key"] = _("Use small letters, digits and single hyphens, as in en or fr-hint.")
        return ""


def _problem(query: str, language: Language) -> QueryError | None:
    try:
        parse_query(query, language)
    except QueryError as error:
        return error
    return None
