"""The next question worth asking (services.md, "A funding verdict": `next_question`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from bot.funding.facts import FIELDS, NUMBERS, WHOLE_NUMBERS, Facts, Span, Value, just
from bot.funding.records import Programme
from bot.funding.rules import CODES, Condition, all_of

ELSEWHERE = "(a place that no rule names)"


def next_question(programmes: Sequence[Programme], facts: Facts) -> dict[str, Any] | None:
    """Return the field whose answer leaves the fewest programmes undecided, whatever it is; None when none is open.

    `decides` counts the programmes that any answer decides. Only fields that still matter are asked; ties go to
    the one that comes first in services.md's table.
    """
    undecided = [programme for programme in programmes if verdict(programme, facts) is None]
    wanted = {field for programme in undecided for rule in programme.rules for field in rule.missing(facts)}
    candidates = [field for field in FIELDS if field in wanted]
    if not candidates:
        return None
    field = max(candidates, key=lambda name: _decided_at_least(name, undecided, facts))
    return {"field": field, "decides": _decided_at_least(field, undecided, facts)}


def verdict(programme: Programme, facts: Facts) -> bool | None:
    """Decide a programme: False as soon as one rule fails, True when all hold, else None."""
    return all_of(rule.decided(facts) for rule in programme.rules)


def _decided_at_least(field: str, undecided: Sequence[Programme], facts: Facts) -> int:
    touched = [programme for programme in undecided if _looks_at(programme, field)]
    answers = [facts.told_that(field, answer) for answer in _answers(field, touched, facts)]
    return min(sum(verdict(programme, told) is not None for programme in touched) for told in answers)


def _looks_at(programme: Programme, field: str) -> bool:
    return any(field in condition.inputs() or _implies(field, condition.field) for condition in _conditions(programme))


def _implies(field: str, other: str) -> bool:
    """Say whether telling one field may tell another (Facts.get)."""
    return (field, other) in (("exports", "exports_to_africa"), ("sector", "deep_sea_fishing"))


def _conditions(programme: Programme) -> Iterator[Condition]:
    for rule in programme.rules:
        yield from rule.conditions()


def _answers(field: str, programmes: Sequence[Programme], facts: Facts) -> list[Value]:
    """Return an answer of each kind that the rules tell apart."""
    conditions = [c for programme in programmes for c in _conditions(programme) if field in c.inputs()]
    if field in NUMBERS:
        return list(_numbers(field, {value for c in conditions for value in c.boundaries(field, facts)}, facts))
    if field in CODES:
        return list(CODES[field])
    if field == "province":
        named = {name for c in conditions for name in c.names()}
        return [*sorted(named), ELSEWHERE]
    return [True, False]


def _numbers(field: str, boundaries: set[Fraction], facts: Facts) -> Iterator[Value]:
    """Give each boundary and a number on both sides of it, within what is known of the field."""
    known = facts.number(field) or Span(Fraction(1 if field == "staff" else 0), None)
    step = Fraction(1)
    ordered = sorted({known.low, *boundaries})
    if field not in WHOLE_NUMBERS:
        gaps = [high - low for low, high in pairwise(ordered)]
        ends = [abs(known.high - value) for value in ordered if known.high is not None and known.high != value]
        step = min([Fraction(1), *gaps, *ends]) / 2
    for value in ordered:
        for near in (value - step, value, value + step):
            if near >= known.low and (known.high is None or near < known.high):
                yield just(near)
