"""What load balancers and Prometheus are told."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from monitor.errors import SettingError
from monitor.runners.status import status_server
from monitor.store.queue_schema import prepare_queue


def test_ready_with_the_schema_of_this_release(site: Any) -> None:
    prepare_queue(site.app.database)
    answer = site.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["database"] == "ok"
    assert answer.json()["queue_age"] == (None if site.app.database.is_sqlite else 0)


def test_not_ready_with_another_schema(site: Any) -> None:
    with site.app.database.write() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0000'"))
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert "run `monitor db upgrade`" in answer.json()["schema"]


def test_not_ready_without_a_database(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise site.app.database.engine.dialect.dbapi.OperationalError("it is away")

    site.app.database.engine.dispose()
    monkeypatch.setattr(site.app.database.engine.dialect, "connect", away)
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "does not answer"
    assert site.get("/healthz").status_code == 200, "the process lives"


def told(body: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    families = list(text_string_to_metric_families(body))
    assert len({family.name for family in families}) == len(families), "each name once"
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_the_metrics_tell_what_the_rows_tell(site: Any) -> None:
    prepare_queue(site.app.database)
    site.subscribe()
    site.wait(timedelta(minutes=5))
    site.network = "127.0.0.1"
    found = told(site.get("/metrics").text)
    assert found["monitor_database_up",] == 1
    assert found["monitor_subscribers", "active"] == 1
    assert found["monitor_digests_due",] == 1
    assert found["monitor_digest_lag_seconds",] == 300
    assert ("monitor_mails_waiting", "digest") in found


@pytest.mark.parametrize("header", [{}, {"X-Forwarded-For": "127.0.0.1"}])
def test_the_metrics_are_not_for_the_public(site: Any, header: dict[str, str]) -> None:
    site.network = "127.0.0.1" if header else "192.0.2.7"
    assert site.ask("GET", "/metrics", headers=header).status_code == 404


def test_schedulers_and_workers_answer_at_a_port_of_their_own(site: Any, free_port: int) -> None:
    settings = site.app.settings.model_copy(update={"metrics_port": free_port})
    app = replace(site.app, settings=settings)
    well = [True, False]

    def ask(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    with status_server(app, rows=False, is_well=lambda: well.pop(0)):
        assert ask("/healthz")[0] == 200
        assert ask("/healthz")[0] == 503
        assert ask("/")[0] == 404
        status, body = ask("/metrics")
        assert status == 200
        assert "monitor_polls" in body
        assert "monitor_subscribers" not in body
        with pytest.raises(SettingError, match="name a free port"), status_server(app, rows=False, is_well=bool):
            pass
    with pytest.raises(urllib.error.URLError):
        ask("/healthz")
