"""Reading the forms of subscribers: values where they are right, and else a message beside each field.

The messages are ids of the catalogues; the templates translate them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Annotated, Any

from babel.dates import format_time
from fastapi import Depends, HTTPException, Request
from sqlmodel import Session
from starlette.datastructures import FormData

from monitor.core.address import normalised_address
from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.schedule import Frequency, Schedule
from monitor.errors import Refused
from monitor.store.tables import SubscriberRow
from monitor.store.watchlist import load_pillars, load_topics
from monitor.subscriptions.choices import Choice
from monitor.texts import marked as _
from monitor.translations import locale
from monitor.web.languages import OWN_NAMES, likely_zone
from monitor.web.zones import offers, zones_by_country

_MAX_BODY = 64 * 1024

EVERYTHING, SOME = "everything", "some"


async def posted(request: Request) -> FormData:
    """The fields of a posted form.

    Raises:
        HTTPException: The body is larger than any form of ours, or does not say how large it is.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411)
    if int(length) > _MAX_BODY:
        raise HTTPException(413)
    return await request.form()


Posted = Annotated[FormData, Depends(posted)]
"""A parameter of a route: the fields of the posted form."""


@dataclass(slots=True)
class Entered:
    """What a person wrote into a form, as they wrote it, and what is wrong with it, by field."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_form(cls, form: FormData) -> Entered:
        """What was posted; fields that may come several times are lists."""
        values: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
        values["topics"] = [value for value in form.getlist("topics") if isinstance(value, str)]
        return cls(values)

    def text(self, name: str) -> str:
        """The text of a field, without white space around it; empty where it was not sent."""
        return str(self.values.get(name, "")).strip()

    def address(self) -> str:
        """The address, normalised."""
        try:
            return normalised_address(self.text("address"))
        except Refused:
            self.errors["address"] = _("Write an e-mail address, such as name@example.org.")
            return ""

    def topics(self, known: set[str]) -> tuple[str, ...]:
        """The chosen topics and pillars; none for everything."""
        if self.text("scope") == EVERYTHING:
            return ()
        chosen = tuple(name for name in self.values.get("topics", ()) if name in known)
        if not chosen:
            self.errors["topics"] = _("Choose at least one topic, or everything.")
        return chosen

    def language(self) -> Language:
        """The language of the digests."""
        if (wanted := self.text("language")) in READER_LANGUAGES:
            return Language(wanted)
        self.errors["language"] = _("Choose one of the three languages.")
        return Language.EN

    def schedule(self) -> Schedule:
        """The schedule; a field that the frequency does not use may say anything."""
        frequency = self._frequency()
        weekday = self._number("weekday", 6, _("Choose a day of the week."), used=frequency is Frequency.WEEKLY)
        hour = self._number("hour", 23, _("Choose an hour."), used=frequency is not Frequency.IMMEDIATE)
        try:
            return Schedule(frequency, weekday, hour, self.text("zone"))
        except ValueError:
            self.errors["zone"] = _("Choose a time zone from the list.")
            return Schedule()

    def _frequency(self) -> Frequency:
        if (wanted := self.text("frequency")) in list(Frequency):
            return Frequency(wanted)
        self.errors["frequency"] = _("Choose how often.")
        return Frequency.WEEKLY

    def _number(self, name: str, most: int, problem: str, *, used: bool) -> int:
        text = self.text(name)
        if text.isascii() and text.isdecimal() and len(text) < 3 and int(text) <= most:
            return int(text)
        if used:
            self.errors[name] = problem
        return 0


def fresh_entered(request: Request, language: Language) -> Entered:
    """What a sign-up form shows before anybody wrote into it."""
    schedule = Schedule(zone=likely_zone(request))
    topics = request.query_params.getlist("topic")
    return Entered({"address": "", **choice_values(Choice(tuple(topics), language, schedule))})


def subscriber_entered(subscriber: SubscriberRow, topics: list[str], total: int) -> Entered:
    """What the forms of the preferences show: what is stored; ``total`` is how many topics there are."""
    schedule = Schedule(Frequency(subscriber.frequency), subscriber.weekday, subscriber.hour, subscriber.zone)
    choice = Choice(() if len(topics) == total else tuple(topics), Language(subscriber.language), schedule)
    return Entered(choice_values(choice))


def choice_values(choice: Choice) -> dict[str, Any]:
    """The fields that stand for a choice."""
    return {**choice.as_json(), "scope": SOME if choice.topics else EVERYTHING}


def topics_by_pillar(session: Session, language: Language) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every pillar with its topics, by ids and names in the reader's language, as a field offers them."""
    topics = load_topics(session)
    return [
        (
            pillar.id,
            pillar.names[language],
            [(one.id, one.names[language]) for one in topics if one.pillar == pillar.id],
        )
        for pillar in load_pillars(session)
    ]


def choice_options(session: Session, language: Language, zone: str) -> Mapping[str, Any]:
    """What the fields of a choice offer, in the reader's language."""
    pillars = topics_by_pillar(session, language)
    spoken = locale(language)
    return {
        "pillars": pillars,
        "topics_total": sum(len(topics) for *_, topics in pillars),
        "languages": [(tongue.value, name) for tongue, name in OWN_NAMES.items()],
        "weekdays": [spoken.days["stand-alone"]["wide"][day] for day in range(7)],
        "hours": [format_time(time(hour), "short", locale=spoken) for hour in range(24)],
        "countries": zones_by_country(language),
        "other_zone": "" if offers(zone, language) else zone,
    }


def known_topics(options: Mapping[str, Any]) -> set[str]:
    """The ids of pillars and topics that a form offers."""
    return {name for pillar, _name, topics in options["pillars"] for name in (pillar, *dict(topics))}
