from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.answers import Answer, answered, dont_know, imputed, not_applicable, skipped
from bot.diagnosis.instrument import Instrument, load_instrument
from bot.diagnosis.scoring import dii_proxy, score

from .strategies import ITEMS, answer_sets, improvements

Answers = dict[str, Answer]


def values(**given: int) -> Answers:
    return {item: answered(item, value) for item, value in given.items()}


def test_the_example_of_the_spec(instrument: Instrument) -> None:
    answers = {**values(P1=2), "C1": dont_know("C1"), "G2": not_applicable("G2")}
    result = score(instrument, answers)
    # P = 100 * 2/3; C = 0; G has no counted item and is absent; F = (200/3 + 0) / 2 = 100/3
    assert result.overall == Fraction(100, 3)
    assert {axis: found.score for axis, found in result.axes.items()} == {"P": Fraction(200, 3), "C": 0}
    assert result.items == ("P1", "C1")
    assert (result.level, result.strongest, result.weakest) == (2, "P", "C")
    assert result.provisional


def test_a_whole_test_computed_by_hand(instrument: Instrument) -> None:
    answers = {
        **values(P1=2, P2=1, P3=0, C1=1, C2=1, C3=2, V1=3, V3=1, G1=0, G2=0, G3=0),
        **values(E1=1, E2=2, E3=3, D1=0, S1=3, S2=3, S3=3),
        "V2": not_applicable("V2"),
        "D2": imputed("D2", 0),
        "D3": dont_know("D3"),
    }
    result = score(instrument, answers)
    # P (2+1+0)/9 = 3/9; C 4/9; V (3+1)/6 = 6/9; G 0; E 6/9; D 0; S 9/9
    # F = 100 * (3+4+6+0+6+0+9)/9 / 7 = 100 * 28/63 = 400/9
    expected = {"P": 3, "C": 4, "V": 6, "G": 0, "E": 6, "D": 0, "S": 9}
    assert {axis: found.score for axis, found in result.axes.items()} == {
        axis: Fraction(100 * ninths, 9) for axis, ninths in expected.items()
    }
    assert result.overall == Fraction(400, 9)
    assert result.level == result.level_shown == 2
    assert {axis: found.level for axis, found in result.axes.items()} == {
        "P": 2, "C": 2, "V": 3, "G": 1, "E": 3, "D": 1, "S": 4,
    }  # fmt: skip
    assert (result.strongest, result.weakest) == ("S", "G")  # G and D are both 0: G comes first
    assert not result.provisional
    assert "V2" not in result.items
    assert len(result.items) == 20


@pytest.mark.parametrize(
    ("total", "overall", "level"),
    [(2, Fraction(50, 3), 1), (3, 25, 2), (5, Fraction(125, 3), 2), (6, 50, 3), (9, 75, 4)],
)
def test_a_score_on_a_cut_belongs_to_the_upper_level(
    instrument: Instrument, total: int, overall: Fraction, level: int
) -> None:
    # four axes of one item: F = 100 * total / 12
    shares = [min(3, max(0, total - 3 * position)) for position in range(4)]
    answers = values(**dict(zip(("P1", "C1", "V1", "G1"), shares, strict=True)))
    result = score(instrument, answers)
    assert (result.overall, result.level) == (overall, level)


def test_fifty_is_fifty_where_floats_would_miss_it(instrument: Instrument) -> None:
    # 100/3 three times, 200/3 three times, and (100/3 + 200/3)/2 = 50 once: mean 50
    answers = values(P1=1, C1=1, V1=1, G1=2, E1=2, D1=2, S1=1, S2=2)
    result = score(instrument, answers)
    assert (result.overall, result.level) == (50, 3)
    assert (result.axes["S"].score, result.axes["S"].level) == (50, 3)


def test_the_weights_of_the_data_are_used(questions_data: dict[str, Any], write: Callable[[Any], Path]) -> None:
    questions_data["axes"][0]["weight"] = 0.5
    instrument = load_instrument(write(questions_data))
    # (0.5 * 100 + 1 * 0) / 1.5 = 100/3
    assert score(instrument, values(P1=3, C1=0)).overall == Fraction(100, 3)


def test_nothing_answered_gives_no_score(instrument: Instrument) -> None:
    result = score(instrument, {"G2": not_applicable("G2"), "P1": skipped("P1")})
    assert (result.overall, result.level, result.level_shown) == (None, None, None)
    assert (result.strongest, result.weakest, result.axes, result.items) == (None, None, {}, ())


