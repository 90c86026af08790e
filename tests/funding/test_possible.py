"""Rules that exclude every firm, and exceptions that help none, are told; the rules of the knowledge folder are not."""

from __future__ import annotations

from typing import Any

import pytest

from bot.funding.possible import rule_problems, tier_problems
from bot.funding.records import Programme
from bot.funding.rules import CODES, Condition, Rule

AMOUNT, OWN, CREDIT = "project.amount_mad", "project.own_funds_mad", "project.credit_mad"


def rule(field: str, op: str, value: Any = None, **more: Any) -> Rule:
    return Rule(field=field, op=op, value=value, text="t", **more)


def told(*rules: Rule) -> list[tuple[Any, str]]:
    return list(rule_problems(rules))


def test_the_rules_of_the_knowledge_folder_can_be_met(programmes: tuple[Programme, ...]) -> None:
    assert [programme.id for programme in programmes if list(rule_problems(programme.rules))] == []


@pytest.mark.parametrize(
    "alone",
    [
        rule("staff", "below", 1),
        rule("owner_age", "min", 200),
        rule("turnover_mad", "above", 10**12),
        rule("legal_form", "not_in", list(CODES["legal_form"])),
        rule(OWN, "ratio_min", 1.5, of=AMOUNT),
    ],
)  # fmt: skip
def test_a_rule_no_firm_can_meet_is_told(alone: Rule) -> None:
    assert told(alone) == [((0,), "no firm can meet this rule")]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (rule("turnover_mad", "min", 10), rule("turnover_mad", "max", 9)),
        (rule("turnover_mad", "above", 10), rule("turnover_mad", "max", 10)),
        (rule("staff", "above", 2), rule("staff", "below", 3)),
        (rule("sector", "in", ["crafts", "it"]), rule("sector", "in", ["tourism"])),
        (rule("province", "in", ["Fès"]), rule("province", "not_in", ["FES"])),
        (rule("exports", "is_false"), rule("exports_to_africa", "is_true")),
        (rule("sector", "not_in", ["fishing"]), rule("deep_sea_fishing", "is_true")),
        (rule(AMOUNT, "max", 100), rule(CREDIT, "above", 100)),
        (rule(AMOUNT, "min", 100), rule(OWN, "max", 10)),
    ],
)
def test_two_rules_that_exclude_each_other_are_told(one: Rule, two: Rule) -> None:
    if (one.field, two.field) == (AMOUNT, OWN):  # these two only exclude each other with a ratio
        assert told(one, two) == []
        [(loc, why)] = told(one, two, rule(OWN, "ratio_min", 0.5, of=AMOUNT))
        assert (loc, why) == ((), "no firm can meet all these rules together")
    else:
        assert told(one, two) == [((1,), "no firm can meet this rule and rule 0 too")]


def test_a_waiver_opens_rules_that_would_exclude_each_other() -> None:
    way = ({"field": "firm_age_years", "op": "below", "value": 1},)
    assert told(rule("turnover_mad", "min", 10, waived_if=(way,)), rule("turnover_mad", "max", 9)) == []


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ([], "an exception without a condition"),
        ([("exports", "is_true"), ("exports", "is_false")], "these conditions can never hold together"),
        ([("turnover_mad", "min", 1000)], "circular: it holds only where the rule itself holds already"),
        ([("turnover_mad", "min", 5000), ("exports", "is_true")], "circular: "),
    ],
)
def test_a_waiver_that_never_helps_is_told(way: list[tuple[Any, ...]], reason: str) -> None:
    conditions = tuple(dict(zip(("field", "op", "value"), part, strict=False)) for part in way)
    [(loc, why)] = told(rule("turnover_mad", "min", 1000, waived_if=(conditions,)))
    assert loc == (0, "waived_if", 0)
    assert why.startswith(reason)


def test_a_waiver_that_another_rule_forbids_is_told() -> None:
    way = ({"field": "sector", "op": "in", "value": ["agriculture"]},)
    found = told(rule("sector", "in", ["crafts"]), rule("firm_age_years", "max", 5, waived_if=(way,)))
    assert found == [((1, "waived_if", 0), "no firm that meets the other rules can use this waiver")]


def test_a_silence_that_never_comes_is_told() -> None:
    silent = {"when": [{"field": "legal_form", "op": "in", "value": ["company"]}], "reason": "r"}
    [(loc, why)] = told(rule("legal_form", "in", ["company"], unknown_if=silent))
    assert (loc, why.partition(":")[0]) == ((0, "unknown_if", "when"), "circular")


def test_a_tier_behind_the_one_for_everybody_is_told() -> None:
    green = Condition(field="project.kind", op="in", value=["green"])
    never = (Condition(field="rural", op="is_true"), Condition(field="rural", op="is_false"))
    assert list(tier_problems([(green,), ()])) == []
    assert [loc for loc, _ in tier_problems([never, (), (green,)])] == [(0, "when"), (2,)]
