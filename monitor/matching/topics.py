"""The topics file: pillars, topics and their watches as TOML, read strictly and written back the same.

The layout is described at the top of ``config/topics.toml``, which ``write_topics`` writes too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import tomlkit
from tomlkit.items import AoT, InlineTable, String, StringType, Table, Trivia

from monitor.core.languages import READER_LANGUAGES, Language
from monitor.core.nouns import Names, Pillar, Topic, Watch
from monitor.errors import QueryError, Refused, SettingError
from monitor.matching.query import parse_query
from monitor.texts import marked as _

HEADER = """\
The pillars and topics that people can follow, and the watches that find items for them.

A topic's watches are one concept, whatever their language. The last part of a watch's key says what it finds:
  "fr", "en-vaccines" …  names: words that mean the topic wherever they stand;
  "en-hint", "fr-hint" … hints: words that often, not always, mean it; the score gives them less weight;
  "en-not", "es-not" …   other senses: what they cover is taken out of the evidence (there is no "Security
                         Council" in "National Security Council"). They never make a match.
A threshold is the score from which a match is worth a digest. A topic with needs_neighbours asks for Canada,
the United States or Mexico near the evidence. docs/query-language.md describes the queries, docs/matching.md
the score."""

DEFAULT_THRESHOLD = 0.5
"""The threshold of a topic that names none."""

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_ID = 60


class Role(StrEnum):
    """What a watch finds: words that name its topic, words that hint at it, or another sense of such words."""

    NAMES = "names"
    HINTS = "hint"
    NOT = "not"


def role(key: str) -> Role:
    """The role of a watch, which the last part of its key says: ``en-hint``, ``en-not``; all else names."""
    last = key.rpartition("-")[2]
    return Role(last) if last in {Role.HINTS, Role.NOT} else Role.NAMES


def check_id(name: str, value: str) -> str:
    """The id of a topic or the key of a watch, if it can be one.

    Raises:
        Refused: It cannot; the error names the field, the value and the remedy.
    """
    if not _is_id(value):
        raise Refused(
            _(
                "%(name)s %(value)s: use small letters, digits and single hyphens, at most 60",
                name=name,
                value=repr(value[:_LONGEST_ID]),
            )
        )
    return value


def _is_id(value: str) -> bool:
    return len(value) <= _LONGEST_ID and bool(_ID.fullmatch(value))


@dataclass(frozen=True, slots=True)
class TopicsFile:
    """What a topics file says, in its order."""

    pillars: tuple[Pillar, ...]
    topics: tuple[Topic, ...]


def read_topics(text: str, where: str) -> TopicsFile:
    """Read a topics file.

    Args:
        text: The TOML text.
        where: What to call the file in an error.

    Raises:
        SettingError: Something in the file is wrong; its ``key`` is the dotted way to it, such as
            ``topics.norad.watches.en.query``.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(where, "TOML", str(error), _("correct the syntax at that place")) from error
    root = _Reader(data, where, "")
    root.allow("pillars", "topics")
    pillars = tuple(map(_pillar, root.tables("pillars", "id")))
    known = [pillar.id for pillar in pillars]
    return TopicsFile(pillars, tuple(_topic(table, known) for table in root.tables("topics", "id")))


def read_topic(row: Mapping[str, Any], pillars: Sequence[str]) -> Topic:
    """One topic as somebody typed it, without watches, read as strictly as one of a file.

    Args:
        row: The keys of a ``[[topics]]`` table.
        pillars: The ids of the pillars.

    Raises:
        SettingError: A key or value is wrong; its ``key`` is the key's name, as in ``name.fr``.
        Refused: The id cannot be one.
    """
    check_id("topic", str(row.get("id", "")))
    return _topic(_Reader(row, "the topic", ""), pillars)


class _Reader:
    """One table of the file, and the dotted way to it for errors."""

    def __init__(self, data: Mapping[str, Any], where: str, path: str) -> None:
        self._data, self._where, self._path = data, where, path

    def wrong(self, key: str, remedy: str) -> SettingError:
        return SettingError(self._where, f"{self._path}{key}", self._data.get(key), remedy)

    def allow(self, *keys: str) -> None:
        for key in self._data:
            if key not in keys:
                raise self.wrong(key, _("no such key; known are %(known)s", known=", ".join(keys)))

    def tables(self, key: str, identity: str) -> list[_Reader]:
        """The tables under ``key``, each with its own value of ``identity``, by which errors call it."""
        rows = self._data.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise self.wrong(key, _("write each as a [[%(key)s]] table", key=key))
        tables: dict[object, _Reader] = {}
        for number, row in enumerate(rows, 1):
            name = _Reader(row, self._where, f"{self._path}{key}[{number}].").identifier(identity)
            table = _Reader(row, self._where, f"{self._path}{key}.{name}.")
            if name in tables:
                raise table.wrong(identity, _("each needs its own"))
            tables[name] = table
        return list(tables.values())

    def text(self, key: str, default: str | None = None) -> str:
        value = self._data.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, _("write a text in quotes"))
        if default is None and not value.strip():
            raise self.wrong(key, _("it may not be empty"))
        return value.strip()

    def identifier(self, key: str) -> str:
        value = self.text(key)
        if not _is_id(value):
            raise self.wrong(key, _("use small letters, digits and single hyphens, at most 60"))
        return value

    def one_of(self, key: str, allowed: Sequence[str]) -> str:
        value = self._data.get(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(key, _("write one of %(known)s", known=", ".join(allowed)))
        return str(value)

    def share(self, key: str, default: float) -> float:
        value = self._data.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.wrong(key, _("write a number from 0 to 1"))
        return float(value)

    def flag(self, key: str) -> bool:
        value = self._data.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, _("write true or false"))
        return value

    def names(self) -> Names:
        value = self._data.get("name")
        if not isinstance(value, dict):
            raise self.wrong("name", _('write { en = "…", fr = "…", es = "…" }'))
        table = _Reader(value, self._where, f"{self._path}name.")
        table.allow(*READER_LANGUAGES)
        return {str(language): table.text(language) for language in READER_LANGUAGES}


