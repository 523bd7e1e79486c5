"""``monitor doctor``: checks what the service stands on, and says what to do."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from monitor import event_loop
from monitor.app import App
from monitor.cli.installation import installation
from monitor.cli.output import AsJson, print_rows
from monitor.errors import MonitorError
from monitor.polling.fetch import Failed, Outcome
from monitor.runners.assemble import make_smtp
from monitor.store.migrate import newest_version, schema_version
from monitor.store.slots import newest_moment
from monitor.store.sources import list_sources

_LEAST_FREE_BYTES = 500_000_000
_SOURCES_TRIED = 5
_CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; ``remedy`` says what to do where it is not well."""

    check: str
    well: bool
    found: str
    remedy: str = ""


def doctor(*, as_json: AsJson = False) -> None:
    """Check settings, database, disk, clock, time zones, mail and sources; exit code 1 if one is not well."""
    with installation() as app:
        findings = [Finding("settings", well=True, found="read and valid"), *_examine(app)]
    rows = [
        {"check": found.check, "": "ok" if found.well else "NOT WELL", "found": found.found, "remedy": found.remedy}
        for found in findings
    ]
    print_rows(rows, as_json=as_json, empty="")
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


def _examine(app: App) -> Iterator[Finding]:
    checks: tuple[Callable[[App], Finding], ...] = (_database, _disk, _clock, _zones, _mail, _identity, _sources)
    for check in checks:
        yield check(app)


def _database(app: App) -> Finding:
    address = app.database.engine.url.render_as_string(hide_password=True)
    try:
        version = schema_version(app.database)
        with app.database.write():
            pass
    except MonitorError as error:
        return Finding(
            "database", well=False, found=str(error), remedy="see that it runs and that database_url is right"
        )
    well = version == newest_version()
    return Finding("database", well, f"{address}, schema {version}", "" if well else "run `monitor db upgrade`")


def _disk(app: App) -> Finding:
    folder = app.settings.data_dir
    free = shutil.disk_usage(folder).free
    well = free >= _LEAST_FREE_BYTES and os.access(folder, os.W_OK)
    remedy = "" if well else f"make {folder} writable and free at least {_LEAST_FREE_BYTES // 1_000_000} MB"
    return Finding("disk", well, f"{free / 1e9:.1f} GB free in {folder}", remedy)


def _zones(_app: App) -> Finding:
    try:
        ZoneInfo("America/Iqaluit")
    except ZoneInfoNotFoundError as error:
        return Finding("time zones", well=False, found=str(error), remedy="install the package tzdata")
    return Finding("time zones", well=True, found=f"the tz database is here; this machine's zone is {time.tzname[0]}")


def _mail(app: App) -> Finding:
    settings = app.settings
    if not settings.smtp_host:
        remedy = "set smtp_host when digests shall go out; `monitor outbox list` shows them until then"
        return Finding("mail", well=True, found=f"written into {settings.outbox_dir}", remedy=remedy)
    problem = make_smtp(settings).problem()
    if problem is None:
        return Finding("mail", well=True, found=f"{settings.smtp_host} answers and lets us in")
    remedy = "see smtp_host, smtp_port, smtp_security, smtp_user and smtp_password"
    return Finding("mail", well=False, found=problem, remedy=remedy)


def _identity(app: App) -> Finding:
    settings = app.settings
    missing = " and ".join(settings.missing_identity)
    if not missing:
        return Finding("identity", well=True, found=f"{settings.organisation}, {settings.contact}")
    well = not settings.smtp_host
    remedy = f"set {missing}: anti-spam laws ask for them in every mail, and sites for a contact"
    return Finding("identity", well, f"{missing} not set", remedy)


def _sources(app: App) -> Finding:
    with app.database.read() as session:
        # One of each host: the question is whether the network works, not whether each feed does.
        urls = {row.host: row.url for row in list_sources(session) if row.state == "active"}
    tried = list(urls.values())[:_SOURCES_TRIED]
    outcomes = event_loop.run(_fetch(app, tried))
    answered = [outcome for outcome in outcomes if not isinstance(outcome, Failed) or outcome.status]
    if tried and not answered:
        failure = next(outcome for outcome in outcomes if isinstance(outcome, Failed))
        remedy = "see that this machine may reach the internet by HTTPS and resolve names; `make demo` needs neither"
        return Finding("sources", well=False, found=f"none of {len(tried)} answered: {failure.detail}", remedy=remedy)
    return Finding(
        "sources", well=True, found=f"{len(answered)} of {len(tried)} tried answered; `monitor source check` tries all"
    )


async def _fetch(app: App, urls: Sequence[str]) -> list[Outcome]:
    async with app.make_fetcher() as fetcher:
        return list(await asyncio.gather(*(fetcher.get(url) for url in urls)))


def _clock(app: App) -> Finding:
    now = app.clock()
    with app.database.read() as session:
        newest = newest_moment(session)
    if newest and now < newest - _CLOCK_TOLERANCE:
        found = f"it is {now:%Y-%m-%d %H:%M}Z here, but rows were written at {newest:%Y-%m-%d %H:%M}Z"
        return Finding("clock", well=False, found=found, remedy="set the clock (timedatectl set-ntp true) and restart")
    return Finding("clock", well=True, found=f"{now:%Y-%m-%d %H:%M}Z, not before anything written so far")
