"""Digests a second, from the rows to the mail server's 250, beside what a C program that only sends reaches.

The contenders send to Postfix's ``smtp-sink`` on loopback, in turns, round after round:

- ``smtp-source``, of Postfix: one message of the same size again and again, over as many sessions. The limit.
- ``monitor``: the service's own tasks, over its database (SQLite, ``synchronous=FULL``). Subscribers each follow 6 of
  24 topics, in three languages. For each, a digest of 30 stories is selected, written into the ledger, claimed,
  rendered, made into a message, handed over, and its outcome recorded before its connection gets another.
- ``plain``: what one would write first: each part of each mail rendered, ``EmailMessage``, one ``smtplib`` connection.
  It reads and records nothing.

Usage: run.py [--digests 10000] [--rounds 3] [--sessions 10] [--postfix FOLDER]

``smtp-source`` and ``smtp-sink`` come with the package ``postfix``; FOLDER is where they lie, if not on the PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import installation
from targets import Target, tell_targets

from monitor.delivery.message import Envelope, build_message
from monitor.digests import render
from monitor.digests.content import DigestContent

PLAIN_SHARE = 20  # the plain contender sends one in so many: it is that slow
SAMPLE = 500
SENDER = "digests@monitor.example.org"
READER = "reader@example.ca"


def main() -> None:
    options = _options()
    with installation.opened(min(SAMPLE, options.digests)) as sample:
        contents = sample.contents()
    size = round(statistics.mean(len(_message(content)) for content in contents[:100]))
    stories = installation.FOLLOWED * installation.STORIES
    print(f"{options.digests} digests of {stories} stories, {size:,} bytes, {options.sessions} sessions")
    few = [contents[number % len(contents)] for number in range(options.digests // PLAIN_SHARE)]
    rates: dict[str, list[float]] = {"smtp-source": [], "monitor": [], "plain": []}
    costs: dict[str, list[float]] = {name: [] for name in rates}

    def measure(name: str, messages: int, run: Callable[[], None]) -> None:
        before = _cpu_seconds()
        rates[name].append(messages / _timed(run))
        costs[name].append(1000 * (_cpu_seconds() - before) / messages)

    for _ in range(options.rounds):
        with _sink(options) as port:
            measure("smtp-source", options.digests, lambda: _source(options, size, port))
            with installation.opened(options.digests, port, options.sessions) as service:
                _forget_pieces()
                measure("monitor", options.digests, service.deliver)
                service.check()
            measure("plain", len(few), lambda: _plain(few, port))
    limit = statistics.median(rates["smtp-source"])
    for name, measured in rates.items():
        middle = statistics.median(measured)
        spread = f"{min(measured):,.0f} to {max(measured):,.0f}"
        cost = f"{statistics.median(costs[name]):.2f} ms of processor a message"
        print(f"{name:12} {middle:8,.0f} messages/s ({spread})   {middle / limit:.2f} of smtp-source   {cost}")
    ours, plain = (statistics.median(rates[name]) for name in ("monitor", "plain"))
    tell_targets(
        [
            Target(f"messages a second, {options.sessions} sessions: of smtp-source", ours / limit, 0.45),
            Target("messages a second: times plain", ours / plain, 10),
        ]
    )


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


def _message(content: DigestContent) -> bytes:
    envelope = Envelope(
        sender_name="Roadmap Monitor",
        sender_address=SENDER,
        recipient=READER,
        message_id=make_msgid(domain="monitor.example.org"),
        date=installation.END,
        list_id="digests.monitor.example.org",
        unsubscribe_url=content.unsubscribe_url,
        feedback_id="digest:monitor.example.org",
    )
    return build_message(render.render_digest(content), envelope)


# --- the contenders ------------------------------------------------------------------------------------------


def _forget_pieces() -> None:
    for kept in (render._topic, render._shared, render._coverage):
        kept.cache_clear()


def _plain(contents: Sequence[DigestContent], port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port) as server:
        for content in contents:
            _forget_pieces()
            letter = render.render_digest(content)
            message = EmailMessage()
            message["From"], message["To"] = SENDER, READER
            message["Subject"] = letter.subject
            message["Message-ID"] = make_msgid(domain="monitor.example.org")
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
