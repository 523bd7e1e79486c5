"""Signing up through the form: double opt-in, limits, and an answer that tells nobody who is subscribed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitor.store.subscribers import find_subscriber, topics_of
from monitor.store.tables import EventRow, LetterRow, SignupRow, SubscriberRow, TallyRow
from monitor.subscriptions.choices import Choice
from monitor.subscriptions.signup import request_signup
from monitor.web.forms import Entered

FORM = {
    "address": "reader@example.org",
    "scope": "everything",
    "frequency": "weekly",
    "weekday": "1",
    "hour": "7",
    "zone": "America/Vancouver",
    "language": "fr",
}
LinkIn = Callable[..., str]


def test_a_form_in_the_readers_language(site: Any) -> None:
    page = site.get("/subscribe", **{"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"})
    assert page.status_code == 200
    assert '<html lang="es">' in page.text
    assert re.search(r'<option value="America/Mexico_City" selected>', page.text)
    assert '<html lang="fr">' in site.get("/subscribe?lang=fr", **{"Accept-Language": "es"}).text
    assert '<html lang="en">' in site.get("/subscribe?lang=xx", **{"Accept-Language": "de;q=1, q=;q=, *"}).text


def test_from_the_form_to_a_subscription(site: Any, link_in: LinkIn) -> None:
    assert site.post("/subscribe", FORM).status_code == 200
    (mail,) = site.mails("reader@example.org")
    assert "List-Unsubscribe" not in mail
    assert mail["Auto-Submitted"] == "auto-generated"
    assert site.rows(SubscriberRow) == []
    path = link_in(mail, "confirm")
    asked = site.get(path)
    assert "<form" in asked.text
    assert "reader@example.org" in asked.text
    assert site.rows(SubscriberRow) == []
    done = site.post(path)
    assert done.status_code == 200
    row = site.subscriber()
    assert (row.state, row.language, row.frequency, row.weekday, row.hour) == ("active", "fr", "weekly", 1, 7)
    assert row.zone == "America/Vancouver"
    with site.app.database.read() as session:
        assert topics_of(session, row.id) == ["border", "methane", "norad"]
    assert "/preferences/" in done.text


def test_the_record_of_consent(site: Any, link_in: LinkIn) -> None:
    asked_at = site.now
    site.post("/subscribe", FORM)
    path = link_in(site.mails("reader@example.org")[0], "confirm")
    site.wait(timedelta(hours=2))
    site.post(path)
    consent = site.subscriber().consent
    assert consent == {
        "how": "form",
        "form": "/subscribe",
        "wording": "1",
        "language": "fr",
        "at": asked_at.isoformat(),
        "confirmed_at": site.now.isoformat(),
    }


@pytest.mark.parametrize(
    ("chosen", "topics"),
    [
        (["security"], ["border", "norad"]),
        (["methane"], ["methane"]),
        (["methane", "security"], ["border", "methane", "norad"]),
        (["norad", "unheard-of"], ["norad"]),
    ],
)
def test_topics_or_whole_priorities(site: Any, link_in: LinkIn, chosen: list[str], topics: list[str]) -> None:
    site.post("/subscribe", FORM | {"scope": "some", "topics": chosen})
    site.post(link_in(site.mails("reader@example.org")[0], "confirm"))
    with site.app.database.read() as session:
        assert topics_of(session, site.subscriber().id) == topics


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "nobody"}, "address"),
        ({"address": "a@b.c\r\nBcc: x@y.z"}, "address"),
        ({"address": "é@example.org"}, "address"),
        ({"address": "x" * 70 + "@example.org"}, "address"),
        ({"scope": "some"}, "topics"),
        ({"frequency": "hourly"}, "frequency"),
        ({"weekday": "7"}, "weekday"),
        ({"weekday": "٣"}, "weekday"),
        ({"hour": "24"}, "hour"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"language": "de"}, "language"),
    ],
)
def test_what_is_not_right_is_said_beside_its_field(site: Any, change: dict[str, str], field: str) -> None:
    answer = site.post("/subscribe", FORM | change)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert site.rows(SignupRow) == []
    assert site.rows(LetterRow) == []


def test_a_wrong_form_keeps_what_was_written(site: Any) -> None:
    page = site.post("/subscribe", FORM | {"address": "{{7*7}}${7*7}<b>", "scope": "some", "topics": ["norad"]}).text
    assert 'value="{{7*7}}${7*7}&lt;b&gt;"' in page
    assert re.search(r'value="norad" checked', page)
    assert re.search(r'value="America/Vancouver" selected', page)


def test_fields_that_the_frequency_does_not_use_may_be_missing(site: Any) -> None:
    form = {name: value for name, value in FORM.items() if name not in {"weekday", "hour"}}
    assert site.post("/subscribe", form | {"frequency": "immediate"}).status_code == 200
    assert site.post("/subscribe", form | {"frequency": "daily"}).status_code == 422


def test_a_domain_in_another_script_is_kept_as_mail_servers_write_it(site: Any) -> None:
    site.post("/subscribe", FORM | {"address": "Reader@Bücher.example"})
    assert len(site.mails("reader@xn--bcher-kva.example")) == 1


# ---- known, unknown, suppressed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/subscribe", "/preferences"])
def test_same_answer_and_same_work_for_every_address(site: Any, path: str) -> None:
    site.subscribe("known@example.org")
    site.subscribe("gone@example.org")
    site.subscribe("complained@example.org")
    with site.app.database.write() as session:
        for address, state in (("gone@example.org", "unsubscribed"), ("complained@example.org", "suppressed")):
            row = find_subscriber(session, address)
            assert row
            row.state = state
            session.add(row)
    site.post("/subscribe", FORM | {"address": "warm@example.org"})
    seen = {}
    for name in ("unknown", "known", "gone", "complained"):
        address = f"{name}@example.org"
        work, answer = site.statements_of(lambda to=address: site.post(path, FORM | {"address": to}))
        seen[name] = (answer.status_code, answer.text.replace(address, "X"), work)
    assert seen["known"] == seen["gone"] == seen["complained"] == seen["unknown"]
    letters = {row.address: row.state for row in site.rows(LetterRow)}
    assert {letters[f"{name}@example.org"] for name in seen} == {"built"}


def test_a_known_address_is_told_so_by_mail_and_a_suppressed_one_gets_none(site: Any, link_in: LinkIn) -> None:
    site.subscribe("known@example.org")
    site.subscribe("complained@example.org")
    with site.app.database.write() as session:
        row = find_subscriber(session, "complained@example.org")
        assert row
        row.state = "suppressed"
        session.add(row)
    for name in ("known", "complained", "unknown"):
        site.post("/subscribe", FORM | {"address": f"{name}@example.org"})
    (mail,) = site.mails("known@example.org")
    assert "already" in mail["Subject"]
    assert site.get(link_in(mail, "preferences")).status_code == 200
    assert site.mails("complained@example.org") == []
    assert len(site.mails("unknown@example.org")) == 1
    assert {row.address: row.state for row in site.rows(LetterRow)} == {
        "known@example.org": "sent",
        "complained@example.org": "cancelled",
        "unknown@example.org": "sent",
    }
    assert site.subscriber("known@example.org").language == "en"


def test_a_thousand_requests_for_one_address_make_one_mail_a_day(site: Any) -> None:
    entered = Entered(FORM)
    choice = Choice((), entered.language(), entered.schedule())
    for number in range(10):
        site.network = f"198.18.{number}.9"
        assert site.post("/subscribe", FORM | {"address": "Reader@Example.ORG"}).status_code == 200
        site.tick()
        with site.app.database.write() as session:
            for _ in range(100):
                request_signup(session, "reader@example.org", choice, form="/", domain="localhost", now=site.now)
    assert len(site.mails("reader@example.org")) == 1
    assert len(site.rows(SignupRow)) == 1
    site.wait(timedelta(days=1))
    site.post("/subscribe", FORM)
    assert len(site.mails("reader@example.org")) == 2


def test_the_latest_choice_of_a_day_counts(site: Any, link_in: LinkIn) -> None:
    site.post("/subscribe", FORM)
    (mail,) = site.mails("reader@example.org")
    site.post("/subscribe", FORM | {"hour": "17", "language": "es"})
    assert len(site.mails("reader@example.org")) == 1
    site.post(link_in(mail, "confirm"))
    assert (site.subscriber().hour, site.subscriber().language) == (17, "es")


def test_a_network_has_its_limit_per_hour(site: Any) -> None:
    limit = site.app.settings.signups_per_network_and_hour
    for number in range(limit):
        assert site.post("/subscribe", FORM | {"address": f"a{number}@example.org"}).status_code == 200
    refused = site.post("/subscribe", FORM | {"address": "last@example.org"})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    site.network = "192.0.2.200"
    assert site.post("/subscribe", FORM).status_code == 429
    site.network = "192.0.3.7"
    assert site.post("/subscribe", FORM).status_code == 200
    site.network = "192.0.2.7"
    site.wait(timedelta(hours=1))
    assert site.post("/subscribe", FORM).status_code == 200
    assert len(site.rows(SignupRow)) == limit + 1
    assert not any("192" in row.name for row in site.rows(TallyRow))


# ---- confirmation --------------------------------------------------------------------------------------------------


def confirmation(site: Any, link_in: LinkIn) -> str:
    site.post("/subscribe", FORM)
    return link_in(site.mails("reader@example.org")[-1], "confirm")


def test_a_mail_scanner_that_opens_every_link_confirms_nothing(site: Any, link_in: LinkIn) -> None:
    path = confirmation(site, link_in)
    for method in ("GET", "HEAD"):
        site.ask(method, path)
    assert site.rows(SubscriberRow) == []
    assert site.rows(SignupRow)[0].confirmed_at is None


def test_a_link_works_once(site: Any, link_in: LinkIn) -> None:
    path = confirmation(site, link_in)
    site.post(path)
    with site.app.database.write() as session:
        row = find_subscriber(session, "reader@example.org")
        assert row
        row.state = "unsubscribed"
        session.add(row)
    again = site.post(path)
    assert again.status_code == 200
    assert "déjà" in again.text
    assert site.subscriber().state == "unsubscribed"


def test_a_link_works_for_seven_days(site: Any, link_in: LinkIn) -> None:
    path = confirmation(site, link_in)
    site.wait(timedelta(days=7))
    for answer in (site.get(path), site.post(path)):
        assert answer.status_code == 410
        assert "/subscribe" in answer.text
    assert site.rows(SubscriberRow) == []


def test_an_altered_or_foreign_link_leads_nowhere(site: Any, link_in: LinkIn) -> None:
    path = confirmation(site, link_in)
    token = path.rpartition("/")[2]
    altered = [f"/confirm/{token[:-1]}", f"/confirm/{token}x", "/confirm/WzEsMF0.guess", f"/confirm/{token.swapcase()}"]
    foreign = [f"/preferences/{token}", f"/unsubscribe/{token}", f"/digests/{token}", f"/address/old/{token}"]
    for wrong in altered + foreign:
        assert site.get(wrong).status_code == 404, wrong
        assert site.post(wrong, {"action": "resume"}).status_code in {404, 405}, wrong
    assert site.rows(SubscriberRow) == []


def test_confirming_twice_at_once_makes_one_subscriber(site: Any, link_in: LinkIn) -> None:
    first = confirmation(site, link_in)
    site.wait(timedelta(days=1))
    second = confirmation(site, link_in)
    assert first != second
    assert {site.post(path).status_code for path in (first, second, first)} == {200}
    assert len(site.rows(SubscriberRow)) == 1


def test_a_request_from_elsewhere_is_refused(site: Any) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert site.ask("POST", "/subscribe", data=FORM, headers=headers).status_code == 403
    assert site.rows(SignupRow) == []


def test_a_body_larger_than_any_form_is_not_read(site: Any) -> None:
    assert site.post("/subscribe", FORM | {"address": "a" * 100_000}).status_code == 413


def test_a_lost_link_is_mailed_to_subscribers_only(site: Any, link_in: LinkIn) -> None:
    site.subscribe("known@example.org")
    for name in ("known", "known", "unknown"):
        assert site.post("/preferences", {"address": f"{name}@example.org"}).status_code == 200
    (mail,) = site.mails("known@example.org")
    assert site.get(link_in(mail, "preferences")).status_code == 200
    assert site.mails("unknown@example.org") == []


def test_no_trail_holds_an_address(site: Any, link_in: LinkIn, capsys: pytest.CaptureFixture[str]) -> None:
    site.post(confirmation(site, link_in))
    told = capsys.readouterr().out + json.dumps([row.detail for row in site.rows(EventRow)])
    assert "example.org" not in told
    assert "confirm/" not in told


def test_requests_and_letters_are_forgotten(site: Any, link_in: LinkIn) -> None:
    site.post(confirmation(site, link_in))
    site.wait(timedelta(days=31))
    site.tick("prune")
    assert (site.rows(SignupRow), site.rows(LetterRow), site.rows(TallyRow)) == ([], [], [])
    assert len(site.rows(SubscriberRow)) == 1
