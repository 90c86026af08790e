"""The matching service: one protocol, ours by default, another's when MATCHING_URL says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bot.knowledge.text import VARIETIES, Text
from bot.matching.ranking import Match, Ranking
from bot.matching.records import Entry, load_catalogue
from bot.matching.request import Request


class MatchingService(Protocol):
    """What fits a firm and its need."""

    def match(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return ranked entries by kind (services.md, "A match"), each with its words.

        Raise ValueError for a wrong request, ServiceUnavailable when the service is another's and does not answer.
        """
        ...


class LocalMatching:
    """Our own ranking, over the entries of the knowledge folder."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.ranking = Ranking(entries)

    def match(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Rank the entries of each kind."""
        asked = Request.from_dict(request)
        best = self.ranking.best(asked.firm, asked.need, asked.limit)
        return {kind: [_shown(match) for match in matches] for kind, matches in best.items()}


def make_matching(url: str, knowledge_dir: Path) -> MatchingService:
    """Return the service at `url`, or ours when it is empty; raise KnowledgeErrors for a broken file."""
    if not url:
        return LocalMatching(load_catalogue(knowledge_dir))
    from bot.matching.remote import RemoteMatching

    return RemoteMatching(url)


def _shown(match: Match) -> dict[str, Any]:
    entry = match.entry
    return {
        "id": entry.id,
        "score": match.score,
        "reasons": [dict(reason) for reason in match.reasons],
        "name": _varieties(entry.name),
        "summary": _varieties(entry.summary),
        "contact": _varieties(entry.contact),
        "category": entry.category,
        "cost": {"kind": entry.cost.kind, "mad": None if entry.cost.mad is None else int(entry.cost.mad)},
        "status": entry.status,
        "as_of": entry.as_of,
        "sources": [source.line() for source in entry.sources],
        "confidence": entry.confidence,
    }


def _varieties(text: Text) -> dict[str, str]:
    return {variety: text[variety] for variety in VARIETIES}
