"""Alert rules and dashboard speak of numbers that the service tells, with labels and values that it gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from monitor import tasks
from monitor.app import Intent
from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.core.roles import Role
from monitor.delivery.outcome import Refused
from monitor.runners.cluster import enqueue
from monitor.store.queue_schema import prepare_queue
from monitor.store.sources import save_source

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"
FEED = (
    "<rss version='2.0'><channel><title>News</title><item><guid>1</guid><title>norad</title>"
    f"<link>https://news.example/1</link><description>{'norad '.join(['news '] * 300)}</description>"
    "</item></channel></rss>"
)
_SELECTOR = re.compile(r"(monitor_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def expressions() -> Iterator[str]:
    """Every expression of both files."""
    rules = (OPERATIONS / "alerts.yml").read_text(encoding="utf-8")
    for block in re.findall(r"expr: (?:>-\n)?((?:.+\n)+?)\s+for:", rules):
        yield " ".join(block.split())
    for panel in json.loads((OPERATIONS / "dashboard.json").read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def samples(body: str) -> dict[str, list[dict[str, str]]]:
    """The labels of every sample, by its name."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(body):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def wrong(expression: str, told: dict[str, list[dict[str, str]]]) -> Iterator[str]:
    """What an expression speaks of that is not told."""
    names = _SELECTOR.findall(expression)
    for name, matchers in names:
        if name not in told:
            yield f"no metric {name}"
            continue
        for label, _, values in _MATCHER.findall(matchers):
            given = {labels.get(label) for labels in told[name]}
            yield from (
                f"{name} has no {label}={value}, but {given}" for value in values.split("|") if value not in given
            )
    for listed in re.findall(r"by \(([^)]*)\)", expression):
        for label in re.split(r",\s*", listed):
            yield from (
                f"{name} has no label {label}" for name, _ in names if not any(label in labels for labels in told[name])
            )


@pytest.fixture
def told(site: Any, desk_of: Any, serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is told by a service that has done all kinds of work, and met all kinds of trouble."""
    prepare_queue(site.app.database)
    desk_of(Role.EDITOR).may_fetch(loopback=True)
    with site.app.database.write() as session:
        spec = SourceSpec("news", serve(lambda _base, _path: FEED), "Agency", "CA", Language.EN)
        save_source(session, spec, actor="test", now=site.now)
    site.subscribe("one@example.org")
    site.subscribe("two@example.org")
    for _ in range(2):
        site.tick("poll_due_sources")
        site.wait(timedelta(days=1))
    site.wait(timedelta(days=8))
    site.mailbox.answers[:] = [Refused("550 no such user", bounced=True)]
    site.tick("start_due_digests")
    site.tick("deliver_digests")
    _meet_trouble(site, monkeypatch)
    site.network = "127.0.0.1"
    return samples(site.get("/metrics").text)


def _meet_trouble(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[Intent]:
        raise ValueError("this one cannot be read")

    monkeypatch.setitem(tasks.TASKS, "match_items", fails)
    with pytest.raises(ValueError, match="cannot be read"):
        tasks.run_intent(site.app, Intent("match_items", (1,)))
    with site.app.database.write() as session:
        enqueue(site.app, session, [Intent("match_items", (1,)), Intent("match_items", (2,))])
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = 1"))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_all_that_rules_and_dashboard_ask_for_is_told(told: dict[str, Any]) -> None:
    asked = list(expressions())
    assert len(asked) > 25
    assert {trouble for expression in asked for trouble in wrong(expression, told)} == set()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "expression",
    ["monitor_nothing", 'monitor_polls_total{outcome!~"read|ok"}', "sum by (colour) (monitor_polls_total)"],
)
def test_what_is_not_told_is_found(told: dict[str, Any], expression: str) -> None:
    assert list(wrong(expression, told))
