"""The public application: web chat, media, health. It is up in a second and never imports Rasa."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import metrics
from bot.channels import web
from bot.channels.registry import Ground, make_channels
from bot.gateway import webhooks
from bot.gateway.delivery import Replies
from bot.gateway.intake import Intake
from bot.gateway.links import MediaLinks
from bot.gateway.sender import Sender
from bot.knowledge.keywords import load_keywords
from bot.knowledge.loader import load
from bot.problem_details import problem
from bot.settings import Settings, get_settings
from bot.storage import inbox
from bot.storage.addresses import AddressBook
from bot.storage.boxes import waiting_rows
from bot.storage.database import make_engine, make_sessions
from bot.storage.models import Heartbeat, Media
from bot.storage.wakeup import make_wakeup

STATIC = Path(__file__).parent / "static"
LARGEST_BODY = 256 * 1024
READY_SECONDS = 20.0
HISTORY_SECONDS = 30 * 86400.0


class Gateway:
    """The handlers and what they share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        engine = make_engine(settings.database)
        self.sessions = make_sessions(engine)
        # What is answered with a 200 is on the disk.
        self.accepting = make_sessions(make_engine(settings.database, durable=True))
        self.addresses = AddressBook(settings.derived_key("address-hash"), settings.fernet_key())
        self.wakeup = make_wakeup(engine)
        self.links = MediaLinks(settings.derived_key("media-links"))
        self.replies = Replies(self.sessions, self.links)
        self.intake = Intake(
            self.accepting, self.sessions, self.addresses, self.wakeup, load_keywords(settings.knowledge_dir)
        )
        self.channels, self.channels_off = make_channels(Ground(settings, self.sessions))
        self.sender = Sender(self.sessions, self.channels, self.addresses, self.links, settings)
        words = load(settings.knowledge_dir / "labels.yml").data
        self.page_labels = {key: text for key, text in words.items() if key.startswith("page_")}

    async def post_message(self, request: Request) -> Response:
        """Take one message of the web chat and return its replies; 202 when the turn takes longer than a page waits."""
        try:
            message = web.WebMessage.parse_obj(json.loads(await request.body()))
        except (ValueError, RecursionError) as error:
            return problem(422, "the message is not valid", _reasons(error))
        accepted = await run_in_threadpool(self.intake.accept, message.incoming())
        replies = await self.replies.wait_for(accepted.inbox_id, self.settings.reply_wait_seconds, accepted.new)
        if replies is None:
            return JSONResponse({"messages": [], "pending": True}, status_code=202)
        return JSONResponse({"messages": replies, "repeated": not accepted.new})

    async def get_messages(self, request: Request) -> Response:
        """Return what was said in a conversation after an id: how a page comes back after a cut."""
        conversation = request.query_params.get("conversation", "")
        after = request.query_params.get("after", "0")
        if not conversation or len(conversation) > 128 or not (after.isascii() and after.isdigit()) or len(after) > 18:
            return problem(422, "conversation and after (a number) are needed")
        messages = await run_in_threadpool(self._history, conversation, int(after))
        if messages is None:
            return problem(404, "no such conversation")
        return JSONResponse({"messages": messages})

    def _history(self, address: str, after: int) -> list[dict[str, Any]] | None:
        with self.sessions() as session:
            found = inbox.find_conversation(session, self.addresses, web.NAME, address)
        return None if found is None else self.replies.history(found, after, HISTORY_SECONDS)

    async def media(self, request: Request) -> Response:
        """Serve a picture or document to whoever holds its signed address."""
        media_id = self.links.media_id(request.path_params["token"])
        media = await run_in_threadpool(self._media, media_id) if media_id else None
        if media is None:
            return problem(404, "this address is wrong or out of date")
        disposition = "inline" if media.content_type.startswith("image/") else "attachment"
        headers = {
            "Content-Disposition": f'{disposition}; filename="{media.filename}"',
            "Cache-Control": "private, max-age=86400",
        }
        return Response(media.data, media_type=media.content_type, headers=headers)

    def _media(self, media_id: str) -> Media | None:
        with self.sessions() as session:
            media = session.get(Media, media_id)
            return media if media is not None and media.expires_at > time.time() else None

    async def labels(self, _request: Request) -> Response:
        """Return the page's own words in the three varieties."""
        return JSONResponse(self.page_labels, headers={"Cache-Control": "no-cache"})

    async def health(self, _request: Request) -> Response:
        """Say which part is down; 503 when messages cannot be accepted."""
        state = await run_in_threadpool(self._state)
        return JSONResponse(state, status_code=200 if state["database"] == "up" else 503)

    async def ready(self, _request: Request) -> Response:
        """Say whether an owner who writes now gets an answer."""
        state = await run_in_threadpool(self._state)
        return JSONResponse(state, status_code=200 if state["ready"] else 503)

    def _state(self) -> dict[str, Any]:
        channels = {name: channel.state() for name, channel in self.channels.items()}
        channels |= dict.fromkeys(self.channels_off, "off")
        try:
            with self.sessions() as session:
                session.execute(text("SELECT 1"))
                beats = session.execute(select(Heartbeat.beat_at).where(Heartbeat.kind == "worker")).scalars().all()
                boxes = waiting_rows(session)
        except SQLAlchemyError:
            return {"ready": False, "database": "down", "worker": "unknown", "channels": channels}
        alive = any(beat > time.time() - READY_SECONDS for beat in beats)
        state = {"ready": alive, "database": "up", "worker": "up" if alive else "down", "channels": channels}
        return state | {f"{box}_{status}": count for (box, status), count in boxes.items()}

    async def metrics(self, _request: Request) -> Response:
        """Return what every stage counted, for Prometheus."""
        text = await run_in_threadpool(self._metrics)
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _metrics(self) -> bytes:
        with self.sessions() as session:
            return metrics.text(waiting_rows(session))

    async def start(self) -> list[asyncio.Task[None]]:
        """Begin what runs beside requests."""
        self.wakeup.listen("outbox", self.replies.announce)
        for name, channel in self.channels.items():
            await channel.start(partial(self.intake.take, name))
        tasks = [asyncio.create_task(self.replies.keep_books())]
        if self.channels:
            tasks.append(asyncio.create_task(self.sender.run(self.wakeup)))
        return tasks

    async def close(self, tasks: list[asyncio.Task[None]]) -> None:
        """Finish what is under way."""
        self.sender.stop()
        books, *sending = tasks
        await asyncio.gather(*sending)
        for channel in self.channels.values():  # what the sender had under way went through them
            await channel.close()
        books.cancel()
        self.wakeup.close()


