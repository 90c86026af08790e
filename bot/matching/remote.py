"""The matching service of another house, over HTTP: POST {url}/api/matching, the request as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictInt, StrictStr, ValidationError

from bot.knowledge.firm import for_others
from bot.matching.ranking import KINDS
from bot.service import TIME_LIMIT, ServiceUnavailable, SpokenText, post

PATH = "/api/matching"


class _Cost(BaseModel):
    kind: Literal["free", "paid", "unknown"]


class _Entry(BaseModel):
    """What the chat needs to tell an entry."""

    id: StrictStr
    score: StrictInt | float
    name: SpokenText
    summary: SpokenText
    contact: SpokenText
    cost: _Cost
    as_of: StrictStr | None = Field(...)


class RemoteMatching:
    """Ask another's catalogue."""

    def __init__(self, url: str, limit: float = TIME_LIMIT) -> None:
        self.url = url if url.endswith(PATH) else url.rstrip("/") + PATH
        self.limit = limit

    def match(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the service's document, every entry fit to be told; raise ServiceUnavailable."""
        sent = {**request, "profile": for_others(request.get("profile") or {})}
        document = post(self.url, sent, limit=self.limit)
        if not isinstance(document, dict) or not any(kind in document for kind in KINDS):
            raise ServiceUnavailable("the answer has no entries by kind")
        return {kind: _checked(kind, document.get(kind)) for kind in KINDS}


def _checked(kind: str, entries: Any) -> list[dict[str, Any]]:
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise ServiceUnavailable(f"{kind}: the answer has no list of entries")
    for entry in entries:
        try:
            _Entry.parse_obj(entry)
        except ValidationError as error:
            raise ServiceUnavailable(f"{kind}: the answer is wrong at {error.errors()[0]['loc']}") from None
    return entries
