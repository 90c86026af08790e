"""The programme's own records, and firms that tests share."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.funding.records import Programme, load_programmes
from bot.funding.service import LocalFunding

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def programmes() -> tuple[Programme, ...]:
    return load_programmes(KNOWLEDGE)


@pytest.fixture(scope="session")
def service(programmes: tuple[Programme, ...]) -> LocalFunding:
    return LocalFunding(programmes, lambda: TODAY)


def entry(document: dict[str, Any], programme: str) -> dict[str, Any]:
    """Return a programme's entry of a document."""
    [found] = [entry for entry in document["programmes"] if entry["id"] == programme]
    return found
