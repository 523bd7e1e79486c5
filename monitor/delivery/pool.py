"""Many mails over several connections at a time, no faster than is wanted."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread

from monitor import metrics
from monitor.delivery.outcome import Outcome
from monitor.delivery.transport import Transport


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in hand.

    Attributes:
        key: Whatever its owner knows it by.
        message: The message.
        sender: The envelope sender.
        recipient: Who gets it.
        not_before: When its turn is, in seconds of ``time.monotonic``.
    """

    key: int
    message: bytes
    sender: str
    recipient: str
    not_before: float = 0.0


_TOGETHER = 0.02
"""Seconds that an outcome waits for others to be written down with it, while there are connections to be filled."""

Ended = tuple[Mail, Outcome | Exception]


class Pace:
    """At most so many mails a second, in all and to one domain; 0 is no limit. Several threads may ask.

    Args:
        per_second: Mails a second in all.
        per_domain: Mails a second to the addresses of one domain.
    """

    def __init__(self, per_second: float = 0, per_domain: float = 0) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._domain_gap = 1 / per_domain if per_domain else 0.0
        self._next = 0.0
        self._next_of: defaultdict[str, float] = defaultdict(float)
        self._lock = Lock()

    @property
    def limited(self) -> bool:
        """Whether anybody may ever have to wait."""
        return bool(self._gap or self._domain_gap)

    def reserve(self, recipient: str, now: float, patience: float = math.inf) -> float:
        """Take the next place for a recipient; how many seconds away it is.

        Args:
            recipient: The address.
            now: Seconds on any clock that does not run backwards.
            patience: A place further away than this is told and not taken.
        """
        domain = recipient.rpartition("@")[2].lower()
        with self._lock:
            start = max(now, self._next, self._next_of[domain])
            if start - now <= patience:
                self._next = start + self._gap
                self._next_of[domain] = start + self._domain_gap
        return start - now


def send_all(
    mails: Iterable[Mail], make_transport: Callable[[], Transport], *, sessions: int
) -> Generator[list[Ended]]:
    """Send mails, each at its turn, over as many connections as ``sessions``; yield what has ended since the last time.

    Whoever records the outcomes does so in the thread that asks for them, a transaction a list. A connection gets no
    further mail before that: a stop at any time leaves at most one mail a connection sent but not recorded. What a
    transport raises stands in the place of the outcome.

    Args:
        mails: Drawn while the connections are busy, at most as many ahead as there are connections.
        make_transport: Makes a connection's transport; each is used by one thread and closed at the end.
        sessions: How many connections, 1 or more.
    """
    waiting: SimpleQueue[Mail | None] = SimpleQueue()
    ended: SimpleQueue[Ended] = SimpleQueue()
    transports = [make_transport() for _ in range(sessions)]
    threads = [Thread(target=_work, args=(waiting, ended, transport), daemon=True) for transport in transports]
    for thread in threads:
        thread.start()
    in_hand, recorded_at = 0, time.monotonic()
    ready: deque[Mail] = deque()
    try:
        for mail in mails:
            while (left := mail.not_before - time.monotonic()) > 0:
                if done := _drawn(ended, 0, left):
                    in_hand -= len(done)
                    yield done
                    in_hand += _hand_over(ready, waiting, sessions - in_hand)
            ready.append(mail)
            in_hand += _hand_over(ready, waiting, sessions - in_hand)
            if len(ready) < sessions and time.monotonic() - recorded_at < _TOGETHER:
                continue
            # Most connections are waited for: a transaction for each mail would cost more than sending it.
            if done := _drawn(ended, (3 * sessions + 3) // 4 if len(ready) >= sessions else 0):
                in_hand -= len(done)
                yield done
                in_hand += _hand_over(ready, waiting, sessions - in_hand)
            recorded_at = time.monotonic()
        while in_hand:
            done = _drawn(ended, 1)
            in_hand -= len(done)
            yield done
            in_hand += _hand_over(ready, waiting, sessions - in_hand)
    finally:
        for _ in threads:
            waiting.put(None)
        for thread in threads:
            thread.join()


def _hand_over(ready: deque[Mail], waiting: SimpleQueue[Mail | None], free: int) -> int:
    """Give as many mails to connections as are free; how many that were."""
    handed = min(free, len(ready))
    for _ in range(handed):
        waiting.put(ready.popleft())
    return handed


def _work(waiting: SimpleQueue[Mail | None], ended: SimpleQueue[Ended], transport: Transport) -> None:
    """One connection: send what waits until there is nothing more."""
    while mail := waiting.get():
        try:
            with metrics.SMTP_SECONDS.time():
                outcome = transport.send(mail.message, sender=mail.sender, recipient=mail.recipient)
            ended.put((mail, outcome))
        except Exception as error:  # noqa: BLE001 (handed to whoever draws the outcomes)
            ended.put((mail, error))
    transport.close()


def _drawn(ended: SimpleQueue[Ended], least: int, patience: float = 0.0) -> list[Ended]:
    """What has ended: wait until it is so many, and for the first of them otherwise for some seconds at most."""
    drawn = [ended.get() for _ in range(least)]
    with suppress(Empty):
        if not drawn and patience:
            drawn.append(ended.get(timeout=patience))
        while True:
            drawn.append(ended.get_nowait())
    return drawn
