"""Settings: three layers, validated once, with errors that name where, what and the remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from monitor.errors import SettingError
from monitor.settings import Settings, load_settings
from monitor.shipped import shipped


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_shipped_file_gives_every_setting_its_default_with_a_comment() -> None:
    text = shipped("config", "settings.toml").read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == set(Settings.model_fields)


def test_the_users_file_wins_over_the_default_and_the_environment_over_both(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('port = 9000\norganisation = "From the file"\n')
    settings = load_settings({"MONITOR_PORT": "9001"})
    assert (settings.port, settings.organisation, settings.host) == (9001, "From the file", "127.0.0.1")


def test_another_file_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("port = 7000\n")
    assert load_settings({"MONITOR_SETTINGS": str(tmp_path / "other.toml")}).port == 7000


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"MONITOR_PORT": "many"}, ["environment", "MONITOR_PORT", "'many'", "integer"]),
        ({"MONITOR_PORT": "70000"}, ["MONITOR_PORT", "65535"]),
        ({"MONITOR_PROT": "1"}, ["MONITOR_PROT", "no such setting", "port"]),
        ({"MONITOR_SMTP_SECURITY": "ssl"}, ["MONITOR_SMTP_SECURITY", "starttls"]),
        ({"MONITOR_MAIL_FROM": "nobody"}, ["MONITOR_MAIL_FROM", "nobody"]),
        ({"MONITOR_PUBLIC_URL": "example.org"}, ["MONITOR_PUBLIC_URL", "URL"]),
        ({"MONITOR_SETTINGS": "nowhere.toml"}, ["MONITOR_SETTINGS", "nowhere.toml", "does not exist"]),
    ],
)
def test_a_wrong_value_is_named_with_its_place_and_the_remedy(environment: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingError) as error:
        load_settings(environment)
    assert all(part in str(error.value) for part in named), str(error.value)


@pytest.mark.parametrize("text", ["port = ", "port = [1,", "\x00"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "monitor.toml").write_text(text)
    with pytest.raises(SettingError, match=r"monitor\.toml"):
        load_settings({})


def test_secrets_are_not_shown() -> None:
    settings = load_settings({"MONITOR_SMTP_PASSWORD": "hunter2", "MONITOR_SECRET_KEY": "k3y"})
    assert "hunter2" not in repr(settings)
    assert "k3y" not in repr(settings)


def test_links_lead_to_the_port_that_is_listened_on_until_there_is_a_public_address() -> None:
    assert load_settings({"MONITOR_PORT": "8011"}).base_url == "http://127.0.0.1:8011"
    assert load_settings({"MONITOR_HOST": "0.0.0.0", "MONITOR_PORT": "8011"}).base_url == "http://127.0.0.1:8011"
    assert load_settings({"MONITOR_PUBLIC_URL": "https://m.example.org/"}).base_url == "https://m.example.org"
