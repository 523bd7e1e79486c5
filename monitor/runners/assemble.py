"""Putting an installation together from its settings."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

import structlog

from monitor.clock import utc_now
from monitor.delivery.outbox import Outbox
from monitor.delivery.smtp import Smtp
from monitor.delivery.transport import Transport
from monitor.errors import SettingError
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.settings import Settings
from monitor.shipped import shipped
from monitor.store import config
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue
from monitor.tasks import App

log = structlog.get_logger(__name__)


def open_database(settings: Settings, now: datetime) -> Database:
    """Open the database with its schema up to date, and apply the shipped config to an empty one.

    Raises:
        SettingError: The address of the database, the data folder or a config file is wrong.
        DatabaseBusy: The database does not answer.
    """
    make_folder(settings.data_dir)
    database = make_database(settings)
    if copy := upgrade(database, now):
        log.info("the schema was upgraded", copy=str(copy))
    prepare_queue(database)
    with database.write() as session:
        stored = config.stored_config(session)
        if not stored.topics and not stored.sources:
            changes = config.plan(session, config.read_config(shipped("config")))
            count = config.apply(session, changes, actor="first start", now=now)
            log.info("the shipped config was applied", things=count)
    return database


def make_database(settings: Settings) -> Database:
    """The database of the settings, as it is; nothing is connected yet."""
    return Database(settings.database, connections=settings.database_connections, pooler=settings.database_pooler)


def make_folder(path: Path) -> None:
    """Make the data folder, readable by its owner alone: it holds addresses.

    Raises:
        SettingError: It cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingError("settings", "data_dir", str(path), f"{error.strerror}; name a folder to write to") from error


def make_app(settings: Settings) -> App:
    """The installation that the settings describe, with its database open."""
    database = open_database(settings, utc_now())
    limits = fetch_limits(settings)
    return App(
        settings=settings,
        key=secret_key(settings),
        database=database,
        make_transport=lambda: make_transport(settings),
        make_fetcher=lambda: Fetcher(limits),
    )


def make_transport(settings: Settings) -> Transport:
    """Where mail goes: to the SMTP server, or into the outbox folder while none is set."""
    return make_smtp(settings) if settings.smtp_host else Outbox(settings.outbox_dir)


def make_smtp(settings: Settings) -> Smtp:
    """The SMTP server of the settings; nothing is connected yet."""
    return Smtp(
        settings.smtp_host,
        settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        security=settings.smtp_security,
        timeout=settings.smtp_timeout_seconds,
    )


def fetch_limits(settings: Settings) -> FetchLimits:
    """What one request may cost, and how it introduces itself."""
    return FetchLimits(
        max_raw_bytes=settings.poll_max_raw_bytes,
        max_decoded_bytes=settings.poll_max_decoded_bytes,
        total_seconds=settings.poll_total_seconds,
        host_gap_seconds=settings.poll_host_gap_seconds,
        allow_loopback=settings.poll_allow_loopback,
        user_agent=settings.user_agent,
    )


def secret_key(settings: Settings) -> str:
    """The key that signs links: from the settings, else from the data folder, where it is made on first use."""
    if configured := settings.secret_key.get_secret_value():
        return configured
    path = settings.data_dir / "secret.key"
    make_folder(settings.data_dir)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii")
