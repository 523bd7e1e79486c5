"""The operator's pages: who gets mail, what went out, and how a mail looks."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

import pytest

from monitor.core.roles import Role
from monitor.delivery.outbox import Outbox
from monitor.store.tables import BounceRow, DigestRow, EventRow, KeptRow


@pytest.fixture
def operator(desk_of: Any) -> Any:
    return desk_of(Role.OPERATOR)


def digest(site: Any, subscriber_id: int, state: str = "sent", number: int = 1) -> int:
    with site.app.database.write() as session:
        row = DigestRow(
            subscriber_id=subscriber_id,
            window_start=site.now,
            window_end=site.now.replace(hour=number),
            state=state,
            message_id=f"<{number}@x>",
            subject="News <b>of</b> the week",
            built_at=site.now,
            next_attempt_at=site.now,
            sent_at=site.now if state == "sent" else None,
        )
        session.add(row)
        session.flush()
        return int(row.id or 0)


def trail(site: Any) -> list[tuple[str, str, str]]:
    return [
        (row.actor, row.action, row.noun)
        for row in site.rows(EventRow)
        if row.actor == "operator@example.org" and row.noun != "staff"
    ]


def test_a_subscriber_is_found_by_part_of_the_address(site: Any, operator: Any) -> None:
    site.subscribe("alice@example.org")
    site.subscribe("bob@example.org")
    page = operator.get("/subscribers?q=ALI").text
    assert "alice@example.org" in page
    assert "bob@example.org" not in page
    assert "Nobody is like that." in operator.get("/subscribers?q=%25").text
    assert operator.get("/subscribers?after=forged").status_code == 400
    assert operator.get("/subscribers?q=%00'%20OR%201=1--").status_code == 200


def test_long_lists_are_paged_by_keyset(site: Any, operator: Any) -> None:
    for number in range(51):
        site.subscribe(f"reader{number:02d}@example.org")
    first = operator.get("/subscribers").text
    assert "reader49@" in first
    assert "reader50@" not in first
    following = first.split('rel="next"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    assert "reader50@" in operator.get(following).text


def test_all_that_is_held_about_a_subscriber_is_on_their_page(site: Any, operator: Any) -> None:
    reader = site.subscribe()
    digest(site, reader.id)
    page = operator.get(f"/subscribers/{reader.id}").text
    for told in (
        "reader@example.org",
        "once a week",
        "America/Toronto",
        "Everything",
        "subscribed",
        "News &lt;b&gt;of",
    ):
        assert told in page
    for nobody in ("999", "0", "-1", str(2**70)):
        assert operator.get(f"/subscribers/{nobody}").status_code == 404


def test_an_address_is_suppressed_and_the_suppression_taken_back(site: Any, operator: Any) -> None:
    reader = site.subscribe()
    with site.app.database.write() as session:
        bounce = BounceRow(
            subscriber_id=reader.id, at=site.now, kind="hard", reference="d1", detail="x", fingerprint="f"
        )
        session.add(bounce)
    operator.post(f"/subscribers/{reader.id}/suppress", {"reason": "asked by phone"})
    assert site.subscriber().state == "suppressed"
    assert "asked by phone" in operator.get(f"/subscribers/{reader.id}").text
    assert (
        "failed" in operator.get("/subscribers").text
        or operator.get("/subscribers?state=suppressed").status_code == 200
    )
    operator.post(f"/subscribers/{reader.id}/unsuppress")
    assert site.subscriber().state == "active"
    assert site.rows(BounceRow) == [], "the next bounce starts to count anew"
    assert trail(site) == [
        ("operator@example.org", "suppressed", "subscriber"),
        ("operator@example.org", "suppression taken back", "subscriber"),
    ]


def test_who_had_left_stays_unsubscribed_after_a_suppression(site: Any, operator: Any) -> None:
    reader = site.subscribe()
    with site.app.database.write() as session:
        row = session.merge(reader)
        row.state = "unsubscribed"
    operator.post(f"/subscribers/{reader.id}/suppress", {"reason": ""})
    operator.post(f"/subscribers/{reader.id}/unsuppress")
    assert site.subscriber().state == "unsubscribed"
    again = operator.post(f"/subscribers/{reader.id}/unsuppress")
    assert again.status_code == 303
    assert site.subscriber().state == "unsubscribed"


def test_a_mail_is_sent_again_unless_it_waits(site: Any, operator: Any) -> None:
    reader = site.subscribe()
    failed, waiting = digest(site, reader.id, "failed"), digest(site, reader.id, "built", 2)
    for one in (failed, waiting):
        back = operator.post(f"/deliveries/digest/{one}/resend", {"back": "//evil.example"})
        assert back.headers["Location"] == "/"
    assert {row.id: row.state for row in site.rows(DigestRow)} == {failed: "built", waiting: "built"}
    assert trail(site) == [("operator@example.org", "resent", "digest")]
    assert operator.post("/deliveries/parcel/1/resend").status_code == 404


def test_the_charts_and_the_log_tell_what_went_out(site: Any, operator: Any) -> None:
    reader = site.subscribe()
    digest(site, reader.id)
    digest(site, reader.id, "failed", 2)
    page = operator.get("/deliveries").text
    assert f"<title>{site.now.date()}: 1</title>" in page
    assert "News &lt;b&gt;of&lt;/b&gt; the week" in page
    assert "&lt;b&gt;" not in operator.get("/deliveries?state=bounced").text
    assert operator.get("/deliveries?kind=letter&q=x&state=sent").status_code == 200


def test_all_sending_is_paused_and_resumed(site: Any, operator: Any) -> None:
    operator.post("/deliveries/pause")
    assert "All sending is paused" in operator.get("/deliveries").text
    operator.post("/deliveries/resume")
    assert [row for row in site.rows(KeptRow) if "paused" in row.name] == []
    assert [action for _, action, _ in trail(site)] == ["paused", "resumed"]


def test_a_mail_of_the_outbox_is_shown_and_can_do_nothing(site: Any, operator: Any) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "us@example.org", "you@example.org", "<script>alert(1)</script>"
    mail["Message-ID"], mail["X-Note"] = "<one@example.org>", '"><img src=x onerror=alert(1)>'
    mail.set_content("The text part.")
    mail.add_alternative("<p>Hello</p><script>alert(1)</script>", subtype="html")
    Outbox(site.app.settings.outbox_dir).send(mail.as_bytes(), sender="us@example.org", recipient="you@example.org")
    listed = operator.get("/outbox").text
    assert "&lt;script&gt;alert(1)" in listed
    page = operator.get("/outbox/one@example.org.eml")
    assert "The text part." in page.text
    assert "&lt;img src=x" in page.text
    assert 'sandbox="allow-popups' in page.text
    document = operator.get("/outbox/one@example.org.eml/html")
    policy = document.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script" not in policy
    for name in ("..%2Fsecret.key", "nothing.eml", "one@example.org", "%00"):
        assert operator.get(f"/outbox/{name}").status_code == 404


def test_editors_see_no_address(site: Any, desk: Any) -> None:
    reader = site.subscribe()
    for path in (
        "/subscribers",
        f"/subscribers/{reader.id}",
        "/deliveries",
        "/outbox",
        "/outbox/x",
        "/deliveries/digest/1",
    ):
        assert desk.get(path).status_code == 403
