"""The funding service of another house, over HTTP: POST {url}/api/funding/check, the profile as JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, StrictStr, ValidationError

from bot.knowledge.firm import for_others
from bot.service import TIME_LIMIT, ServiceUnavailable, SpokenText, post

PATH = "/api/funding/check"
WORDS = ("name", "summary", "contact", "status_text", "as_of", "benefit")

log = logging.getLogger(__name__)


class _Name(BaseModel):
    fr: StrictStr
    ar: StrictStr | None = None


class _Benefit(BaseModel):
    kind: Literal["grant", "loan", "guarantee", "equity", "advice"]


class _Entry(BaseModel):
    id: StrictStr
    verdict: Literal["yes", "no", "unknown"]
    name: _Name
    summary: SpokenText
    contact: SpokenText
    status_text: SpokenText
    as_of: StrictStr
    benefit: _Benefit


class RemoteFunding:
    """Ask another's rules; where its answer has no words for a programme we know, our own are used."""

    def __init__(
        self, url: str, words: Mapping[str, Mapping[str, Any]] | None = None, limit: float = TIME_LIMIT
    ) -> None:
        self.url = url if url.endswith(PATH) else url.rstrip("/") + PATH
        self.words = words or {}
        self.limit = limit

    def check(self, profile: Mapping[str, Any], named: Sequence[str] = ()) -> dict[str, Any]:
        """Return the service's document, every entry fit to be told; raise ServiceUnavailable."""
        document = post(self.url, for_others(profile), named, self.limit)
        if not isinstance(document, dict) or not isinstance(document.get("programmes"), list):
            raise ServiceUnavailable("the answer has no list of programmes")
        entries = [self._worded(entry) for entry in document["programmes"]]
        return {**document, "programmes": [entry for entry in entries if entry is not None]}

    def _worded(self, entry: Any) -> dict[str, Any] | None:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str) or "verdict" not in entry:
            raise ServiceUnavailable("the answer holds something that is not a verdict")
        lacking = [name for name in WORDS if entry.get(name) is None]
        ours = self.words.get(entry["id"])
        if lacking and ours is None:
            log.warning("programme %s left out: no words for it", entry["id"][:40])
            return None
        full = {**entry, **{name: ours[name] for name in lacking if ours}}
        try:
            _Entry.parse_obj(full)
        except ValidationError as error:
            raise ServiceUnavailable(f"verdict: {error.errors()[0]['loc']}") from None
        return full
