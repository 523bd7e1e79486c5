"""Digests a second, from content to the mail server's 250, beside what a C program that only sends reaches.

The contenders send to Postfix's ``smtp-sink`` on loopback, in turns, round after round:

- ``smtp-source``, of Postfix: one message of the same size again and again, over as many sessions. The limit.
- ``monitor``: distinct digests of 30 stories, for subscribers who each follow 6 of the 24 topics, in three languages.
  Each is recorded with its ledger in SQLite (``synchronous=FULL``), rendered, made into a message, handed over, and its
  outcome recorded.
- ``plain``: what one would write first: each part of each mail rendered, ``EmailMessage``, one ``smtplib`` connection.

Usage: run.py [--digests 10000] [--rounds 3] [--sessions 10] [--postfix FOLDER]

``smtp-source`` and ``smtp-sink`` come with the package ``postfix``; FOLDER is where they lie, if not on the PATH.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import islice

import ledger

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.delivery.message import Envelope, build_message, message_id
from monitor.delivery.outcome import Delivered
from monitor.delivery.pool import Mail, send_all
from monitor.delivery.smtp import Smtp
from monitor.digests import render
from monitor.digests.content import DigestContent, PillarSection, Story, TopicSection
from monitor.digests.sample import sample_digest

END = datetime(2026, 11, 23, 13, tzinfo=UTC)
TOPICS, FOLLOWED, STORIES = 24, 6, 5
BATCH = 200
PLAIN_SHARE = 20  # the plain contender sends one in so many: it is that slow
SENDER = "digests@monitor.example.org"


@dataclass(frozen=True)
class Reader:
    """A subscriber of the benchmark; ``number`` is the id, ``topics`` are what they follow."""

    number: int
    language: Language
    topics: tuple[int, ...]

    @property
    def address(self) -> str:
        """Where the digests go."""
        return f"reader{self.number}@example.ca"

    @property
    def unsubscribe_url(self) -> str:
        """As long as a signed one."""
        return f"https://monitor.example.org/u/{self.number:040}"


def main() -> None:
    options = _options()
    contents = {language: _sections(language) for language in READER_LANGUAGES}
    chance = random.Random(1)
    readers = [
        Reader(number, chance.choice(READER_LANGUAGES), tuple(sorted(chance.sample(range(TOPICS), FOLLOWED))))
        for number in range(1, options.digests + 1)
    ]
    sizes = [len(_message(reader, contents)) for reader in readers[:100]]
    size = round(statistics.mean(sizes))
    print(f"{options.digests} digests of {FOLLOWED * STORIES} stories, {size:,} bytes, {options.sessions} sessions")
    few = readers[::PLAIN_SHARE]
    rates: dict[str, list[float]] = {"smtp-source": [], "monitor": [], "plain": []}
    costs: dict[str, list[float]] = {name: [] for name in rates}

    def measure(name: str, messages: int, run: Callable[[], None]) -> None:
        before = _cpu_seconds()
        rates[name].append(messages / _timed(run))
        costs[name].append(1000 * (_cpu_seconds() - before) / messages)

    for _ in range(options.rounds):
        with _sink(options) as port:
            measure("smtp-source", options.digests, lambda: _source(options, size, port))
            with ledger.opened(len(readers), TOPICS * STORIES) as book:
                measure("monitor", options.digests, lambda: _monitor(options, readers, contents, book, port))
            measure("plain", len(few), lambda: _plain(few, contents, port))
    limit = statistics.median(rates["smtp-source"])
    for name, measured in rates.items():
        middle = statistics.median(measured)
        spread = f"{min(measured):,.0f} to {max(measured):,.0f}"
        cost = f"{statistics.median(costs[name]):.2f} ms of processor a message"
        print(f"{name:12} {middle:8,.0f} messages/s ({spread})   {middle / limit:.2f} of smtp-source   {cost}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--digests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--postfix", default="")
    return parser.parse_args()


def _cpu_seconds() -> float:
    """What this process and the ones it waited for have spent; unlike the time, it is not changed by others' work."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


# --- what is sent --------------------------------------------------------------------------------------------


def _sections(language: Language) -> list[TopicSection]:
    """24 topics of five stories of ordinary length, all different."""
    model = sample_digest(language).topics[1].stories[0]
    return [
        TopicSection(f"t{topic}", f"A topic of the Roadmap, number {topic}", tuple(_stories(model, topic)))
        for topic in range(TOPICS)
    ]


