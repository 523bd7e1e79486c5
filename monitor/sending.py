"""Sending what waits: mails take their turn, are claimed, composed, handed over, and their outcomes recorded.

No transaction is open while the mail server is talked to. Killed between its answer and our commit, a mail is due again
when its lease ends, and goes out once more with the same Message-ID: one for each connection at the most.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import make_msgid
from typing import Any, Generic

import structlog

from monitor import errors, metrics
from monitor.app import App
from monitor.delivery.message import Envelope, build_message
from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.delivery.pool import Ended, Mail, send_all
from monitor.delivery.retry import next_attempt
from monitor.delivery.returns import count_refusal
from monitor.delivery.verp import return_path
from monitor.errors import NotFound, Permanent, Transient
from monitor.letters import Letter
from monitor.mails import Post
from monitor.store import outgoing
from monitor.store.bounces import reference_of
from monitor.store.kept import sending_paused
from monitor.store.outgoing import Claimed, MailKind, Withheld
from monitor.texts import marked as _

log = structlog.get_logger(__name__)

SEND_LEASE = timedelta(minutes=10)
CLAIM_BATCH = 100
FRESH = 2.0
"""Seconds after which what was claimed and is not sent yet is given back, and claimed and read anew.

However slow a mail server is, no lease ends while a mail waits for a connection, and who has unsubscribed since gets
nothing.
"""
PATIENCE = 10.0
"""Seconds that a task waits for a mail's turn; one whose turn comes later is put off until then."""

_MOST_TOLD = 300  # characters of a mistake of ours
_RECORD_AGAIN = (1.0, 5.0, 20.0)

Composer = Callable[[App, Sequence[int]], Callable[[int], Post | Withheld]]
"""Reads what some mails are to say; what it returns composes each of them, or raises ``NotFound``."""


def obstacle(app: App) -> str | None:
    """Why nothing may be sent now, in plain words, or None."""
    settings = app.settings
    if settings.smtp_host and settings.missing_identity:
        missing = ", ".join(settings.missing_identity)
        return _(
            "%(missing)s must be set before the public is mailed: anti-spam laws ask for them in every mail",
            missing=missing,
        )
    with app.database.read() as session:
        since = sending_paused(session)
    return _("sending is paused since %(since)s; `monitor digest resume` ends it", since=since) if since else None


def send_mails(app: App, ids: Sequence[int], kind: type[MailKind], compose: Composer) -> None:
    """Make one attempt at each mail that is still due; those whose turn is far off are put off to it."""
    if reason := obstacle(app):
        log.warning("nothing is sent", kind=str(kind.__tablename__), waiting=len(ids), reason=reason)
        return
    turns = _take_turns(app, ids, kind)
    if not turns:
        return
    run = _Run(app, kind, compose)
    for ended in send_all(
        run.mails(turns), app.make_transport, sessions=min(app.settings.smtp_connections, len(turns))
    ):
        run.record(ended)
    log.info("mails", kind=str(kind.__tablename__), **run.told)


def send_test(app: App, letter: Letter, recipient: str) -> str:
    """Send a letter to somebody who tries the service out, past pause and ledger; what the server said.

    Raises:
        Refused: The server does not take it, or the address cannot be written to.
        DeliveryDeferred: The server asks to try again later.
    """
    settings, now = app.settings, app.clock()
    envelope = Envelope(
        sender_name=settings.organisation,
        sender_address=settings.mail_from,
        recipient=recipient,
        message_id=make_msgid("test", settings.mail_domain),
        date=now,
        reply_to=settings.reply_to,
    )
    transport = app.make_transport()
    try:
        outcome = transport.send(build_message(letter, envelope), sender=settings.mail_from, recipient=recipient)
    finally:
        transport.close()
    if isinstance(outcome, Refused):
        raise errors.Refused(outcome.detail)
    if isinstance(outcome, Deferred):
        raise errors.DeliveryDeferred(outcome.detail)
    return f"Taken: {outcome.detail}"


