"""Many mails over several connections at a time, no faster than is wanted."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread

from monitor.delivery.outcome import Outcome
from monitor.delivery.transport import Transport


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in hand; ``key`` is whatever its owner knows it by."""

    key: int
    message: bytes
    sender: str
    recipient: str


class Pace:
    """At most so many mails a second, in all and to one domain; 0 is no limit.

    Args:
        per_second: Mails a second in all.
        per_domain: Mails a second to the addresses of one domain.
    """

    def __init__(self, per_second: float = 0, per_domain: float = 0) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._domain_gap = 1 / per_domain if per_domain else 0.0
        self._next = 0.0
        self._next_of: defaultdict[str, float] = defaultdict(float)

    def reserve(self, recipient: str, now: float) -> float:
        """Take the next place for a recipient; how many seconds away it is.

        Args:
            recipient: The address.
            now: Seconds on any clock that does not run backwards.
        """
        domain = recipient.rpartition("@")[2].lower()
        start = max(now, self._next, self._next_of[domain])
        self._next = start + self._gap
        self._next_of[domain] = start + self._domain_gap
        return start - now


def send_all(
    mails: Iterable[Mail], make_transport: Callable[[], Transport], *, sessions: int, pace: Pace | None = None
) -> Generator[list[tuple[Mail, Outcome]]]:
    """Send mails over as many connections as ``sessions`` and yield what has ended since the last time.

    Whoever records the outcomes does so in the thread that asks for them, a transaction a list; meanwhile the
    connections go on. A stop in between leaves at most two mails a session sent but not recorded.

    Args:
        mails: Drawn one by one as connections become free; ends early when the iterable does.
        make_transport: Makes a connection's transport; each is used by one thread and closed at the end.
        sessions: How many connections, 1 or more.
        pace: How fast.
    """
    waiting: SimpleQueue[Mail | None] = SimpleQueue()
    ended: SimpleQueue[tuple[Mail, Outcome | Exception]] = SimpleQueue()
    threads = [Thread(target=_work, args=(waiting, ended, make_transport), daemon=True) for _ in range(sessions)]
    for thread in threads:
        thread.start()
    try:
        in_hand = 0
        for mail in mails:
            if pace:
                time.sleep(pace.reserve(mail.recipient, time.monotonic()))
            waiting.put(mail)
            in_hand += 1
            if in_hand == 2 * sessions:
                yield _drawn(ended, sessions)
                in_hand -= sessions
        yield _drawn(ended, in_hand)
    finally:
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()


def _work(
    waiting: SimpleQueue[Mail | None],
    ended: SimpleQueue[tuple[Mail, Outcome | Exception]],
    make_transport: Callable[[], Transport],
) -> None:
    """One connection: send what waits until there is nothing more."""
    transport = make_transport()
    while mail := waiting.get():
        try:
            outcome = transport.send(mail.message, sender=mail.sender, recipient=mail.recipient)
        except Exception as error:  # noqa: BLE001 (raised again in the thread that draws the outcomes)
            ended.put((mail, error))
        else:
            ended.put((mail, outcome))
    transport.close()


def _drawn(ended: SimpleQueue[tuple[Mail, Outcome | Exception]], number: int) -> list[tuple[Mail, Outcome]]:
    drawn = []
    for _ in range(number):
        mail, outcome = ended.get()
        if isinstance(outcome, Exception):
            raise outcome
        drawn.append((mail, outcome))
    return drawn
