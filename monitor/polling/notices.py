"""What the operator is told of the sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlmodel import Session

from monitor.core.languages import Language
from monitor.store.letters import Draft, notice, post_letter
from monitor.store.source_health import BrokenSource, take_broken_sources
from monitor.store.tables import LetterRow

BROKEN_SOURCES = "broken-sources"
_MOST_NAMED = 50


def tell_of_broken_sources(session: Session, operator: str, *, domain: str, now: datetime) -> int:
    """Post one letter on all sources that broke a day ago or longer, unless the operator knows; how many they are."""
    broken = take_broken_sources(session, now)
    if broken:
        payload = {"sources": [_told(source) for source in broken[:_MOST_NAMED]], "count": len(broken)}
        about = now.isoformat()
        post_letter(
            session,
            BROKEN_SOURCES,
            operator,
            language=Language.EN,
            payload=payload,
            domain=domain,
            now=now,
            about=about,
        )
    return len(broken)


def _told(source: BrokenSource) -> dict[str, str]:
    since = f"{source.since:%Y-%m-%d %H:%M} UTC" if source.since else ""
    return {**asdict(source), "since": since}


def compose_broken_sources(row: LetterRow) -> Draft:
    """The letter; the operator's mails are in English, as the command line is."""
    count, listed = row.payload["count"], row.payload["sources"]
    return notice(
        Language.EN,
        f"{count} sources cannot be read" if count > 1 else f"{listed[0]['agency']} cannot be read",
        *map(_line, listed),
        *_rest(count, listed),
        _ADVICE,
        reason="You get this mail because you operate this installation. Reminders come ever more rarely.",
    )


_ADVICE = "`monitor source check SLUG` tries one again. What is blocked or gone for good can be paused or replaced."


def _line(source: dict[str, str]) -> str:
    since = f"not since {source['since']}" if source["since"] else "never read so far"
    return f"{source['agency']} ({source['slug']}): {source['error']}; {since}."


def _rest(count: int, listed: Sequence[object]) -> list[str]:
    return [f"And {count - len(listed)} more: `monitor source list`."] if count > len(listed) else []
