"""A service that may be ours or another's: its one error, and the one way to call it over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from pydantic import BaseModel, StrictStr

TIME_LIMIT = 3.0
"""Seconds that one call may take, its retry included."""
ATTEMPTS = 2
LARGEST_ANSWER = 4_000_000
"""Bytes."""


class ServiceUnavailable(Exception):
    """The service did not answer in time, refused, or answered something that cannot be used."""


class SpokenText(BaseModel):
    """A text as a service sends it, in the three varieties."""

    fr: StrictStr
    ary_arab: StrictStr
    ary_latn: StrictStr

    class Config:
        fields = {"ary_arab": "ary-Arab", "ary_latn": "ary-Latn"}  # noqa: RUF012


class _TryAgain(Exception):
    """This attempt failed in a way that the next one may not."""


def post(url: str, document: Mapping[str, Any], named: Sequence[str] = (), limit: float = TIME_LIMIT) -> Any:
    """Post JSON and return the JSON answer; try once more after a 5xx or a broken connection, within `limit` seconds.

    Raise ServiceUnavailable; its message never holds what was sent.
    """
    deadline = time.monotonic() + limit
    reason = ""
    with httpx.Client(follow_redirects=False) as client:
        for _ in range(ATTEMPTS):
            if time.monotonic() >= deadline:
                break
            try:
                return _answer(client, url, document, named, deadline)
            except _TryAgain as failure:
                reason = str(failure)
    raise ServiceUnavailable(reason or "no answer in time")


def _answer(client: httpx.Client, url: str, document: Mapping[str, Any], named: Sequence[str], deadline: float) -> Any:
    left = max(deadline - time.monotonic(), 0.001)
    try:
        with client.stream("POST", url, json=document, params={"named": list(named)}, timeout=left) as response:
            if response.status_code >= 500:
                raise _TryAgain(f"status {response.status_code}")
            if response.status_code != 200:
                raise ServiceUnavailable(f"status {response.status_code}")
            body = _body(response, deadline)
    except httpx.TimeoutException:
        raise ServiceUnavailable("no answer in time") from None
    except httpx.TransportError as error:
        raise _TryAgain(f"no connection: {type(error).__name__}") from None
    except httpx.HTTPError as error:
        raise ServiceUnavailable(f"not a usable answer: {type(error).__name__}") from None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ServiceUnavailable("the answer is not JSON") from None


def _body(response: httpx.Response, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if time.monotonic() > deadline:
            raise ServiceUnavailable("no answer in time")
        if len(body) > LARGEST_ANSWER:
            raise ServiceUnavailable("the answer is too large")
    return bytes(body)
