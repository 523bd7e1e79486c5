"""Documentation is part of the feature: a setting, a command or a table without its line fails here."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi import FastAPI
from sqlmodel import SQLModel

from monitor.cli import app
from monitor.settings import Settings
from monitor.store import tables  # noqa: F401 - fills the metadata
from monitor.web import api
from monitor.web.access import declared_routes

ROOT = Path(__file__).parents[1]


def told(page: str) -> set[str]:
    """What the first column of a page's tables names in code."""
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def commands(group: Any, name: str) -> Iterator[str]:
    children = getattr(group, "commands", {})
    for child, command in children.items():
        yield from commands(command, f"{name} {child}")
    if not children:
        yield name


def test_every_setting_has_its_line() -> None:
    assert told("settings.md") == set(Settings.model_fields)


def test_the_defaults_are_those_of_the_shipped_file() -> None:
    shipped = tomllib.loads((ROOT / "config" / "settings.toml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for names, defaults in re.findall(r"^\| (`[^|]*) \| ([^|]*) \|", page, re.MULTILINE):
        given = [written(shipped[name]) for name in re.findall(r"`(\w+)`", names)]
        assert defaults == ("–" if set(given) == {"–"} else "; ".join(given)), names


def written(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, float):
        return f"{default:g}"
    return f"{default:,}" if isinstance(default, int) and default >= 100_000 else str(default) or "–"


def test_every_command_has_its_line() -> None:
    assert told("cli.md") == set(commands(typer.main.get_command(app), "monitor"))


def test_every_table_has_its_line() -> None:
    assert told("tables.md") == set(SQLModel.metadata.tables)


def test_every_resource_of_the_api_has_its_line() -> None:
    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for module in api.MODULES:
        web.include_router(module.router)
    paths = {re.sub(r"\{\w+\}", "*", route.path.removeprefix("/api/v1/")) for route in declared_routes(web)}
    named = {re.sub(r"\b(ID|N|SLUG)\b", "*", name) for name in told("web.md") if not name.startswith(("/", "…"))}
    whole, beginnings = ({name for name in named if name.endswith("…") is cut} for cut in (False, True))
    assert whole <= paths
    assert [name for name in beginnings if not any(path.startswith(name.rstrip("…/")) for path in paths)] == []
    resources = {name.rstrip("…/").split("/")[0] for name in named}
    assert {path.split("/")[0] for path in paths} - {"openapi.json"} <= resources


def test_every_setting_reaches_the_containers() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    names = {name.lower() for name in re.findall(r"^    MONITOR_(\w+):", text, re.MULTILINE)}
    given = {name if name in Settings.model_fields else name.removesuffix("_file") for name in names}
    of_the_image = {"data_dir", "host", "port"}
    assert given == set(Settings.model_fields) - of_the_image


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text) + re.findall(r'src="(?!https?:)([^"]+)"', text)
    assert [link for link in links if not (page.parent / link).exists()] == []


PROVED = [ROOT / "docs" / name for name in ("threat-model.md", "asvs.md", "faults.md")]


@pytest.mark.parametrize("page", PROVED, ids=lambda page: page.name)
def test_what_a_page_names_as_proof_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    files = set(re.findall(r"`((?:tests|monitor)/[\w/]+\.py)", text))
    assert [name for name in sorted(files) if not (ROOT / name).is_file()] == []
    tests = set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", text))
    assert [test for test in sorted(tests) if f"def {test[1]}(" not in (ROOT / test[0]).read_text("utf-8")] == []
    assert len(tests) > 10
