"""The settings: the only reader of the environment and of `.env`. Each is explained in `.env.example`."""

import base64
import binascii
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain import quiet_hours, service_steps
from domain.quiet_hours import QuietHours
from storage.sealing import Sealer

KEY_BYTES = 32
WEBCHAT = "webchat"
DEMO_KEY = "demo-secret-key"
"""File of the demo's own key in the data folder."""
TELEGRAM_HOST = "api.telegram.org"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


class AccountSettings(BaseModel):
    """One bot account on one messenger server."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,30}$")
    base_url: str
    token: SecretStr
    residency: Country = "CN"
    proxy: str | None = Field(default=None, pattern=r"^https?://")
    deep_link_template: str = "https://t.me/{bot}?start={payload}"
    verifies_phones: bool = False
    mode: Literal["poll", "webhook"] = "poll"
    client: Literal["ptb", "aiogram"] = "ptb"
    paid_broadcast: bool = False
    paid_ceiling: float = Field(default=1000.0, gt=0, le=1000)
    webhook_secret: SecretStr = SecretStr("")

    @property
    def is_telegram(self) -> bool:
        return TELEGRAM_HOST in self.base_url

    @model_validator(mode="after")
    def _webhook_needs_a_secret(self) -> "AccountSettings":
        if self.mode == "webhook" and not self.webhook_secret.get_secret_value():
            msg = "a webhook needs webhook_secret, or anybody could post updates"
            raise ValueError(msg)
        return self


def _no_slash(url: str) -> str:
    return url.rstrip("/")


Url = Annotated[str, BeforeValidator(_no_slash)]


class Settings(BaseSettings):
    """All settings; a wrong one is named with its remedy by `read`."""

    model_config = SettingsConfigDict(env_prefix="TONGDAO_", env_file=".env", extra="ignore")

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8080, ge=0, le=65535)
    webchat_host: str = "127.0.0.1"
    webchat_port: int = Field(default=8081, ge=0, le=65535)
    data_dir: Path = Path("./var")
    database_url: str = ""
    secret_key: SecretStr = SecretStr("")
    public_url: Url = ""
    webchat_public_url: Url = ""
    webchat_operator_token: SecretStr = SecretStr("")
    webchat_flood_limits: bool = False
    webchat_faults: bool = False
    trusted_proxies: tuple[str, ...] = ()
    accounts: tuple[AccountSettings, ...] = ()
    residency: tuple[Country, ...] = ()
    quiet_hours: str = "21:00-08:00"
    rest_days: Literal["hold", "off"] = "hold"
    weekly_cap: int = Field(default=3, ge=0, le=100)
    service_day_ask: int = Field(default=14, ge=1, le=60)
    service_day_reminders: str = "7,1"
    pace_start: float = Field(default=25.0, gt=0, le=1000)
    pace_ceiling: float = Field(default=30.0, gt=0, le=1000)
    halt_after: int = Field(default=20, ge=0, le=10_000)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            msg = "use sqlite+aiosqlite:///path or postgresql+asyncpg://user@host/name"
            raise ValueError(msg)
        return url

    @field_validator("quiet_hours")
    @classmethod
    def _readable_hours(cls, hours: str) -> str:
        quiet_hours.parse(hours)
        return hours

    @field_validator("service_day_reminders")
    @classmethod
    def _readable_leads(cls, leads: str) -> str:
        service_steps.read_leads(leads)
        return leads

    @field_validator("secret_key")
    @classmethod
    def _readable_keys(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            _keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _faults_stay_at_home(self) -> "Settings":
        if self.webchat_faults and self.webchat_host not in LOOPBACK:
            msg = "TONGDAO_WEBCHAT_FAULTS is for tests: turn it off, or set TONGDAO_WEBCHAT_HOST=127.0.0.1"
            raise ValueError(msg)
        return self

    @property
    def database(self) -> str:
        """The database's URL; by default a file in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'tongdao.db'}"

    @property
    def webchat_url(self) -> str:
        """Where people find the web chat."""
        return self.webchat_public_url or f"http://{_shown(self.webchat_host)}:{self.webchat_port}"

    @property
    def bridge_url(self) -> str:
        """Where browsers and calendar programs reach this bridge; empty where people come from outside and nobody has said."""
        here = f"http://{_shown(self.http_host)}:{self.http_port}"
        return self.public_url or ("" if self.webchat_public_url else here)

    @property
    def service_day_leads(self) -> frozenset[int]:
        return service_steps.read_leads(self.service_day_reminders)

    @property
    def quiet(self) -> QuietHours | None:
        return quiet_hours.parse(self.quiet_hours)

    def sealer(self) -> Sealer:
        """Return what seals fields; the first key of the list seals, the others only open."""
        keys = _keys(self.secret_key.get_secret_value())
        return Sealer(keys, next(iter(keys)))


class WrongSettings(Exception):  # noqa: N818 - a fact with its remedies
    """Some settings cannot be used; each line names one and says why."""


def read() -> Settings:
    """Read the settings, or raise `WrongSettings` with one line for each that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            _line(item["loc"], item["msg"]) for item in error.errors(include_input=False, include_url=False)
        ]
        raise WrongSettings("\n".join(lines)) from None


def _line(where: tuple[int | str, ...], why: str) -> str:
    name = f"TONGDAO_{str(where[0]).upper()}" if where else "TONGDAO_*"
    inside = "".join(f" → {part}" for part in where[1:])
    return f"{name}{inside}: {why.removeprefix('Value error, ')}. See .env.example."


def _keys(value: str) -> dict[str, bytes]:
    """Parse ``id:base64[,older:base64]``."""
    keys = {}
    for part in value.split(","):
        name, _, encoded = part.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) or len(key) != KEY_BYTES:
            msg = "write it as id:base64 of 32 bytes, newest first, comma between; `tongdao init` makes one"
            raise ValueError(msg)
        keys[name] = key
    return keys


def _shown(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
