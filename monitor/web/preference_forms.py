"""What the forms of the preferences do: a table of actions, each one use case and what to say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session

from monitor.app import App
from monitor.core.ids import read_id
from monitor.core.languages import Language
from monitor.errors import Conflict, QueryError, Refused
from monitor.store.limits import DAY, HOUR, within_own_limit
from monitor.store.subscribers import topics_of
from monitor.store.tables import SubscriberRow
from monitor.subscriptions import preferences
from monitor.subscriptions.address import request_address_change
from monitor.subscriptions.keywords import add_keyword, checked_keyword, remove_keyword
from monitor.subscriptions.unsubscribe import resubscribe, unsubscribe
from monitor.texts import marked as _
from monitor.web.forms import Entered, choice_options, known_topics, subscriber_entered

T = TypeVar("T")

_LONGEST_PAUSE = timedelta(days=366)
_PREVIEWS_AN_HOUR = 60
_CHANGES_A_DAY = 3


@dataclass(slots=True)
class Answer:
    """What came of a form.

    Attributes:
        said: What was done, as a message id; empty where nothing was.
        undo: The fields of the form that takes it back.
        entered: What was written, where it was not right or only tried.
        preview: A keyword to be tried, and its language.
    """

    said: str = ""
    undo: Mapping[str, Any] = field(default_factory=dict)
    entered: Entered | None = None
    preview: tuple[str, Language] | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One use of the page: who, through which installation, and when."""

    app: App
    session: Session
    subscriber: SubscriberRow
    now: datetime

    @property
    def subscriber_id(self) -> int:
        """The subscriber's id."""
        return self.subscriber.id or 0

    def may(self, what: str, limit: int, period: timedelta) -> bool:
        """Count one more use of something that costs, and tell whether it is within its limit."""
        return within_own_limit(self.session, what, self.subscriber_id, limit=limit, period=period, now=self.now)


def _choose_topics(visit: Visit, entered: Entered) -> Answer:
    options = choice_options(visit.session, Language.EN, "")
    chosen = entered.topics(known_topics(options))
    if entered.errors:
        return Answer()
    before = topics_of(visit.session, visit.subscriber_id)
    preferences.change_topics(visit.session, visit.subscriber, chosen, now=visit.now)
    return Answer(_("Your topics are saved."), {"action": "topics", "scope": "some", "topics": before})


def _choose_schedule(visit: Visit, entered: Entered) -> Answer:
    language, schedule = entered.language(), entered.schedule()
    if entered.errors:
        return Answer()
    before = subscriber_entered(visit.subscriber, [], -1).values
    undo = {name: before[name] for name in ("language", "frequency", "weekday", "hour", "zone")}
    preferences.change_schedule(visit.session, visit.subscriber, language, schedule, now=visit.now)
    return Answer(_("Your schedule is saved."), {"action": "schedule", **undo})


def _pause(visit: Visit, entered: Entered) -> Answer:
    zone = ZoneInfo(visit.subscriber.zone)
    try:
        until = datetime.combine(date.fromisoformat(entered.text("until")), time(), zone)
    except ValueError:
        until = visit.now
    if not visit.now < until <= visit.now + _LONGEST_PAUSE:
        entered.errors["until"] = _("Choose a day after today, within a year.")
        return Answer()
    preferences.pause(visit.session, visit.subscriber, until, now=visit.now)
    return Answer(_("Your digests are paused."), {"action": "resume"})


def _resume(visit: Visit, _entered: Entered) -> Answer:
    preferences.pause(visit.session, visit.subscriber, None, now=visit.now)
    return Answer(_("The pause is over."))


def _change_address(visit: Visit, entered: Entered) -> Answer:
    address = entered.address()
    if entered.errors:
        return Answer()
    if not visit.may("address", _CHANGES_A_DAY, DAY):
        entered.errors["address"] = _("That was often enough for today. Please try again tomorrow.")
        return Answer()
    try:
        domain = visit.app.settings.mail_domain
        request_address_change(visit.session, visit.subscriber, address, domain=domain, now=visit.now)
    except Refused as problem:
        entered.errors["address"] = problem.text
        return Answer()
    return Answer(_("Both addresses get a mail now. When both have confirmed, your digests go to the new one."))


def _add_keyword(visit: Visit, entered: Entered) -> Answer:
    row = _tried(
        entered, lambda query, tongue: add_keyword(visit.session, visit.subscriber, query, tongue, now=visit.now)
    )
    if row is None:
        return Answer()
    return Answer(_("Your keyword is added."), {"action": "keyword-remove", "keyword_id": row.id})


def _preview_keyword(visit: Visit, entered: Entered) -> Answer:
    if not visit.may("preview", _PREVIEWS_AN_HOUR, HOUR):
        entered.errors["query"] = _("That was often enough for this hour. Please try again later.")
        return Answer()
    query = _tried(entered, checked_keyword)
    return Answer(entered=entered, preview=(query, Language(entered.text("tongue"))) if query else None)


def _remove_keyword(visit: Visit, entered: Entered) -> Answer:
    row = remove_keyword(visit.session, visit.subscriber, read_id(entered.text("keyword_id")), now=visit.now)
    undo = {"action": "keyword-add", "query": row.query, "tongue": row.language}
    return Answer(_("The keyword is removed."), undo)


def _unsubscribe(visit: Visit, _entered: Entered) -> Answer:
    unsubscribe(visit.session, visit.subscriber_id, now=visit.now)
    return Answer(_("You are unsubscribed. No more digests come."), {"action": "resubscribe"})


def _resubscribe(visit: Visit, entered: Entered) -> Answer:
    try:
        resubscribe(visit.session, visit.subscriber_id, now=visit.now)
    except Conflict:
        entered.errors["state"] = _("Mail to this address came back, or was complained about. Please write to us.")
        return Answer()
    return Answer(_("You are subscribed again, with all that you had chosen."))


def _tried(entered: Entered, act: Callable[[str, Language], T]) -> T | None:
    """What comes of a keyword, or None where it is not right: then the form says why."""
    if (tongue := entered.text("tongue")) not in list(Language):
        entered.errors["tongue"] = _("Choose a language from the list.")
        return None
    try:
        return act(entered.text("query"), Language(tongue))
    except QueryError as problem:
        entered.errors["query"] = _("This keyword cannot be understood.")
        entered.values["detail"] = problem.text
    except (Refused, Conflict) as problem:
        entered.errors["query"] = problem.text
    return None


ACTIONS: Mapping[str, Callable[[Visit, Entered], Answer]] = {
    "topics": _choose_topics,
    "schedule": _choose_schedule,
    "pause": _pause,
    "resume": _resume,
    "address": _change_address,
    "keyword-add": _add_keyword,
    "keyword-preview": _preview_keyword,
    "keyword-remove": _remove_keyword,
    "unsubscribe": _unsubscribe,
    "resubscribe": _resubscribe,
}
