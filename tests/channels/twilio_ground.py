"""Settings with Twilio on, and a server that answers in turn what a test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.settings import Settings
from tests.payloads.twilio import ACCOUNT, OURS, TOKEN
from tests.simulators.faults import hang_up
from tests.simulators.serving import serving

PUBLIC = "https://rafiq.example.ma"
SMS_FROM = "+212520000002"


def with_twilio(settings: Settings, **more: Any) -> Settings:
    """Return the settings with both channels on."""
    update = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": SecretStr(TOKEN),
        "twilio_whatsapp_from": OURS,
        "twilio_sms_from": SMS_FROM,
        "public_url": PUBLIC,
    }
    return settings.copy(update=update | more)


@dataclass
class Asked:
    """A call as it came over the wire."""

    method: str
    path: str
    values: dict[str, str]
    document: Any = None


@dataclass
class Script:
    """What to answer, in turn: (status, document or text, headers), "reset" or "silence"; then messages are taken."""

    answers: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    async def reply(self, request: Request) -> Response:
        body = (await request.body()).decode()
        is_json = request.headers.get("content-type") == "application/json"
        self.asked.append(
            Asked(
                request.method,
                request.url.path,
                dict(request.query_params) if request.method == "GET" else dict(parse_qsl(body)),
                json.loads(body) if is_json else None,
            )
        )
        answer = self.answers.pop(0) if self.answers else (201, {"sid": "SM" + "1" * 32, "status": "queued"})
        if answer == "reset":
            hang_up(request.scope)
            return Response()
        if answer == "silence":
            await asyncio.sleep(60)
        status, content, *headers = answer
        text = content if isinstance(content, str) else json.dumps(content)
        return Response(text, status, *headers)


@asynccontextmanager
async def scripted(*answers: Any) -> AsyncIterator[Script]:
    """Serve the answers on a local port."""
    script = Script(list(answers))
    routes = [Route("/{path:path}", script.reply, methods=["GET", "POST", "DELETE"])]
    async with serving(Starlette(routes=routes)) as url:
        script.url = url
        yield script


def problem(code: int, status: int = 400, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Return an error as Twilio tells it."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, {"code": code, "message": "…", "more_info": more, "status": status}, headers
