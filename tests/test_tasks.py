"""From rows to mails: what each tick finds, and what becomes of it, on both databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from monitor import sending
from monitor.app import App
from monitor.core.languages import Language
from monitor.core.nouns import Entry, Pillar, SourceSpec, Topic, Watch
from monitor.core.schedule import Schedule
from monitor.core.text import content_hash
from monitor.delivery.bounces import Bounced, Ignored
from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.delivery.pool import Pace
from monitor.delivery.verp import return_path
from monitor.digests.render import render_digest
from monitor.returned import take_back
from monitor.review.verdicts import judge as give_verdict
from monitor.sending import obstacle
from monitor.settings import Settings
from monitor.store import config, items, sources
from monitor.store.bounces import reference_of
from monitor.store.config import Config
from monitor.store.engine import Database
from monitor.store.kept import pause_sending, resume_sending
from monitor.store.subscribers import load_subscriber
from monitor.store.tables import (
    BounceRow,
    DigestRow,
    ItemRow,
    MatchRow,
    SubscriberRow,
    SubscriptionRow,
    TopicRow,
)
from monitor.subscriptions.subscribe import subscribe_confirmed
from monitor.subscriptions.unsubscribe import unsubscribe
from monitor.tasks import drain
from monitor.ticks import TICKS, run_tick
from monitor.translations import say

NAMES = {"en": "NORAD", "fr": "NORAD", "es": "NORAD"}
WEEK = timedelta(weeks=1)
ONE = timedelta(hours=1)


@dataclass
class Mailbox:
    """A transport that keeps what it is given and answers as told."""

    answers: list[Outcome] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        self.senders.append(sender)
        outcome = self.answers.pop(0) if self.answers else Delivered("taken")
        if isinstance(outcome, Delivered):
            self.taken.append(message_from_bytes(message, policy=policy.default))
        return outcome

    def close(self) -> None:
        pass


@dataclass
class Service:
    """An installation whose time is told."""

    app: App
    mailbox: Mailbox
    source_id: int

    def tick(self, moment: datetime, *names: str) -> None:
        """Fire the named ticks, or all but polling with matching first, as of a moment."""
        app = replace(self.app, clock=lambda: moment)
        by_name = {tick.name: tick for tick in TICKS}
        for name in names or ("recover_lost_work", "start_due_digests", "deliver_digests", "prune"):
            drain(app, run_tick(app, by_name[name], moment))

    def send_with(self, send: Callable[..., Outcome]) -> None:
        """Let a function take the mails, over one connection."""
        self.mailbox.send = send  # type: ignore[method-assign]
        one = self.app.settings.model_copy(update={"smtp_connections": 1})
        self.app = replace(self.app, settings=one)

    def publish(self, moment: datetime, *titles: str) -> None:
        """Let the source have these items at a moment."""
        entries = [
            Entry(title, f"https://news.example/{title}", title, content_hash=content_hash(title)) for title in titles
        ]
        with self.app.database.write() as session:
            items.insert_entries(session, self.source_id, "en", entries, moment)

    def subscribe(self, moment: datetime, address: str = "reader@example.org", language: Language = Language.EN) -> int:
        """Add a reader of everything, on Mondays at seven, UTC."""
        with self.app.database.write() as session:
            return subscribe_confirmed(
                session,
                address,
                topics=[],
                language=language,
                schedule=Schedule(weekday=0, hour=7, zone="UTC"),
                consent={},
                actor="test",
                now=moment,
            )

    def digests(self) -> list[DigestRow]:
        with self.app.database.read() as session:
            return list(session.exec(select(DigestRow).order_by(col(DigestRow.id))))


@pytest.fixture
def monday() -> datetime:
    """A Monday at seven, UTC: the boundary of the readers' weeks."""
    return datetime.fromisoformat("2026-11-23T07:00:00+00:00")


