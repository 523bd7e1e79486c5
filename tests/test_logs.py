"""No log holds an address, a password or a token, whoever wrote it into the text."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from monitor.logs import configure_logs
from monitor.settings import load_settings
from monitor.tokens import Purpose, sign


@pytest.mark.usefixtures("logs_as_before")
@pytest.mark.parametrize("form", ["json", "console"])
def test_addresses_and_tokens_stay_out(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    token = sign("key", Purpose.CONFIRM, 17)
    configure_logs(load_settings({"MONITOR_LOG_FORMAT": form}))
    ours, theirs = structlog.get_logger("monitor"), logging.getLogger("library")
    ours.warning("refused", reason="550 <reader+x@example.org> is unknown", url=f"https://m.example/confirm/{token}")
    theirs.warning("connecting to postgresql://monitor:hunter2@database/monitor with rmk_abcDEF123")
    error = ValueError("no mailbox for other.reader@mail.example.org")
    ours.error("a task failed", ids=[1, 2], exc_info=error)
    written = capsys.readouterr().err
    for secret in ("reader", token, "hunter2", "rmk_abc"):
        assert secret not in written, secret
    assert "(address)" in written
    assert "database/monitor" in written
    if form == "json":
        assert [json.loads(line)["level"] for line in written.splitlines()] == ["warning", "warning", "error"]
