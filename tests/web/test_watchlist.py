"""The watchlist's pages: try, draft, publish, go back, import and export, each with its trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec, Watch
from monitor.core.roles import Role
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.tables import EventRow, TopicRow, WatchDraftRow, WatchRow, WatchVersionRow
from monitor.store.watchlist import save_watch

TOPIC = "/watchlist/topics/norad"
WATCH = f"{TOPIC}/watches/any"
FIELDS = {"language": "any", "query": "norad OR radar", "note": "", "seen": "1"}


def events(site: Any, noun: str) -> list[tuple[str, str, str]]:
    return [(row.actor, row.action, row.noun_id) for row in site.rows(EventRow) if row.noun == noun]


def live(site: Any) -> WatchRow:
    row: WatchRow
    (row,) = [row for row in site.rows(WatchRow) if row.topic_id == "norad"]
    return row


def test_a_draft_changes_nothing_until_it_is_published(site: Any, desk: Any) -> None:
    saved = desk.post(WATCH, FIELDS | {"action": "save"})
    assert (saved.status_code, saved.headers["Location"]) == (303, WATCH)
    assert live(site).query == "norad"
    assert [draft.query for draft in site.rows(WatchDraftRow)] == ["norad OR radar"]
    assert "<ins>" in desk.get(WATCH).text, "the page tells what the draft changes"
    assert "editor@example.org" in desk.get("/watchlist").text
    assert desk.post(WATCH, FIELDS | {"action": "publish"}).status_code == 303
    assert (live(site).query, live(site).version) == ("norad OR radar", 2)
    assert site.rows(WatchDraftRow) == []
    assert events(site, "watch")[-2:] == [
        ("editor@example.org", "drafted", "norad/any"),
        ("editor@example.org", "saved", "norad/any"),
    ]


def test_the_history_leads_back(site: Any, desk: Any) -> None:
    desk.post(WATCH, FIELDS | {"action": "publish"})
    assert desk.post(f"{WATCH}/roll-back", {"to": "1", "seen": "2"}).status_code == 303
    assert [(row.number, row.query, row.actor, row.reason) for row in site.rows(WatchVersionRow) if row.number > 1] == [
        (2, "norad OR radar", "editor@example.org", ""),
        (3, "norad", "editor@example.org", "rolled back to 1"),
    ]
    desk.post(f"{WATCH}/retire")
    assert not live(site).active
    desk.post(f"{WATCH}/roll-back", {"to": "3", "seen": "4"})
    assert (live(site).active, live(site).version) == (True, 5)
    assert "Roll back to version 2" in desk.get(WATCH).text


@pytest.mark.parametrize("way", ["publish", "roll-back"])
def test_what_a_colleague_changed_meanwhile_is_not_overwritten(site: Any, desk: Any, way: str) -> None:
    with site.app.database.write() as session:
        save_watch(session, Watch("norad", "any", Language.ANY, "arctic"), actor="colleague", now=site.now)
    if way == "publish":
        answer = desk.post(WATCH, FIELDS | {"action": "publish"})
        assert answer.status_code == 422
        assert "version 2 is live" in answer.text
    else:
        desk.post(f"{WATCH}/roll-back", {"to": "1", "seen": "1"})
    assert live(site).query == "arctic"


def test_a_discarded_draft_can_be_put_back(site: Any, desk: Any) -> None:
    desk.post(WATCH, FIELDS | {"action": "save"})
    page = desk.post(f"{WATCH}/discard")
    assert site.rows(WatchDraftRow) == []
    assert 'name="query" value="norad OR radar"' in page.text
    assert desk.post(f"{WATCH}/discard").status_code == 404


WRONG = {
    "norad AND (radar": "<mark>(</mark>",
    "": "problem",
    "100% AND (radar": "<mark>(</mark>",
    "norad OR *": "problem",
    "{{7*7}} AND (": "{{7*7}}",
    "a" * 3000: "problem",
}


def test_a_wrong_query_is_pointed_at_and_kept(site: Any, desk: Any) -> None:
    for query, says in WRONG.items():
        for action in ("preview", "save", "publish", "test"):
            answer = desk.post(WATCH, FIELDS | {"query": query, "action": action})
            assert answer.status_code == 422, query
            assert says in answer.text, query
        part = desk.post(f"{TOPIC}/preview", FIELDS | {"query": query})
        assert part.status_code == 200
        assert "<html" not in part.text
    assert live(site).query == "norad"
    assert site.rows(WatchDraftRow) == []


def fill(site: Any, *titles: str) -> None:
    spec = SourceSpec("pm", "https://pm.example/feed", "Prime Minister", "CA", Language.EN)
    with site.app.database.write() as session:
        source = save_source(session, spec, actor="test", now=site.now)
        entries = [Entry(title, f"https://pm.example/{number}", title) for number, title in enumerate(titles)]
        insert_entries(session, source, "en", entries, site.now)


def test_the_preview_shows_hits_and_what_would_change(site: Any, desk: Any) -> None:
    fill(site, "NORAD modernization begins", "A radar site is chosen", "A <script>alert(1)</script> museum")
    part = desk.post(f"{TOPIC}/preview", FIELDS | {"key": "any"}).text
    assert "<mark>NORAD</mark>" in part
    assert "<mark>radar</mark>" in part
    assert '<b class="gained">+1</b>' in part
    assert '<b class="lost">−0</b>' in part
    assert 'class="chart' in part
    museum = desk.post(f"{TOPIC}/preview", FIELDS | {"query": "museum"}).text
    assert "&lt;script&gt;alert(1)" in museum.replace("</mark>", "").replace("<mark>", "")
    whole = desk.post(WATCH, FIELDS | {"action": "preview"}).text
    assert '<b class="gained">+1</b>' in whole, "without JavaScript as well"


def test_a_watch_is_tested_on_a_text(desk: Any) -> None:
    found = desk.post(f"{TOPIC}/test", FIELDS | {"sample": "A title\nThe NORAD radars are old."}).text
    assert "The title names the topic: no (lowers the score)" in found
    french = desk.post(f"{TOPIC}/test?lang=fr", FIELDS | {"sample": "A title\nThe NORAD radars are old."}).text
    assert "Le titre nomme le sujet\u00a0: non (abaisse la note)" in french
    assert "It is found." in found
    assert "<code>NORAD</code>" in found
    lost = desk.post(WATCH, FIELDS | {"sample": "Nothing of the kind.", "action": "test"}).text
    assert "It is not found." in lost


def test_a_watch_is_tested_on_a_page(site: Any, desk: Any, serve: Callable[..., str]) -> None:
    desk.may_fetch(loopback=True)
    text = (
        "<html lang=en><h1>Radars</h1><main><p>" + "The NORAD radars are old and will be renewed. " * 9 + "</p></main>"
    )
    address = serve(lambda _base, _path: text)
    assert "It is found." in desk.post(f"{TOPIC}/test", FIELDS | {"sample": address}).text


FORBIDDEN = [
    "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://0.0.0.0/",
    "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data", "http://2130706433/", "http://0x7f.1/",
    "http://0177.0.0.1/", "http://user:pass@10.0.0.1/", "http://169.254.169.254\\@public.example/", "http://localhost/",
    "http://10.0.0.1:6379/",
]  # fmt: skip


def test_no_door_fetches_from_inside(desk: Any) -> None:
    desk.may_fetch(loopback=False)
    for address in FORBIDDEN:
        tested = desk.post(f"{TOPIC}/test", FIELDS | {"sample": address}).text
        assert "It is" not in tested, address
        assert 'class="problem"' in tested, address
        looked = desk.post("/sources/add", {"address": address, "action": "look"})
        assert looked.status_code == 422, address
        assert "Store this source" not in looked.text


def test_a_new_watch_starts_as_a_draft_and_a_key_is_taken_once(site: Any, desk: Any) -> None:
    new = FIELDS | {"key": "fr-hint", "seen": "0", "query": "défense"}
    assert desk.post(f"{TOPIC}/new", new | {"action": "save"}).headers["Location"] == f"{TOPIC}/watches/fr-hint"
    assert "finds hints" in desk.get(f"{TOPIC}/watches/fr-hint").text
    again = desk.post(f"{TOPIC}/new", new | {"action": "save"})
    assert (again.status_code, "take another key" in again.text) == (422, True)
    assert desk.post(f"{TOPIC}/new", new | {"key": "Bad Key", "action": "save"}).status_code == 422
    assert desk.post(f"{TOPIC}/watches/fr-hint", new | {"action": "publish"}).status_code == 303
    assert {row.key for row in site.rows(WatchRow) if row.topic_id == "norad"} == {"any", "fr-hint"}


NAMES = {"name_en": "Arctic Council", "name_fr": "Conseil de l’Arctique", "name_es": "Consejo Ártico"}
NEW = NAMES | {"id": "arctic", "pillar": "security", "threshold": "0,4"}


def test_a_topic_is_made_changed_retired_and_restored(site: Any, desk: Any) -> None:
    assert desk.post("/watchlist/new-topic", NEW).headers["Location"] == "/watchlist/topics/arctic"
    desk.post("/watchlist/topics/arctic/new", FIELDS | {"key": "en", "seen": "0", "action": "publish"})
    desk.post("/watchlist/topics/arctic", NEW | {"threshold": "0.6", "needs_neighbours": "yes"})
    desk.post("/watchlist/topics/arctic/retire")
    assert not [row for row in site.rows(WatchRow) if row.topic_id == "arctic" and row.active]
    desk.post("/watchlist/topics/arctic/restore")
    (topic,) = [row for row in site.rows(TopicRow) if row.id == "arctic"]
    assert (topic.active, topic.threshold, topic.needs_neighbours) == (True, 0.6, True)
    assert [row.version for row in site.rows(WatchRow) if row.topic_id == "arctic" and row.active] == [3]
    assert [action for actor, action, noun in events(site, "topic") if noun == "arctic"] == [
        "saved", "saved", "retired", "restored",
    ]  # fmt: skip


WRONG_TOPICS = [
    {"id": "Arctic Council"},
    {"id": "norad"},
    {"name_fr": ""},
    {"threshold": "much"},
    {"threshold": "nan"},
    {"pillar": "none"},
    {"id": "x" * 200},
]


def test_a_wrong_topic_changes_nothing(site: Any, desk: Any) -> None:
    before = len(site.rows(TopicRow))
    for wrong in WRONG_TOPICS:
        answer = desk.post("/watchlist/new-topic", NEW | wrong)
        assert answer.status_code == 422, wrong
        assert 'class="problem' in answer.text
    assert len(site.rows(TopicRow)) == before


def test_what_is_exported_is_taken_in_again(site: Any, desk: Any) -> None:
    text = desk.get("/watchlist/export.toml").text
    assert "stored already" in desk.post("/watchlist/import", {"file": text, "action": "plan"}).text
    changed = text.replace("norad\n'''", "norad AND arctic\n'''")
    assert changed != text
    plan = desk.post("/watchlist/import", {"action": "plan"}, files={"file": ("topics.toml", changed)}).text
    assert "<ins>norad AND arctic</ins>" in plan
    assert live(site).query == "norad"
    desk.post("/watchlist/import", {"file": changed, "action": "apply"})
    assert live(site).query == "norad AND arctic"


def test_an_import_never_overwrites_an_edit_unasked(site: Any, desk: Any) -> None:
    desk.post(WATCH, FIELDS | {"action": "publish"})
    text = desk.get("/watchlist/export.toml").text.replace("norad OR radar", "norad AND arctic")
    plan = desk.post("/watchlist/import", {"file": text, "action": "plan"}).text
    assert "kept: edited here and in the file" in plan
    desk.post("/watchlist/import", {"file": text, "action": "apply"})
    assert live(site).query == "norad OR radar"
    desk.post("/watchlist/import", {"file": text, "action": "apply", "overwrite": "yes"})
    assert live(site).query == "norad AND arctic"


def test_a_wrong_file_is_refused_with_the_remedy(site: Any, desk: Any) -> None:
    for text in ("not = [toml", "\0", "[[topics]]\nid = 'x'\n", "x = 1", "%s %(x)s = '"):
        answer = desk.post("/watchlist/import", {"file": text, "action": "apply"})
        assert answer.status_code == 422
        assert "cannot be taken in" in answer.text
    assert live(site).query == "norad"


def test_a_body_that_is_too_large_is_not_read(desk: Any) -> None:
    assert desk.post(f"{TOPIC}/preview", {"query": "x" * 2_100_000}).status_code == 413


@pytest.mark.parametrize("path", [f"{TOPIC}/watches/no", "/watchlist/topics/no", "/watchlist/topics/no/new"])
def test_what_is_not_there_is_not_found(desk: Any, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_viewers_look_and_touch_nothing(desk_of: Any) -> None:
    viewer = desk_of(Role.VIEWER)
    page = viewer.get(TOPIC)
    assert page.status_code == 200
    assert "Retire" not in page.text
    assert viewer.get(WATCH).status_code == 403
    assert viewer.post(TOPIC, NEW).status_code == 403


def test_an_error_is_told_in_the_language_of_the_page(site: Any, desk: Any) -> None:
    wrong = desk.post(f"{WATCH}?lang=fr", FIELDS | {"action": "save", "query": "norad AND (radar"})
    assert wrong.status_code == 422
    assert "Cette parenthèse n’est pas fermée. Ajoutez-en une qui ferme." in wrong.text
    assert "This parenthesis" not in wrong.text
    assert "Cette parenthèse n’est pas fermée" in desk.post(f"{TOPIC}/preview?lang=fr", {"query": "(radar"}).text
    desk.post(WATCH, FIELDS | {"action": "save"})
    stale = desk.post(f"{WATCH}?lang=fr", FIELDS | {"action": "publish", "seen": "7"})
    assert "La veille a changé entre-temps" in stale.text
