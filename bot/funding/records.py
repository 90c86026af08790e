"""Programmes as the knowledge folder has them (knowledge/programmes.yml)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictStr, validator

from bot.funding.rules import ORDER, Condition, Rule
from bot.knowledge.firm import Exact
from bot.knowledge.loader import Loc, Problem, Record, load
from bot.knowledge.source import AS_OF, Source
from bot.knowledge.text import VARIETIES, Text, too_long

SUMMARY, CONTACT, STATUS = 280, 200, 200
"""Longest texts, in characters: a card is read on a phone."""

StatusValue = Literal["in force", "announced", "no new intake found", "unknown", "historic"]


class Name(Record):
    """A programme's own name; in Arabic letters only where a source has it."""

    fr: StrictStr
    ar: StrictStr | None = None


class Status(Record):
    """What is known of the programme's life, and from when."""

    value: StatusValue
    as_of: StrictStr = Field(regex=AS_OF)
    text: Text


class Tier(Record):
    """A rate or a cap for the firms of whom all conditions hold; without conditions, for whoever is left."""

    when: tuple[Condition, ...] = ()
    rate: Exact | None = None
    mad: Exact | None = None


class Benefit(Record):
    """What the programme gives. Rates are shares of 1, caps are MAD.

    `premiums` replace the plain rate: the first tier of each that holds is added to the others. `caps` replace
    `max_mad` where the cap depends on the firm.
    """

    kind: Literal["grant", "loan", "guarantee", "equity", "advice"]
    min_rate: Exact | None = None
    max_rate: Exact | None = None
    min_mad: Exact | None = None
    max_mad: Exact | None = None
    interest_rate: Exact | None = None
    premiums: tuple[tuple[Tier, ...], ...] = ()
    caps: tuple[Tier, ...] = ()

    @validator("min_rate", "max_rate", "interest_rate")
    def _is_share(cls, value: Fraction | None) -> Fraction | None:
        if value is not None and not 0 <= value <= 1:
            raise ValueError("a rate is a share between 0 and 1")
        return value


class Programme(Record):
    """A programme: who may have it, what it gives, and how sure we are.

    An `institution` runs programmes and is none: it has no rules, and is answered only when an owner names it.
    """

    id: StrictStr = Field(regex=r"^[a-z0-9]+(-[a-z0-9]+)*\Z")
    name: Name
    operator: StrictStr
    contact: Text
    summary: Text
    rules: tuple[Rule, ...]
    to_check: tuple[StrictStr, ...] = ()
    benefit: Benefit
    status: Status
    sources: tuple[Source, ...]
    confidence: Literal["high", "medium"]
    review_by: date
    historic: bool = False
    institution: bool = False

    @property
    def checked(self) -> bool:
        """Say whether a firm is checked against it; the others are answered when they are named."""
        return not (self.historic or self.institution)


def load_programmes(knowledge: Path) -> tuple[Programme, ...]:
    """Read and check programmes.yml; raise KnowledgeErrors."""
    document = load(knowledge / "programmes.yml")
    programmes = document.parse(list[Programme])
    document.refuse(_problems(programmes))
    return tuple(programmes)


def _problems(programmes: Sequence[Programme]) -> Iterator[Problem]:
    for position, programme in enumerate(programmes):
        loc: Loc = (position,)
        if programme.id in [other.id for other in programmes[:position]]:
            yield (*loc, "id"), f"the id {programme.id!r} is given twice"
        yield from too_long(programme.summary, SUMMARY, (*loc, "summary"))
        yield from too_long(programme.contact, CONTACT, (*loc, "contact"))
        yield from too_long(programme.status.text, STATUS, (*loc, "status", "text"))
        yield from _word_problems(programme, loc)
        yield from _rule_problems(programme, loc)
        yield from _benefit_problems(programme.benefit, (*loc, "benefit"))
        if not programme.sources:
            yield (*loc, "sources"), "at least one source is needed"
        if programme.historic != (programme.status.value == "historic"):
            yield (*loc, "historic"), "historic and the status disagree"


def _word_problems(programme: Programme, loc: Loc) -> Iterator[Problem]:
    for name, text in (("summary", programme.summary), ("contact", programme.contact)):
        for variety in VARIETIES:
            if "\n" in text[variety]:
                yield (*loc, name, variety), "one line is needed"


def _rule_problems(programme: Programme, loc: Loc) -> Iterator[Problem]:
    if programme.historic and programme.rules:
        yield (*loc, "rules"), "a historic programme has no rules: nobody can have it"
    if programme.institution and programme.rules:
        yield (*loc, "rules"), "an institution has no rules: its programmes do"
    if programme.checked and not programme.rules:
        yield (*loc, "rules"), "at least one rule is needed: without one, every firm would be accepted"
    places = [ORDER.index(rule.told_field) for rule in programme.rules]
    for number in range(1, len(places)):
        if places[number] < places[number - 1]:
            wanted = f"{ORDER[places[number]]} stands before {ORDER[places[number - 1]]}"
            yield (*loc, "rules", number, "field"), f"not in the order of services.md: {wanted}"


def _benefit_problems(benefit: Benefit, loc: Loc) -> Iterator[Problem]:
    if benefit.min_rate is not None and (benefit.max_rate is None or benefit.min_rate > benefit.max_rate):
        yield (*loc, "min_rate"), "max_rate is needed, and not below min_rate"
    for number, premium in enumerate(benefit.premiums):
        for position, tier in enumerate(premium):
            if tier.rate is None or not 0 <= tier.rate <= 1:
                yield (*loc, "premiums", number, position), "a rate between 0 and 1 is needed"
    if benefit.premiums and benefit.max_rate is None:
        yield (*loc, "premiums"), "max_rate is needed: what all premiums together cannot pass"
    for position, tier in enumerate(benefit.caps):
        if tier.mad is None:
            yield (*loc, "caps", position), "mad is needed"
