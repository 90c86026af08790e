"""The matching service: one protocol, ours by default, another's when MATCHING_URL says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from bot.knowledge.text import VARIETIES, Text
from bot.matching.catalogue import Imported, ImportedCatalogue, Provenance
from bot.matching.catalogue_rows import terms_of
from bot.matching.ranking import Match, Ranking
from bot.matching.records import Entry, load_catalogue
from bot.matching.request import Request
from bot.storage.database import make_engine


class MatchingService(Protocol):
    """What fits a firm and its need."""

    def match(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return ranked entries by kind (services.md, "A match"), each with its words.

        Raise ValueError for a wrong request, ServiceUnavailable when the service is another's and does not answer.
        """
        ...


class LocalMatching:
    """Our own ranking, over the entries of the knowledge folder and those of the imported catalogue."""

    def __init__(self, entries: Sequence[Entry], imported: ImportedCatalogue | None = None) -> None:
        self.entries = tuple(entries)
        self.imported = imported
        self._ready = (Imported(0), Ranking(self.entries))

    def match(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Rank the entries of each kind."""
        asked = Request.from_dict(request)
        imported, ranking = self._current()
        best = ranking.best(asked.firm, asked.need, asked.limit)
        return {kind: [_shown(match, imported) for match in matches] for kind, matches in best.items()}

    def _current(self) -> tuple[Imported, Ranking]:
        if self.imported is not None:
            imported = self.imported.current()
            if imported.number != self._ready[0].number:
                self._ready = (imported, Ranking((*self.entries, *imported.entries)))
        return self._ready


def make_matching(url: str, knowledge_dir: Path, database: str = "") -> MatchingService:
    """Return the service at `url`, or ours when it is empty, with the catalogue imported into `database`.

    Raise KnowledgeErrors for a broken file.
    """
    if url:
        from bot.matching.remote import RemoteMatching

        return RemoteMatching(url)
    entries = load_catalogue(knowledge_dir)
    if not database:
        return LocalMatching(entries)
    return LocalMatching(entries, ImportedCatalogue(make_engine(database), terms_of(knowledge_dir, entries)))


def _shown(match: Match, imported: Imported) -> dict[str, Any]:
    entry = match.entry
    origin = (imported.provenance or {}).get(entry.id)
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
        "review_by": entry.review_by.isoformat(),
        "imported": None if origin is None else _origin(origin),
    }


def _origin(origin: Provenance) -> dict[str, Any]:
    at = datetime.fromtimestamp(origin.imported_at, timezone.utc).isoformat(timespec="seconds")
    return {"file": origin.file, "row": origin.row, "at": at}


def _varieties(text: Text) -> dict[str, str]:
    return {variety: text[variety] for variety in VARIETIES}