@pytest.fixture
def service(database: Database, settings: Settings, monday: datetime) -> Service:
    mailbox = Mailbox()
    topic = Topic("norad", "security", NAMES, (Watch("norad", "any", Language.ANY, "NORAD"),), threshold=0.0)
    spec = SourceSpec("news", "https://news.example/feed", "Agency", "CA", Language.EN)
    files = Config((Pillar("security", NAMES),), (topic,), (spec,))
    with database.write() as session:
        config.apply(session, config.plan(session, files), actor="test", now=monday)
        (row,) = sources.list_sources(session)
        source_id = row.id or 0

    def no_fetcher() -> Any:
        raise AssertionError("these tests do not poll")

    app = App(settings, "key", database, lambda: mailbox, no_fetcher)
    return Service(app, mailbox, source_id)


def titles(mail: EmailMessage) -> set[str]:
    body = mail.get_body(("plain",))
    text = body.get_content() if body else ""
    return {word for word in ("Alpha", "Beta", "Gamma", "Delta") if word in text}


def test_a_week_becomes_one_digest_with_what_was_first_seen_in_it(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - WEEK + ONE, "NORAD Alpha")
    service.publish(monday - ONE, "NORAD Beta")
    service.tick(monday - ONE)
    assert service.mailbox.taken == []
    service.publish(monday, "NORAD Gamma")
    service.tick(monday)
    (mail,) = service.mailbox.taken
    assert titles(mail) == {"Alpha", "Beta"}
    service.tick(monday + WEEK)
    assert [titles(mail) for mail in service.mailbox.taken] == [{"Alpha", "Beta"}, {"Gamma"}]
    assert [digest.state for digest in service.digests()] == ["sent", "sent"]


