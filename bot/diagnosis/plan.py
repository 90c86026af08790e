"""The next step and the plan: which rung to climb first (diagnosis.md 3.4, "Next best action")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictStr, validator

from bot.diagnosis.answers import TOP, Answers
from bot.diagnosis.cards import Card, Cards
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.profile import Profile, When
from bot.diagnosis.scoring import SECURITY
from bot.knowledge.loader import Problem, Record, load

PLAN_LENGTH = 3


class GoalFit(Record):
    """Factors of an action on the axis of the owner's goal, and on another one."""

    match: Decimal = Field(gt=0)
    other: Decimal = Field(gt=0)


class EaseFactors(Record):
    """Factors of the three degrees of ease of a card."""

    quick: Decimal = Field(gt=0)
    low_cost: Decimal = Field(gt=0)
    external: Decimal = Field(gt=0)


class Urgency(Record):
    """A factor for an item whose value is at most `at_most`."""

    item: StrictStr
    at_most: Literal[0, 1, 2]
    factor: Decimal = Field(gt=0)
    only_if: Literal["customer_data_kept", "e_invoicing"] | None = None


class EInvoicing(Record):
    """From when e-invoicing is compulsory, None while unknown, and to which firms it applies."""

    applies_from: date | None = None
    when: When | None = None

    @validator("applies_from", pre=True)
    def _plain_date(cls, value: object) -> object:
        if value is not None and not isinstance(value, date):  # pydantic would take 2027 for seconds
            raise ValueError("a date is written 2027-01-31, without quotes")
        return value


class Priorities(Record):
    """The factors of the priority rule (knowledge/priority.yml)."""

    goal_fit: GoalFit
    ease: EaseFactors
    urgency: tuple[Urgency, ...]
    e_invoicing: EInvoicing


@dataclass(frozen=True)
class Step:
    """One rung to climb: from the present value of an item to the next, with its unrounded priority."""

    item: str
    axis: str
    current: int
    priority: Fraction
    card: str

    @property
    def to(self) -> int:
        """Give the rung that the step reaches."""
        return self.current + 1


def load_priorities(path: str | Path, instrument: Instrument) -> Priorities:
    """Read priority.yml; raise KnowledgeErrors."""
    document = load(path)
    priorities = document.parse(Priorities)
    document.refuse(_problems(priorities, instrument))
    return priorities


def ranked_steps(
    instrument: Instrument,
    cards: Cards,
    priorities: Priorities,
    answers: Answers,
    profile: Profile,
    goal: str | None = None,
) -> tuple[Step, ...]:
    """Rank the next rung of every item below the top; equals keep the asking order."""
    favoured = instrument.goal(goal).axis if goal else None
    steps = []
    for item in instrument.order:
        value = answers[item].value if item in answers else None
        if value is None or value == TOP:
            continue
        axis = instrument.question(item).axis
        card = cards.by_step[item, value + 1]
        fit = priorities.goal_fit.match if axis == favoured else priorities.goal_fit.other
        urgency = _urgency(priorities, item, value, answers, profile)
        priority = Fraction(TOP - value, TOP) * Fraction(fit) * _ease(priorities, card) * urgency
        steps.append(Step(item, axis, value, priority, card.id))
    return tuple(sorted(steps, key=lambda step: -step.priority))


def make_plan(steps: tuple[Step, ...], security_first: bool) -> tuple[Step, ...]:
    """Pick up to three steps, at most one an axis; the first is a security one when the guard-rail holds."""
    if security_first:
        steps = tuple(sorted(steps, key=lambda step: step.axis != SECURITY))
    plan: dict[str, Step] = {}
    for step in steps:
        plan.setdefault(step.axis, step)
    return tuple(plan.values())[:PLAN_LENGTH]


def _ease(priorities: Priorities, card: Card) -> Fraction:
    return Fraction(getattr(priorities.ease, card.ease))


def _urgency(priorities: Priorities, item: str, value: int, answers: Answers, profile: Profile) -> Fraction:
    for urgency in priorities.urgency:
        concerned = urgency.item == item and value <= urgency.at_most
        if concerned and _holds(urgency, priorities, answers, profile):
            return Fraction(urgency.factor)
    return Fraction(1)


def _holds(urgency: Urgency, priorities: Priorities, answers: Answers, profile: Profile) -> bool:
    if urgency.only_if == "customer_data_kept":
        return bool(profile.keeps_customer_data) or _keeps_customer_file(answers)
    if urgency.only_if == "e_invoicing":
        rule = priorities.e_invoicing
        return rule.applies_from is not None and (rule.when is None or rule.when.matches(profile))
    return True


def _keeps_customer_file(answers: Answers) -> bool:
    return "V3" in answers and (answers["V3"].value or 0) >= 2


def _problems(priorities: Priorities, instrument: Instrument) -> Iterator[Problem]:
    for position, urgency in enumerate(priorities.urgency):
        if urgency.item not in instrument.order:
            yield ("urgency", position, "item"), f"unknown item {urgency.item!r}"
