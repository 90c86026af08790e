"""Conditions and rules of a programme, decided in three-valued logic: True, False, or None for not known yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Literal, get_args

from pydantic import PrivateAttr, StrictStr, root_validator

from bot.funding.facts import CREDIT, FIELDS, IMPLIED_BY, NUMBERS, Facts, Span, folded
from bot.knowledge.firm import Exact, Gender, LegalForm, ProjectKind, Region, Sector
from bot.knowledge.loader import Record

Op = Literal[
    "in",
    "not_in",
    "min",
    "above",
    "max",
    "below",
    "is_true",
    "is_false",
    "ratio_min",
    "ratio_above",
    "undocumented",
]
"""`min` and `max` are inclusive, `above` and `below` are not; a ratio is `field / of * per`.
`undocumented` is never known: no source gives the condition, an office has to be asked."""

CODES: dict[str, tuple[str, ...]] = {
    "legal_form": get_args(LegalForm),
    "sector": get_args(Sector),
    "region": get_args(Region),
    "owner_gender": get_args(Gender),
    "project.kind": get_args(ProjectKind),
}
"""Fields with a closed list of values."""
ORDER = (
    "legal_form", "sector", "turnover_mad", "firm_age_years", "staff",
    "moroccan_private", "owned_by_large_firm", "public_majority", "owner_gender", "owner_age",
    "region", "province", "rural",
    "project.kind", "project.amount_mad", "project.own_funds_mad", "project.stable_jobs",
    "innovative_startup", "exports", "exports_to_africa", "farm_modernisation", "deep_sea_fishing",
)  # fmt: skip
"""The order in which the rules of a record stand (services.md, "A funding verdict")."""


def all_of(truths: Iterable[bool | None]) -> bool | None:
    """Return the three-valued *and*: a failure is never hidden by what is not known."""
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown = unknown or truth is None
    return None if unknown else True


def any_of(truths: Iterable[bool | None]) -> bool | None:
    """Return the three-valued *or*."""
    unknown = False
    for truth in truths:
        if truth:
            return True
        unknown = unknown or truth is None
    return None if unknown else False


class Condition(Record):
    """One comparison with one field of the profile."""

    field: StrictStr
    op: Op
    value: tuple[StrictStr, ...] | Exact | None = None
    of: StrictStr | None = None
    per: Exact = Exact(1)

    @root_validator(skip_on_failure=True)
    def _makes_sense(cls, values: dict[str, Any]) -> dict[str, Any]:
        field, op, value = values["field"], values["op"], values["value"]
        if field not in (*FIELDS, CREDIT):
            raise ValueError(f"unknown field {field!r}")
        _check_value(field, op, value)
        if (values["of"] in NUMBERS) != op.startswith("ratio_"):
            raise ValueError("`of` names the number that a ratio is taken of, and stands with a ratio only")
        return values

    def holds(self, facts: Facts) -> bool | None:
        """Decide the condition."""
        if self.op == "undocumented":
            return None
        if self.op.startswith("ratio_"):
            return self._ratio_holds(facts)
        known = facts.get(self.field)
        if known is None:
            return None
        if isinstance(known, Span):
            return _compare(self.op, known, self._limit())
        if isinstance(known, bool):
            return known is (self.op == "is_true")
        return (known in self.names()) is (self.op == "in")

    def open_fields(self, facts: Facts) -> tuple[str, ...]:
        """Return the fields of the profile that an owner would have to tell to decide the condition."""
        if self.op == "undocumented" or self.holds(facts) is not None:
            return ()
        return tuple(name for name in self.inputs() if not _exact(facts, name))

    def inputs(self) -> tuple[str, ...]:
        """Return the fields of the profile that the condition looks at."""
        if self.field == CREDIT:
            return ("project.amount_mad", "project.own_funds_mad")
        return (self.field, self.of) if self.of else (self.field,)

    def boundaries(self, field: str, facts: Facts) -> Iterator[Fraction]:
        """Give the values of a number at which the condition may change, other fields being as they are."""
        if self.op == "undocumented" or not isinstance(self.value, Fraction):
            return
        share = self.value / self.per
        if self.field == CREDIT:
            other = facts.number("project.own_funds_mad" if field == "project.amount_mad" else "project.amount_mad")
            given = other.low if other else Fraction(0)
            yield max(Fraction(0), self.value + given if field == "project.amount_mad" else given - self.value)
        elif self.of is None:
            yield self.value
        else:
            other = facts.number(self.of if field == self.field else self.field)
            given = other.low if other else Fraction(0)
            if field == self.field:
                yield given * share
            elif share:
                yield given / share

    def _ratio_holds(self, facts: Facts) -> bool | None:
        part, whole = facts.number(self.field), facts.number(str(self.of))
        if part is None or whole is None or not (part.exact and whole.exact):
            return None
        limit = self._limit() * whole.low / self.per
        return part.low >= limit if self.op == "ratio_min" else part.low > limit

    def _limit(self) -> Fraction:
        assert isinstance(self.value, Fraction)
        return self.value

    def names(self) -> tuple[str, ...]:
        assert isinstance(self.value, tuple)
        return tuple(folded(name) for name in self.value) if self.field == "province" else self.value


Alternative = tuple[Condition, ...]
"""Conditions that hold together."""


class NotDocumented(Record):
    """Firms that no source accepts or refuses: all conditions of `when` hold; none means whoever fails the rule."""

    when: Alternative = ()
    reason: StrictStr


class Rule(Condition):
    """What a programme asks; `text` says it in English for `deciding.rule`."""

    text: StrictStr
    waived_if: tuple[Alternative, ...] = ()
    unknown_if: NotDocumented | None = None
    _looks_at: frozenset[str] = PrivateAttr()

    def __init__(self, **data: Any) -> None:
        super().__init__(**data)
        self._looks_at = frozenset(_fields_behind(self.conditions()))

    @property
    def looks_at(self) -> frozenset[str]:
        """Return every field of the profile that may change what the rule says."""
        return self._looks_at

    def decided(self, facts: Facts) -> bool | None:
        """Decide the rule: its condition, or one of its waivers; where sources are silent, never False."""
        truth = self.holds(facts)
        if self.waived_if and truth is not True:
            truth = any_of([truth, *(_together(way, facts) for way in self.waived_if)])
        if truth is False and self.unknown_if and _together(self.unknown_if.when, facts) is not False:
            return None
        return truth

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """Return the fields an owner could tell to decide the rule; none when only an office can.

        The fields of an exception are asked only once the rule itself fails.
        """
        if self.decided(facts) is not None:
            return ()
        own = self.open_fields(facts)
        open_ways = [way for way in self._ways() if _together(way, facts) is None]
        found = own or [field for way in open_ways for part in way for field in part.open_fields(facts)]
        return tuple(dict.fromkeys(found))

    def conditions(self) -> Iterator[Condition]:
        """Give the rule's own condition, then all that stand in its exceptions."""
        yield self
        for way in self._ways():
            yield from way

    def silence(self, facts: Facts) -> str | None:
        """Say why nobody but an office can decide the rule; None where the owner's answers can, or did."""
        if self.decided(facts) is not None or self.missing(facts):
            return None
        return self.unknown_if.reason if self.unknown_if else self.text

    @property
    def told_field(self) -> str:
        """Return the field of the profile that names the rule."""
        return "project.amount_mad" if self.field == CREDIT else self.field

    def _ways(self) -> tuple[Alternative, ...]:
        return (*self.waived_if, self.unknown_if.when) if self.unknown_if else self.waived_if


