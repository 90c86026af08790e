"""Rules an owner asks about, in plain words with their date and whom to ask (knowledge/legal.yml). No legal advice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictBool, StrictStr

from bot.funding.facts import Facts
from bot.funding.rules import Alternative, all_of, any_of
from bot.knowledge.loader import Problem, Record, load
from bot.knowledge.source import AS_OF, Source
from bot.knowledge.text import Text, too_long

TEXT, CHECK_WITH = 400, 120
"""Longest texts, in characters."""

Topic = Literal["personal_data", "signature", "security", "consumers", "status", "invoicing", "payment", "definition"]


class OfficialName(Record):
    """What the law or the rule is called; in Arabic letters only where a source has it."""

    fr: StrictStr
    ar: StrictStr | None = None


class LegalStatus(Record):
    """Whether the rule holds, and from when that is known."""

    value: Literal["in force", "announced", "unknown", "historic"]
    as_of: StrictStr = Field(regex=AS_OF)


class LegalFact(Record):
    """One rule: `concepts` are the words it answers, `applies_to` the firms it is for (none: not testable)."""

    id: StrictStr = Field(regex=r"^[a-z0-9]+(-[a-z0-9]+)*\Z")
    topic: Topic
    concepts: tuple[StrictStr, ...]
    name: OfficialName
    text: Text
    check_with: Text
    applies_to: tuple[Alternative, ...] = ()
    status: LegalStatus
    sources: tuple[Source, ...]
    confidence: Literal["high", "medium"]
    review_by: date
    historic: StrictBool = False

    def concerns(self, facts: Facts) -> bool | None:
        """Decide whether the rule is for a firm; None when nobody can say from what is known."""
        if not self.applies_to:
            return None
        return any_of(all_of(condition.holds(facts) for condition in way) for way in self.applies_to)


def load_legal(knowledge: Path) -> tuple[LegalFact, ...]:
    """Read and check legal.yml; raise KnowledgeErrors."""
    document = load(knowledge / "legal.yml")
    facts = document.parse(list[LegalFact])
    document.refuse(_problems(facts))
    return tuple(facts)


def about(facts: Iterable[LegalFact], concept: str) -> LegalFact | None:
    """Return the rule that answers a word; the one that names it first is the closest."""
    named = [fact for fact in facts if concept in fact.concepts]
    return min(named, key=lambda fact: fact.concepts.index(concept), default=None)


def _problems(facts: Sequence[LegalFact]) -> Iterator[Problem]:
    for position, fact in enumerate(facts):
        if fact.id in [other.id for other in facts[:position]]:
            yield (position, "id"), f"the id {fact.id!r} is given twice"
        yield from too_long(fact.text, TEXT, (position, "text"))
        yield from too_long(fact.check_with, CHECK_WITH, (position, "check_with"))
        if not fact.sources:
            yield (position, "sources"), "at least one source is needed"
        if fact.historic != (fact.status.value == "historic"):
            yield (position, "historic"), "historic and the status disagree"
