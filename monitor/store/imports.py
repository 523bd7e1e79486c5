"""Taking in an archive: past releases become items, so that a new installation can try its watches on history.

An imported item counts as first seen when it was published, as if the service had been there: a backtest sees it in
its week. But nobody is sent it: where that time would lie in somebody's next window, it is set before all windows.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from monitor.core.languages import Language, primary_language
from monitor.core.nouns import Entry, SourceKind, SourceSpec
from monitor.core.text import content_hash, tidy
from monitor.errors import Refused
from monitor.matching.labels import plain_text
from monitor.store.archive import newest_id
from monitor.store.engine import Database
from monitor.store.events import record_event
from monitor.store.holdings import LATE_ARRIVALS
from monitor.store.items import insert_entries
from monitor.store.tables import ItemRow, SourceRow, SubscriberRow
from monitor.texts import marked as _

_BATCH = 500  # lines to a transaction: a second, for which a running service may have to wait
_BATCH_BYTES = 20_000_000
_LONGEST_LINE = 10_000_000  # bytes
_LONGEST_URL = 2_000
_LONGEST_WINDOW = timedelta(days=8)
"""A weekly window, and a day for what clocks and zones do."""


@dataclass(slots=True)
class Imported:
    """What came of an import; ``bad`` are the lines that were skipped, by number, and what is wrong with each."""

    lines: int = 0
    new: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)

    @property
    def known(self) -> int:
        """Releases that were stored already, or stood in the archive before."""
        return self.lines - self.new - len(self.bad)


def import_archive(
    database: Database,
    file: BinaryIO,
    source: SourceSpec,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> Imported:
    """Store the releases of an archive as items of a source; what is stored already, by its address, stays.

    Each batch is a transaction of its own. The new items wait for matching, like all others.

    Args:
        database: Where to store them.
        file: JSON lines, plain or compressed by gzip; see ``read_release`` for what a line holds.
        source: The source to file them under, made if there is none of its slug; see ``archive_source``.
        now: The present, aware UTC.
        progress: Called after each batch with the number of lines read.

    Raises:
        Refused: The compressed file is damaged or cut short; what came before is stored.
    """
    done = Imported()
    with database.write() as session:
        source_id = _ensure_source(session, source, now)
        latest = _before_all_windows(session, now)
    for batch in _batches(_lines(file, done)):
        entries = list(_read_all(batch, source.language, done))
        with database.write() as session:
            before = newest_id(session)
            done.new += insert_entries(session, source_id, source.language.value, _unknown(session, entries), latest)
            session.connection().execute(_seen_when_published(source_id, before, latest))
        progress(done.lines)
    return done


def archive_source(slug: str, *, agency: str, country: str, language: Language) -> SourceSpec:
    """A source for an archive: it has no address to visit.

    Raises:
        Refused: The slug or the country is not one.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug):
        raise Refused(f"source {slug!r}: use small letters, digits and single hyphens")
    if not re.fullmatch(r"[A-Z]{2}|INT", country):
        raise Refused(f"country {country!r}: write an ISO 3166 code such as CA, or EU, or INT")
    return SourceSpec(slug, f"archive:{slug}", agency, country, language, note="An archive that was imported.")


def _ensure_source(session: Session, spec: SourceSpec, now: datetime) -> int:
    """The id of the source with this slug; whatever its state, it stays as it is."""
    row = session.exec(select(SourceRow).where(SourceRow.slug == spec.slug)).one_or_none()
    if row is None:
        row = SourceRow(
            slug=spec.slug,
            url=spec.url,
            host="",
            agency=spec.agency,
            country=spec.country,
            language=spec.language.value,
            kind=SourceKind.FEED.value,
            selectors={},
            asked={},
            added_at=now,
            note=spec.note,
            state="ended",  # never visited, and no part of the config files
            next_poll_at=now,
            interval_seconds=0,
        )
        session.add(row)
        session.flush()
        record_event(session, now, actor="import", action=_("saved"), noun="source", noun_id=spec.slug)
    return cast("int", row.id)


def _before_all_windows(session: Session, now: datetime) -> datetime:
    """A time that no digest looks back to, neither one that is due nor that of somebody who subscribes today."""
    covered = func.coalesce(SubscriberRow.digested_until, SubscriberRow.confirmed_at, SubscriberRow.created_at)
    oldest = session.exec(select(func.min(covered)).where(SubscriberRow.state != "unsubscribed")).one()
    return min(oldest or now, now) - _LONGEST_WINDOW - LATE_ARRIVALS


