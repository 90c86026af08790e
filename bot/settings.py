"""Configuration from the environment: one place, validated at start."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from pydantic import BaseSettings, Field, SecretStr, ValidationError, validator
from pydantic.fields import ModelField

SMPP_CHOICES = {
    "smpp_alphabet": ("gsm", "latin1"),
    "smpp_long_messages": ("udh", "payload"),
    "smpp_receipt_ids": ("auto", "same", "decimal", "hex"),
}
ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or wrong; the message names it and says why, without its value."""


class Settings(BaseSettings):
    """What the environment says; every field has the name of its variable in lower case."""

    port: int = Field(default=8000, ge=1, le=65535)
    host: str = "127.0.0.1"
    data_dir: Path = ROOT / "var"
    database_url: str = ""
    public_url: str = ""
    secret_key: SecretStr = SecretStr("")
    matching_url: str = ""
    funding_url: str = ""

    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_whatsapp_from: str = ""
    twilio_sms_from: str = ""
    twilio_api_url: str = ""
    # How often Twilio's list of messages is read for those that did not arrive.
    twilio_look_seconds: float = Field(default=300.0, gt=0)
    # Which adapter carries SMS: twilio, http (an aggregator described in SMS_HTTP_FILE) or smpp.
    sms_provider: str = ""
    sms_http_file: Path | None = None
    smpp_host: str = ""
    smpp_port: int = Field(default=2775, ge=1, le=65535)
    smpp_system_id: str = ""
    smpp_password: SecretStr = SecretStr("")
    smpp_from: str = ""
    # None leaves type of number and plan to be told from SMPP_FROM.
    smpp_from_ton: int | None = Field(default=None, ge=0, le=6)
    smpp_from_npi: int | None = Field(default=None, ge=0, le=18)
    smpp_system_type: str = Field(default="", max_length=12)
    smpp_alphabet: str = "gsm"
    smpp_long_messages: str = "udh"
    smpp_receipt_ids: str = "auto"
    smpp_enquire_seconds: float = Field(default=30.0, ge=1)
    smpp_max_per_second: float | None = Field(default=None, ge=0.5)
    telegram_token: SecretStr = SecretStr("")
    telegram_webhook_secret: SecretStr = SecretStr("")
    telegram_api_url: str = ""
    # What Telegram allows one bot, over all chats; several gateways share it.
    telegram_per_second: float = Field(default=30.0, gt=0, le=1000)

    knowledge_dir: Path = ROOT / "knowledge"
    model_dir: Path = ROOT / "models"
    log_level: str = "INFO"

    reply_wait_seconds: float = Field(default=20.0, gt=0)
    lease_seconds: float = Field(default=20.0, gt=0)
    max_attempts: int = Field(default=4, ge=1)
    resume_days: int = Field(default=30, ge=1)
    session_minutes: int = Field(default=60, ge=1)
    send_lease_seconds: float = Field(default=60.0, gt=0)
    send_first_retry_seconds: float = Field(default=2.0, gt=0)
    send_attempts: int = Field(default=14, ge=1)
    swap_blocks: bool = False
    audit_sample: bool = False

    class Config:
        env_file = None
        case_sensitive = False

    @validator("database_url", always=True)
    def _known_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg2:")):
            raise ValueError("must start with sqlite: or postgresql:")
        return url

    @validator("public_url", "matching_url", "funding_url", "twilio_api_url", "telegram_api_url")
    def _is_http(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return url.rstrip("/")

    @validator("sms_provider")
    def _known_provider(cls, name: str) -> str:
        if name not in ("", "twilio", "http", "smpp"):
            raise ValueError("must be twilio, http or smpp")
        return name

    @validator("smpp_alphabet", "smpp_long_messages", "smpp_receipt_ids")
    def _known_choice(cls, chosen: str, field: ModelField) -> str:
        if chosen not in SMPP_CHOICES[field.name]:
            raise ValueError(f"must be one of {', '.join(SMPP_CHOICES[field.name])}")
        return chosen

    @validator("secret_key")
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value() and len(key.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return key

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL: DATABASE_URL, else an SQLite file in DATA_DIR."""
        return self.database_url or f"sqlite:///{self.data_dir / 'rafiq.db'}"

    @property
    def address(self) -> str:
        """Return the public base address, without a trailing slash."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def secret(self) -> bytes:
        """Return SECRET_KEY as bytes; without one, make it once and keep it in DATA_DIR, readable by its owner only."""
        given = self.secret_key.get_secret_value()
        return given.encode() if given else _kept_secret(self.data_dir / "secret_key")

    def derived_key(self, purpose: str) -> bytes:
        """Return 32 bytes derived from the secret for one purpose, so that no key serves two."""
        return hashlib.blake2b(purpose.encode(), key=self.secret()[:64], digest_size=32).digest()

    def fernet_key(self) -> bytes:
        """Return the key that encrypts addresses, in Fernet's base64 form."""
        return base64.urlsafe_b64encode(self.derived_key("address-encryption"))


def _kept_secret(path: Path) -> bytes:
    """Read the secret file, made on first use; two processes starting at once agree on one secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".secret_key.{os.getpid()}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip().encode()


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the environment once; raise SettingsError naming each wrong variable."""
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError("wrong settings in the environment:\n  " + "\n  ".join(lines)) from None
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return settings
