"""Everything the diagnosis reads from knowledge/, loaded and checked once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.diagnosis.cards import Cards, load_cards
from bot.diagnosis.instrument import Instrument, load_instrument
from bot.diagnosis.plan import Priorities, load_priorities


@dataclass(frozen=True)
class DiagnosisLibrary:
    """The instrument, its action cards and the factors of the priority rule."""

    instrument: Instrument
    cards: Cards
    priorities: Priorities


def load_library(knowledge: Path) -> DiagnosisLibrary:
    """Read questions.yml, actions.yml and priority.yml of a folder; raise KnowledgeErrors."""
    instrument = load_instrument(knowledge / "questions.yml")
    return DiagnosisLibrary(
        instrument,
        load_cards(knowledge / "actions.yml", instrument),
        load_priorities(knowledge / "priority.yml", instrument),
    )
