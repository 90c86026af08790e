"""Whether a firm can exist that meets a set of rules: what no firm can meet is a mistake of the file, not of a firm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from bot.funding.facts import CREDIT, NUMBERS, WHOLE_NUMBERS
from bot.funding.rules import CODES, Alternative, Condition, Rule
from bot.knowledge.firm import MOST
from bot.knowledge.loader import Loc, Problem

MOST_COMBINATIONS = 4096
"""Waivers that are tried together; a record with more of them is too tangled to be read."""
_OPPOSITE = {
    "min": "below", "below": "min", "max": "above", "above": "max",
    "in": "not_in", "not_in": "in", "is_true": "is_false", "is_false": "is_true",
}  # fmt: skip
_OWN, _AMOUNT = "project.own_funds_mad", "project.amount_mad"


@dataclass(frozen=True)
class _Ends:
    """The values left of a number; an end belongs to them unless it is `open`."""

    low: Fraction
    high: Fraction
    low_open: bool = False
    high_open: bool = False

    def empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def possible(conditions: Sequence[Condition]) -> bool:
    """Say whether all conditions can hold for one firm; in doubt they can."""
    conditions = [*conditions, *_implied(conditions)]
    if any(not _names_left(field, conditions) for field in (*CODES, "province")):
        return False
    if any(_both_ways(field, conditions) for field in {condition.field for condition in conditions}):
        return False
    ends = {field: _ends(field, conditions) for field in (*NUMBERS, CREDIT)}
    if any(left.empty() for left in ends.values()):
        return False
    return _credit_possible(ends) and all(_ratio_possible(condition, ends) for condition in conditions)


def rule_problems(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Tell rules that no firm can meet, and exceptions that never help anybody; places are below `rules`."""
    for number, rule in enumerate(rules):
        for kind, position, way in _exceptions(rule):
            why = _useless(rule, way)
            if why:
                yield _place(number, kind, position), why
    found = list(_impossible(rules))
    yield from found
    if not found:
        yield from _dead_waivers(rules)


def tier_problems(tiers: Sequence[Alternative]) -> Iterator[Problem]:
    """Tell the tiers of a rate that no firm can reach: impossible by themselves, or behind one that takes all."""
    closed = False
    for position, when in enumerate(tiers):
        if closed:
            yield (position,), "never reached: the tier before is for everybody who is left"
        elif not possible(when):
            yield (position, "when"), "these conditions can never hold together"
        closed = closed or not when


def _exceptions(rule: Rule) -> Iterator[tuple[str, int, Alternative]]:
    yield from (("waived_if", position, way) for position, way in enumerate(rule.waived_if))
    if rule.unknown_if and rule.unknown_if.when:
        yield "unknown_if", 0, rule.unknown_if.when


def _place(number: int, kind: str, position: int) -> Loc:
    return (number, kind, "when") if kind == "unknown_if" else (number, kind, position)


def _useless(rule: Rule, way: Alternative) -> str | None:
    """Say why an exception never helps; None when it may."""
    if not way:
        return "an exception without a condition: the rule would never be asked"
    if not possible(way):
        return "these conditions can never hold together"
    if not _possible_where_it_fails(rule, way):
        return "circular: it holds only where the rule itself holds already"
    return None


def _possible_where_it_fails(rule: Rule, way: Alternative) -> bool:
    failed = _opposite(rule)
    return failed is None or possible([*way, failed])


def _opposite(rule: Rule) -> Condition | None:
    if rule.op not in _OPPOSITE:
        return None
    return Condition.construct(field=rule.field, op=_OPPOSITE[rule.op], value=rule.value, of=None, per=rule.per)


def _impossible(rules: Sequence[Rule]) -> Iterator[Problem]:
    """Tell the first rules that exclude everybody: one alone, else two, else all of them."""
    alone = [number for number, rule in enumerate(rules) if not _can_meet([rule])]
    if alone:
        yield from (((number,), "no firm can meet this rule") for number in alone)
        return
    pairs = [(one, two) for one, two in combinations(range(len(rules)), 2) if not _can_meet([rules[one], rules[two]])]
    if pairs:
        yield from (((two,), f"no firm can meet this rule and rule {one} too") for one, two in pairs)
    elif len(rules) > 2 and not _can_meet(rules):
        yield (), "no firm can meet all these rules together"


