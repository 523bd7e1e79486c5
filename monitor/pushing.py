"""Telling channels of news: each match is one signed request, or one message in a chat, tried again for three days."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from monitor import event_loop
from monitor.app import App
from monitor.delivery import chat
from monitor.delivery.outcome import Deferred, Outcome, Refused
from monitor.delivery.webhook import outcome_of, signed_headers, webhook_body
from monitor.errors import NotFound
from monitor.letters import one_line, web_address
from monitor.matching.excerpt import excerpt
from monitor.polling.fetch import Failed, FailureKind, Fetcher
from monitor.sending import after_attempt, obstacle, surprise
from monitor.store import outgoing
from monitor.store.channels import load_push
from monitor.store.matches import LoggedMatch, list_matches
from monitor.store.outgoing import Claimed
from monitor.store.tables import ChannelRow, PushRow

log = structlog.get_logger(__name__)

_LEASE = timedelta(minutes=10)
_AT_ONCE = 8


def send_pushes(app: App, ids: Sequence[int]) -> None:
    """Make one attempt at telling each channel what it is due to be told."""
    if reason := obstacle(app):
        log.warning("nothing is sent", kind="push", waiting=len(ids), reason=reason)
        return
    event_loop.run(_send(app, ids))


async def _send(app: App, ids: Sequence[int]) -> None:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(fetcher: Fetcher, push_id: int) -> None:
        async with places:
            if not app.stopping.is_set():
                await _send_one(app, fetcher, push_id)

    async with app.make_fetcher() as fetcher:
        await asyncio.gather(*(one(fetcher, push_id) for push_id in ids))


async def _send_one(app: App, fetcher: Fetcher, push_id: int) -> None:
    with app.database.write() as session:
        rows = outgoing.claim(session, PushRow, [push_id], app.clock(), lease=_LEASE)
    if not rows:
        return
    try:
        channel, match = _load(app, push_id)
    except NotFound:
        return  # the channel was removed a moment ago
    try:
        outcome = await _tell(app, fetcher, rows[0], channel, match)
    except Exception as error:  # a mistake of ours must not hold up the other channels
        log.exception("a channel could not be told", id=push_id, channel=channel.name)
        outcome = surprise(error)
    written = {"subject": match.document.title, **after_attempt(rows[0], outcome, app.clock())}
    with app.database.write() as session:
        outgoing.finish(session, PushRow, [{"mail_id": push_id, **written}])
    log.info("push", id=push_id, channel=channel.name, state=written["state"], attempts=rows[0].attempts)


def _load(app: App, push_id: int) -> tuple[ChannelRow, LoggedMatch]:
    with app.database.read() as session:
        push, channel = load_push(session, push_id)
        found = list_matches(session, ids=[push.match_id], limit=1)
        if not found:
            raise NotFound("this match does not exist any more")
        return channel, found[0]


async def _tell(app: App, fetcher: Fetcher, row: Claimed, channel: ChannelRow, match: LoggedMatch) -> Outcome:
    if chat.is_chat(channel.url):
        return await asyncio.to_thread(chat.tell, channel.url, one_line(match.document.title, 200), chat_text(match))
    now = app.clock()
    body = webhook_body("match.created", now, match_data(match))
    answer = await fetcher.hand_over(channel.url, body, signed_headers(channel.secret, row.message_id, body, now))
    if not isinstance(answer, Failed):
        return outcome_of(answer)
    if answer.kind is FailureKind.REFUSED_ADDRESS:
        return Refused(answer.detail, bounced=False)
    return Deferred(answer.detail)


def chat_text(match: LoggedMatch) -> str:
    """A match as people are told of it in a chat, below its title: the sentence, who published it, and where."""
    document = match.document
    sentence = str(excerpt(document, match.evidence))
    lines = (one_line(sentence, 400), one_line(document.agency, 80), web_address(match.url))
    return "\n".join(line for line in lines if line)


def match_data(match: LoggedMatch) -> Mapping[str, Any]:
    """A match as programs are told of it; plain text throughout."""
    document = match.document
    return {
        "match": match.id,
        "topic": match.topic,
        "score": round(match.score, 4),
        "title": document.title,
        "url": match.url,
        "agency": document.agency,
        "country": document.country,
        "language": document.language.value if document.language else None,
        "published_at": match.published_at.isoformat() if match.published_at else None,
        "first_seen_at": match.first_seen_at.isoformat(),
        "sentence": str(excerpt(document, match.evidence)),
        "terms": list(dict.fromkeys(evidence.term for evidence in match.evidence)),
    }
