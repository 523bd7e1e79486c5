"""Putting an installation together from its settings."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from monitor.app import App
from monitor.clock import utc_now
from monitor.delivery.outbox import Outbox
from monitor.delivery.pool import Pace
from monitor.delivery.relays import Relays
from monitor.delivery.signing import Signer, Signing
from monitor.delivery.smtp import Smtp
from monitor.delivery.transport import Transport
from monitor.errors import SettingError
from monitor.polling.fetch import Fetcher, FetchLimits
from monitor.polling.shared_turns import SharedTurns
from monitor.settings import Settings
from monitor.shipped import shipped
from monitor.store import config
from monitor.store.engine import Database
from monitor.store.migrate import upgrade
from monitor.store.queue_schema import prepare_queue

log = structlog.get_logger(__name__)

_TURN_SECONDS = 0.001


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
    return Database(
        settings.database,
        password=settings.database_password.get_secret_value(),
        connections=settings.database_connections,
        pooler=settings.database_pooler,
    )


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
    """The installation that the settings describe, with its database open.

    Raises:
        SettingError: A setting is wrong that only its use shows, such as the file of a key.
        DatabaseBusy: The database does not answer.
    """
    limits, transports = fetch_limits(settings), transport_maker(settings)
    database = open_database(settings, utc_now())
    turns = SharedTurns(database)
    return App(
        settings=settings,
        key=secret_key(settings),
        database=database,
        make_transport=transports,
        make_fetcher=lambda: Fetcher(limits, shared=turns),
        pace=Pace(settings.mails_per_second, settings.mails_per_minute_and_domain / 60),
    )


def settle_in() -> None:
    """Set the interpreter up for a process that runs until it is stopped, when it has loaded what it needs.

    Modules and settings live as long as the process. Python's collector would walk through them again and again while
    a visit makes its own objects: without that, a first visit of 5,000 feeds took 12.7 ms of processor a feed, not 13.5
    (``benchmarks/polling``).

    A thread that waits for a server's answer gets its turn within a millisecond, not five: mails are composed in one
    thread while ten others speak with the mail server, a dozen short turns a mail (``benchmarks/delivery``).
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_TURN_SECONDS)


def transport_maker(settings: Settings) -> Callable[[], Transport]:
    """Makes ways to the mail servers, asked in turn, or into the outbox folder while none is set.

    Raises:
        SettingError: A fallback server or the DKIM key is wrong.
    """
    if not settings.smtp_host:
        return lambda: Outbox(settings.outbox_dir)
    servers, signer = mail_servers(settings), make_signer(settings)

    def make() -> Transport:
        relays = [make_smtp(settings, *server) for server in servers]
        transport = Relays(relays) if len(relays) > 1 else relays[0]
        return Signing(transport, signer) if signer else transport

    return make


def mail_servers(settings: Settings) -> list[tuple[str, int]]:
    """The names and ports of the mail servers, the preferred one first.

    Raises:
        SettingError: One cannot be understood.
    """
    servers = [(settings.smtp_host, settings.smtp_port)]
    for written in filter(None, map(str.strip, settings.smtp_fallback_hosts.split(","))):
        host, colon, port = written.rpartition(":") if ":" in written else (written, "", "")
        if not host or (colon and not (port.isdecimal() and 0 < int(port) < 65536)):
            remedy = "write names, or names and ports: relay2.example.org, relay3.example.org:2525"
            raise SettingError("settings", "smtp_fallback_hosts", written, remedy)
        servers.append((host, int(port or settings.smtp_port)))
    return servers


def make_signer(settings: Settings) -> Signer | None:
    """What signs mails, or None where the mail server does.

    Raises:
        SettingError: Not all of the DKIM settings are there, or the key cannot be used.
    """
    given = {name: str(getattr(settings, name)) for name in ("dkim_domain", "dkim_selector", "dkim_key_file")}
    if not any(given.values()):
        return None
    for name, value in given.items():
        if not value:
            raise SettingError("settings", name, value, f"set it too, or none of {', '.join(given)}")
    try:
        key = Path(settings.dkim_key_file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(
            "settings", "dkim_key_file", settings.dkim_key_file, f"name a readable PEM file: {error}"
        ) from error
    signer = Signer(settings.dkim_domain, settings.dkim_selector, key)
    signer.sign(b"From: x@example.org\r\n\r\n")  # a wrong key is told now, not when the first digest is due
    return signer


def make_smtp(settings: Settings, host: str = "", port: int = 0) -> Smtp:
    """The first SMTP server of the settings, or a named one; nothing is connected yet."""
    return Smtp(
        host or settings.smtp_host,
        port or settings.smtp_port,
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
