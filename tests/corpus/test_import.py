"""The real releases as an archive: nothing is skipped, nothing doubled, and no title is lost to hidden characters."""

from __future__ import annotations

import gzip
import io
import json
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from monitor.core.languages import Language
from monitor.core.text import fold
from monitor.shipped import shipped
from monitor.store.backtest import backtest
from monitor.store.config import read_config
from monitor.store.engine import Database
from monitor.store.imports import archive_source, import_archive
from monitor.store.live_watchlist import compile_matcher

RELEASES = Path(__file__).parents[3] / "shared" / "corpus" / "releases" / "whitehouse.jsonl.gz"
QUERY = '"North American Leaders\' Summit"'

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not RELEASES.is_file(), reason="the releases are not beside the checkout"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def sample() -> list[dict[str, str]]:
    """All releases whose title speaks of the summit, as a reader sees it, and others up to 500."""
    with gzip.open(RELEASES, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    about = [row for row in rows if "american leaders" in fold(row["title"])]
    others = (row for row in rows if row not in about)
    return [*about, *islice(others, 500 - len(about))]


def test_an_import_loses_no_release_and_no_title(
    database: Database, now: datetime, sample: list[dict[str, str]]
) -> None:
    data = "".join(json.dumps(row) + "\n" for row in sample).encode()
    spec = archive_source("whitehouse", agency="White House", country="US", language=Language.EN)
    done = import_archive(database, io.BytesIO(data), spec, now)
    assert done.bad == []
    assert done.new == len({row["url"] for row in sample})
    assert import_archive(database, io.BytesIO(data), spec, now).new == 0

    matcher = compile_matcher(read_config(shipped("config")).topics)
    with database.read() as session:
        found = backtest(session, matcher, QUERY, Language.EN, now - timedelta(days=9_999), sample=500)
    titles = {row["url"] for row in sample if "north american leaders" in fold(row["title"]).replace("  ", " ")}
    assert titles
    assert titles <= {hit.url for hit in found.sample}
    assert found.candidates < found.items / 2, "the index did its part"
