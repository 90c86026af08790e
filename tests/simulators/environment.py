"""The settings of a bot that talks to the stand-ins: addresses and credentials, new for each run."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

PAGE_PORT = "SIMULATOR_PORT"
"""Where the phone page listens; read by the simulator only."""
SMS_PORT, SMS_KEY, SMS_SECRET = "SIMULATED_SMS_PORT", "SIMULATED_SMS_KEY", "SIMULATED_SMS_SECRET"
"""Named in aggregator.yml, which describes the aggregator's stand-in to the bot."""
CARRIERS = ("http", "smpp", "twilio")


def environment(port: int, data_dir: Path, sms: str = "http") -> dict[str, str]:
    """Return what to set for gateway, worker and simulator; nothing of a real installation stays in use.

    The database is one of its own: replies that wait for real owners must never reach the stand-ins.
    """
    return {
        "PUBLIC_URL": "",
        "DATA_DIR": str(data_dir / "simulation"),
        "DATABASE_URL": "",
        PAGE_PORT: str(_port_near(port + 1)),
        **_twilio(),
        **_telegram(),
        **_sms(sms),
    }


def _twilio() -> dict[str, str]:
    return {
        "TWILIO_API_URL": f"http://127.0.0.1:{_free_port()}",
        "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_WHATSAPP_FROM": "+212520000001",
        "TWILIO_SMS_FROM": "+212520000002",
    }


def _telegram() -> dict[str, str]:
    return {
        "TELEGRAM_API_URL": f"http://127.0.0.1:{_free_port()}",
        "TELEGRAM_TOKEN": f"{10**9 + secrets.randbelow(10**9)}:{secrets.token_urlsafe(24)}",
        "TELEGRAM_WEBHOOK_SECRET": "",
    }


def _sms(carrier: str) -> dict[str, str]:
    settings = {"SMS_PROVIDER": carrier}
    if carrier == "http":
        settings |= {
            "SMS_HTTP_FILE": str(Path(__file__).with_name("aggregator.yml")),
            SMS_PORT: str(_free_port()),
            SMS_KEY: secrets.token_hex(16),
            SMS_SECRET: secrets.token_hex(16),
        }
    if carrier == "smpp":
        settings |= {
            "SMPP_HOST": "127.0.0.1",
            "SMPP_PORT": str(_free_port()),
            "SMPP_SYSTEM_ID": "rafiq",
            "SMPP_PASSWORD": secrets.token_hex(4),
            "SMPP_FROM": "3030",
        }
    return settings


def _port_near(port: int) -> int:
    """Return this port, or any free one when it is taken."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return port
        except (OSError, OverflowError):
            return _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
