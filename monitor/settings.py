"""Settings: the shipped default, then the user's file, then the environment; validated once, then frozen."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError

from monitor.errors import SettingError
from monitor.shipped import shipped

PREFIX = "MONITOR_"
FILE_VARIABLE = "MONITOR_SETTINGS"
DEFAULT_FILE = "monitor.toml"

_Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class Settings(BaseModel):
    """What an installation may set; ``config/settings.toml`` gives each its default and says what it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    data_dir: Path
    database_url: str
    database_password: SecretStr
    database_connections: int = Field(ge=2, le=200)
    database_pooler: bool
    host: str
    port: int = Field(ge=0, le=65535)
    public_url: AnyHttpUrl | Literal[""]
    secret_key: SecretStr
    organisation: str = Field(min_length=1)
    operator: _Address | Literal[""]
    contact: str
    postal_address: str
    poll_concurrency: int = Field(ge=1, le=256)
    poll_host_gap_seconds: float = Field(ge=0, le=3600)
    poll_total_seconds: float = Field(gt=0, le=60)
    poll_max_raw_bytes: int = Field(ge=1_000, le=1_000_000_000)
    poll_max_decoded_bytes: int = Field(ge=1_000, le=1_000_000_000)
    poll_allow_loopback: bool
    smtp_host: str
    smtp_port: int = Field(ge=1, le=65535)
    smtp_user: str
    smtp_password: SecretStr
    smtp_security: Literal["starttls", "tls", "none"]
    smtp_timeout_seconds: float = Field(gt=0, le=600)
    mail_from: _Address
    reply_to: _Address | Literal[""]
    smtp_fallback_hosts: str
    smtp_connections: int = Field(ge=1, le=100)
    mails_per_second: float = Field(ge=0)
    mails_per_minute_and_domain: float = Field(ge=0)
    dkim_domain: str
    dkim_selector: str
    dkim_key_file: str
    bounce_address: _Address | Literal[""]
    imap_host: str
    imap_port: int = Field(ge=1, le=65535)
    imap_user: str
    imap_password: SecretStr
    imap_folder: str = Field(min_length=1)
    hold_for_review: bool
    log_format: Literal["console", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    metrics_host: str
    metrics_port: int = Field(ge=0, le=65535)
    keep_polls_days: int = Field(ge=1)
    keep_slots_days: int = Field(ge=1)
    keep_letters_days: int = Field(ge=2)
    keep_pushes_days: int = Field(ge=30)
    keep_texts_days: int = Field(ge=0)
    signups_per_network_and_hour: int = Field(ge=1)
    requests_per_minute: int = Field(ge=1)

    @property
    def database(self) -> str:
        """The address of the database, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'monitor.db'}"

    @property
    def outbox_dir(self) -> Path:
        """Where mails are written while no SMTP server is set."""
        return self.data_dir / "outbox"

    @property
    def user_agent(self) -> str:
        """How every request introduces itself: who is asking, and where to complain."""
        contact = self.contact or self.base_url
        return f"RoadmapMonitor/{version('roadmap-monitor')} (+{contact})"

    @property
    def mail_domain(self) -> str:
        """The domain that Message-IDs and list ids are made in."""
        return self.mail_from.rpartition("@")[2].lower()

    @property
    def missing_identity(self) -> tuple[str, ...]:
        """The settings without which the public must not be mailed (CASL, CAN-SPAM), as far as they are empty."""
        return tuple(name for name in ("contact", "postal_address") if not getattr(self, name))

    @property
    def base_url(self) -> str:
        """The public address without a trailing slash, for joining paths to."""
        own = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104 - compared, not listened on
        return str(self.public_url).rstrip("/") or f"http://{own}:{self.port}"


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings once, at the edge of the program.

    Args:
        environment: The variables to read instead of the process's own.

    Raises:
        SettingError: A value is wrong or a name unknown; the error names the file, the key and the remedy.
    """
    environment = os.environ if environment is None else environment
    layers = [
        _file_layer(shipped("config", "settings.toml")),
        *_user_layer(environment),
        _environment_layer(environment),
    ]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        values |= layer
        origins |= dict.fromkeys(layer, origin)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise _named(error, values, origins) from error


def _user_layer(environment: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    named = environment.get(FILE_VARIABLE)
    path = Path(named or DEFAULT_FILE)
    if not path.exists():
        if named:
            raise SettingError(
                "environment",
                FILE_VARIABLE,
                named,
                "the file does not exist; create it or unset the variable",
            )
        return []
    return [_file_layer(path)]


def _file_layer(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        return str(path), tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(str(path), "(the file)", str(error), "write it as TOML, in UTF-8") from error


def _environment_layer(environment: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    found = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE
    }
    return "environment", dict(_from_file(name, value) for name, value in found.items())


def _from_file(name: str, value: str) -> tuple[str, str]:
    """A variable as it is, or what the file holds that ``MONITOR_<NAME>_FILE`` names: so are secrets handed over."""
    setting = name.removesuffix("_file")
    if name in Settings.model_fields or setting not in Settings.model_fields:
        return name, value
    try:
        return setting, Path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"the file cannot be read ({error}); name one that this user may read"
        raise SettingError("environment", f"{PREFIX}{name.upper()}", value, remedy) from error


def _named(error: ValidationError, values: Mapping[str, Any], origins: Mapping[str, str]) -> SettingError:
    first = error.errors()[0]
    key = str(first["loc"][0])
    origin = origins.get(key, "settings")
    shown = f"{PREFIX}{key.upper()}" if origin == "environment" else key
    value = (
        "(hidden)"
        if key in {"smtp_password", "imap_password", "secret_key", "database_url", "database_password"}
        else values.get(key)
    )
    if first["type"] == "extra_forbidden":
        remedy = f"no such setting; the names are {', '.join(sorted(Settings.model_fields))}"
    else:
        remedy = str(first["msg"])
    return SettingError(origin, shown, value, remedy)
