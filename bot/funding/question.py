"""The next question worth asking (services.md, "A funding verdict": `next_question`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

from bot.funding.facts import FIELDS, NUMBERS, WHOLE_NUMBERS, Facts, Span, Value, just
from bot.funding.records import Programme
from bot.funding.rules import CODES, Rule, all_of

ELSEWHERE = "(a place that no rule names)"


@dataclass(frozen=True)
class _Undecided:
    """A programme that what is known leaves open: its rules, what each says so far, the fields each looks at."""

    rules: tuple[tuple[Rule, bool | None, frozenset[str]], ...]

    def touching(self, field: str) -> tuple[bool | None, list[Rule]]:
        """Return what all rules say together that do not look at the field, and those that do."""
        others = all_of(truth for _, truth, fields in self.rules if field not in fields)
        return others, [rule for rule, _, fields in self.rules if field in fields]


def next_question(programmes: Sequence[Programme], facts: Facts) -> dict[str, Any] | None:
    """Return the field whose answer leaves the fewest programmes undecided, whatever it is; None when none is open.

    `decides` counts the programmes that any answer decides. Only fields that still matter are asked; ties go to
    the one that comes first in services.md's table.
    """
    undecided = []
    for programme in programmes:
        truths = [rule.decided(facts) for rule in programme.rules]
        if all_of(truths) is None:
            fields = (rule.looks_at for rule in programme.rules)
            undecided.append(_Undecided(tuple(zip(programme.rules, truths, fields, strict=True))))
    wanted = {
        field
        for programme in undecided
        for rule, truth, _ in programme.rules
        if truth is None
        for field in rule.missing(facts)
    }
    candidates = [field for field in FIELDS if field in wanted]
    if not candidates:
        return None
    best, most = candidates[0], -1
    for field in candidates:
        decides = _decided_at_least(field, undecided, facts, most)
        if decides > most:
            best, most = field, decides
    return {"field": best, "decides": most}


def _decided_at_least(field: str, undecided: Sequence[_Undecided], facts: Facts, beaten_by: int) -> int:
    """Return how many programmes the least telling answer decides; only rules that look at the field are tried.

    A field that does no better than another already has is not looked at to its end.
    """
    touched = [(others, rules) for others, rules in (programme.touching(field) for programme in undecided) if rules]
    least = len(touched)
    if least > beaten_by:
        for answer in _answers(field, [rule for _, rules in touched for rule in rules], facts):
            least = min(least, _decided(touched, facts.told_that(field, answer)))
            if least <= beaten_by:
                break
    return least


def _decided(touched: Sequence[tuple[bool | None, Sequence[Rule]]], told: Facts) -> int:
    return sum(_is_decided(others, rules, told) for others, rules in touched)


def _is_decided(others: bool | None, rules: Sequence[Rule], told: Facts) -> bool:
    unknown = others is None
    for rule in rules:
        truth = rule.decided(told)
        if truth is False:
            return True
        unknown = unknown or truth is None
    return not unknown


def _answers(field: str, rules: Sequence[Rule], facts: Facts) -> list[Value]:
    """Return an answer of each kind that the rules tell apart."""
    conditions = [c for rule in rules for c in rule.conditions() if field in c.inputs()]
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