def _fields_behind(conditions: Iterable[Condition]) -> Iterator[str]:
    for condition in conditions:
        yield from condition.inputs()
        if condition.field in IMPLIED_BY:
            yield IMPLIED_BY[condition.field]


def _together(conditions: Alternative, facts: Facts) -> bool | None:
    return all_of(condition.holds(facts) for condition in conditions)


def _exact(facts: Facts, field: str) -> bool:
    known = facts.get(field)
    return known is not None and (not isinstance(known, Span) or known.exact)


def _compare(op: str, number: Span, limit: Fraction) -> bool | None:
    truth = number.at_least(limit) if op in ("min", "below") else number.above(limit)
    if op in ("min", "above") or truth is None:
        return truth
    return not truth


def _check_value(field: str, op: str, value: Any) -> None:
    if op in ("undocumented", "is_true", "is_false"):
        if value is not None:
            raise ValueError(f"{op} takes no value")
        if op != "undocumented" and (field in NUMBERS or field in CODES or field in (CREDIT, "province")):
            raise ValueError(f"{field} is not true or false")
    elif op in ("in", "not_in"):
        if not isinstance(value, tuple) or not value:
            raise ValueError(f"{op} takes a list of values")
        if field not in CODES and field != "province":
            raise ValueError(f"{field} has no list of values")
        for name in value:
            if field in CODES and name not in CODES[field]:
                raise ValueError(f"unknown value {name!r} of {field}")
    elif not isinstance(value, Fraction) or value < 0:
        raise ValueError(f"{op} takes a number")
    elif field not in (*NUMBERS, CREDIT):
        raise ValueError(f"{field} is not a number")
