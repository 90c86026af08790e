"""Problem details (RFC 9457): how every HTTP face of the program says what is wrong, without echoing what was sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

CONTENT_TYPE = "application/problem+json"


class NotJson(ValueError):
    """The body is not JSON in UTF-8, or nests too deep."""


def problem(status: int, title: str, reasons: Sequence[str] = ()) -> JSONResponse:
    """Return a problem as a response."""
    body = {"type": "about:blank", "title": title, "status": status, "reasons": list(reasons)}
    return JSONResponse(body, status_code=status, media_type=CONTENT_TYPE)


async def read_json(request: Request) -> Any:
    """Return the body as JSON; raise NotJson."""
    try:
        return json.loads(await request.body(), parse_constant=_refused)
    except (ValueError, RecursionError):
        raise NotJson("the body is not JSON in UTF-8") from None


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
