"""The staff's page: operators invite, give roles, end sessions and withdraw access, and cannot lock themselves out."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.roles import Role
from monitor.store.tables import EventRow, StaffRow, StaffSessionRow

OPERATOR = "operator@example.org"


@pytest.fixture
def operator(desk_of: Any) -> Any:
    return desk_of(Role.OPERATOR)


def roles(site: Any) -> dict[str, str]:
    return {row.address: row.role for row in site.rows(StaffRow)}


def said(site: Any, answer: Any) -> str:
    """What the page says after a form was answered."""
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff")
    return str(site.ask("GET", "/staff", cookies=dict(answer.cookies) | site.signed_in(Role.OPERATOR)).text)


def test_an_invitation_brings_a_link_to_sign_in_and_a_role(site: Any, operator: Any, link_in: Any) -> None:
    answer = operator.post("/staff", {"address": "Ann@Example.org", "role": "editor"})
    assert "A link to sign in is on its way to ann@example.org." in said(site, answer)
    site.tick()
    (mail,) = site.mails("ann@example.org")
    opened = site.post(link_in(mail, "sign-in"))
    assert opened.status_code == 303
    assert site.ask("GET", "/sources/add", cookies=dict(opened.cookies)).status_code == 200
    page = operator.get("/staff").text
    assert "just now" in page, "when they signed in last"
    assert roles(site)["ann@example.org"] == "editor"


@pytest.mark.parametrize(
    ("path", "form", "problem"),
    [
        ("/staff", {"address": "ann", "role": "editor"}, "Write an e-mail address"),
        ("/staff", {"address": "ann@example.org", "role": "king"}, "Choose a role."),
        ("/staff/role", {"address": OPERATOR, "role": ""}, "Choose a role."),
    ],
)
def test_a_wrong_form_says_so_and_changes_nothing(
    site: Any, operator: Any, path: str, form: dict[str, str], problem: str
) -> None:
    answer = operator.post(path, form)
    assert (answer.status_code, problem in answer.text) == (422, True)
    assert roles(site) == {OPERATOR: "operator"}


def test_another_role_and_a_lost_device_end_the_sessions(site: Any, operator: Any, desk_of: Any) -> None:
    editor = desk_of(Role.EDITOR)
    operator.post("/staff/role", {"address": "editor@example.org", "role": "viewer"})
    assert roles(site)["editor@example.org"] == "viewer"
    assert editor.get("/watchlist").status_code == 303, "to be signed in again"
    reviewer = desk_of(Role.REVIEWER)
    assert "sessions: 1." in said(site, operator.post("/staff/sign-out", {"address": "reviewer@example.org"}))
    assert reviewer.get("/matches").status_code == 303


def test_access_is_withdrawn_and_the_trail_tells_by_whom(site: Any, operator: Any, desk_of: Any) -> None:
    editor = desk_of(Role.EDITOR)
    assert "is not on the staff any more." in said(
        site, operator.post("/staff/remove", {"address": "editor@example.org"})
    )
    assert editor.get("/watchlist").status_code == 303
    assert (OPERATOR, "removed") in {(row.actor, row.action) for row in site.rows(EventRow)}
    assert operator.post("/staff/remove", {"address": "editor@example.org"}).status_code == 404


def test_the_only_operator_cannot_lock_everybody_out(site: Any, operator: Any) -> None:
    for path, form in (("/staff/role", {"role": "viewer"}), ("/staff/remove", {}), ("/staff", {"role": "editor"})):
        answer = operator.post(path, {"address": OPERATOR, **form})
        assert "This is the only operator." in said(site, answer)
    assert roles(site) == {OPERATOR: "operator"}
    assert "the only operator" in operator.get("/staff").text
    assert len(site.rows(StaffSessionRow)) > 0
