"""What the letters of the subscriptions say. It is decided when a letter is sent, not when it is asked for.

So the public forms do the same work for every address, and what they answer, and how fast, tells nobody who is
subscribed. The letter itself goes to the owner of the address alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from sqlmodel import Session

from monitor import translations
from monitor.core.languages import Language
from monitor.errors import NotFound
from monitor.store.letters import Draft, notice
from monitor.store.outgoing import Withheld
from monitor.store.signups import load_signup
from monitor.store.subscribers import find_subscriber, load_subscriber
from monitor.store.tables import AddressChangeRow, LetterRow, SubscriberRow
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.links import Doors
from monitor.subscriptions.subscribe import CONFIRM_WITHIN, names_of_choice
from monitor.texts import marked as _
from monitor.tokens import Purpose


class LetterKind(StrEnum):
    """The occasions on which a letter is written."""

    SIGNUP = "signup"
    LINK = "link"
    OLD_ADDRESS = "old-address"
    NEW_ADDRESS = "new-address"


def compose(session: Session, row: LetterRow, doors: Doors) -> Draft | Withheld:
    """What a letter says now, or why it is not to be sent.

    Raises:
        NotFound: What the letter is about is gone.
    """
    return _COMPOSERS[LetterKind(row.kind)](session, row, doors)


def _signup(session: Session, row: LetterRow, doors: Doors) -> Draft | Withheld:
    subscriber = find_subscriber(session, row.address)
    if subscriber and subscriber.state == "suppressed":
        return Withheld(_("the address is suppressed"))
    if subscriber and subscriber.state == "active":
        return _already(subscriber, doors)
    signup = load_signup(session, row.payload["signup"])
    choice = Choice.from_json(signup.choice)
    values = {
        "topics": names_of_choice(session, choice.topics, choice.language),
        "schedule": translations.schedule_text(choice.schedule, choice.language),
        "confirm_url": doors.confirm(row.payload["signup"]),
        "expires_at": signup.requested_at + CONFIRM_WITHIN,
        "zone": choice.schedule.zone,
    }
    return Draft("confirm", choice.language, values)


def _already(subscriber: SubscriberRow, doors: Doors) -> Draft:
    language = Language(subscriber.language)
    say = translations.translations(language)
    return notice(
        language,
        say.gettext("You are subscribed already"),
        say.gettext(
            "This address was entered on our subscription form. It has a subscription, and nothing has changed."
        ),
        say.gettext("If you wish other topics, another day or another language, choose them in your preferences."),
        reason=say.gettext("You get this one mail because your address was entered on our subscription form."),
        action=(say.gettext("Open your preferences"), doors.preferences(subscriber)),
    )


def _link(session: Session, row: LetterRow, doors: Doors) -> Draft | Withheld:
    subscriber = find_subscriber(session, row.address)
    if subscriber is None or subscriber.state == "suppressed":
        return Withheld(_("there is no subscription that gets mail at this address"))
    language = Language(subscriber.language)
    say = translations.translations(language)
    return notice(
        language,
        say.gettext("The link to your preferences"),
        say.gettext("With this link you change topics, schedule, language and address, or end the subscription."),
        say.gettext("Whoever has the link can do the same: do not pass this mail on."),
        reason=say.gettext("You get this one mail because somebody, we hope you, asked for the link."),
        action=(say.gettext("Open your preferences"), doors.preferences(subscriber)),
    )


def _old_address(session: Session, row: LetterRow, doors: Doors) -> Draft:
    change, language = _change(session, row)
    say = translations.translations(language)
    return notice(
        language,
        say.gettext("Is your address to change?"),
        say.gettext("Somebody, we hope you, asked that your digests go to %(address)s.")
        % {"address": change.new_address},
        say.gettext("It takes effect when both addresses have confirmed it. If it was not you, do nothing."),
        reason=say.gettext("You get this one mail because a change of address was asked for in your preferences."),
        action=(say.gettext("Confirm the change"), doors.address_change(Purpose.OLD_ADDRESS, change.id or 0)),
    )


def _new_address(session: Session, row: LetterRow, doors: Doors) -> Draft | Withheld:
    change, language = _change(session, row)
    taken = find_subscriber(session, row.address)
    if taken and taken.state == "suppressed":
        return Withheld(_("the address is suppressed"))
    say = translations.translations(language)
    return notice(
        language,
        say.gettext("Are digests to come here?"),
        say.gettext("A subscriber, we hope you, asked that their digests of government news come to this address."),
        say.gettext("It takes effect when both addresses have confirmed it. If it was not you, do nothing."),
        reason=say.gettext("You get this one mail because your address was entered in a subscriber’s preferences."),
        action=(say.gettext("Confirm the change"), doors.address_change(Purpose.NEW_ADDRESS, change.id or 0)),
    )


def _change(session: Session, row: LetterRow) -> tuple[AddressChangeRow, Language]:
    change = session.get(AddressChangeRow, row.payload["change"])
    if change is None:
        raise NotFound("this change of address does not exist any more")
    return change, Language(load_subscriber(session, change.subscriber_id).language)


_COMPOSERS: Mapping[LetterKind, Callable[[Session, LetterRow, Doors], Draft | Withheld]] = {
    LetterKind.SIGNUP: _signup,
    LetterKind.LINK: _link,
    LetterKind.OLD_ADDRESS: _old_address,
    LetterKind.NEW_ADDRESS: _new_address,
}