class SafeHeaders:
    """Bound the body, and send the headers that keep a page from loading anything foreign."""

    HEADERS = (
        (
            b"content-security-policy",
            b"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        ),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body, more = b"", scope["method"] in ("POST", "PUT", "PATCH")
        while more:
            part = await receive()
            if part["type"] == "http.disconnect":  # what came is a piece of a message: the sender brings it again
                return
            body += part.get("body", b"")
            more = part.get("more_body", False)
            if len(body) > LARGEST_BODY:
                await problem(413, "the body is too large")(scope, receive, send)
                return

        async def whole_body() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.HEADERS]
            await send(message)

        await self.app(scope, whole_body, with_headers)


def _reasons(error: Exception) -> list[str]:
    if isinstance(error, ValidationError):
        return [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    return ["the body is not JSON in UTF-8"]


async def _database_away(_request: Request, _error: Exception) -> Response:
    return problem(503, "the database does not answer, try again")


async def _page(_request: Request) -> Response:
    return FileResponse(STATIC / "chat.html", headers={"Cache-Control": "no-cache"})


async def _home(_request: Request) -> Response:
    return RedirectResponse("/chat")


def make_app(settings: Settings | None = None, services: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the ASGI application, with the HTTP faces of services mounted beside its own routes."""
    settings = settings or get_settings()
    gateway = Gateway(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        tasks = await gateway.start()
        yield
        await gateway.close(tasks)

    return Starlette(
        routes=[
            Route("/", _home),
            Route("/chat", _page),
            Route("/chat/labels.json", gateway.labels),
            Route("/api/chat/messages", gateway.post_message, methods=["POST"]),
            Route("/api/chat/messages", gateway.get_messages, methods=["GET"]),
            Route("/media/{token}", gateway.media),
            Route("/health", gateway.health),
            Route("/ready", gateway.ready),
            Route("/metrics", gateway.metrics),
            *services,
            *webhooks.routes(gateway.channels, gateway.intake, settings.address),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={SQLAlchemyError: _database_away},
        lifespan=lifespan,
    )
