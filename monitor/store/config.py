"""Config as code: the files say what to watch and where; the store may have been edited since.

Three versions of each thing are compared, as a three-way merge does: what the file says now, what it said when it was
last applied (``applied_hash``), and what the store holds. A thing edited in the product is never overwritten unasked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from monitor.core.nouns import Pillar, SourceSpec, Topic, Watch
from monitor.core.sources_file import read_sources, write_sources
from monitor.errors import SettingError
from monitor.matching.topics import TopicsFile, read_topics, write_topics
from monitor.store import sources, watchlist
from monitor.store.tables import PillarRow, SourceRow, TopicRow, WatchRow

TOPICS_FILE = "topics.toml"
SOURCES_FILE = "sources.toml"


@dataclass(frozen=True, slots=True)
class Config:
    """What the config files say."""

    pillars: tuple[Pillar, ...]
    topics: tuple[Topic, ...]
    sources: tuple[SourceSpec, ...]


class Action(StrEnum):
    """What applying the files does to one thing."""

    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    KEEP = "keep"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Thing:
    """A pillar, topic, watch or source as plain data, comparable between file and store."""

    kind: str
    id: str
    value: Pillar | Topic | Watch | SourceSpec
    position: int = 0

    @property
    def content(self) -> dict[str, Any]:
        """Its fields, without those that the file does not hold."""
        fields = asdict(self.value)
        return {name: value for name, value in fields.items() if name not in {"version", "watches"}}

    @property
    def hash(self) -> str:
        """The same for the same content, wherever it comes from."""
        text = json.dumps(self.content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the files and the store, and what applying the files does about it.

    ``KEEP``: edited, made or retired in the product, and the file has not changed since. ``CONFLICT``: both have
    changed.
    """

    action: Action
    kind: str
    id: str
    before: Thing | None
    after: Thing | None

    def differences(self) -> Iterator[tuple[str, Any, Any]]:
        """The fields that differ: name, value in the store, value in the file."""
        before = self.before.content if self.before else {}
        after = self.after.content if self.after else {}
        for name in dict.fromkeys((*before, *after)):
            if before.get(name) != after.get(name):
                yield name, before.get(name), after.get(name)


def read_config(folder: Path) -> Config:
    """Read the config files of a folder.

    Raises:
        SettingError: A file is missing or wrong; the error names the file, the key, the value and the remedy.
    """
    topics_file = read_topics(_text(folder / TOPICS_FILE), str(folder / TOPICS_FILE))
    specs = read_sources(_text(folder / SOURCES_FILE), str(folder / SOURCES_FILE))
    return Config(topics_file.pillars, topics_file.topics, specs)


def stored_config(session: Session) -> Config:
    """What the store holds, in the form of the files."""
    return Config(watchlist.load_pillars(session), watchlist.load_watchlist(session), sources.load_specs(session))


