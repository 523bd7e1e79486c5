"""Logs: structured events, for people on a terminal or as JSON for machines; never an address or a token in them."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

from monitor.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Send every log, ours and the libraries', to standard error in the form that the settings ask for."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.log_format == "json":
        ending: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            hush,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        ending = [structlog.processors.format_exc_info, hush, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[clean, *ending]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # These tell each of their steps at INFO; our own lines say what came of them.
    for library in ("alembic", "apscheduler", "procrastinate", "uvicorn"):
        logging.getLogger(library).setLevel(max(level, logging.WARNING))


_SECRETS = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "(address)"),
    # The password in an address of a database, and the tokens of our links, sessions and keys.
    (re.compile(r"(://[^:/\s]+):[^@/\s]+@"), r"\1:(password)@"),
    (re.compile(r"\brmk_[\w-]+"), "(key)"),
    (
        re.compile(r"(/(?:confirm|preferences|unsubscribe|digests|address/\w+|sign-in|welcome)/)[\w.~-]{16,}"),
        r"\1(token)",
    ),
)


def hush(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Take addresses and tokens out of every text of an event: those that a library or an error brings along, too."""
    return {name: _hushed(value) for name, value in event.items()}


def _hushed(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, instead in _SECRETS:
            value = pattern.sub(instead, value)
    return value
