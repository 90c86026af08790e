"""Run a stand-in's application on a local port, in this event loop or in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.simulators.faults import TRANSPORT

T = TypeVar("T")


class _OpenProtocol(HttpToolsProtocol):
    """Gives the application its transport, so that it can reset a connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required,typeddict-unknown-key]


class _Server(uvicorn.Server):
    """Leaves the process's signal handlers alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serve until the block ends; yield the address. What is under way then is cut off."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(
        app,
        http=_OpenProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"  # the socket listens already
    finally:
        server.should_exit = server.force_exit = True
        await task
        listener.close()


class Background:
    """An event loop in a thread of its own, for callers that have none: tests, and the bench's parent."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 60) -> T:
        """Run a coroutine in the thread and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)

    @contextmanager
    def running(self, context: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Hold an asynchronous context open in the thread."""
        value = self.call(context.__aenter__())
        try:
            yield value
        finally:
            self.call(context.__aexit__(None, None, None))

    def close(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()
