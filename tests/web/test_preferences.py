"""The preferences behind the signed link of each mail: what they change, what they refuse, and who may."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any

import pytest
from sqlmodel import select

from monitor.core.languages import Language
from monitor.core.nouns import Entry, SourceSpec
from monitor.core.schedule import Frequency
from monitor.store.bounces import record_bounce
from monitor.store.items import insert_entries
from monitor.store.sources import save_source
from monitor.store.subscribers import find_subscriber, topics_of
from monitor.store.tables import (
    AddressChangeRow,
    DigestItemRow,
    DigestPersonalRow,
    DigestRow,
    EventRow,
    LetterRow,
    PersonalWatchRow,
    SignupRow,
    SubscriberRow,
    SubscriptionRow,
)

LinkIn = Callable[..., str]
LEDGERS = (DigestItemRow, DigestPersonalRow)
READER = "reader@example.org"
SCHEDULE = {"action": "schedule", "frequency": "weekly", "weekday": "0", "hour": "8", "zone": "America/Toronto"}


def topics(site: Any, address: str = READER) -> list[str]:
    with site.app.database.read() as session:
        return topics_of(session, site.subscriber(address).id)


def publish(site: Any, *titles: str) -> None:
    """Let a source have publications now."""
    spec = SourceSpec("agency", "https://agency.example/feed", "Agency", "CA", Language.EN)
    entries = [Entry(title, f"https://agency.example/{n}", title) for n, title in enumerate(titles)]
    with site.app.database.write() as session:
        source_id = save_source(session, spec, actor="test", now=site.now)
        insert_entries(session, source_id, "en", entries, site.now)
    site.tick("recover_lost_work")


def digest(site: Any, address: str = READER) -> Any:
    """The newest digest of a subscriber, after waiting until it is due."""
    site.tick("start_due_digests")
    site.now = max(site.now, site.subscriber(address).next_digest_at)
    site.tick("start_due_digests")
    site.tick("deliver_digests")
    return [mail for mail in site.mailbox.taken if mail["To"] == address and mail["List-Id"]][-1]


def undo_of(page: str) -> dict[str, Any]:
    """The fields of the undo form of a page."""
    found = re.search(r'<div class="said".*?<form.*?</form>', page, re.DOTALL)
    assert found, page
    fields: dict[str, Any] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', found[0]):
        fields.setdefault(name, []).append(html.unescape(value))
    return fields


# ---- topics, schedule, language ------------------------------------------------------------------------------------


def test_the_link_in_a_digest_leads_to_the_preferences(site: Any, link_in: LinkIn) -> None:
    site.subscribe()
    publish(site, "NORAD is renewed")
    page = site.get(link_in(digest(site), "preferences"))
    assert page.status_code == 200
    assert READER in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_topics_are_saved_and_the_change_undone(site: Any) -> None:
    site.subscribe()
    path = site.preferences()
    saved = site.post(path, {"action": "topics", "scope": "some", "topics": ["climate", "norad"]})
    assert saved.status_code == 200
    assert 'role="status"' in saved.text
    assert topics(site) == ["methane", "norad"]
    site.post(path, undo_of(saved.text))
    assert topics(site) == ["border", "methane", "norad"]
    assert site.post(path, {"action": "topics", "scope": "some"}).status_code == 422
    assert topics(site) == ["border", "methane", "norad"]


def test_schedule_and_language_are_saved_and_the_change_undone(site: Any) -> None:
    site.subscribe()
    path = site.preferences()
    form = SCHEDULE | {"frequency": "daily", "hour": "18", "zone": "Europe/Paris", "language": "fr"}
    saved = site.post(path, form)
    assert '<html lang="fr">' in saved.text
    row = site.subscriber()
    assert (row.frequency, row.hour, row.zone, row.language) == ("daily", 18, "Europe/Paris", "fr")
    site.post(path, undo_of(saved.text))
    row = site.subscriber()
    assert (row.frequency, row.weekday, row.hour, row.zone) == ("weekly", 0, 8, "America/Toronto")
    assert row.language == "en"
    assert site.post(path, form | {"hour": "25"}).status_code == 422
    assert site.subscriber().hour == 8


def test_a_change_of_schedule_neither_loses_nor_doubles_news(site: Any) -> None:
    """Weekly on Mondays becomes weekly on Wednesdays, then daily: each item comes once."""
    site.subscribe(weekday=0, hour=8, zone="UTC")
    site.tick("start_due_digests")
    published = []
    for day in range(21):
        published.append(f"NORAD news {day:02}")
        publish(site, *published)
        if day in {4, 11}:
            change = {"weekday": "2"} if day == 4 else {"frequency": "daily", "hour": "13"}
            site.post(site.preferences(), SCHEDULE | {"zone": "UTC", "language": "en"} | change)
        for _ in range(6):
            site.wait(timedelta(hours=4))
            site.tick("start_due_digests")
            site.tick("start_due_digests")
    windows = sorted((row.window_start, row.window_end) for row in site.rows(DigestRow))
    assert all(before[1] == after[0] for before, after in pairwise(windows))
    sent = [row.match_id for row in site.rows(DigestItemRow)]
    assert len(sent) == len(set(sent)) >= 20


# ---- pause ---------------------------------------------------------------------------------------------------------


def test_a_pause_holds_back_mail_and_loses_nothing(site: Any) -> None:
    site.subscribe(weekday=0, hour=8, zone="UTC")
    site.tick("start_due_digests")
    path = site.preferences()
    paused = site.post(path, {"action": "pause", "until": "2026-12-09"})
    assert paused.status_code == 200
    assert "9 December" in paused.text
    publish(site, "NORAD before the holidays")
    for _ in range(24):
        site.wait(timedelta(days=1))
        site.tick("start_due_digests")
    (row,) = site.rows(DigestRow)
    assert (row.state, row.window_end) == ("sent", datetime(2026, 12, 7 + 7, 8, tzinfo=UTC))
    assert len(site.rows(DigestItemRow)) == 1
    (mail,) = site.mailbox.taken
    assert "NORAD before the holidays" in mail["Subject"]


def test_a_pause_can_be_ended(site: Any) -> None:
    site.subscribe(weekday=0, hour=8, zone="UTC")
    path = site.preferences()
    site.post(path, {"action": "pause", "until": "2027-03-01"})
    site.tick("start_due_digests")
    assert site.subscriber().next_digest_at == datetime(2027, 3, 1, 8, tzinfo=UTC)
    assert "Pause" not in site.post(path, {"action": "resume"}).text.partition('id="state"')[2].partition("</div>")[0]
    site.tick("start_due_digests")
    assert site.subscriber().next_digest_at == datetime(2026, 11, 30, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "until", ["", "tomorrow", "2026-11-23", "2020-01-01", "2028-01-01", "9999-12-31", "0001-01-01"]
)
def test_a_pause_ends_within_a_year(site: Any, until: str) -> None:
    site.subscribe()
    answer = site.post(site.preferences(), {"action": "pause", "until": until})
    assert answer.status_code == 422
    assert 'id="until-problem"' in answer.text
    assert site.subscriber().paused_until is None


# ---- own keywords --------------------------------------------------------------------------------------------------


def test_a_keyword_is_tried_added_used_and_removed(site: Any) -> None:
    site.subscribe()
    path = site.preferences()
    publish(site, "A hydrogen corridor for Alberta", "A park is opened", "NORAD buys hydrogen trucks")
    keyword = {"query": "hydrogen", "tongue": "any"}
    tried = site.post(path, {"action": "keyword-preview", **keyword})
    assert "2 publications" in tried.text
    assert "<mark>" in tried.text or "A hydrogen corridor" in tried.text
    assert site.rows(PersonalWatchRow) == []
    added = site.post(path, {"action": "keyword-add", **keyword})
    assert "<code>hydrogen</code>" in added.text
    mail = digest(site)
    body = mail.get_body(("plain",)).get_content()
    assert "YOUR OWN KEYWORDS" in body
    assert "A hydrogen corridor for Alberta" in body
    assert "A park is opened" not in body
    assert len(site.rows(DigestPersonalRow)) == 2
    removed = site.post(path, {"action": "keyword-remove", "keyword_id": str(site.rows(PersonalWatchRow)[0].id)})
    assert site.rows(PersonalWatchRow) == []
    site.post(path, undo_of(removed.text))
    assert [row.query for row in site.rows(PersonalWatchRow)] == ["hydrogen"]


def test_what_a_keyword_brought_comes_once(site: Any) -> None:
    site.subscribe(frequency=Frequency.DAILY)
    site.post(site.preferences(), {"action": "keyword-add", "query": "hydrogen", "tongue": "any"})
    publish(site, "A hydrogen corridor")
    digest(site)
    site.wait(timedelta(hours=1))
    publish(site, "A hydrogen corridor", "Another hydrogen corridor")
    for _ in range(3):
        site.wait(timedelta(days=1))
        site.tick("start_due_digests")
    items = [row.item_id for row in site.rows(DigestPersonalRow)]
    assert sorted(items) == sorted(set(items))
    assert len(items) == 2


@pytest.mark.parametrize(
    ("query", "tongue"),
    [
        ("", "any"),
        ("(hydrogen", "any"),
        ("NOT hydrogen", "any"),
        ("h*", "any"),
        ("x" * 201, "any"),
        ("(" * 5000, "any"),
        ("hydrogen", "klingon"),
    ],
)
def test_a_keyword_that_cannot_be_understood_is_not_kept(site: Any, query: str, tongue: str) -> None:
    site.subscribe()
    for action in ("keyword-add", "keyword-preview"):
        answer = site.post(site.preferences(), {"action": action, "query": query, "tongue": tongue})
        assert answer.status_code == 422
    assert site.rows(PersonalWatchRow) == []


def test_keywords_are_capped_and_not_doubled(site: Any) -> None:
    site.subscribe()
    path = site.preferences()
    for number in range(10):
        assert site.post(path, {"action": "keyword-add", "query": f"word{number}", "tongue": "any"}).status_code == 200
        assert site.post(path, {"action": "keyword-add", "query": f"word{number}", "tongue": "any"}).status_code == 422
    assert site.post(path, {"action": "keyword-add", "query": "eleventh", "tongue": "any"}).status_code == 422
    assert len(site.rows(PersonalWatchRow)) == 10


def test_hostile_keywords_are_literal(site: Any) -> None:
    site.subscribe()
    path = site.preferences()
    for query in ('"{{ 7 }} ${7}"', '"<script>alert(1)</script>"', "nul\x00byte", '"smile \U0001f600 word"'):
        assert site.post(path, {"action": "keyword-add", "query": query, "tongue": "any"}).status_code == 200
    page = site.get(path).text
    assert "{{ 7 }} ${7}" in page
    assert "<script>alert" not in page
    refused = site.post(path, {"action": "keyword-add", "query": "{{7*7}}${7*7}", "tongue": "any"})
    assert 'value="{{7*7}}${7*7}"' in refused.text


# ---- somebody else's -----------------------------------------------------------------------------------------------


def test_somebody_elses_keyword_is_not_found(site: Any) -> None:
    site.subscribe()
    site.subscribe("other@example.org")
    site.post(site.preferences("other@example.org"), {"action": "keyword-add", "query": "private", "tongue": "any"})
    (row,) = site.rows(PersonalWatchRow)
    for number in (str(row.id), "999", "-1", "x", "9" * 30):
        answer = site.post(site.preferences(), {"action": "keyword-remove", "keyword_id": number})
        assert answer.status_code == 404, number
    assert len(site.rows(PersonalWatchRow)) == 1
    assert "private" not in site.get(site.preferences()).text


def test_a_guessed_or_altered_link_is_not_found(site: Any) -> None:
    site.subscribe()
    site.subscribe("other@example.org")
    mine, theirs = (site.preferences(address).rpartition("/")[2] for address in (READER, "other@example.org"))
    spliced = theirs.partition(".")[0] + "." + mine.partition(".")[2]
    for token in (spliced, mine[:-2], mine + "A", "WzIsMV0", "WzIsMV0.", "x.y", "%00", "é"):
        assert site.get(f"/preferences/{token}").status_code == 404
        assert site.post(f"/preferences/{token}", {"action": "unsubscribe"}).status_code == 404
        assert site.get(f"/preferences/{token}/export").status_code == 404
        assert site.post(f"/preferences/{token}/delete").status_code == 404
    assert {row.state for row in site.rows(SubscriberRow)} == {"active"}


def test_a_link_for_one_purpose_opens_no_other_door(site: Any) -> None:
    site.subscribe()
    manage = site.preferences().rpartition("/")[2]
    for path in (f"/unsubscribe/{manage}", f"/digests/{manage}", f"/confirm/{manage}", f"/address/new/{manage}"):
        assert site.post(path).status_code in {404, 405}
        assert site.get(path).status_code == 404
    assert site.subscriber().state == "active"


def test_a_mail_scanner_that_opens_every_link_of_the_page_changes_nothing(site: Any) -> None:
    site.subscribe()
    before = site.subscriber()
    path = site.preferences()
    for link in {path, *re.findall(r'href="(/[^"]*)"', site.get(path).text)}:
        if link.startswith("/preferences"):
            assert site.get(html.unescape(link)).status_code == 200
    assert site.subscriber() == before


def test_a_form_that_is_not_ours_is_refused(site: Any) -> None:
    site.subscribe()
    assert site.post(site.preferences(), {"action": "rm -rf"}).status_code == 400
    answer = site.ask("POST", site.preferences(), data={"action": "resume"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


# ---- change of address ---------------------------------------------------------------------------------------------


def ask_for_change(site: Any, link_in: LinkIn, new: str = "new@example.org") -> tuple[str, str]:
    """The links that the old and the new address get."""
    assert site.post(site.preferences(), {"action": "address", "address": new}).status_code == 200
    return link_in(site.mails(READER)[-1], "address/old"), link_in(site.mails(new)[-1], "address/new")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_address_changes_when_both_have_confirmed(site: Any, link_in: LinkIn, order: tuple[int, int]) -> None:
    site.subscribe()
    before = site.preferences()
    links = ask_for_change(site, link_in)
    for link in links:
        assert "<form" in site.get(link).text
    assert site.subscriber().address == READER
    site.post(links[order[0]])
    site.post(links[order[0]])
    assert site.subscriber().address == READER
    assert "new@example.org" in site.post(links[order[1]]).text
    row = site.subscriber("new@example.org")
    assert row.state == "active"
    assert site.get(before).status_code == 404
    assert site.get(site.preferences("new@example.org")).status_code == 200


def test_links_in_mails_to_the_old_address_end_nothing_afterwards(site: Any, link_in: LinkIn) -> None:
    site.subscribe()
    publish(site, "NORAD is renewed")
    path = link_in(digest(site), "unsubscribe")
    for link in ask_for_change(site, link_in):
        site.post(link)
    assert site.post(path).status_code == 200
    assert site.subscriber("new@example.org").state == "active"


def test_a_change_of_address_expires_and_is_limited(site: Any, link_in: LinkIn) -> None:
    site.subscribe()
    old, new = ask_for_change(site, link_in)
    site.post(site.preferences(), {"action": "address", "address": "slip@example.org"})
    site.post(site.preferences(), {"action": "address", "address": "new@example.org"})
    fourth = site.post(site.preferences(), {"action": "address", "address": "fourth@example.org"})
    assert fourth.status_code == 422
    assert site.mails("fourth@example.org") == []
    assert len(site.mails("new@example.org")) == 1
    site.wait(timedelta(days=7))
    assert {site.post(link).status_code for link in (old, new)} == {410}
    assert site.subscriber().address == READER


def test_an_address_that_is_taken_is_not_given_away(site: Any, link_in: LinkIn) -> None:
    site.subscribe()
    site.subscribe("new@example.org")
    asked = site.post(site.preferences(), {"action": "address", "address": "new@example.org"})
    free = site.post(site.preferences(), {"action": "address", "address": "free@example.org"})
    assert asked.text.replace("new@", "X") == free.text.replace("free@", "X")
    old = link_in(site.mails(READER)[0], "address/old")
    site.post(old)
    taken = site.post(link_in(site.mails("new@example.org")[0], "address/new"))
    assert taken.status_code == 409
    assert {row.address for row in site.rows(SubscriberRow)} == {READER, "new@example.org"}


@pytest.mark.parametrize("address", ["", "nobody", READER, "READER@example.org"])
def test_an_address_that_cannot_be_the_new_one(site: Any, address: str) -> None:
    site.subscribe()
    answer = site.post(site.preferences(), {"action": "address", "address": address})
    assert answer.status_code == 422
    assert site.rows(AddressChangeRow) == []


def test_a_change_of_address_that_nobody_confirms_is_forgotten(site: Any, link_in: LinkIn) -> None:
    site.subscribe()
    ask_for_change(site, link_in)
    site.wait(timedelta(days=31))
    site.tick("prune")
    assert site.rows(AddressChangeRow) == []


# ---- data ----------------------------------------------------------------------------------------------------------


def test_all_that_is_held_can_be_taken_along(site: Any, link_in: LinkIn) -> None:
    site.post("/subscribe", {**SCHEDULE, "address": READER, "scope": "everything", "language": "en"})
    site.post(link_in(site.mails(READER)[0], "confirm"))
    site.post(site.preferences(), {"action": "keyword-add", "query": "hydrogen", "tongue": "en"})
    publish(site, "NORAD is renewed", "Hydrogen for all")
    digest(site)
    ask_for_change(site, link_in)
    with site.app.database.write() as session:
        told = {"kind": "soft", "reference": "d1", "detail": "452 full", "fingerprint": "f"}
        record_bounce(session, site.subscriber(), now=site.now, **told)
    answer = site.get(site.preferences() + "/export")
    assert "attachment" in answer.headers["Content-Disposition"]
    data = json.loads(answer.text)
    assert data["subscription"]["address"] == READER
    assert data["subscription"]["topics"] == ["border", "methane", "norad"]
    assert data["subscription"]["consent"]["form"] == "/subscribe"
    assert [one["query"] for one in data["keywords"]] == ["hydrogen"]
    (sent,) = [one for one in data["digests"] if one["state"] == "sent"]
    assert [item["title"] for item in sent["items"]] == ["NORAD is renewed"]
    assert [item["keyword"] for item in sent["items_of_keywords"]] == ["hydrogen"]
    assert {one["kind"] for one in data["letters"]} == {"signup", "old-address"}
    assert len(data["requests"]) == len(data["changes_of_address"]) == 1
    assert [one["detail"] for one in data["bounces"]] == ["452 full"]
    assert {one["action"] for one in data["history"]} >= {"subscribed", "added a keyword"}
    assert "link_generation" not in answer.text


def test_twenty_digests_are_taken_along_in_as_many_statements_as_one(site: Any) -> None:
    site.subscribe()
    site.post(site.preferences(), {"action": "keyword-add", "query": "hydrogen", "tongue": "en"})
    publish(site, "NORAD is renewed", "Hydrogen for all", "Methane and hydrogen")
    digest(site)

    def export() -> Any:
        return site.get(site.preferences() + "/export")

    statements, first = site.statements_of(export)
    with site.app.database.write() as session:
        (sent,) = session.exec(select(DigestRow).where(DigestRow.state == "sent"))
        held = [session.exec(select(table).where(table.digest_id == sent.id)).all() for table in LEDGERS]
        for week in range(1, 20):
            copied = sent.model_dump(exclude={"id", "message_id"})
            copied |= {"window_end": sent.window_end + timedelta(weeks=week), "message_id": f"{week}@example.org"}
            session.add(copy := DigestRow(**copied))
            session.flush()
            for row in chain(*held):
                session.add(type(row)(**row.model_dump() | {"digest_id": copy.id}))
    again, second = site.statements_of(export)
    assert again == statements
    (one,), many = (
        [told for told in json.loads(answer.text)["digests"] if told["state"] == "sent"] for answer in (first, second)
    )
    assert len(many) == 20
    assert [item["title"] for item in one["items"]] == ["NORAD is renewed", "Methane and hydrogen"]
    assert [item["title"] for item in one["items_of_keywords"]] == ["Hydrogen for all", "Methane and hydrogen"]
    assert all((told["items"], told["items_of_keywords"]) == (one["items"], one["items_of_keywords"]) for told in many)


def test_everything_is_deleted_after_a_confirmation(site: Any, link_in: LinkIn) -> None:
    site.post("/subscribe", {**SCHEDULE, "address": READER, "scope": "everything", "language": "en"})
    site.post(link_in(site.mails(READER)[0], "confirm"))
    site.post(site.preferences(), {"action": "keyword-add", "query": "hydrogen", "tongue": "en"})
    publish(site, "NORAD is renewed", "Hydrogen for all")
    copy = link_in(digest(site), "digests")
    ask_for_change(site, link_in)
    path = site.preferences()
    assert READER in site.get(f"{path}/delete").text
    assert len(site.rows(SubscriberRow)) == 1
    done = site.post(f"{path}/delete")
    assert done.status_code == 200
    assert READER not in done.text
    for table in (
        SubscriberRow,
        SubscriptionRow,
        DigestRow,
        DigestItemRow,
        DigestPersonalRow,
        PersonalWatchRow,
        AddressChangeRow,
        SignupRow,
        LetterRow,
    ):
        assert site.rows(table) == [], table
    assert READER not in json.dumps([row.model_dump(mode="json") for row in site.rows(EventRow)])
    assert {site.get(page).status_code for page in (path, copy, f"{path}/export")} == {404}


def test_who_comes_after_a_deleted_subscriber_does_not_inherit_their_links(site: Any, link_in: LinkIn) -> None:
    """SQLite would give the next subscriber and the next digest the ids of those that were deleted."""
    site.subscribe()
    publish(site, "NORAD is renewed")
    mail = digest(site)
    links = [link_in(mail, page) for page in ("preferences", "digests")]
    site.post(f"{site.preferences()}/delete")
    site.subscribe("next@example.org")
    publish(site, "NORAD is renewed", "NORAD again")
    digest(site, "next@example.org")
    assert [site.get(path).status_code for path in links] == [404, 404]


def test_a_digest_whose_reader_is_deleted_while_it_waits_is_not_sent(site: Any) -> None:
    site.subscribe()
    publish(site, "NORAD is renewed")
    site.tick("start_due_digests")
    with site.app.database.write() as session:
        row = find_subscriber(session, READER)
        assert row
        session.delete(row)
    site.tick("deliver_digests")
    assert site.mailbox.taken == []
