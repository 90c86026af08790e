from __future__ import annotations

from typing import Any

import pytest

from bot.funding.facts import FIELDS, Facts, facts_of
from bot.funding.question import next_question
from bot.funding.records import Programme
from bot.knowledge.firm import Firm

WORDS = {"fr": "a", "ary-Arab": "a", "ary-Latn": "a"}


def programme(name: str, *rules: dict[str, Any]) -> Programme:
    record = {
        "id": name, "name": {"fr": name}, "operator": "x", "contact": WORDS, "summary": WORDS,
        "rules": [{"text": "t", **rule} for rule in rules], "benefit": {"kind": "grant"},
        "status": {"value": "in force", "as_of": "2025", "text": WORDS}, "confidence": "high",
        "sources": [{"title": "t", "publisher": "p", "date": "2025"}], "review_by": "2027-01-01",
    }  # fmt: skip
    return Programme.parse_obj(record)


def age(op: str, value: float) -> dict[str, Any]:
    return {"field": "firm_age_years", "op": op, "value": value}


def staff(op: str, value: float) -> dict[str, Any]:
    return {"field": "staff", "op": op, "value": value}


def asked(programmes: list[Programme], **profile: Any) -> dict[str, Any] | None:
    return next_question(programmes, facts_of(Firm.from_dict(profile)))


def test_the_field_that_decides_most_whatever_the_answer_is_asked() -> None:
    programmes = [programme("a", age("max", 5)), programme("b", age("min", 2)), programme("c", staff("max", 9))]
    assert asked(programmes) == {"field": "firm_age_years", "decides": 2}


def test_a_tie_goes_to_the_first_field_of_the_table() -> None:
    programmes = [programme("a", age("max", 5)), programme("b", staff("max", 9))]
    assert asked(programmes) == {"field": "staff", "decides": 1}
    assert FIELDS.index("staff") < FIELDS.index("firm_age_years")


def test_the_worst_answer_counts() -> None:
    # an age of 3 decides none of the two, any head count decides one
    programmes = [programme("a", age("max", 5), staff("max", 9)), programme("b", age("min", 2), staff("max", 4))]
    assert asked(programmes) == {"field": "staff", "decides": 0}
    one_open = [*programmes, programme("c", age("below", 4))]
    assert asked(one_open) == {"field": "firm_age_years", "decides": 1}


def test_the_limits_are_tried_from_both_sides() -> None:
    # between 2 and 5 nothing is decided: only an answer strictly inside shows it
    programmes = [programme("a", age("above", 2), staff("max", 9)), programme("b", age("below", 5), staff("max", 9))]
    assert asked(programmes, staff=None) == {"field": "staff", "decides": 0}
    whole = [programme("a", {"field": "owner_age", "op": "min", "value": 18}, staff("min", 3))]
    assert asked(whole, staff=3) == {"field": "owner_age", "decides": 1}


def test_nothing_is_asked_when_nothing_is_undecided() -> None:
    programmes = [programme("a", age("max", 5))]
    assert asked(programmes, firm_age_years=3) is None
    assert asked(programmes, firm_age_years=9) is None
    assert next_question([], Facts({})) is None


def test_nothing_is_asked_when_only_an_office_can_tell() -> None:
    office = programme("a", {"field": "province", "op": "undocumented"})
    assert asked([office]) is None
    both = programme("b", {"field": "province", "op": "undocumented"}, staff("max", 9))
    assert asked([both]) == {"field": "staff", "decides": 0}


def test_a_field_that_no_longer_matters_is_not_asked() -> None:
    refused = programme("a", staff("max", 9), age("max", 5))
    opened = programme("b", age("max", 5))
    assert asked([refused, opened], staff=20) == {"field": "firm_age_years", "decides": 1}


def test_a_bracket_that_is_too_wide_is_asked_more_narrowly() -> None:
    limited = programme("a", {"field": "turnover_mad", "op": "min", "value": 1000000})
    assert asked([limited], turnover_mad={"min": 0, "max": 3000000}) == {"field": "turnover_mad", "decides": 1}


def test_a_waiver_is_asked_when_the_rule_fails_without_it() -> None:
    waived = programme("a", {**age("max", 5), "waived_if": [[{"field": "exports_to_africa", "op": "is_true"}]]})
    assert asked([waived], firm_age_years=8) == {"field": "exports_to_africa", "decides": 1}
    assert asked([waived], firm_age_years=8, exports=False) is None


@pytest.mark.parametrize("own", [0, 99, 100])
def test_the_own_funds_are_asked_when_they_decide(own: int) -> None:
    ratio = {"field": "project.own_funds_mad", "op": "ratio_min", "value": 0.1, "of": "project.amount_mad"}
    question = asked([programme("a", ratio)], project={"amount_mad": 1000})
    assert question == {"field": "project.own_funds_mad", "decides": 1}
    assert asked([programme("a", ratio)], project={"amount_mad": 1000, "own_funds_mad": own}) is None
