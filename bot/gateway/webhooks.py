"""Webhooks: verify, keep, answer; a forged or broken one leaves no trace but a count."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from inspect import isawaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import metrics
from bot.channels.channel import Channel, Reader, Refused, Webhook
from bot.gateway.intake import Intake

logger = logging.getLogger(__name__)


def routes(channels: dict[str, Channel], intake: Intake, public_url: str) -> Iterator[Route]:
    """Give one route for each path that a channel listens on; two channels of one provider may share a path."""
    seen = set()
    for name, channel in channels.items():
        for path, read in channel.routes.items():
            if path in seen:
                continue
            seen.add(path)
            yield Route(path, _handler(name, read, intake, public_url), methods=["GET", "POST"])


def _handler(name: str, read: Reader, intake: Intake, public_url: str) -> Callable[[Request], object]:
    async def handle(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        # The address the provider was given, whatever proxy stands between: signatures are computed over it.
        webhook = Webhook(request.method, public_url + request.url.path + query, request.headers, await request.body())
        try:
            reading = read(webhook)
            received = await reading if isawaitable(reading) else reading
        except Refused as refusal:
            metrics.refused(name, refusal.status)
            logger.info("a webhook of %s was refused: %s", name, refusal.reason)
            return Response("", status_code=refusal.status)
        await intake.take(name, received)
        return Response(received.answer, media_type=received.content_type)

    return handle
