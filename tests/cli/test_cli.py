"""The command line through its front door: empty states, JSON, errors with remedies, exit codes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.core.schedule import Schedule
from monitor.digests.calendar import next_boundary

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.usefixtures("installed")
def test_a_newcomers_round(monitor: Run) -> None:
    """List, add, preview, send: each empty state says what to do next."""
    assert "monitor poll" in monitor("matches").stdout
    assert monitor("watch", "test", "norad").stderr == "", "no progress where nobody watches"
    assert "monitor subscriber add" in monitor("subscriber", "list").stdout
    added = monitor("subscriber", "add", "Reader@Example.org", "--topic", "norad", "--topic", "climate")
    assert added.returncode == 0, added.stderr
    (reader,) = json.loads(monitor("subscriber", "list", "--json").stdout)
    assert reader["address"] == "reader@example.org"
    due = datetime.fromisoformat(reader["next_digest"])
    assert due == next_boundary(due - timedelta(seconds=1), Schedule()), "as the form proposes it"
    assert set(reader["topics"]) == {"norad", "climate-ministerial", "paris-net-zero", "methane"}
    assert "Nothing new" in monitor("digest", "preview", "reader@example.org").stdout
    assert monitor("digest", "send").returncode == 0
    assert "No mails" in monitor("outbox", "list").stdout


@pytest.mark.usefixtures("installed")
def test_who_asks_for_it_is_told_everything_and_erased(monitor: Run) -> None:
    monitor("subscriber", "add", "reader@example.org", "--topic", "norad")
    held = json.loads(monitor("subscriber", "export", "Reader@example.org").stdout)
    assert (held["subscription"]["address"], held["subscription"]["topics"]) == ("reader@example.org", ["norad"])
    assert monitor("subscriber", "erase", "reader@example.org", "--yes").returncode == 0
    assert json.loads(monitor("subscriber", "list", "--json").stdout) == []
    assert "reader@" not in monitor("events", "--json").stdout
    assert monitor("subscriber", "erase", "reader@example.org", "--yes").returncode == 2


@pytest.mark.usefixtures("installed")
def test_the_audit_trail(monitor: Run) -> None:
    assert monitor("staff", "add", "ann@example.org", "--role", "editor").returncode == 0
    (event,) = json.loads(monitor("events", "--noun", "staff", "--json").stdout)
    assert (event["action"], event["actor"], event["detail"]["role"]) == ("added", "command line", "editor")
    assert "More: --before" in monitor("events", "--limit", "1").stdout


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (["subscriber", "add", "nobody"], {}, ["address", "'nobody'"]),
        (["subscriber", "add", "a@example.org", "--topic", "weather"], {}, ["'weather'", "norad"]),
        (["subscriber", "add", "a@example.org", "--zone", "Mars/Base"], {}, ["Mars/Base", "IANA"]),
        (["subscriber", "add", "a@example.org", "--weekday", "someday"], {}, ["someday", "monday"]),
        (["digest", "preview", "a@example.org"], {}, ["not a subscriber", "monitor subscriber list"]),
        (["digest", "list", "--state", "faild"], {}, ["'faild'", "failed"]),
        (["outbox", "show", "x"], {}, ["no mail", "'x'"]),
        (["score", "explain", "99999999999999999999", "norad"], {}, ["2147483647"]),
        (["digest", "resend", "99999999999999999999"], {}, ["2147483647"]),
        (["events", "--before", "99999999999999999999"], {}, ["2147483647"]),
        (["source", "check", "nowhere"], {}, ["'nowhere'", "monitor source list"]),
        (["source", "add", "http://127.0.0.1:1/", "--country", "Canada"], {}, ["'Canada'", "ISO 3166"]),
        (["source", "add", "http://127.0.0.1:1/", "--language", "any"], {}, ["'any'", "en, fr or es"]),
        (["digest", "test", "a@example.org", "--language", "any"], {}, ["'any'", "en, fr or es"]),
        (["watch", "suggest", "norad", "--lang", "any"], {}, ["'any'", "en, fr or es"]),
        (["poll", "--source", "nowhere"], {}, ["'nowhere'", "monitor source list"]),
        (["config", "plan", "nowhere"], {}, ["topics.toml"]),
        (["matches"], {"MONITOR_PORT": "many"}, ["MONITOR_PORT", "'many'"]),
        (["matches"], {"MONITOR_DATABASE_URL": "mysql://x"}, ["database_url", "sqlite:///"]),
        (["matches"], {"MONITOR_DATA_DIR": "/proc/nowhere"}, ["data_dir"]),
    ],
)
def test_a_wrong_request_says_what_is_wrong_and_changes_nothing(
    monitor: Run, arguments: list[str], settings: dict[str, str], says: list[str]
) -> None:
    before = monitor("events", "--json").stdout
    done = monitor(*arguments, **settings)
    assert done.returncode == 2, done.stderr
    assert all(part in done.stderr for part in says), done.stderr
    assert monitor("events", "--json").stdout == before


def test_export_edit_plan_apply(monitor: Run, installed: Path) -> None:
    mine = installed / "mine"
    assert monitor("config", "export", mine).returncode == 0
    assert "No difference" in monitor("config", "plan", mine).stdout
    sources = mine / "sources.toml"
    sources.write_text(sources.read_text().replace("https://pm.gc.ca/en/news.rss", "https://pm.gc.ca/en/new.rss"))
    assert "~ source ca-pm-en" in monitor("config", "plan", mine).stdout
    assert "1 changed, 0 left as they are." in monitor("config", "apply", mine).stdout
    assert "No difference" in monitor("config", "plan", mine).stdout


def test_a_source_under_a_new_name_does_not_take_the_address_of_the_old_one(monitor: Run, installed: Path) -> None:
    mine = installed / "mine"
    monitor("config", "export", mine)
    sources = mine / "sources.toml"
    sources.write_text(sources.read_text().replace('slug = "ca-pm-en"', 'slug = "ca-pm-renamed"'))
    assert "+ source ca-pm-renamed" in monitor("config", "plan", mine).stdout
    refused = monitor("config", "apply", mine)
    assert refused.returncode == 2
    assert "https://pm.gc.ca/en/news.rss is there already, as ca-pm-en" in refused.stderr


@pytest.fixture
def only_source(monitor: Run, installed: Path) -> Callable[[str], None]:
    """Leaves one active source, at an address."""

    def keep(url: str) -> None:
        mine = installed / "mine"
        monitor("config", "export", mine)
        fields = {"slug": "only", "url": url, "agency": "Agency", "country": "CA", "language": "en"}
        lines = [f'{name} = "{value}"\n' for name, value in fields.items()]
        (mine / "sources.toml").write_text("[[sources]]\n" + "".join(lines))
        assert monitor("config", "apply", mine).returncode == 0

    return keep


def test_doctor_finds_a_whole_installation_well(
    monitor: Run, only_source: Callable[[str], None], serve: Callable[[Callable[[str, str], str]], str]
) -> None:
    only_source(serve(lambda _base, _path: "<rss/>"))
    done = monitor("doctor", "--json")
    findings = {row["check"]: row for row in json.loads(done.stdout)}
    assert {"settings", "database", "disk", "clock", "time zones", "mail", "sources"} <= set(findings)
    assert {row[""] for row in findings.values()} == {"ok"}
    assert done.returncode == 0


def test_doctor_says_what_to_do_where_nothing_can_be_reached(
    monitor: Run, only_source: Callable[[str], None], free_port: int
) -> None:
    only_source(f"http://127.0.0.1:{free_port}/feed")
    done = monitor("doctor", "--json", MONITOR_SMTP_HOST="127.0.0.1", MONITOR_SMTP_PORT=str(free_port))
    remedies = {row["check"]: row["remedy"] for row in json.loads(done.stdout) if row[""] == "NOT WELL"}
    assert set(remedies) == {"mail", "sources", "identity"}
    assert "smtp_host" in remedies["mail"]
    assert "HTTPS" in remedies["sources"]
    assert done.returncode == 1


def test_a_schema_can_be_told_and_brought_up(monitor: Run, tmp_path: Path) -> None:
    empty = {"MONITOR_DATA_DIR": str(tmp_path / "new")}
    assert "stored: none" in monitor("db", "version", **empty).stdout
    assert monitor("db", "upgrade", **empty).returncode == 0
    version = monitor("db", "version", **empty).stdout
    assert "none" not in version
