"""Who may open what: every route declares a role, and each role gets what is its own."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.paging import cursor
from monitor.core.roles import STAFF_ROLES, Role
from monitor.store.tables import StaffRow
from monitor.web.access import check_declared, declared_routes
from monitor.web.navigation import NAVIGATION
from monitor.web.paths import own_path

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/account?x=1"}


def test_every_route_declares_a_role(site: Any) -> None:
    routes = list(declared_routes(site.web))
    assert len(routes) > 20
    assert [route for route in routes if route.role is None] == []


def test_a_route_without_a_role_keeps_the_service_from_starting() -> None:
    web, router = FastAPI(openapi_url=None, docs_url=None, redoc_url=None), APIRouter()
    router.add_api_route("/open", lambda: "")
    web.include_router(router)
    with pytest.raises(LookupError, match="GET /open"):
        check_declared(web)


def test_every_route_answers_each_role_as_declared(site: Any) -> None:
    """A role below the declared one is asked to sign in, or refused; the others get past the guard."""
    cookies = {role: site.signed_in(role) for role in STAFF_ROLES} | {Role.PUBLIC: {}}
    for route in declared_routes(site.web):
        if route.role in {Role.PUBLIC, None} or "sessions" in route.path:
            continue
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        for role, cookie in cookies.items():
            answer = site.ask(route.method, path, cookies=cookie, headers={"Sec-Fetch-Site": "same-origin"}, data={})
            told = (route.method, path, role.word, answer.status_code)
            if role >= route.role:
                assert answer.status_code not in {401, 403, 500}, told
            elif role is not Role.PUBLIC:
                assert answer.status_code == 403, told
            elif path.startswith("/api/"):
                assert answer.status_code == 401, told
            else:
                assert (answer.status_code, answer.headers["Location"][:14]) == (303, "/sign-in?next="), told


def test_navigation_fits_the_role_and_leads_somewhere(site: Any) -> None:
    for role in STAFF_ROLES:
        cookies = site.signed_in(role)
        for entry in NAVIGATION:
            shown = f'href="{entry.path}"' in site.ask("GET", "/account", cookies=cookies).text
            assert shown == (role >= entry.role), (role, entry)
            if shown:
                assert site.ask("GET", entry.path, cookies=cookies).status_code == 200


def test_who_is_not_signed_in_comes_back_to_the_page_they_asked_for(site: Any) -> None:
    answer = site.get("/account?tab=keys&x=%C3%A9")
    assert answer.headers["Location"] == "/sign-in?next=/account%3Ftab%3Dkeys%26x%3D%25C3%25A9"
    assert 'name="next" value="/account?tab=keys&amp;x=%C3%A9"' in site.get(answer.headers["Location"]).text


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(site: Any) -> None:
    answer = site.get("/account", **HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=/account%3Fx%3D1")
    elsewhere = HTMX | {"HX-Current-URL": "http://evil.example/account"}
    assert site.get("/account", **elsewhere).headers["HX-Redirect"] == "/sign-in?next=/"


def test_a_cross_site_post_is_refused_on_every_route(site: Any) -> None:
    cookies = site.signed_in(Role.OPERATOR)
    posts = [route for route in declared_routes(site.web) if route.method not in {"GET", "HEAD"}]
    assert posts
    for route in posts:
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        answer = site.ask(route.method, path, cookies=cookies, headers=headers)
        assert answer.status_code == 403, route


OWN = ["/", "/matches", "/matches?topic=norad&after=1", "/a//b", "/x%20y", "/?next=//elsewhere"]
OTHERS = [
    "", "matches", "//evil.example", "/\\evil.example", "/%5cevil.example", "/%2fevil.example", "/%255cevil.example",
    "\\\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "/a\r\nSet-Cookie: x=1",
    " /a", "/é", "/" + "a" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("path", OWN)
def test_own_paths_are_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize("path", OTHERS)
def test_other_addresses_are_not_gone_to(path: str) -> None:
    assert own_path(path) == "/"


@given(st.text(st.sampled_from("/\\%25cfFC\t\n ?#@:.a"), max_size=12))
def test_no_text_leads_to_another_host(text: str) -> None:
    path = own_path(text)
    assert path.startswith("/")
    assert path[1:2] not in {"/", "\\"}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [("/nowhere", 404, "There is no page"), ("/sign-in/forged", 404, "not valid"), ("/address/side/x", 404, "no page")],
)
def test_errors_are_pages(site: Any, path: str, status: int, says: str) -> None:
    answer = site.get(path)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert "Content-Security-Policy" in answer.headers


def test_a_program_is_told_its_problem(site: Any) -> None:
    answer = site.get("/api/v1/nowhere")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code == 404


def test_the_chosen_language_stays(site: Any) -> None:
    french = site.get("/sign-in?lang=fr")
    assert '<html lang="fr">' in french.text
    assert "lang=fr" in french.headers["Set-Cookie"]
    assert '<html lang="fr">' in site.ask("GET", "/sign-in", cookies={"lang": "fr"}).text


def test_nobody_is_on_the_staff_by_themselves(site: Any) -> None:
    assert site.rows(StaffRow) == []


@pytest.mark.parametrize("number", ["0", "-1", str(2**31), str(2**63), "9" * 40])
def test_a_number_that_no_row_can_have_is_found_nowhere(site: Any, number: str) -> None:
    cookies = site.signed_in(Role.OPERATOR)
    for route in declared_routes(site.web):
        if not re.search(r"_id\}|\{reference\}", route.path):
            continue
        path = re.sub(r"\{(?:\w+_id|reference)\}", number, route.path).replace("{kind}", "digest")
        answer = site.ask(route.method, path, cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"}, data={})
        assert answer.status_code in ({400, 404} if path.startswith("/api/") else {404}), (route.method, path)


def test_a_cursor_with_a_number_that_no_row_can_have_is_refused(site: Any) -> None:
    far = cursor("2026-11-22T00:00:00+00:00", 2**31)
    for path in ("/topics/norad?before=", "/search?q=norad&before=", "/api/v1/topics/norad/items?cursor="):
        assert site.get(path + far).status_code == 400, path
