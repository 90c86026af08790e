"""What the actions read from knowledge/, loaded once a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bot.diagnosis.library import DiagnosisLibrary, load_library
from bot.diagnosis.sitting import Rules
from bot.funding.words import FundingWords, load_funding_words
from bot.knowledge.seats import Seats, load_seats
from bot.knowledge.words import Words, load_words
from bot.legal import LegalFact, load_legal
from bot.settings import get_settings


@dataclass(frozen=True)
class Content:
    """The diagnosis, the words of buttons and lists, the map, the rules the settings give, and those of the law."""

    diagnosis: DiagnosisLibrary
    words: Words
    seats: Seats
    funding: FundingWords
    rules: Rules
    legal: tuple[LegalFact, ...]


@lru_cache(maxsize=1)
def get_content() -> Content:
    """Read knowledge/ once; raise KnowledgeErrors with file, line and reason."""
    settings = get_settings()
    return Content(
        load_library(settings.knowledge_dir),
        load_words(settings.knowledge_dir),
        load_seats(settings.knowledge_dir),
        load_funding_words(settings.knowledge_dir),
        Rules(
            resume_days=settings.resume_days,
            swap_share=0.5 if settings.swap_blocks else 0.0,
            audit_share=0.1 if settings.audit_sample else 0.0,
        ),
        load_legal(settings.knowledge_dir),
    )
