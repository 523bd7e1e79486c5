"""``monitor demo --once`` plays a week of the service offline, and each part of it brings what it should."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlmodel import col, func, select

from monitor.app import App
from monitor.newsroom.offices import TROUBLES, read_offices
from monitor.runners.assemble import make_app
from monitor.settings import load_settings
from monitor.store.matches import list_matches
from monitor.store.sources import list_sources
from monitor.store.tables import ItemRow, RevisionRow
from monitor.web.app import create_web

pytestmark = pytest.mark.timeout(300)  # the demo takes its time on a busy machine
LANGUAGES = ("en", "fr", "es")


@dataclass(frozen=True)
class Demo:
    folder: Path
    output: str
    app: App


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo, played once as a newcomer would, and its installation opened again."""
    folder = tmp_path_factory.mktemp("demo")
    played = run("--once", "--data-dir", str(folder))
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stderr == ""
    app = make_app(load_settings({"MONITOR_DATA_DIR": str(folder)}))
    yield Demo(folder, played.stdout, app)
    app.database.close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # What is set for the service must not reach the demo: least of all a database or a mail server.
    environment = {**os.environ, "MONITOR_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}
    environment |= {"MONITOR_SMTP_HOST": "mail.invalid", "COLUMNS": "200"}
    command = [sys.executable, "-c", "from monitor.cli import main; main()", "demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, check=False)


def mails(demo: Demo) -> dict[str, EmailMessage]:
    paths = (demo.folder / "outbox").glob("*.eml")
    letters = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
    return {str(letter["To"]): letter for letter in letters}


async def first_page(app: App) -> str:
    transport = httpx.ASGITransport(create_web(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return (await client.get("/")).text


def test_it_tells_its_steps_and_where_everything_is(demo: Demo) -> None:
    starts = [line.split(".")[0] for line in demo.output.splitlines() if line[:1].isdigit()]
    assert starts == ["1", "2", "3", "4", "5", "6", "7"]
    named = [
        line.split(":", 1)[1].strip() for line in demo.output.splitlines() if line.strip().startswith(("mail:", "to r"))
    ]
    assert len(named) == 2 * len(LANGUAGES)
    assert all(Path(path).is_file() for path in named)


def test_each_subscriber_gets_the_week_in_their_language(demo: Demo) -> None:
    letters = mails(demo)
    assert set(letters) == {f"reader-{language}@example.org" for language in LANGUAGES}
    for language in LANGUAGES:
        page = letters[f"reader-{language}@example.org"].get_body(("html",))
        assert page is not None
        assert f'lang="{language}"' in page.get_content()
        assert (demo.folder / f"digest-{language}.html").read_bytes().decode() == page.get_content()


def test_what_the_newsroom_is_about_is_found_and_its_near_misses_are_not(demo: Demo) -> None:
    with demo.app.database.read() as session:
        found = [match for match in list_matches(session, limit=1000) if match.worthy]
    worthy = {(m.document.source, m.url.rpartition("/")[2].removesuffix(".html"), m.topic) for m in found}
    told = [(office.slug, release) for office in read_offices() for release in office.releases]
    about = {(slug, release.name, topic) for slug, release in told for topic in release.about}
    near = {(slug, release.name, topic) for slug, release in told for topic in release.near}
    assert worthy & near == set()
    assert len(worthy & about) >= 0.9 * len(about), sorted(about - worthy)
    assert {topic for *_, topic in worthy} == {topic for *_, topic in about}


def test_the_correction_became_a_revision_and_no_item_came_twice(demo: Demo) -> None:
    with demo.app.database.read() as session:
        revisions = session.exec(
            select(RevisionRow, ItemRow).join(ItemRow, col(ItemRow.id) == RevisionRow.item_id)
        ).all()
        of_the_week = col(ItemRow.url).not_like("https://%.example/archive/%")
        items = session.exec(select(func.count()).select_from(ItemRow).where(of_the_week)).one()
    ((before, after),) = revisions
    assert "12 joint projects" in before.title
    assert "14 joint projects" in after.title
    distinct = {(o.slug, release.guid or release.name) for o in read_offices() for release in o.releases}
    assert items == len(distinct)


def test_sources_that_do_not_work_are_named_with_a_reason(demo: Demo) -> None:
    with demo.app.database.read() as session:
        failing = {row.slug: row for row in list_sources(session) if row.failures}
    assert set(failing) == {trouble.slug for trouble in TROUBLES}
    assert all(f"{row.agency}: {row.last_error}" in demo.output for row in failing.values())
    assert len({row.last_error for row in failing.values()}) == len(TROUBLES)


def test_the_first_page_shows_it(demo: Demo) -> None:
    page = asyncio.run(first_page(demo.app))
    assert "on 24 of the 24 topics" in page
    assert "Satellite finds 40 methane plumes" in page
    assert "7 of 10 sources answer" in page
    assert "javascript:" not in page


def test_it_refuses_a_folder_with_something_in_it(
    monitor: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "monitor.db").touch()
    played = monitor("demo", "--once", "--data-dir", tmp_path)
    assert played.returncode == 2
    assert "is not empty" in played.stderr
