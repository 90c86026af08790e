from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.funding.facts import Facts, Span, facts_of, folded, just
from bot.funding.rules import Rule, all_of, any_of
from bot.knowledge.firm import Firm

TRUTHS = (True, False, None)
LIMIT = 100


def rule(**fields: object) -> Rule:
    return Rule.parse_obj({"field": "turnover_mad", "text": "a rule", **fields})


def turnover(low: int, high: int | None, closed: bool = False) -> Facts:
    return Facts({"turnover_mad": Span(Fraction(low), None if high is None else Fraction(high), closed)})


@pytest.mark.parametrize(
    ("truths", "together", "either"),
    [
        ((), True, False),
        ((True, None), None, True),
        ((False, None), False, None),
        ((None, False), False, None),
        ((True, False, None), False, True),
        ((True, True), True, True),
        ((None, None), None, None),
    ],
)
def test_unknown_never_hides_a_failure(
    truths: tuple[bool | None, ...], together: bool | None, either: bool | None
) -> None:
    assert all_of(truths) is together
    assert any_of(truths) is either


@pytest.mark.parametrize(
    ("op", "bracket", "expected"),
    [
        ("min", (100, 200), True), ("min", (99, 200), None), ("min", (50, 100), False), ("min", (50, 101), None),
        ("below", (50, 100), True), ("below", (50, 101), None), ("below", (100, 200), False),
        ("below", (0, None), None),
        ("max", (50, 100), True), ("max", (50, 101), None), ("max", (100, 200), None), ("max", (101, None), False),
        ("above", (101, 200), True), ("above", (100, 200), None), ("above", (50, 100), False),
        ("above", (50, 101), None),
    ],
)  # fmt: skip
def test_a_bracket_decides_only_when_it_is_whole_on_one_side(
    op: str, bracket: tuple[int, int | None], expected: bool | None
) -> None:
    assert rule(op=op, value=LIMIT).decided(turnover(*bracket)) is expected


@given(op=st.sampled_from(["min", "max", "above", "below"]), low=st.integers(0, 6), size=st.integers(1, 4))
def test_a_bracket_says_what_all_its_numbers_say(op: str, low: int, size: int) -> None:
    limited = rule(op=op, value=3)
    inside = [Fraction(low) + Fraction(part, 8) * size for part in range(8)]
    answers = {limited.decided(Facts({"turnover_mad": just(number)})) for number in inside}
    expected = answers.pop() if len(answers) == 1 else None
    assert limited.decided(turnover(low, low + size)) is expected


@pytest.mark.parametrize("missing", ["project.own_funds_mad", "project.amount_mad"])
def test_a_ratio_needs_both_its_numbers(missing: str) -> None:
    ratio = rule(field="project.own_funds_mad", op="ratio_min", value=0.1, of="project.amount_mad")
    facts = Facts({"project.own_funds_mad": just(10), "project.amount_mad": just(100)})
    assert ratio.decided(facts) is True
    told = Facts({field: value for field, value in facts.told.items() if field != missing})
    assert ratio.decided(told) is None
    assert ratio.missing(told) == (missing,)


def test_a_waiver_asks_for_its_fields_only_once_the_rule_fails() -> None:
    waived = rule(op="max", value=5, waived_if=[[{"field": "rural", "op": "is_true"}]])
    assert waived.missing(Facts({})) == ("turnover_mad",)
    assert waived.missing(Facts({"turnover_mad": just(6)})) == ("rural",)
    assert waived.decided(Facts({"turnover_mad": just(6), "rural": True})) is True
    assert waived.decided(Facts({"turnover_mad": just(6), "rural": False})) is False


def test_a_firm_that_no_source_names_is_neither_accepted_nor_refused() -> None:
    silent = rule(
        field="legal_form", op="in", value=["company"],
        unknown_if={"when": [{"field": "legal_form", "op": "in", "value": ["association"]}], "reason": "ask"},
    )  # fmt: skip
    verdicts = [silent.decided(Facts({"legal_form": form})) for form in ("company", "association", "informal")]
    assert verdicts == [True, None, False]
    assert silent.missing(Facts({"legal_form": "association"})) == ()
    assert silent.silence(Facts({"legal_form": "association"})) == "ask"
    assert silent.silence(Facts({})) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, None),
        ({"exports": False}, False),
        ({"exports": True}, None),
        ({"exports": False, "exports_to_africa": True}, False),
        ({"exports_to_africa": True}, True),
    ],
)
def test_who_does_not_export_does_not_export_to_africa(told: dict[str, bool], expected: bool | None) -> None:
    assert Facts(told).get("exports_to_africa") is expected


def test_only_fishing_firms_are_asked_about_the_deep_sea() -> None:
    assert Facts({"sector": "grocery"}).get("deep_sea_fishing") is False
    assert Facts({"sector": "fishing"}).get("deep_sea_fishing") is None
    assert Facts({}).get("deep_sea_fishing") is None
    assert Facts({"sector": "other", "deep_sea_fishing": True}).get("deep_sea_fishing") is True


def test_the_credit_is_what_the_own_funds_leave() -> None:
    project = {"amount_mad": 100, "own_funds_mad": 30}
    assert facts_of(Firm.from_dict({"project": project})).get("project.credit_mad") == just(70)
    not_told = facts_of(Firm.from_dict({"project": {"amount_mad": 100}}))
    assert not_told.get("project.credit_mad") == Span(Fraction(0), Fraction(100), closed=True)
    assert facts_of(Firm.from_dict({"project": {"own_funds_mad": 100}})).get("project.credit_mad") is None


def test_places_are_compared_without_accents_hyphens_and_case() -> None:
    assert folded("Chtouka-Aït Baha") == folded("CHTOUKA AIT  BAHA")
    assert folded("M'diq-Fnideq") == folded("M’Diq Fnideq")
    assert folded("Fès") != folded("Safi")
