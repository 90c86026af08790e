"""A real HTTP server on a free port that answers as the test says, in a thread of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Answer = tuple[int, Any]
"""A status, and a document or raw text; the status 0 never answers."""


@dataclass
class FakeService:
    """What to answer, in turn (the last answer stays), and what was asked."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, list[str], Any]] = field(default_factory=list)

    async def reply(self, request: Request) -> Response:
        self.asked.append((request.url.path, request.query_params.getlist("named"), await request.json()))
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            await asyncio.sleep(3600)
        body = content if isinstance(content, str) else json.dumps(content)
        return Response(body, status, media_type="application/json")


@contextmanager
def serving() -> Iterator[FakeService]:
    """Run the server until the block ends."""
    fake = FakeService()
    with running(Starlette(routes=[Route("/{path:path}", fake.reply, methods=["POST"])])) as fake.url:
        yield fake


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Run an application on a free port until the block ends; give its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        # The socket listens already: a call waits until the server takes it.
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