def _take_turns(app: App, ids: Sequence[int], kind: type[MailKind]) -> dict[int, float]:
    """When it is each mail's turn, on the clock of ``time.monotonic``, the soonest first."""
    if not app.pace.limited:
        return dict.fromkeys(ids, 0.0)
    with app.database.read() as session:
        addresses = outgoing.recipients(session, kind, ids)
    now, moment = time.monotonic(), app.clock()
    waits = {mail_id: app.pace.reserve(addresses[mail_id], now, PATIENCE) for mail_id in ids if mail_id in addresses}
    late = {mail_id: moment + timedelta(seconds=wait) for mail_id, wait in waits.items() if wait > PATIENCE}
    if late:
        with app.database.write() as session:
            outgoing.put_off(session, kind, late)
    soon = sorted((wait, mail_id) for mail_id, wait in waits.items() if mail_id not in late)
    return {mail_id: now + wait for wait, mail_id in soon}


@dataclass(slots=True)
class _Run(Generic[MailKind]):
    """One use of the connections: what is in hand, by the mail's id, with its row and its subject; what was told."""

    app: App
    kind: type[MailKind]
    compose: Composer
    in_hand: dict[int, tuple[Claimed, str]] = field(default_factory=dict)
    told: Counter[str] = field(default_factory=Counter)

    def mails(self, turns: dict[int, float]) -> Generator[Mail]:
        """Claim, compose and yield mails as connections become free; a stop leaves the rest to be due at once."""
        left = list(turns)
        while left and not self.app.stopping.is_set():
            given_back = yield from self._batch(left[:CLAIM_BATCH], turns)
            left = given_back + left[CLAIM_BATCH:]

    def _batch(self, ids: Sequence[int], turns: dict[int, float]) -> Generator[Mail, None, list[int]]:
        """Claim some mails and yield them, in this order, while they are fresh; those that were given back."""
        with self.app.database.write() as session:
            rows = outgoing.claim(session, self.kind, ids, self.app.clock(), lease=SEND_LEASE)
        claimed = {row.id: row for row in rows}
        compose = self.compose(self.app, list(claimed))
        waiting = deque(mail_id for mail_id in ids if mail_id in claimed)
        stale = time.monotonic() + FRESH
        while waiting and not self.app.stopping.is_set():
            mail_id = waiting.popleft()
            mail = self._mail(claimed[mail_id], compose, turns[mail_id])
            if mail:
                yield mail
            if time.monotonic() >= stale:
                break
        left = list(waiting)
        if left:
            with self.app.database.write() as session:
                outgoing.release(session, self.kind, left, self.app.clock())
        return left

    def _mail(self, row: Claimed, compose: Callable[[int], Post | Withheld], turn: float) -> Mail | None:
        """The mail of a row, or None where its outcome is known without asking a server."""
        try:
            post = compose(row.id)
        except NotFound:
            return None  # its reader had everything deleted a moment ago
        except Transient:
            raise
        except Exception as error:  # noqa: BLE001 (told of below; one mail must not hold up the others)
            self._finish(row, after_attempt(row, self._surprise(row, error), self.app.clock()))
            return None
        if isinstance(post, Withheld):
            self._finish(row, {"state": "cancelled", "last_error": post.reason})
            return None
        try:
            message = build_message(post.letter, _envelope(self.app, self.kind, row, post))
        except Permanent as error:
            outcome = Refused(error.text, bounced=False)
            self._finish(row, {"subject": post.letter.subject, **after_attempt(row, outcome, self.app.clock())})
            return None
        self.in_hand[row.id] = row, post.letter.subject
        return Mail(row.id, message, self._return_path(row), post.recipient, not_before=turn)

    def _return_path(self, row: Claimed) -> str:
        settings = self.app.settings
        if not settings.bounce_address:
            return settings.mail_from
        return return_path(reference_of(self.kind, row.id), settings.bounce_address, self.app.key)

    def _surprise(self, row: Claimed, error: Exception) -> Outcome:
        """A mistake of ours is tried again, like trouble of the server, and given up when it stays."""
        log.error("a mail could not be sent", kind=str(self.kind.__tablename__), id=row.id, exc_info=error)
        return surprise(error)

    def _finish(self, row: Claimed, values: dict[str, Any]) -> None:
        with self.app.database.write() as session:
            outgoing.finish(session, self.kind, [{"mail_id": row.id, **values}])
        self._count([(row, values["state"])])

    def record(self, ended: Sequence[Ended]) -> None:
        """Write down what became of mails; a database that is away for a moment is waited for.

        Raises:
            DatabaseBusy: It stayed away: what was sent in this moment goes out again when its lease ends.
        """
        for pause in _RECORD_AGAIN:
            try:
                return self._record(ended)
            except Transient as error:
                log.warning("outcomes wait for the database", mails=len(ended), reason=str(error))
                time.sleep(pause)
        return self._record(ended)

    def _record(self, ended: Sequence[Ended]) -> None:
        now = self.app.clock()
        outcomes: list[tuple[Claimed, Outcome]] = []
        written: list[dict[str, Any]] = []
        for mail, result in ended:
            row, subject = self.in_hand[mail.key]
            outcome = self._surprise(row, result) if isinstance(result, Exception) else result
            outcomes.append((row, outcome))
            written.append({"mail_id": mail.key, "subject": subject, **after_attempt(row, outcome, now)})
        with self.app.database.write() as session:
            outgoing.finish(session, self.kind, written)
            for row, outcome in outcomes:
                if isinstance(outcome, Refused) and outcome.bounced:
                    count_refusal(session, reference_of(self.kind, row.id), outcome.detail, now)
        for mail, _outcome in ended:
            self.in_hand.pop(mail.key)
        self._count([(row, values["state"]) for (row, _outcome), values in zip(outcomes, written, strict=True)])

    def _count(self, states: Sequence[tuple[Claimed, str]]) -> None:
        table = str(self.kind.__tablename__)
        debug = log.debug  # looked up once: that costs more than a line that is not written
        for row, state in states:
            debug(table, id=row.id, state=state, attempts=row.attempts)
        for state, number in Counter(state for _row, state in states).items():
            metrics.MAILS.labels(table, state).inc(number)
            self.told[state] += number


