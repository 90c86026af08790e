"""Faults on purpose: a share of the calls to a stand-in goes wrong as calls to a real provider do."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HTML = "<!doctype html><html><head><title>503 Service Temporarily Unavailable</title></head><body>nginx</body></html>"
LOST = "rafiq.answer_lost"
"""Set in the scope of a call that is taken and whose answer never arrives."""
TRANSPORT = "rafiq.transport"


@dataclass(frozen=True)
class Faults:
    """Shares of the sending calls, each 0 to 1, together at most 1; the rest goes well."""

    throttled: float = 0.0
    """429 with Retry-After"""
    failing: float = 0.0
    """500"""
    silent: float = 0.0
    """no answer for `silence_seconds`, then a closed connection; nothing is taken"""
    reset: float = 0.0
    """connection reset; nothing is taken"""
    html: float = 0.0
    """an HTML page, half of them with status 200; nothing is taken"""
    lost: float = 0.0
    """taken, then the connection is reset before the answer"""

    retry_after: float = 1.0
    silence_seconds: float = 25.0

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in KINDS]
        if min(shares) < 0 or sum(shares) > 1 + 1e-9:
            raise ValueError("shares are between 0 and 1, and together at most 1")


KINDS = tuple(field.name for field in fields(Faults) if field.name not in ("retry_after", "silence_seconds"))


class Dice:
    """Draws what happens to the next call; the same seed draws the same. `faults` may be changed at any time."""

    def __init__(self, faults: Faults | None = None, seed: int = 0) -> None:
        self.faults = faults or Faults()
        self._random = random.Random(seed)
        self._next: list[str] = []

    def queue(self, *kinds: str) -> None:
        """Let the next calls go wrong in just this order; "" is a call that goes well."""
        for kind in kinds:
            if kind and kind not in KINDS:
                raise ValueError(f"{kind} is none of {', '.join(KINDS)}")
        self._next.extend(kinds)

    def draw(self) -> str:
        """Return the name of a fault, or an empty string."""
        if self._next:
            return self._next.pop(0)
        point = self._random.random()
        for kind in KINDS:
            point -= getattr(self.faults, kind)
            if point < 0:
                return kind
        return ""

    def share(self, share: float) -> bool:
        """Say yes in this share of the calls."""
        return self._random.random() < share


def too_many(retry_after: float) -> Response:
    """Return a plain 429; providers have their own bodies."""
    return JSONResponse({"error": "Too Many Requests"}, 429, {"Retry-After": f"{retry_after:g}"})


class FaultyApp:
    """Stands before a stand-in's application: sending calls meet the drawn fault, all others pass."""

    def __init__(
        self,
        app: ASGIApp,
        dice: Dice,
        counts: Counter[str],
        sends: Callable[[Scope], bool],
        throttled: Callable[[float], Response] = too_many,
        failing: Callable[[], Response] = lambda: JSONResponse({"error": "Internal Server Error"}, 500),
    ) -> None:
        self._app = app
        self._dice = dice
        self._counts = counts
        self._sends = sends
        self._answers: dict[str, Callable[[], Response]] = {
            "throttled": lambda: throttled(dice.faults.retry_after),
            "failing": failing,
            "html": lambda: HTMLResponse(HTML, 200 if dice.share(0.5) else 503),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._dice.draw() if scope["type"] == "http" and self._sends(scope) else ""
        if not fault:
            return await self._app(scope, receive, send)
        self._counts[f"fault {fault}"] += 1
        if fault in self._answers:
            await _read_whole(receive)
            return await self._answers[fault]()(scope, receive, send)
        if fault == "lost":
            scope[LOST] = True
            await self._app(scope, receive, _swallow)
        else:
            await _read_whole(receive)
            if fault == "silent":
                await asyncio.sleep(self._dice.faults.silence_seconds)
        hang_up(scope)


def answer_lost(scope: Scope) -> bool:
    """Say whether the caller will never read the answer to this call."""
    return bool(scope.get(LOST))


def hang_up(scope: Scope) -> None:
    """Reset the connection of a call: what the caller reads is not an answer but ECONNRESET."""
    transport: Any = scope[TRANSPORT]
    plug = transport.get_extra_info("socket")
    if plug is not None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _swallow(_message: Message) -> None:
    pass


async def _read_whole(receive: Receive) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