def _dead_waivers(rules: Sequence[Rule]) -> Iterator[Problem]:
    for number, rule in enumerate(rules):
        others = [other for other in rules if other is not rule]
        for position, way in enumerate(rule.waived_if):
            failed = _opposite(rule)
            asked = [*way, failed] if failed else list(way)
            if _useless(rule, way) is None and not _can_meet(others, asked):
                yield _place(number, "waived_if", position), "no firm that meets the other rules can use this waiver"


def _can_meet(rules: Sequence[Rule], also: Sequence[Condition] = ()) -> bool:
    """Say whether a firm can meet all rules, each by itself or by one of its waivers."""
    choices: list[Sequence[Alternative]] = [((rule,), *rule.waived_if) for rule in rules]
    size = 1
    for ways in choices:
        size *= len(ways)
    if size > MOST_COMBINATIONS:
        return True
    return any(possible([*also, *(part for way in chosen for part in way)]) for chosen in product(*choices))


def _implied(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Give what a field tells of another one (`Facts.get`)."""
    for condition in conditions:
        if condition.op == "is_true" and condition.field == "exports_to_africa":
            yield Condition(field="exports", op="is_true")
        if condition.op == "is_true" and condition.field == "deep_sea_fishing":
            yield Condition(field="sector", op="in", value=("fishing",))


def _names_left(field: str, conditions: Iterable[Condition]) -> bool:
    """Say whether a value of a list is left; a list of provinces is open, so only `in` can empty it."""
    left: set[str] | None = set(CODES[field]) if field in CODES else None
    for condition in conditions:
        if condition.field == field and condition.op == "in":
            left = set(condition.names()) if left is None else left & set(condition.names())
    for condition in conditions:
        if condition.field == field and condition.op == "not_in" and left is not None:
            left -= set(condition.names())
    return left is None or bool(left)


def _both_ways(field: str, conditions: Iterable[Condition]) -> bool:
    return {"is_true", "is_false"} <= {condition.op for condition in conditions if condition.field == field}


def _ends(field: str, conditions: Iterable[Condition]) -> _Ends:
    name = field.removeprefix("project.")
    ends = _Ends(Fraction(field == "staff"), Fraction(MOST.get(name, MOST["amount_mad"])))
    for condition in conditions:
        if condition.field == field and isinstance(condition.value, Fraction):
            ends = _cut(ends, condition.op, condition.value, field in WHOLE_NUMBERS)
    return ends


def _cut(ends: _Ends, op: str, value: Fraction, whole: bool) -> _Ends:
    if whole and op in ("above", "below"):  # above 2 people is at least 3
        value, op = (Fraction(value // 1 + 1), "min") if op == "above" else (Fraction(-(-value // 1) - 1), "max")
    if op in ("min", "above") and (value, op == "above") > (ends.low, ends.low_open):
        return _Ends(value, ends.high, op == "above", ends.high_open)
    if op in ("max", "below") and (-value, op == "below") > (-ends.high, ends.high_open):
        return _Ends(ends.low, value, ends.low_open, op == "below")
    return ends


def _credit_possible(ends: dict[str, _Ends]) -> bool:
    """The credit is what own funds leave of the amount: never more than it, and no less than what is left at least."""
    credit, amount, own = ends[CREDIT], ends[_AMOUNT], ends[_OWN]
    most = _Ends(credit.low, amount.high - own.low, credit.low_open, amount.high_open or own.low_open)
    return credit.low == 0 or not most.empty()


def _ratio_possible(condition: Condition, ends: dict[str, _Ends]) -> bool:
    if not condition.op.startswith("ratio_") or not isinstance(condition.value, Fraction):
        return True
    share = condition.value / condition.per
    if (condition.field, condition.of) == (_OWN, _AMOUNT) and share > 1:
        return False  # nobody pays more than the whole project
    part, whole = ends[condition.field], ends[str(condition.of)]
    needed = _Ends(whole.low * share, part.high, condition.op == "ratio_above" or whole.low_open, part.high_open)
    return whole.low == 0 or not needed.empty()
