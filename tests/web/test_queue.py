"""The queue's page: for operators, who take dead letters up again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.core.roles import Role
from monitor.store import queue
from monitor.store.queue import Work
from monitor.store.tables import EventRow


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_dead_letter_is_seen_and_taken_up(site: Any) -> None:
    cookies = site.signed_in(Role.OPERATOR)
    with site.app.database.write() as session:
        queue.enqueue(session, [Work("match", "match_items", (7,)), Work("mail", "send_digests", (8,))], site.now)
        connection = session.connection()
        connection.exec_driver_sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'match_items'")
        connection.exec_driver_sql("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = 'match_items'")
        (job,) = queue.list_jobs(session, "failed")
    page = site.ask("GET", "/queue", cookies=cookies).text
    assert "match_items" in page
    answer = site.ask("POST", f"/queue/{job.id}/retry", cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    with site.app.database.read() as session:
        assert [job.task for job in queue.list_jobs(session, "todo")] == ["send_digests", "match_items"]
    assert [row.actor for row in site.rows(EventRow) if row.action == "retried"] == ["operator@example.org"]
    again = site.ask("POST", f"/queue/{job.id}/retry", cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"})
    assert again.status_code == 409
    assert "No job failed" in site.ask("GET", "/queue", cookies=cookies).text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_queue_the_page_says_so(site: Any) -> None:
    answer = site.ask("GET", "/queue", cookies=site.signed_in(Role.OPERATOR))
    assert answer.status_code == 200
    assert "has no queue" in answer.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_schedule_tells_when_each_job_fired_and_fires_next(site: Any) -> None:
    site.tick("prune")
    site.wait(timedelta(minutes=20))
    page = site.ask("GET", "/queue?lang=fr", cookies=site.signed_in(Role.OPERATOR)).text
    row = next(row for row in page.split("<tr>") if "<code>prune</code>" in row)
    assert "oublier le vieil historique" in row
    assert "il y a 20 minutes" in row
    assert "dans 40 minutes" in row
