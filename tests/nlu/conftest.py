"""What several tests of the NLU share."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.nlu.entities import FirmEntities
from bot.nlu.lexicon import Lexicon

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def knowledge() -> Path:
    """The knowledge folder of the project."""
    return ROOT / "knowledge"


@pytest.fixture(scope="session")
def entities(knowledge: Path) -> FirmEntities:
    """All names of the project."""
    return FirmEntities(knowledge)


@pytest.fixture(scope="session")
def lexicon(knowledge: Path) -> Lexicon:
    """The lexicon of the project."""
    return Lexicon.read(knowledge / "lexicon.yml")