def write_config(config: Config, folder: Path) -> list[Path]:
    """Write config files into a folder, made if need be; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {TOPICS_FILE: write_topics(config.pillars, config.topics), SOURCES_FILE: write_sources(config.sources)}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def plan(session: Session, config: Config) -> list[Change]:
    """What applying the files would change, and what it would leave alone though it differs."""
    wanted = {(thing.kind, thing.id): thing for thing in _things(config)}
    stored = {(thing.kind, thing.id): thing for thing in _things(stored_config(session))}
    applied = _applied_hashes(session)
    changes = [_change(stored.get(key), thing, applied.get(key, "")) for key, thing in wanted.items()]
    changes += [_leftover(thing, applied.get(key, "")) for key, thing in stored.items() if key not in wanted]
    return [change for change in changes if change]


def plan_topics(session: Session, file: TopicsFile) -> list[Change]:
    """What applying a topics file alone would change; the sources stay as they are."""
    return plan(session, Config(file.pillars, file.topics, sources.load_specs(session)))


def apply(session: Session, changes: Iterable[Change], *, actor: str, now: datetime, overwrite: bool = False) -> int:
    """Carry a plan out; the number of things changed.

    Args:
        session: An open writing transaction.
        changes: The plan, made in the same transaction.
        actor: Who applies it, for the audit trail.
        now: The time of the change, aware UTC.
        overwrite: Let the files win where the product was edited.
    """
    done = 0
    for change in changes:
        if change.action in {Action.KEEP, Action.CONFLICT} and not overwrite:
            continue
        if change.after is not None:
            _write(session, change.after, actor, now)
        elif change.before is not None:
            _retire(session, change.before, actor, now)
        done += 1
    return done


def _change(before: Thing | None, after: Thing, applied: str) -> Change | None:
    if before is None:
        # What was applied once and is gone was retired in the product; what the files retired has no hash any more.
        action = _action("", after.hash, applied) if applied else Action.CREATE
        return Change(action, after.kind, after.id, None, after)
    if before.hash == after.hash:
        return None
    return Change(_action(before.hash, after.hash, applied), after.kind, after.id, before, after)


def _action(stored: str, wanted: str, applied: str) -> Action:
    if stored == applied:
        return Action.UPDATE
    return Action.KEEP if wanted == applied else Action.CONFLICT


def _leftover(before: Thing, applied: str) -> Change:
    action = Action.RETIRE if before.hash == applied else Action.KEEP
    return Change(action, before.kind, before.id, before, None)


def _things(config: Config) -> Iterator[Thing]:
    for position, pillar in enumerate(config.pillars):
        yield Thing("pillar", pillar.id, pillar, position)
    for position, topic in enumerate(config.topics):
        yield Thing("topic", topic.id, replace(topic, watches=()), position)
        for index, watch in enumerate(topic.watches):
            yield Thing("watch", f"{topic.id}/{watch.key}", watch, index)
    for spec in config.sources:
        yield Thing("source", spec.slug, spec)


def _applied_hashes(session: Session) -> Mapping[tuple[str, str], str]:
    found = {("pillar", row): applied for row, applied in session.exec(select(PillarRow.id, PillarRow.applied_hash))}
    found |= {("topic", row): applied for row, applied in session.exec(select(TopicRow.id, TopicRow.applied_hash))}
    watches = session.exec(select(WatchRow.topic_id, WatchRow.key, WatchRow.applied_hash))
    found |= {("watch", f"{topic}/{key}"): applied for topic, key, applied in watches}
    rows = session.exec(select(SourceRow.slug, SourceRow.applied_hash))
    return found | {("source", slug): applied for slug, applied in rows}


def _write(session: Session, thing: Thing, actor: str, now: datetime) -> None:
    written: dict[str, Any] = {"actor": actor, "now": now, "applied_hash": thing.hash}
    match thing.value:
        case Pillar() as pillar:
            watchlist.save_pillar(session, pillar, position=thing.position, applied_hash=thing.hash)
        case Topic() as topic:
            watchlist.save_topic(session, topic, position=thing.position, **written)
        case Watch() as watch:
            watchlist.save_watch(session, watch, position=thing.position, **written)
        case SourceSpec() as spec:
            sources.save_source(session, spec, **written)


def _retire(session: Session, thing: Thing, actor: str, now: datetime) -> None:
    written: dict[str, Any] = {"actor": actor, "now": now, "applied_hash": ""}
    match thing.value:
        case Pillar() as pillar:
            watchlist.delete_pillar(session, pillar.id)
        case Topic() as topic:
            watchlist.retire_topic(session, topic.id, **written)
        case Watch() as watch:
            watchlist.retire_watch(session, watch.topic, watch.key, **written)
        case SourceSpec() as spec:
            sources.end_source(session, spec.slug, reason="no longer in the config files", **written)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "name a folder that holds topics.toml and sources.toml, in UTF-8"
        raise SettingError(str(path), "(the file)", str(error), remedy) from error
