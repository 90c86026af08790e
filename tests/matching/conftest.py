"""Small entries for tests, and the programme's own catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.knowledge import VARIETIES
from bot.matching.records import Entry, load_catalogue
from bot.matching.service import LocalMatching

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"


def plain_entry(name: str, **fields: Any) -> dict[str, Any]:
    """Return an entry as a knowledge file has it: a tool for axis G, of unknown price."""
    return {
        "id": name, "kind": "tool",
        **{field: {variety: name for variety in VARIETIES} for field in ("name", "summary", "contact")}, "axes": ["G"],
        "cost": {"kind": "unknown"}, "status": "unknown", "review_by": "2027-01-01", **fields,
    }  # fmt: skip


def catalogue(*entries: dict[str, Any]) -> LocalMatching:
    return LocalMatching([Entry(**entry) for entry in entries])


def dated(as_of: str) -> dict[str, Any]:
    """Return the fields that tell the date of an entry."""
    return {"as_of": as_of, "sources": [{"title": "t", "publisher": "p", "date": as_of}]}


@pytest.fixture(scope="session")
def real() -> LocalMatching:
    return LocalMatching(load_catalogue(KNOWLEDGE))
