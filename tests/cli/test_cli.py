"""The command line through its front door: empty states, JSON, errors with remedies, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def monitor(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs a command in a temporary folder."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from monitor.cli import main; main()", *arguments]
        return subprocess.run(
            command, env=environment | settings, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_a_newcomers_round(monitor: Run) -> None:
    """List, add, preview, send: each empty state says what to do next."""
    assert "monitor poll" in monitor("matches").stdout
    assert "monitor subscriber add" in monitor("subscriber", "list").stdout
    added = monitor("subscriber", "add", "Reader@Example.org", "--topic", "norad", "--topic", "climate")
    assert added.returncode == 0, added.stderr
    (reader,) = json.loads(monitor("subscriber", "list", "--json").stdout)
    assert reader["address"] == "reader@example.org"
    assert set(reader["topics"]) == {"norad", "climate-ministerial", "paris-net-zero", "methane"}
    assert "Nothing new" in monitor("digest", "preview", "reader@example.org").stdout
    assert monitor("digest", "send").returncode == 0
    assert "No mails" in monitor("outbox", "list").stdout


def test_the_audit_trail(monitor: Run) -> None:
    assert monitor("staff", "add", "ann@example.org", "--role", "editor").returncode == 0
    (event,) = json.loads(monitor("events", "--noun", "staff", "--json").stdout)
    assert (event["action"], event["actor"], event["detail"]["role"]) == ("added", "command line", "editor")
    assert "More: --before" in monitor("events", "--limit", "1").stdout


@pytest.mark.parametrize(
    ("arguments", "settings", "code", "says"),
    [
        (["subscriber", "add", "nobody"], {}, 2, ["address", "'nobody'"]),
        (["subscriber", "add", "a@example.org", "--topic", "weather"], {}, 2, ["'weather'", "norad"]),
        (["subscriber", "add", "a@example.org", "--zone", "Mars/Base"], {}, 2, ["Mars/Base", "IANA"]),
        (["subscriber", "add", "a@example.org", "--weekday", "someday"], {}, 2, ["someday", "monday"]),
        (["digest", "preview", "a@example.org"], {}, 2, ["not a subscriber", "monitor subscriber list"]),
        (["outbox", "show", "x"], {}, 2, ["no mail", "'x'"]),
        (["source", "check", "nowhere"], {}, 2, ["'nowhere'", "monitor source list"]),
        (["poll", "--source", "nowhere"], {}, 2, ["'nowhere'", "monitor source list"]),
        (["config", "plan", "nowhere"], {}, 2, ["topics.toml"]),
        (["matches"], {"MONITOR_PORT": "many"}, 2, ["MONITOR_PORT", "'many'"]),
        (["matches"], {"MONITOR_DATABASE_URL": "mysql://x"}, 2, ["database_url", "sqlite:///"]),
        (["matches"], {"MONITOR_DATA_DIR": "/proc/nowhere"}, 2, ["data_dir"]),
    ],
)
def test_a_wrong_request_says_what_is_wrong_and_changes_nothing(
    monitor: Run, arguments: list[str], settings: dict[str, str], code: int, says: list[str]
) -> None:
    done = monitor(*arguments, **settings)
    assert done.returncode == code, done.stderr
    assert all(part in done.stderr for part in says), done.stderr
    assert "Traceback" not in done.stderr


def test_export_edit_plan_apply(monitor: Run, tmp_path: Path) -> None:
    assert monitor("config", "export", str(tmp_path / "mine")).returncode == 0
    assert "No difference" in monitor("config", "plan", str(tmp_path / "mine")).stdout
    sources = tmp_path / "mine" / "sources.toml"
    sources.write_text(sources.read_text().replace('slug = "ca-pm-en"', 'slug = "ca-pm-renamed"'))
    planned = monitor("config", "plan", str(tmp_path / "mine"))
    assert "+ source ca-pm-renamed" in planned.stdout


def test_doctor_says_what_to_do_where_nothing_can_be_reached(monitor: Run) -> None:
    """The sources' names do not resolve in a closed network; elsewhere they do, and all is well."""
    done = monitor("doctor", "--json", MONITOR_POLL_TOTAL_SECONDS="5")
    findings = {row["check"]: row for row in json.loads(done.stdout)}
    assert {"settings", "database", "disk", "clock", "time zones", "mail", "sources"} <= set(findings)
    well = all(row[""] == "ok" for row in findings.values())
    assert done.returncode == (0 if well else 1)
    assert all(row["remedy"] for row in findings.values() if row[""] != "ok")


def test_doctor_names_a_mail_server_that_is_not_there(monitor: Run, free_port: int) -> None:
    done = monitor(
        "doctor",
        "--json",
        MONITOR_SMTP_HOST="127.0.0.1",
        MONITOR_SMTP_PORT=str(free_port),
        MONITOR_POLL_TOTAL_SECONDS="5",
    )
    mail = next(row for row in json.loads(done.stdout) if row["check"] == "mail")
    assert mail[""] == "NOT WELL"
    assert "smtp_host" in mail["remedy"]
    assert done.returncode == 1


def test_a_schema_can_be_told_and_brought_up(monitor: Run) -> None:
    assert "stored: none" in monitor("db", "version").stdout
    assert monitor("db", "upgrade").returncode == 0
    version = monitor("db", "version").stdout
    assert "none" not in version