def _stories(model: Story, topic: int) -> Iterator[Story]:
    for number in range(STORIES):
        name = f"{topic}-{number}"
        yield replace(model, headline=f"{model.headline}, part {name}", url=f"{model.url}/{name}")


_FRAMES = {language: sample_digest(language) for language in READER_LANGUAGES}


def _content(reader: Reader, contents: dict[Language, list[TopicSection]]) -> DigestContent:
    topics = tuple(contents[reader.language][topic] for topic in reader.topics)
    pillars = (PillarSection("Security and defence", topics[:3]), PillarSection("Global alliances", topics[3:]))
    return replace(
        _FRAMES[reader.language],
        window_start=END - timedelta(days=7),
        window_end=END,
        pillars=pillars,
        changed=(),
        manage_url=f"https://monitor.example.org/m/{reader.number:040}",
        unsubscribe_url=reader.unsubscribe_url,
        web_url=f"https://monitor.example.org/d/{reader.number:040}",
    )


def _message(reader: Reader, contents: dict[Language, list[TopicSection]]) -> bytes:
    letter = render.render_digest(_content(reader, contents))
    return build_message(letter, _envelope(reader))


def _envelope(reader: Reader) -> Envelope:
    return Envelope(
        sender_name="Roadmap Monitor",
        sender_address=SENDER,
        recipient=reader.address,
        message_id=message_id(reader.number, END, "monitor.example.org"),
        date=END,
        list_id="digests.monitor.example.org",
        unsubscribe_url=reader.unsubscribe_url,
        feedback_id="digest:roadmap-monitor",
    )


# --- the contenders ------------------------------------------------------------------------------------------


def _monitor(
    options: argparse.Namespace,
    readers: Sequence[Reader],
    contents: dict[Language, list[TopicSection]],
    book: ledger.Book,
    port: int,
) -> None:
    _forget_pieces()

    def mails() -> Iterator[Mail]:
        rest = iter(readers)
        while batch := list(islice(rest, BATCH)):
            book.claim([(reader.number, _matches(reader)) for reader in batch], END)
            for reader in batch:
                yield Mail(reader.number, _message(reader, contents), SENDER, reader.address)

    sent = 0
    for ended in send_all(mails(), lambda: _smtp(port), sessions=options.sessions):
        book.finish([mail.key for mail, outcome in ended if isinstance(outcome, Delivered)], END)
        sent += len(ended)
    book.check(sent, FOLLOWED * STORIES)


def _forget_pieces() -> None:
    for kept in (render._topic, render._shared, render._coverage):
        kept.cache_clear()


def _matches(reader: Reader) -> list[int]:
    return [topic * STORIES + number + 1 for topic in reader.topics for number in range(STORIES)]


def _smtp(port: int) -> Smtp:
    return Smtp("127.0.0.1", port, security="none")


def _plain(readers: Sequence[Reader], contents: dict[Language, list[TopicSection]], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for reader in readers:
            _forget_pieces()
            letter = render.render_digest(_content(reader, contents))
            message = EmailMessage()
            message["From"], message["To"] = SENDER, reader.address
            message["Subject"] = letter.subject
            message["Message-ID"] = message_id(reader.number, END, "monitor.example.org")
            message.set_content(letter.text)
            message.add_alternative(letter.html, subtype="html")
            server.send_message(message)


def _source(options: argparse.Namespace, size: int, port: int) -> None:
    arguments = ["-d", "-s", options.sessions, "-m", options.digests, "-l", size, "-f", SENDER, "-t", "r@example.ca"]
    command = [_tool(options, "smtp-source"), *map(str, arguments), f"127.0.0.1:{port}"]
    subprocess.run(command, check=True, env=_environment(options))


@contextmanager
def _sink(options: argparse.Namespace) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [_tool(options, "smtp-sink"), *user, f"127.0.0.1:{port}", "256"]
    sink = subprocess.Popen(command, env=_environment(options))
    try:
        _wait_for(port)
        yield port
    finally:
        sink.terminate()
        sink.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("smtp-sink did not start")


def _tool(options: argparse.Namespace, name: str) -> str:
    found = shutil.which(name, path=f"{options.postfix}/usr/sbin:{options.postfix}:/usr/sbin:{os.environ['PATH']}")
    return found or sys.exit(f"{name} is missing: install the package postfix, or name its folder with --postfix")


def _environment(options: argparse.Namespace) -> dict[str, str]:
    """A package that was only unpacked has its libraries beside it."""
    return dict(os.environ) | {"LD_LIBRARY_PATH": f"{options.postfix}/usr/lib/postfix"}


if __name__ == "__main__":
    main()
