"""Whatever fits the API's own description, and what does not quite, gets an answer: never an error of the server's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Request
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from monitor.core.roles import Role
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.staff.api_tokens import create_token
from monitor.store.staff import holder_of_session

KNOWN = {"topic": "norad", "topic_id": "norad", "key": "any", "slug": "agency-ca", "item_id": 1, "match_id": 1,
         "subscriber_id": 1, "kind": "digest", "mail_id": 1}  # fmt: skip
"""Names that there are: with those that a description leads to, nearly every answer would be 404."""

BOUNDED = settings(max_examples=3, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def filled(site: Any, newsroom: Any) -> Any:
    """A site with some of everything, without a limit of requests, that may ask the network but finds nobody there."""
    item = newsroom.publish("News of norad", "norad", body="About the border.")
    newsroom.join(item, newsroom.publish("News of the border", "border", country="US"))
    site.subscribe()
    limits = FetchLimits(total_seconds=1)
    told = site.app.settings.model_copy(update={"requests_per_minute": 1_000_000})
    site.app = site.web.state.app = replace(site.app, settings=told, make_fetcher=lambda: Fetcher(limits))
    return site


def operations(site: Any) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(site.get("/api/v1/openapi.json").json())
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


def key_of(site: Any) -> str:
    token = site.signed_in(Role.OPERATOR)["session"]
    with site.app.database.write() as session:
        holder = holder_of_session(session, token, site.now)
        assert holder
        return create_token(session, holder, "schema", Role.OPERATOR, now=site.now)


def cases(operation: Any) -> Any:
    named = {name: KNOWN[name] for name in re.findall(r"\{(\w+)\}", operation.path) if name in KNOWN}
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    found = [operation.as_strategy(GenerationMode.POSITIVE, path_parameters=named)] if named else []
    return st.one_of(*found, *map(operation.as_strategy, modes))


def send(site: Any, case: Any, headers: dict[str, str]) -> Any:
    made = Request(**case.as_transport_kwargs(base_url="http://127.0.0.1")).prepare()
    parts = urlsplit(str(made.url or ""))
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    kept = {name: value for name, value in made.headers.items() if name.lower() in {"content-type", "accept"}}
    return site.ask(case.method, path, content=made.body or b"", headers=kept | headers)


def answers_all(site: Any, operation: Any, headers: dict[str, str], faults: list[str]) -> int:
    """Try an operation with what its description allows and forbids; how many answers there were."""
    count = 0

    @BOUNDED
    @given(case=cases(operation))
    def tried(case: Any) -> None:
        nonlocal count
        count += 1
        try:
            status = send(site, case, headers).status_code
        except Exception as error:  # noqa: BLE001 - what the server raises comes through the transport, whatever it is
            status = 500
            faults.append(repr(error)[:300])
        if status >= 500:
            faults.append(f"{status} {case.as_curl_command()[:500]}")
        if headers and status == 401:
            faults.append(f"the key was not taken: {operation.label}")

    tried()
    return count


@pytest.mark.timeout(300)  # a second's work for each of fifty routes, on a busy machine
def test_no_request_is_an_error_of_the_server(filled: Any) -> None:
    faults: list[str] = []
    key = {"Authorization": f"Bearer {key_of(filled)}"}
    counts = {operation.label: answers_all(filled, operation, key, faults) for operation in operations(filled)}
    assert faults == []
    assert len(counts) > 40
    assert all(counts.values())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nor_is_one_of_somebody_without_a_key(filled: Any) -> None:
    faults: list[str] = []
    public = [one for one in operations(filled) if "security" not in one.definition.raw]
    counts = [answers_all(filled, operation, {}, faults) for operation in public]
    assert faults == []
    assert len(counts) > 5