def test_three_weeks_of_downtime_become_one_catch_up_mail(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    for week in range(3):
        service.publish(monday + week * WEEK, f"NORAD {['Alpha', 'Beta', 'Gamma'][week]}")
    service.tick(monday + 3 * WEEK + 5 * ONE)
    (mail,) = service.mailbox.taken
    assert titles(mail) == {"Alpha", "Beta", "Gamma"}


def test_an_item_that_straddles_the_end_of_the_window_comes_next_week(service: Service, monday: datetime) -> None:
    """Its poll began before the boundary and committed after the digest was built."""
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    service.publish(monday - timedelta(seconds=5), "NORAD Beta")
    service.tick(monday + WEEK)
    assert [titles(mail) for mail in service.mailbox.taken] == [{"Alpha"}, {"Beta"}]


def test_nothing_new_means_no_mail(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "A park Alpha is opened")
    service.tick(monday)
    assert service.mailbox.taken == []
    assert [digest.state for digest in service.digests()] == ["empty"]


def test_mentions_in_passing_alone_mean_no_mail(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday - ONE, "recover_lost_work")
    with service.app.database.write() as session:
        session.connection().execute(update(MatchRow).values(worthy=False))
    service.tick(monday, "start_due_digests", "deliver_digests")
    assert service.mailbox.taken == []


def judge(service: Service, word: str, moment: datetime) -> None:
    """Let a reviewer say this of all matches."""
    with service.app.database.write() as session:
        for match_id in session.exec(select(MatchRow.id)).all():
            give_verdict(session, [match_id or 0], word, reviewer="r", now=moment)


def test_noise_is_in_no_digest(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday - ONE, "recover_lost_work")
    judge(service, "noise", monday - ONE)
    service.tick(monday)
    assert service.mailbox.taken == []


def test_what_is_held_comes_when_a_reviewer_has_passed_it(service: Service, monday: datetime) -> None:
    """However late that is: nothing is lost; and nothing comes that nobody has looked at."""
    settings = service.app.settings.model_copy(update={"hold_for_review": True})
    service.app = replace(service.app, settings=settings)
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    judge(service, "noise", monday + ONE)
    judge(service, "relevant", monday + 2 * WEEK + ONE)
    service.publish(monday + 2 * WEEK, "NORAD Beta")
    for week in range(1, 5):
        service.tick(monday + week * WEEK)
    assert [titles(mail) for mail in service.mailbox.taken] == [{"Alpha"}]


def told(mail: EmailMessage) -> str:
    """The plain text of a mail on one line."""
    body = mail.get_body(("plain",))
    return " ".join(body.get_content().split()) if body else ""


def test_what_was_sent_and_has_changed_or_was_withdrawn_is_told_to_those_who_had_it(
    service: Service, monday: datetime
) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha", "NORAD Beta", "NORAD Delta")
    service.tick(monday)
    service.subscribe(monday + ONE, "late@example.org")
    with service.app.database.write() as session:
        ids = {row.title: row.id or 0 for row in session.exec(select(ItemRow))}
        corrected = Entry("a", "https://news.example/a", "NORAD Alpha, corrected", content_hash="new")
        items.revise_items(session, {ids["NORAD Alpha"]: corrected}, monday + ONE)
        items.withdraw_item(session, ids["NORAD Beta"], monday + timedelta(days=1))
    service.publish(monday + ONE, "NORAD Gamma")
    service.tick(monday + WEEK)
    mails = {str(mail["To"]): told(mail) for mail in service.mailbox.taken[1:]}
    assert len(mails) == 2
    _, heading, changed = mails["reader@example.org"].partition("CHANGED OR WITHDRAWN SINCE YOUR LAST DIGEST")
    assert heading
    assert "Changed on 23 November: NORAD Alpha, corrected (Agency)" in changed
    assert "Withdrawn on 24 November: NORAD Beta (Agency)" in changed
    assert "Delta" not in changed
    assert "CHANGED OR WITHDRAWN" not in mails["late@example.org"]
    service.publish(monday + WEEK + ONE, "NORAD Epsilon")
    service.tick(monday + 2 * WEEK)
    assert all("CHANGED OR WITHDRAWN" not in told(mail) for mail in service.mailbox.taken[3:]), "it is told once"


def publish_twins(service: Service, monday: datetime, *, french: datetime | None) -> None:
    """A statement in English that names its French twin, itself published at a moment or never; and a cross-post."""
    with service.app.database.write() as session:
        spec = SourceSpec("other", "https://other.example/feed", "Other Agency", "US", Language.EN)
        other = sources.store_new_source(session, spec, actor="test", now=monday)
        english = Entry("en", "https://news.example/en/1", "NORAD statement by ministers", content_hash="en")
        copy = Entry("copy", "https://other.example/copy", "NORAD statement by both ministers", content_hash="copy")
        items.insert_entries(session, service.source_id, "en", [english], monday - 2 * ONE)
        items.insert_entries(session, other, "en", [copy], monday - ONE)
        if french:
            entry = Entry("fr", "https://news.example/fr/1", "Déclaration sur NORAD", content_hash="fr")
            items.insert_entries(session, service.source_id, "fr", [entry], french)
        links: dict[str, dict[str, object]] = {
            "en": {"twins": {"fr": "https://news.example/fr/1"}},
            "copy": {"canonical_url": "https://news.example/en/1"},
        }
        for key, values in links.items():
            session.connection().execute(update(ItemRow).where(col(ItemRow.key) == key).values(values))


@pytest.mark.parametrize("twin_is_stored", [True, False])
def test_a_story_is_told_once_in_the_readers_language_with_who_else_tells_it(
    service: Service, monday: datetime, *, twin_is_stored: bool
) -> None:
    for language in (Language.EN, Language.FR):
        service.subscribe(monday - ONE, f"{language}@example.org", language)
    publish_twins(service, monday, french=monday - ONE if twin_is_stored else None)
    service.tick(monday)
    mails = {str(mail["To"]): told(mail) for mail in service.mailbox.taken}
    english, french = mails["en@example.org"], mails["fr@example.org"].replace("\u00a0", " ")
    assert "NORAD statement by ministers Agency" in english
    assert "Also from: Other Agency: https://other.example/copy" in english
    assert "Aussi publié par : Other Agency : https://other.example/copy" in french
    for mail in (english, french):
        assert mail.count("https://other.example/copy") == 1
        assert "both ministers" not in mail
    assert "Déclaration" not in english
    if twin_is_stored:
        assert "Déclaration sur NORAD Agency" in french
        assert "statement" not in french
    else:
        assert "en anglais" in french
        assert "En français : NORAD statement by ministers https://news.example/fr/1" in french


def test_a_twin_that_comes_a_week_later_is_not_told_again(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE, "reader@example.org", Language.FR)
    publish_twins(service, monday, french=None)
    service.tick(monday)
    entry = Entry("fr", "https://news.example/fr/1", "Déclaration sur NORAD", content_hash="fr")
    with service.app.database.write() as session:
        items.insert_entries(session, service.source_id, "fr", [entry], monday + ONE)
    service.tick(monday + ONE)
    service.tick(monday + WEEK)
    assert len(service.mailbox.taken) == 1


def test_a_topic_without_news_for_90_days_is_named(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    with service.app.database.write() as session:
        names = {"en": "Salmon", "fr": "Saumon", "es": "Salmón"}
        session.add(
            TopicRow(id="salmon", pillar_id="security", position=2, names=names, threshold=0.5, needs_neighbours=False)
        )
        session.flush()
        session.add(SubscriptionRow(subscriber_id=1, topic_id="salmon"))
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    service.publish(monday + 12 * WEEK + ONE, "NORAD Beta")
    service.tick(monday + 13 * WEEK)
    bodies = [mail.get_body(("plain",)) for mail in service.mailbox.taken]
    told = [body.get_content() for body in bodies if body]
    assert ["No news for 90 days: Salmon." in text for text in told] == [False, True]


def test_a_digest_waits_for_matching(service: Service, monday: datetime) -> None:
    service.subscribe(monday - 2 * ONE)
    service.publish(monday - timedelta(minutes=1), "NORAD Alpha")
    service.tick(monday, "start_due_digests")
    assert service.digests() == [], "the first tick matches"
    service.tick(monday + timedelta(minutes=1), "start_due_digests")
    assert [titles(mail) for mail in service.mailbox.taken] == [{"Alpha"}]


def test_the_same_tick_twice_changes_nothing(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    for _ in range(3):
        service.tick(monday)
    service.tick(monday + timedelta(minutes=5))
    assert len(service.mailbox.taken) == 1


def test_a_deferred_digest_is_tried_again_with_the_same_message_id(service: Service, monday: datetime) -> None:
    service.mailbox.answers = [Deferred("451 greylisted"), Deferred("451 greylisted")]
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    (digest,) = service.digests()
    assert (digest.state, digest.attempts, digest.last_error) == ("built", 1, "451 greylisted")
    for minutes in range(1, 30):
        service.tick(monday + timedelta(minutes=minutes), "deliver_digests")
    (digest,) = service.digests()
    (mail,) = service.mailbox.taken
    assert (digest.state, digest.attempts) == ("sent", 3)
    assert mail["Message-ID"] == digest.message_id


def test_a_digest_deferred_for_three_days_is_given_up(service: Service, monday: datetime) -> None:
    service.mailbox.answers = [Deferred("421 busy")] * 100
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    for hours in range(0, 81, 8):
        service.tick(monday + timedelta(hours=hours), "start_due_digests", "deliver_digests", "recover_lost_work")
    (digest,) = service.digests()
    assert digest.state == "failed"
    assert "421 busy" in digest.last_error


def test_a_refused_digest_fails_and_the_others_go_on(service: Service, monday: datetime) -> None:
    service.mailbox.answers = [Refused("550 no such user", bounced=True)]
    service.subscribe(monday - ONE, "gone@example.org")
    service.subscribe(monday - ONE, "here@example.org")
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    assert sorted(digest.state for digest in service.digests()) == ["failed", "sent"]


def test_a_refused_address_is_counted_and_gets_no_more(service: Service, monday: datetime) -> None:
    service.mailbox.answers = [Refused("550 5.1.1 no such user", bounced=True)]
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    service.publish(monday + ONE, "NORAD Beta")
    service.tick(monday + WEEK)
    with service.app.database.read() as session:
        (bounce,) = session.exec(select(BounceRow)).all()
        (reader,) = session.exec(select(SubscriberRow)).all()
    assert (bounce.kind, reader.state) == ("hard", "suppressed")
    assert service.mailbox.taken == []


def report_of(digest: DigestRow, app: App, status: str = "5.1.1", key: str = "key") -> bytes:
    """A delivery report as mail servers write it."""
    path = return_path(reference_of(DigestRow, digest.id or 0), app.settings.bounce_address, key)
    return (
        f"To: {path}\nFrom: MAILER-DAEMON@mx.example.org\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
        f"--B\nContent-Type: message/delivery-status\n\nAction: failed\nStatus: {status}\n\n--B--\n"
    ).encode()


def test_mail_that_comes_back_ends_a_subscription_and_a_forged_one_does_not(service: Service, monday: datetime) -> None:
    settings = service.app.settings.model_copy(update={"bounce_address": "bounces@example.org"})
    service.app = app = replace(service.app, settings=settings, clock=lambda: monday + ONE)
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    (digest,) = service.digests()
    assert service.mailbox.senders == [return_path(f"d{digest.id}", "bounces@example.org", "key")]
    assert isinstance(take_back(app, report_of(digest, app, key="somebody else's")), Ignored)
    assert isinstance(take_back(app, b"To: bounces@example.org\n\nI am away until Monday."), Ignored)
    for _ in range(3):
        take_back(app, report_of(digest, app, "4.2.2"))
    with app.database.read() as session:
        assert session.exec(select(SubscriberRow.state)).one() == "active"
        assert session.exec(select(BounceRow.kind)).all() == ["soft"], "a report that is read twice counts once"
    assert isinstance(take_back(app, report_of(digest, app)), Bounced)
    with app.database.read() as session:
        assert session.exec(select(SubscriberRow.state)).one() == "suppressed"
        assert session.exec(select(DigestRow.state)).one() == "bounced"


def test_a_paused_service_sends_nothing_and_loses_nothing(service: Service, monday: datetime) -> None:
    """Four days of pause do not count as days of trouble either."""
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    with service.app.database.write() as session:
        assert pause_sending(session, actor="test", now=monday)
    for day in range(4):
        service.tick(monday + timedelta(days=day))
    assert service.mailbox.taken == []
    assert [digest.state for digest in service.digests()] == ["built"]
    with service.app.database.write() as session:
        assert resume_sending(session, actor="test", now=monday)
    service.mailbox.answers = [Deferred("451 later")]
    service.tick(monday + timedelta(days=4))
    service.tick(monday + timedelta(days=4, hours=1))
    assert [titles(mail) for mail in service.mailbox.taken] == [{"Alpha"}]


def test_the_public_is_not_mailed_without_an_identity(service: Service, monday: datetime) -> None:
    settings = service.app.settings.model_copy(update={"smtp_host": "mail.example.org"})
    service.app = replace(service.app, settings=settings)
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    assert service.mailbox.taken == []
    assert "contact, postal_address" in str(obstacle(service.app))
    complete = settings.model_copy(update={"contact": "x@example.org", "postal_address": "1 Example Street"})
    service.app = replace(service.app, settings=complete)
    service.tick(monday + ONE)
    assert len(service.mailbox.taken) == 1


def test_a_mail_that_cannot_be_written_holds_up_no_other(
    service: Service, monday: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = service.subscribe(monday - ONE, "broken@example.org")
    service.subscribe(monday - ONE, "here@example.org")
    service.publish(monday - ONE, "NORAD Alpha")

    def render(content: Any) -> Any:
        if content.unsubscribe_url == broken_url:
            raise RuntimeError("a bug")
        return render_digest(content)

    with service.app.database.read() as session:
        broken_url = service.app.doors.unsubscribe(load_subscriber(session, broken))
    monkeypatch.setattr("monitor.mails.render_digest", render)
    for hours in range(0, 81, 8):
        service.tick(monday + timedelta(hours=hours))
    assert [mail["To"] for mail in service.mailbox.taken] == ["here@example.org"]
    assert sorted((digest.state, "a bug" in digest.last_error) for digest in service.digests()) == [
        ("failed", True),
        ("sent", False),
    ]


def test_mails_to_one_domain_take_turns_and_the_others_do_not_wait(service: Service, monday: datetime) -> None:
    service.app = replace(service.app, pace=Pace(per_domain=1 / 60))
    for name in ("a@slow.example", "b@slow.example", "c@quick.example"):
        service.subscribe(monday - ONE, name)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    waiting = [digest for digest in service.digests() if digest.state == "built"]
    assert len(service.mailbox.taken) == 2
    assert "c@quick.example" in [mail["To"] for mail in service.mailbox.taken]
    assert [(digest.attempts, digest.next_attempt_at > monday) for digest in waiting] == [(0, True)]


def test_a_stop_gives_back_what_was_claimed(service: Service, monday: datetime) -> None:
    for number in range(5):
        service.subscribe(monday - ONE, f"reader{number}@example.org")
    service.publish(monday - ONE, "NORAD Alpha")
    send = service.mailbox.send

    def stop(message: bytes, **to: str) -> Outcome:
        service.app.stopping.set()
        return send(message, **to)

    service.send_with(stop)
    service.tick(monday)
    states = Counter((digest.state, digest.attempts) for digest in service.digests())
    assert set(states) == {("built", 0), ("sent", 1)}
    assert states["sent", 1] <= 2, "what was in hand, and what was composed meanwhile"
    service.app.stopping.clear()
    service.send_with(send)
    service.tick(monday + timedelta(seconds=1), "deliver_digests")
    assert len({mail["To"] for mail in service.mailbox.taken}) == len(service.mailbox.taken) == 5


def test_who_unsubscribes_after_the_building_gets_nothing(service: Service, monday: datetime) -> None:
    service.mailbox.answers = [Deferred("451 later")]
    subscriber_id = service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.tick(monday)
    with service.app.database.write() as session:
        unsubscribe(session, subscriber_id, now=monday + ONE)
    service.tick(monday + ONE)
    assert service.mailbox.taken == []
    [digest] = service.digests()
    assert (digest.state, digest.last_error) == ("cancelled", "the subscriber is unsubscribed")
    assert say(digest.last_error, Language.FR) == "l’abonné est désabonné", "a page says it in its reader's language"


def test_who_unsubscribes_while_others_are_mailed_gets_nothing(
    service: Service, monday: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "FRESH", 0.0)
    ids = [service.subscribe(monday - ONE, f"reader{number}@example.org") for number in range(6)]
    service.publish(monday - ONE, "NORAD Alpha")
    send = service.mailbox.send

    def leave(message: bytes, **to: str) -> Outcome:
        with service.app.database.write() as session:
            for subscriber_id in ids:
                unsubscribe(session, subscriber_id, now=monday)
        return send(message, **to)

    service.send_with(leave)
    service.tick(monday)
    states = Counter((digest.state, digest.attempts) for digest in service.digests())
    assert set(states) == {("sent", 1), ("cancelled", 1)}
    assert states["sent", 1] == len(service.mailbox.taken) <= 3, "what was in hand, and what was composed meanwhile"


def test_a_worker_that_died_in_mid_sending_is_replaced_when_its_lease_ends(service: Service, monday: datetime) -> None:
    service.subscribe(monday - ONE)
    service.publish(monday - ONE, "NORAD Alpha")
    service.mailbox.answers = [Deferred("x")]
    service.tick(monday)
    with service.app.database.write() as session:
        held = update(DigestRow).values(state="sending", next_attempt_at=monday + timedelta(minutes=10))
        session.connection().execute(held)
    service.tick(monday + timedelta(minutes=9))
    assert service.mailbox.taken == []
    service.tick(monday + timedelta(minutes=11))
    assert len(service.mailbox.taken) == 1


def test_a_changed_watchlist_matches_recent_items_again(service: Service, monday: datetime) -> None:
    service.publish(monday, "A park Alpha is opened")
    service.tick(monday, "recover_lost_work")
    watch = Watch("norad", "parks", Language.EN, "park")
    with service.app.database.write() as session:
        from monitor.store.watchlist import save_watch

        save_watch(session, watch, position=1, actor="test", now=monday + ONE)
    service.tick(monday + ONE, "recover_lost_work")
    with service.app.database.read() as session:
        assert len(session.exec(select(MatchRow)).all()) == 1
        assert session.exec(select(ItemRow.matched_revision)).all() == [1]


def test_old_history_is_pruned(service: Service, monday: datetime) -> None:
    service.tick(monday, "prune")
    service.tick(monday + timedelta(days=30), "prune")
    with service.app.database.read() as session:
        from monitor.store.tables import SlotRow

        assert [slot.scheduled_at for slot in session.exec(select(SlotRow))] == [monday + timedelta(days=30)]