def test_an_axis_with_only_imputed_items_is_absent(instrument: Instrument) -> None:
    result = score(instrument, {**values(C2=0, S1=3), "D3": imputed("D3", 0)})
    assert set(result.axes) == {"C", "S"}
    assert result.overall == 50
    assert "D3" not in result.items


def test_an_axis_is_reliable_from_two_items(instrument: Instrument) -> None:
    result = score(instrument, values(P1=1, C1=1, C2=1))
    assert (result.axes["P"].reliable, result.axes["C"].reliable) == (False, True)


@pytest.mark.parametrize("order", [("P1", "C1", "V1"), ("V1", "C1", "P1")])
def test_equal_axes_are_told_apart_by_their_order(instrument: Instrument, order: tuple[str, ...]) -> None:
    result = score(instrument, {item: answered(item, 2) for item in order})
    assert (result.strongest, result.weakest) == ("P", "P")


def test_the_guard_rail_caps_the_level_shown_and_never_the_score(instrument: Instrument) -> None:
    # six axes at 100, S at 0: F = 600/7 = 85.7
    answers = {item: answered(item, 0 if item == "S1" else 3) for item in ITEMS[:7]}
    result = score(instrument, answers)
    assert (result.overall, result.level, result.level_shown) == (Fraction(600, 7), 4, 3)
    assert result.security_first


def test_the_guard_rail_leaves_a_lower_level_alone(instrument: Instrument) -> None:
    result = score(instrument, values(P1=1, S1=0))
    assert (result.level, result.level_shown, result.security_first) == (1, 1, True)


def test_the_guard_rail_ends_at_exactly_25(questions_data: Any, write: Callable[[Any], Path]) -> None:
    # with a fourth security item: (0 + 0 + 0 + 3) / 12 = 25 %, and (0 + 0 + 0 + 2) / 12 is below
    for question in questions_data["items"]:
        if question["id"] == "D3":
            question["axis"] = "S"
    instrument = load_instrument(write(questions_data))
    assert not score(instrument, values(S1=0, S2=0, S3=0, D3=3)).security_first
    assert score(instrument, values(S1=0, S2=0, S3=0, D3=2)).security_first


def test_no_guard_rail_without_a_security_answer(instrument: Instrument) -> None:
    assert not score(instrument, values(P1=3)).security_first


def alerts(instrument: Instrument, answers: Answers) -> list[str]:
    return [alert.id for alert in score(instrument, answers).alerts]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (values(P1=1, P2=2), ["spending_without_plan"]),
        (values(P1=0, P2=3), ["spending_without_plan"]),
        (values(P1=2, P2=3), []),
        (values(P1=1, P2=1), []),
        (values(P2=3), []),
        (values(P1=0), []),
        ({"P1": dont_know("P1"), **values(P2=3)}, ["spending_without_plan"]),
        # mean(V, E, D) = (100 + 100 + 100/3)/3 = 700/9; minus C = 100/3 gives 44.4
        (values(V1=3, E1=3, D1=1, C1=1), ["tools_without_skills"]),
        # mean = (200/3 + 200/3 + 100/3)/3 = 500/9; minus 100/3 gives 22.2
        (values(V1=2, E1=2, D1=1, C1=1), []),
        (values(V1=3, E1=3, C1=0), []),
        (values(V1=3, E1=3, D1=3), []),
        # mean(V, D) = (100 + 0)/2 = 50; minus S = 0 gives 50
        (values(V1=3, D1=0, S1=0), ["data_without_protection"]),
        # (200/3 + 100/3)/2 = 50; minus 100/3 gives 16.7
        (values(V1=2, D1=1, S1=1), []),
        (values(V1=3, S1=0), []),
        (values(V1=3, D1=3), []),
    ],
)
def test_alerts(instrument: Instrument, given: Answers, expected: list[str]) -> None:
    assert alerts(instrument, given) == expected