def _pillar(table: _Reader) -> Pillar:
    table.allow("id", "name")
    return Pillar(table.identifier("id"), table.names())


def _topic(table: _Reader, pillars: Sequence[str]) -> Topic:
    table.allow("id", "pillar", "name", "threshold", "needs_neighbours", "watches")
    topic = table.identifier("id")
    return Topic(
        id=topic,
        pillar=table.one_of("pillar", pillars),
        names=table.names(),
        watches=tuple(_watch(watch, topic) for watch in table.tables("watches", "key")),
        threshold=table.share("threshold", DEFAULT_THRESHOLD),
        needs_neighbours=table.flag("needs_neighbours"),
    )


def _watch(table: _Reader, topic: str) -> Watch:
    table.allow("key", "language", "query", "note")
    language = Language(table.one_of("language", [*Language]))
    query = table.text("query")
    try:
        parse_query(query)
    except QueryError as error:
        raise table.wrong("query", str(error)) from error
    return Watch(topic, table.identifier("key"), language, query, table.text("note", ""))


def write_topics(pillars: Iterable[Pillar], topics: Iterable[Topic]) -> str:
    """Write a topics file; ``read_topics`` reads the same pillars and topics from it.

    The version of a watch is not written: it belongs to the store that keeps the watch.
    """
    document = tomlkit.document()
    for line in HEADER.splitlines():
        document.add(tomlkit.comment(line))
    document.add(tomlkit.nl())
    document.add("pillars", _tables({"id": pillar.id, "name": _names(pillar.names)} for pillar in pillars))
    document.add("topics", _tables(map(_topic_row, topics)))
    return tomlkit.dumps(document)


def _tables(rows: Iterable[Mapping[str, object]]) -> AoT:
    array = tomlkit.aot()
    for row in rows:
        table: Table = tomlkit.table()
        table.update(row)
        array.append(table)
    return array


def _topic_row(topic: Topic) -> dict[str, object]:
    row: dict[str, object] = {"id": topic.id, "pillar": topic.pillar, "name": _names(topic.names)}
    row["threshold"] = topic.threshold
    if topic.needs_neighbours:
        row["needs_neighbours"] = True
    if topic.watches:
        row["watches"] = _tables(map(_watch_row, topic.watches))
    return row


def _watch_row(watch: Watch) -> dict[str, object]:
    return {
        "key": watch.key,
        "language": str(watch.language),
        "note": watch.note,
        "query": _lines(watch.query),
    }


def _lines(text: str) -> String:
    """A text on lines of its own, as it is where TOML's literal strings can hold it."""
    if "'''" in text or not all(sign.isprintable() or sign == "\n" for sign in text):
        return tomlkit.string(text, multiline=True)
    return String(StringType.MLL, text, f"\n{text}\n", Trivia())


def _names(names: Names) -> InlineTable:
    table = tomlkit.inline_table()
    table.update(names)
    return table
