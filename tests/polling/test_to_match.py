"""What is new, changed or read in full is to be matched, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from monitor import event_loop
from monitor.core.languages import Language
from monitor.core.nouns import SourceSpec
from monitor.polling.articles import read_articles
from monitor.polling.visit import visit_sources
from monitor.store.claims import claim_due_sources, claim_for_articles
from monitor.store.engine import Database
from monitor.store.sources import save_source
from monitor.store.visits import load_states

LEASE = timedelta(minutes=9)
PAGE = f"<html><body><article><h1>One</h1><p>{'The ministers met on the border. ' * 20}</p></article></body></html>"


def feed(base: str, **items: str) -> dict[str, bytes]:
    """A feed of summaries by the names of their pages."""
    shown = "".join(
        f"<item><guid>{name}</guid><title>{name}</title><link>{base}/{name}</link><description>{text}</description></item>"
        for name, text in items.items()
    )
    return {"body": f"<rss version='2.0'><channel><title>News</title>{shown}</channel></rss>".encode()}


def test_a_visit_names_what_it_brought_and_a_reading_what_it_read(
    faults: Any, new_fetcher: Any, database: Database, now: datetime
) -> None:
    base = faults.url("").rstrip("/")
    with database.write() as session:
        source = save_source(session, SourceSpec("s", f"{base}/feed", "A", "CA", Language.EN), actor="test", now=now)
    faults.play("/one", [{"body": PAGE.encode()}])
    faults.play("/two", [{"status": 404}])

    async def visit(hours: int, **items: str) -> tuple[tuple[int, ...], list[int]]:
        faults.play("/feed", [feed(base, **items)])
        at = now + timedelta(hours=hours)
        with database.write() as session:
            assert claim_due_sources(session, at, limit=1, per_host=1, lease=LEASE, slug="s")
            states = load_states(session, [source])
        async with new_fetcher() as fetcher:
            (report,) = await visit_sources(database, fetcher, states, clock=lambda: at, at_once=1)
            with database.write() as session:
                claimed = claim_for_articles(session, at, limit=9, per_host=9, lease=LEASE)
            read = [await read_articles(database, fetcher, ids, clock=lambda: at) for ids in claimed.values()]
        return report.items, [item_id for one in read for item_id in one.read]

    assert event_loop.run(visit(0, one="A meeting", two="A treaty")) == ((1, 2), [1])
    assert event_loop.run(visit(3, one="A meeting", two="A treaty")) == ((), [])
    assert event_loop.run(visit(6, one="A meeting", two="A treaty, corrected", three="A bill")) == ((3, 2), [])
