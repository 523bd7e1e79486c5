"""Config as code: plan, apply and export are a three-way merge that never overwrites the product's edits unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Pillar, SourceSpec, Topic, Watch
from monitor.errors import Conflict, SettingError
from monitor.shipped import shipped
from monitor.store import config, sources, watchlist
from monitor.store.config import Action, Config
from monitor.store.engine import Database

NAMES = {"en": "Name", "fr": "Nom", "es": "Nombre"}
WATCH = Watch("norad", "en", Language.EN, "NORAD", note="Keeps Santa out.")
TOPIC = Topic("norad", "security", NAMES, (WATCH,), threshold=0.4)
SOURCE = SourceSpec("pm", "https://pm.example/feed", "Prime Minister", "CA", Language.EN)
FILES = Config((Pillar("security", NAMES),), (TOPIC,), (SOURCE,))


@pytest.fixture
def apply(database: Database, now: datetime):
    """Applies a config and answers with what it did: (action, kind, id) of each change."""

    def apply_(files: Config, *, overwrite: bool = False) -> list[tuple[Action, str, str]]:
        with database.write() as session:
            changes = config.plan(session, files)
            config.apply(session, changes, actor="test", now=now, overwrite=overwrite)
        return [(change.action, change.kind, change.id) for change in changes]

    return apply_


def stored(database: Database) -> Config:
    with database.read() as session:
        return config.stored_config(session)


def edit_watch(database: Database, now: datetime, query: str) -> None:
    with database.write() as session:
        edited = replace(WATCH, query=query)
        watchlist.save_watch(session, edited, actor="editor", now=now)


def watch_in_file(query: str) -> Config:
    return replace(FILES, topics=(replace(TOPIC, watches=(replace(WATCH, query=query),)),))


def test_the_first_apply_creates_everything_and_the_second_nothing(apply, database: Database) -> None:
    assert apply(FILES) == [
        (Action.CREATE, "pillar", "security"),
        (Action.CREATE, "topic", "norad"),
        (Action.CREATE, "watch", "norad/en"),
        (Action.CREATE, "source", "pm"),
    ]
    assert apply(FILES) == []
    assert stored(database) == FILES


def test_a_change_in_the_file_is_applied_and_makes_a_new_version(apply, database: Database) -> None:
    apply(FILES)
    assert apply(watch_in_file("NORAD AND radar")) == [(Action.UPDATE, "watch", "norad/en")]
    (watch,) = stored(database).topics[0].watches
    assert (watch.query, watch.version) == ("NORAD AND radar", 2)


def test_an_edit_in_the_product_is_kept(apply, database: Database, now: datetime) -> None:
    apply(FILES)
    edit_watch(database, now, "NORAD OR radar")
    assert apply(FILES) == [(Action.KEEP, "watch", "norad/en")]
    assert stored(database).topics[0].watches[0].query == "NORAD OR radar"


def test_where_both_changed_the_product_wins_unless_told_otherwise(apply, database: Database, now: datetime) -> None:
    apply(FILES)
    edit_watch(database, now, "NORAD OR radar")
    changed = watch_in_file("NORAD AND Arctic")
    assert apply(changed) == [(Action.CONFLICT, "watch", "norad/en")]
    assert stored(database).topics[0].watches[0].query == "NORAD OR radar"
    apply(changed, overwrite=True)
    assert stored(database).topics[0].watches[0].query == "NORAD AND Arctic"
    assert apply(changed) == []


def test_what_left_the_file_is_retired_and_what_the_product_added_stays(
    apply, database: Database, now: datetime
) -> None:
    apply(FILES)
    own = SourceSpec("own", "https://own.example/feed", "Own", "CA", Language.FR)
    with database.write() as session:
        sources.save_source(session, own, actor="editor", now=now)
    without = replace(FILES, topics=(replace(TOPIC, watches=()),), sources=())
    assert apply(without) == [
        (Action.RETIRE, "watch", "norad/en"),
        (Action.KEEP, "source", "own"),
        (Action.RETIRE, "source", "pm"),
    ]
    assert stored(database).sources == (own,)
    assert stored(database).topics[0].watches == ()


def test_a_retired_source_comes_back_with_the_file(apply, database: Database) -> None:
    apply(FILES)
    apply(replace(FILES, sources=()))
    assert apply(FILES) == [(Action.CREATE, "source", "pm")]
    assert stored(database) == FILES


def test_what_the_product_retired_stays_retired_until_the_file_changes(
    apply, database: Database, now: datetime
) -> None:
    apply(FILES)
    with database.write() as session:
        watchlist.retire_watch(session, "norad", "en", actor="editor", now=now)
        sources.end_source(session, "pm", actor="editor", now=now, reason="silent for a year")
    assert apply(FILES) == [(Action.KEEP, "watch", "norad/en"), (Action.KEEP, "source", "pm")]
    assert stored(database).topics[0].watches == ()
    assert apply(watch_in_file("NORAD AND Arctic"))[0] == (Action.CONFLICT, "watch", "norad/en")
    apply(FILES, overwrite=True)
    assert stored(database).topics[0].watches[0].query == "NORAD"


def test_a_pillar_with_retired_topics_cannot_be_dropped(apply, database: Database) -> None:
    apply(FILES)
    with pytest.raises(Conflict, match="still has topics"):
        apply(Config((), (), (SOURCE,)))
    assert stored(database) == FILES


def test_the_plan_names_the_fields_that_differ(apply, database: Database) -> None:
    apply(FILES)
    with database.read() as session:
        (change,) = config.plan(session, watch_in_file("radar"))
    assert list(change.differences()) == [("query", "NORAD", "radar")]


def test_after_an_export_the_plan_shows_no_difference(apply, database: Database, now: datetime, tmp_path: Path) -> None:
    apply(config.read_config(shipped("config")))
    with database.write() as session:
        watchlist.save_watch(
            session, Watch("norad", "mine", Language.FR, "radars"), position=9, actor="editor", now=now
        )
        config.write_config(config.stored_config(session), tmp_path)
    with database.read() as session:
        assert config.plan(session, config.read_config(tmp_path)) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"topics\.toml"):
        config.read_config(tmp_path / "nowhere")
