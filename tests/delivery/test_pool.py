"""Many mails over several connections, several servers, and no faster than is wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.outcome import Deferred, Delivered, Outcome, Refused
from monitor.delivery.pool import Mail, Pace, send_all
from monitor.delivery.relays import Relays


class Fake:
    """A transport that answers as it is told and remembers who asked."""

    def __init__(self, *outcomes: Outcome, delay: float = 0) -> None:
        self.outcomes = list(outcomes)
        self.delay = delay
        self.recipients: list[str] = []
        self.threads: set[int] = set()
        self.closed = 0

    def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
        time.sleep(self.delay)
        self.recipients.append(recipient)
        self.threads.add(threading.get_ident())
        return self.outcomes.pop(0) if self.outcomes else Delivered()

    def close(self) -> None:
        self.closed += 1


def mails(number: int) -> Iterator[Mail]:
    return (Mail(key, b"", "a@b.org", f"reader{key}@example.ca") for key in range(number))


@pytest.mark.parametrize(("number", "sessions"), [(0, 3), (1, 3), (100, 1), (100, 7)])
def test_each_mail_goes_once_and_its_outcome_comes_back(number: int, sessions: int) -> None:
    made: list[Fake] = []

    def make() -> Fake:
        made.append(Fake(delay=0.001))
        return made[-1]

    ended = [ended for batch in send_all(mails(number), make, sessions=sessions) for ended in batch]
    assert sorted(mail.key for mail, _ in ended) == list(range(number))
    assert all(outcome == Delivered() for _, outcome in ended)
    assert sorted(name for fake in made for name in fake.recipients) == sorted(m.recipient for m in mails(number))
    assert len(made) <= sessions
    assert all(fake.closed == 1 and len(fake.threads) <= 1 for fake in made), "a connection is of one thread"


def test_mails_are_drawn_as_connections_become_free() -> None:
    """Whoever stops drawing leaves the rest in their rows."""
    drawn = 0

    def counted() -> Iterator[Mail]:
        nonlocal drawn
        for mail in mails(1000):
            drawn += 1
            yield mail

    sending = send_all(counted(), Fake, sessions=3)
    next(sending)
    assert drawn <= 6
    sending.close()
    assert drawn <= 6


def test_a_connection_gets_no_mail_before_its_last_outcome_was_taken() -> None:
    """Whoever is killed between two lists of outcomes has sent one unrecorded mail a connection at the most."""
    made: list[Fake] = []

    def make() -> Fake:
        made.append(Fake())
        return made[-1]

    recorded = 0
    for ended in send_all(mails(50), make, sessions=4):
        time.sleep(0.002)
        assert sum(len(fake.recipients) for fake in made) <= recorded + 4
        recorded += len(ended)
    assert recorded == 50


def test_outcomes_do_not_wait_for_the_turn_of_the_next_mail() -> None:
    start = time.monotonic()
    paced = (replace(mail, not_before=start + 4 * mail.key) for mail in mails(2))
    first, second = [time.monotonic() - start for _ in send_all(paced, Fake, sessions=3)]
    assert first < 4 <= second


def test_a_mail_whose_turn_has_come_does_not_wait_for_the_turn_of_the_next() -> None:
    start = time.monotonic()
    turns = (0, 0, 0, 4)  # the third is ready while both connections are busy
    paced = (replace(mail, not_before=start + turn) for mail, turn in zip(mails(4), turns, strict=True))
    batches = send_all(paced, lambda: Fake(delay=0.1), sessions=2)
    came = {mail.key: time.monotonic() - start for batch in batches for mail, _ in batch}
    assert came[2] < 4 <= came[3]


def test_an_error_in_a_transport_comes_out_in_place_of_the_outcome() -> None:
    class Broken(Fake):
        def send(self, message: bytes, *, sender: str, recipient: str) -> Outcome:
            if recipient == "reader2@example.ca":
                raise RuntimeError("a bug")
            return super().send(message, sender=sender, recipient=recipient)

    ended = {mail.key: outcome for batch in send_all(mails(5), Broken, sessions=2) for mail, outcome in batch}
    assert isinstance(ended.pop(2), RuntimeError)
    assert set(ended.values()) == {Delivered()}


@given(
    st.lists(st.tuples(st.sampled_from(["a@x.org", "b@X.org", "c@y.org"]), st.floats(0, 2)), max_size=60),
    st.sampled_from([0, 1, 5]),
    st.sampled_from([0, 0.5, 2]),
)
def test_a_pace_is_kept(asks: list[tuple[str, float]], per_second: float, per_domain: float) -> None:
    """No two places closer than the pace, in all and for a domain; nobody waits without need."""
    pace, now = Pace(per_second, per_domain), 0.0
    places: list[tuple[str, float]] = []
    for recipient, later in asks:
        now += later
        place = now + pace.reserve(recipient, now)
        domain = recipient.rpartition("@")[2].lower()
        earlier = [at for _, at in places], [at for name, at in places if name == domain]
        gaps = [1 / rate if rate else 0 for rate in (per_second, per_domain)]
        free = max([now, *(max(times) + gap for times, gap in zip(earlier, gaps, strict=True) if times)])
        assert place == pytest.approx(free)
        places.append((domain, place))


def test_a_place_beyond_patience_is_told_and_not_taken() -> None:
    pace = Pace(per_second=1)
    assert [pace.reserve("a@x.org", 0, patience=1) for _ in range(4)] == [0, 1, 2, 2]
    assert pace.reserve("a@x.org", 2, patience=1) == 0


AWAY = Deferred("no route", unreachable=True)


@pytest.mark.parametrize(
    ("first", "outcome", "second_asked"),
    [
        (Delivered(), Delivered(), 0),
        (AWAY, Delivered(), 1),
        (Deferred("450 later"), Deferred("450 later"), 0),
        (Deferred("lost the line"), Deferred("lost the line"), 0),
        (Refused("550 no", bounced=True), Refused("550 no", bounced=True), 0),
    ],
)
def test_only_a_server_that_cannot_be_reached_is_passed_over(
    first: Outcome, outcome: Outcome, second_asked: int
) -> None:
    one, two = Fake(first), Fake()
    assert Relays([one, two]).send(b"", sender="a@b.org", recipient="c@d.org") == outcome
    assert len(two.recipients) == second_asked


def test_the_server_that_answered_is_asked_first_from_then_on() -> None:
    one, two = Fake(AWAY), Fake()
    relays = Relays([one, two])
    for _ in range(3):
        relays.send(b"", sender="a@b.org", recipient="c@d.org")
    assert (len(one.recipients), len(two.recipients)) == (1, 3)
    relays.close()
    assert one.closed == two.closed == 1


def test_all_servers_away_defers() -> None:
    outcome = Relays([Fake(AWAY), Fake(AWAY)]).send(b"", sender="a@b.org", recipient="c@d.org")
    assert outcome == Deferred("no route; no route", unreachable=True)


def test_there_must_be_a_server() -> None:
    with pytest.raises(ValueError, match="must be a server"):
        Relays([])