def test_an_alert_holds_from_exactly_30(questions_data: Any, write: Callable[[Any], Path]) -> None:
    # Five V items and five D items of 9/15 = 60 %, S at 30 % of ten items: 60 - 30 = 30
    for question, axis in zip(questions_data["items"], "V" * 5 + "D" * 5 + "S" * 10 + "P", strict=True):
        question["axis"] = axis
    instrument = load_instrument(write(questions_data))
    graded = [3, 3, 3, 0, 0] * 2 + [3, 3, 3] + [0] * 7
    answers = {item: answered(item, value) for item, value in zip(ITEMS, graded, strict=False)}
    assert alerts(instrument, answers) == ["data_without_protection"]
    assert alerts(instrument, {**answers, **values(**{ITEMS[13]: 1})}) == []


def test_an_alert_is_provisional_on_the_express_test_only(instrument: Instrument) -> None:
    express = values(V1=3, D1=0, S1=0)
    [alert] = score(instrument, express).alerts
    assert alert.provisional
    [alert] = score(instrument, {**express, **values(S2=0)}).alerts
    assert not alert.provisional


def test_a_result_is_provisional_until_every_item_is_settled(instrument: Instrument) -> None:
    whole = {item: answered(item, 1) for item in ITEMS}
    assert not score(instrument, whole).provisional
    assert not score(instrument, {**whole, "V2": not_applicable("V2"), "D2": imputed("D2", 0)}).provisional
    assert score(instrument, {**whole, "P1": skipped("P1")}).provisional
    assert score(instrument, {item: whole[item] for item in ITEMS[:14]}).provisional


def test_the_dii_proxy_counts_eleven_points_at_most(instrument: Instrument) -> None:
    assert dii_proxy({item: answered(item, 3) for item in ITEMS}) == 11
    assert dii_proxy({item: answered(item, 0) for item in ITEMS}) == 0


def test_the_dii_proxy_by_hand() -> None:
    # V1=2: 1; V2=2: 2; V3=2: 0; G1=3: 1; D1=2: 1; D3=2: 1; P3=2: 0; C2=1: 0 -> 6
    assert dii_proxy(values(V1=2, V2=2, V3=2, G1=3, D1=2, D3=2, P3=2, C2=1)) == 6


def test_the_dii_proxy_waits_for_its_items_and_takes_na_as_no_point() -> None:
    answers = values(V1=3, V3=0, G1=0, D1=0, D3=0, P3=0, C2=0)
    assert dii_proxy(answers) is None
    assert dii_proxy({**answers, "V2": not_applicable("V2")}) == 2
    assert dii_proxy({**answers, "V2": skipped("V2")}) is None


@given(pair=improvements())
def test_a_better_answer_never_lowers_a_score(instrument: Instrument, pair: tuple[Answers, Answers, str]) -> None:
    worse, better, item = pair
    before, after = score(instrument, worse), score(instrument, better)
    assert before.overall is not None and after.overall is not None
    assert after.overall > before.overall
    assert after.axes[item[0]].score > before.axes[item[0]].score
    assert after.axes[item[0]].level >= before.axes[item[0]].level
    assert (after.level or 0) >= (before.level or 0)
    assert (after.level_shown or 0) >= (before.level_shown or 0)


@given(answers=answer_sets, data=st.data())
def test_the_order_of_answers_is_irrelevant(instrument: Instrument, answers: Answers, data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(answers.items()))))
    assert score(instrument, shuffled) == score(instrument, answers)


@given(answers=answer_sets)
def test_what_does_not_apply_or_was_skipped_counts_nowhere(instrument: Instrument, answers: Answers) -> None:
    counted = {item: answer for item, answer in answers.items() if answer.value is not None}
    result, expected = score(instrument, answers), score(instrument, counted)
    assert (result.overall, result.axes, result.items) == (expected.overall, expected.axes, expected.items)


@given(answers=answer_sets)
def test_dk_counts_as_zero(instrument: Instrument, answers: Answers) -> None:
    zeros = {item: answered(item, 0) if answer.status == "dk" else answer for item, answer in answers.items()}
    assert score(instrument, zeros) == score(instrument, answers)


@given(answers=answer_sets)
def test_scores_stay_in_0_to_100_and_axes_without_answer_are_absent(instrument: Instrument, answers: Answers) -> None:
    result = score(instrument, answers)
    counted = {item[0] for item, answer in answers.items() if answer.value is not None}
    assert set(result.axes) == counted
    found = [axis.score for axis in result.axes.values()]
    assert all(0 <= value <= 100 for value in found)
    assert result.overall == (sum(found) / len(found) if found else None)