def _envelope(app: App, kind: type[MailKind], row: Claimed, post: Post) -> Envelope:
    settings = app.settings
    return Envelope(
        sender_name=settings.organisation,
        sender_address=settings.mail_from,
        recipient=post.recipient,
        message_id=row.message_id,
        date=row.built_at,
        reply_to=settings.reply_to,
        list_id=f"digests.{settings.mail_domain}" if post.unsubscribe_url else "",
        unsubscribe_url=post.unsubscribe_url,
        feedback_id=f"{kind.__tablename__}:{settings.mail_domain}",
    )


def surprise(error: Exception) -> Deferred:
    """The outcome of an attempt that a mistake of ours ended: it is made again."""
    return Deferred(_("not sent: %(error)s", error=repr(error)[:_MOST_TOLD]))


def after_attempt(row: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """What an attempt at sending leaves in the row of a digest or letter."""
    match outcome:
        case Delivered():
            return {"state": "sent", "sent_at": now, "last_error": ""}
        case Refused():
            return {"state": "failed", "last_error": outcome.detail}
        case Deferred():
            again = next_attempt(row.attempts, row.first_attempt_at, now)
            if again is None:
                return {
                    "state": "failed",
                    "last_error": _("given up after three days: %(detail)s", detail=outcome.detail),
                }
            return {"state": "built", "next_attempt_at": again, "last_error": outcome.detail}
