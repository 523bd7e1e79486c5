"""Signing up with double opt-in: a request waits until the owner of the address confirms it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from sqlmodel import Session

from monitor.core.address import normalised_address
from monitor.core.languages import Language
from monitor.store.letters import post_letter
from monitor.store.signups import load_signup, save_signup
from monitor.store.subscribers import find_subscriber
from monitor.store.tables import SignupRow
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.consent import confirmed, form_consent
from monitor.subscriptions.letters import LetterKind
from monitor.subscriptions.preferences import SUBSCRIBER, change_choice
from monitor.subscriptions.subscribe import CONFIRM_WITHIN, chosen_topics, subscribe
from monitor.tokens import Purpose, read_token


class SignupState(Enum):
    """Where a request to subscribe stands."""

    WAITING = auto()
    CONFIRMED = auto()
    EXPIRED = auto()
    SUPPRESSED = auto()


def request_signup(session: Session, address: str, choice: Choice, *, form: str, domain: str, now: datetime) -> None:
    """Keep a request to subscribe and have its letter sent.

    Nothing is asked or said about the address, so that known, unknown and suppressed ones cost the same; which
    letter it gets, if any, is decided when the letter is composed. There is one a day at most.

    Args:
        session: An open writing transaction.
        address: As the person wrote it.
        choice: What they want.
        form: The path of the form that they filled in, for the record of consent.
        domain: The domain of the installation.
        now: The present, aware UTC.

    Raises:
        Refused: The address or a topic is not valid.
    """
    chosen_topics(session, choice.topics)
    address = normalised_address(address)
    consent = form_consent(form, choice.language, now)
    signup_id = save_signup(session, address, choice=choice.as_json(), consent=consent, now=now)
    post_letter(
        session,
        LetterKind.SIGNUP,
        address,
        language=choice.language,
        payload={"signup": signup_id},
        domain=domain,
        now=now,
    )


def request_link(session: Session, address: str, *, domain: str, now: datetime) -> None:
    """Have the link to their preferences sent to a subscriber; for anybody else nothing comes of it.

    Raises:
        Refused: The address is not valid.
    """
    address = normalised_address(address)
    # The letter is written in the subscriber's language; who asks here need not know it.
    post_letter(session, LetterKind.LINK, address, language=Language.EN, payload={}, domain=domain, now=now)


def signup_of(session: Session, key: str, token: str, *, lock: bool = False) -> SignupRow:
    """The request that a confirmation link stands for.

    Raises:
        NotFound: The link is not valid, or so old that the request is forgotten.
    """
    return load_signup(session, read_token(key, Purpose.CONFIRM, token).row_id, lock=lock)


def signup_state(session: Session, signup: SignupRow, now: datetime) -> SignupState:
    """Where a request stands now."""
    if signup.confirmed_at:
        return SignupState.CONFIRMED
    if now >= signup.requested_at + CONFIRM_WITHIN:
        return SignupState.EXPIRED
    subscriber = find_subscriber(session, signup.address)
    return SignupState.SUPPRESSED if subscriber and subscriber.state == "suppressed" else SignupState.WAITING


def confirm_signup(session: Session, signup: SignupRow, now: datetime) -> SignupState:
    """Make whoever asked a subscriber, once; the state in which the request was found.

    A subscriber who confirms another request gets what it asks for, and loses no news by it.
    """
    state = signup_state(session, signup, now)
    if state is not SignupState.WAITING:
        return state
    choice = Choice.from_json(signup.choice)
    subscriber = find_subscriber(session, signup.address)
    if subscriber and subscriber.state == "active":
        change_choice(session, subscriber, choice, now=now)
    else:
        consent = confirmed(signup.consent, now)
        subscribe(session, signup.address, choice, consent=consent, actor=SUBSCRIBER, now=now)
    signup.confirmed_at = now
    session.add(signup)
    return state
