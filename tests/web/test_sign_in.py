"""Signing in by a mailed link, sessions that end, keys for programs; nothing of it by a GET."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.roles import STAFF_ROLES, Role
from monitor.errors import Conflict
from monitor.staff.people import add_staff, remove_staff
from monitor.staff.sign_in import first_operator_link
from monitor.store.tables import ApiTokenRow, EventRow, SignInRow, StaffRow, StaffSessionRow

ADDRESS = "reviewer@example.org"


@pytest.fixture
def staff(site: Any) -> Any:
    """A site with one reviewer."""
    site.add_staff(ADDRESS, Role.REVIEWER)
    return site


def test_a_mailed_link_signs_in_once(staff: Any, link_in: Any) -> None:
    asked = staff.post("/sign-in", {"address": " Reviewer@Example.org ", "next": "/account"})
    assert "Look into your mail" in asked.text
    (mail,) = staff.mails(ADDRESS)
    path = link_in(mail, "sign-in")
    for _ in range(3):  # a mail scanner opens every link
        assert f"As {ADDRESS}" in staff.get(path).text
    assert staff.rows(StaffSessionRow) == []
    opened = staff.post(path)
    assert (opened.status_code, opened.headers["Location"]) == (303, "/account")
    cookie = opened.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert ADDRESS in staff.ask("GET", "/account", cookies=dict(opened.cookies)).text
    again = staff.post(path)
    assert (again.status_code, "Set-Cookie" in again.headers) == (410, False)


def test_known_and_unknown_addresses_get_the_same_answer(staff: Any) -> None:
    known, unknown = (
        staff.post("/sign-in", {"address": address}).text.replace(address, "…")
        for address in (ADDRESS, "nobody@example.org")
    )
    assert known == unknown
    assert len(staff.mails(ADDRESS)) == 1
    assert staff.mails("nobody@example.org") == []


@pytest.mark.parametrize("next_page", ["//evil.example", "/\\evil.example", "/%5cevil.example", "https://evil.example"])
def test_a_link_leads_to_pages_of_ours_only(staff: Any, link_in: Any, next_page: str) -> None:
    staff.post("/sign-in", {"address": ADDRESS, "next": next_page})
    (mail,) = staff.mails(ADDRESS)
    assert staff.post(link_in(mail, "sign-in")).headers["Location"] == "/"


def test_a_link_expires(staff: Any, link_in: Any) -> None:
    staff.post("/sign-in", {"address": ADDRESS})
    (mail,) = staff.mails(ADDRESS)
    staff.wait(timedelta(minutes=31))
    assert staff.get(link_in(mail, "sign-in")).status_code == 410
    assert staff.post(link_in(mail, "sign-in")).status_code == 410


def test_an_address_gets_five_letters_an_hour_at_most(staff: Any) -> None:
    for number in range(9):
        staff.network = f"192.0.{number}.7"
        assert staff.post("/sign-in", {"address": ADDRESS}).status_code == 200
    assert len(staff.mails(ADDRESS)) == 5


def test_a_network_is_stopped_after_a_while(staff: Any) -> None:
    answers = [staff.post("/sign-in", {"address": f"a{number}@example.org"}).status_code for number in range(25)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_a_planted_session_is_worth_nothing(staff: Any, link_in: Any) -> None:
    planted = {"session": "planted-by-somebody"}
    staff.post("/sign-in", {"address": ADDRESS})
    (mail,) = staff.mails(ADDRESS)
    opened = staff.ask("POST", link_in(mail, "sign-in"), cookies=planted, headers={"Sec-Fetch-Site": "same-origin"})
    assert opened.cookies["session"] != planted["session"]
    assert staff.ask("GET", "/account", cookies=planted).status_code == 303


def test_only_hashes_are_kept(staff: Any) -> None:
    cookies = staff.signed_in(Role.VIEWER)
    (row,) = staff.rows(StaffSessionRow)
    assert cookies["session"] not in repr(row)


def test_a_session_ends_after_a_month(staff: Any) -> None:
    cookies = staff.signed_in(Role.VIEWER)
    staff.wait(timedelta(days=29))
    assert staff.ask("GET", "/account", cookies=cookies).status_code == 200
    staff.wait(timedelta(days=2))
    assert staff.ask("GET", "/account", cookies=cookies).status_code == 303


def test_another_role_ends_all_sessions(staff: Any) -> None:
    cookies = staff.signed_in(Role.VIEWER)
    with staff.app.database.write() as session:
        add_staff(session, "viewer@example.org", Role.EDITOR, actor="test", now=staff.now)
    assert staff.ask("GET", "/account", cookies=cookies).status_code == 303


def test_who_leaves_the_staff_loses_sessions_and_keys(staff: Any) -> None:
    cookies = staff.signed_in(Role.VIEWER)
    key = new_key(staff, cookies, "viewer")
    with staff.app.database.write() as session:
        remove_staff(session, "viewer@example.org", actor="test", now=staff.now)
    assert staff.ask("GET", "/account", cookies=cookies).status_code == 303
    assert staff.get("/account", Authorization=f"Bearer {key}").status_code == 303
    assert staff.rows(ApiTokenRow) == []


def test_sessions_are_listed_and_ended(staff: Any) -> None:
    here, there = staff.signed_in(Role.VIEWER), staff.signed_in(Role.VIEWER)
    page = staff.ask("GET", "/account", cookies=here).text
    (path,) = re.findall(r'action="(/account/sessions/\d+/end)"', page)
    same_origin = {"Sec-Fetch-Site": "same-origin"}
    ended = staff.ask("POST", path, cookies=here, headers=same_origin)
    assert ended.headers["Location"] == "/account"
    told = staff.ask("GET", "/account", cookies=here | {"said": ended.cookies["said"]})
    assert "You are signed out there." in told.text
    assert staff.ask("GET", "/account", cookies=there).status_code == 303
    staff.ask("POST", "/sign-out", cookies=here, headers=same_origin)
    assert staff.ask("GET", "/account", cookies=here).status_code == 303
    assert staff.rows(StaffSessionRow) == []


def test_somebody_elses_session_cannot_be_ended(staff: Any) -> None:
    staff.signed_in(Role.OPERATOR)
    (row,) = staff.rows(StaffSessionRow)
    cookies = staff.signed_in(Role.VIEWER)
    staff.ask("POST", f"/account/sessions/{row.id}/end", cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"})
    assert len(staff.rows(StaffSessionRow)) == 2


def new_key(site: Any, cookies: dict[str, str], role: str) -> str:
    made = site.ask(
        "POST",
        "/account/keys",
        cookies=cookies,
        headers={"Sec-Fetch-Site": "same-origin"},
        data={"name": "a script", "role": role},
    )
    found = re.search(r"<code>(rmk_[^<]+)</code>", made.text)
    assert found, made.text
    return found[1]


def test_a_key_acts_with_its_own_role_and_is_shown_once(staff: Any) -> None:
    cookies = staff.signed_in(Role.OPERATOR)
    key = new_key(staff, cookies, "viewer")
    assert key not in staff.ask("GET", "/account", cookies=cookies).text
    assert key not in repr(staff.rows(ApiTokenRow))
    assert staff.get("/account", Authorization=f"Bearer {key}").status_code == 200
    assert staff.get("/account", Authorization="Bearer rmk_guessed").status_code == 303
    (row,) = staff.rows(ApiTokenRow)
    deleted = f"/account/keys/{row.id}/delete"
    staff.ask("POST", deleted, cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"})
    assert staff.get("/account", Authorization=f"Bearer {key}").status_code == 303


@pytest.mark.parametrize(("name", "role"), [("", "viewer"), ("x" * 81, "viewer"), ("a", "operator"), ("a", "queen")])
def test_a_key_is_refused_with_a_reason(staff: Any, name: str, role: str) -> None:
    cookies = staff.signed_in(Role.VIEWER)
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = staff.ask("POST", "/account/keys", cookies=cookies, headers=headers, data={"name": name, "role": role})
    assert (answer.status_code, 'class="problems"' in answer.text) == (422, True)
    assert staff.rows(ApiTokenRow) == []


def first_link(site: Any, operator: str = "") -> str | None:
    with site.app.database.write() as session:
        return first_operator_link(session, site.app.key, "", operator=operator, now=site.now)


def test_the_first_link_makes_the_operator_and_no_other(site: Any) -> None:
    path, other = first_link(site), first_link(site)
    assert "Nobody is on the staff yet" in site.get(path).text
    assert site.post(path, {"address": "none"}).status_code == 422
    opened = site.post(path, {"address": "Boss@Example.org"})
    assert opened.status_code == 303
    assert [(row.address, row.role) for row in site.rows(StaffRow)] == [("boss@example.org", "operator")]
    assert site.ask("GET", "/account", cookies=dict(opened.cookies)).status_code == 200
    assert site.post(other, {"address": "late@example.org"}).status_code == 410
    assert first_link(site) is None


def test_the_only_operator_stays(site: Any) -> None:
    site.add_staff("boss@example.org", Role.OPERATOR)
    with site.app.database.write() as session:
        for change in (lambda: add_staff(session, "boss@example.org", Role.VIEWER, actor="test", now=site.now),
                       lambda: remove_staff(session, "boss@example.org", actor="test", now=site.now)):  # fmt: skip
            with pytest.raises(Conflict, match="only operator"):
                change()


def test_what_is_over_is_forgotten(staff: Any) -> None:
    staff.post("/sign-in", {"address": ADDRESS})
    staff.signed_in(STAFF_ROLES[0])
    staff.wait(timedelta(days=32))
    staff.tick("prune")
    assert (staff.rows(SignInRow), staff.rows(StaffSessionRow)) == ([], [])
    assert {event.action for event in staff.rows(EventRow) if event.noun == "staff"} == {"added", "signed in"}