def _seen_when_published(source_id: int, before: int, latest: datetime) -> Any:
    inserted = update(ItemRow).where(col(ItemRow.source_id) == source_id, col(ItemRow.id) > before)
    return inserted.where(col(ItemRow.published_at) < latest).values(first_seen_at=ItemRow.published_at)


def _unknown(session: Session, entries: list[Entry]) -> list[Entry]:
    """The entries whose address no item of any source has: an archive may overlap with what was polled."""
    known = set(session.exec(select(ItemRow.url).where(col(ItemRow.url).in_([entry.url for entry in entries]))))
    return [entry for entry in entries if entry.url not in known]


# ---- reading lines -------------------------------------------------------------------------------------------------


def _lines(file: BinaryIO, done: Imported) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold something, with their numbers, counting them; no line is held that is too long."""
    reader = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if _is_compressed(file) else file
    number = 0
    try:
        while line := reader.readline(_LONGEST_LINE):
            number += 1
            complete = line
            while len(complete) == _LONGEST_LINE and not complete.endswith(b"\n"):
                complete = reader.readline(_LONGEST_LINE)
            if not line.strip():
                continue
            done.lines += 1
            if complete is line:
                yield number, line
            else:
                done.bad.append((number, f"longer than {_LONGEST_LINE:,} bytes"))
    except (EOFError, OSError, zlib.error) as error:
        raise Refused(f"the archive is damaged after line {number}: {error}") from error


def _is_compressed(file: BinaryIO) -> bool:
    peek = getattr(file, "peek", None)
    if peek:
        return bool(peek(2)[:2] == b"\x1f\x8b")
    start = file.read(2)
    file.seek(-len(start), 1)
    return start == b"\x1f\x8b"


def _batches(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch: list[tuple[int, bytes]] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH or sum(len(read) for _, read in batch) > _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_all(lines: list[tuple[int, bytes]], language: Language, done: Imported) -> Iterator[Entry]:
    for number, line in lines:
        try:
            yield read_release(line, language)
        except ValueError as error:
            done.bad.append((number, str(error)))


def read_release(line: bytes, language: Language) -> Entry:
    """Read one line of an archive: a JSON object with ``url``, ``title``, ``published`` and a text.

    The text is ``markdown``, which becomes plain, or ``body``; ``summary``, ``category`` (one or a list),
    ``language`` and ``modified`` may be there. A time without a zone is in UTC.

    Args:
        line: The line, in UTF-8.
        language: The language of releases that name none.

    Raises:
        ValueError: The line is no such object; the text says what is wrong.
    """
    row = _object(line)
    url, title = _text(row, "url").strip(), tidy(_text(row, "title"))
    if urlsplit(url).scheme not in {"http", "https"} or len(url) > _LONGEST_URL:
        raise ValueError(f"url {url[:80]!r} is no web address")
    if not title:
        raise ValueError("there is no title")
    summary = tidy(_text(row, "summary"))
    body = plain_text(_text(row, "markdown")) or _text(row, "body").strip()
    return Entry(
        key=url,
        url=url,
        title=title,
        summary=summary,
        body=body,
        language=_language(row, language),
        categories=_categories(row),
        published_at=_time(row, "published"),
        modified_at=_time(row, "modified") if row.get("modified") else None,
        content_hash=content_hash(title, summary, body),
    )


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - of the line, not of an argument
    return row


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL refuses NUL, and no encoding has lone surrogates; JSON can spell both."""


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key) or ""
    if not isinstance(value, str):
        raise ValueError(f"{key} is no text")  # noqa: TRY004 - as above
    return _UNSTORABLE.sub("", value)


def _categories(row: Mapping[str, Any]) -> tuple[str, ...]:
    listed = row.get("category") or []
    texts = listed if isinstance(listed, list) else [listed]
    return tuple(filter(None, (tidy(_text({"category": text}, "category")) for text in texts)))


def _language(row: Mapping[str, Any], default: Language) -> Language:
    tag = _text(row, "language")
    language = primary_language(tag) if tag else default
    if language is None:
        raise ValueError(f"language {tag!r} is none of en, fr and es")
    return language


def _time(row: Mapping[str, Any], key: str) -> datetime:
    value = _text(row, key)
    try:
        time = datetime.fromisoformat(value)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{key} {value[:40]!r} is no time; write 2026-11-23T14:00:00Z") from error
