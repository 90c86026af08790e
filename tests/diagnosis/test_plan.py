from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.answers import Answer, answered, dont_know, imputed, not_applicable, skipped
from bot.diagnosis.cards import Cards
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.plan import Priorities, Step, load_priorities, make_plan, ranked_steps
from bot.diagnosis.profile import Profile
from bot.diagnosis.scoring import score
from bot.knowledge import KnowledgeErrors

from .conftest import KNOWLEDGE
from .strategies import ITEMS, answer_sets, profiles

Answers = dict[str, Answer]
NOBODY = Profile()
Rank = Callable[..., tuple[Step, ...]]


def values(**given: int) -> Answers:
    return {item: answered(item, value) for item, value in given.items()}


@pytest.fixture(scope="session")
def rank(instrument: Instrument, cards: Cards, priorities: Priorities) -> Rank:
    def ranked(answers: Answers, profile: Profile = NOBODY, goal: str | None = None) -> tuple[Step, ...]:
        return ranked_steps(instrument, cards, priorities, answers, profile, goal)

    return ranked


def only(steps: tuple[Step, ...]) -> Step:
    [step] = steps
    return step


@pytest.mark.parametrize(
    ("answers", "goal", "priority"),
    [
        (values(P1=0), None, Fraction(1)),  # 3/3 * 1 * 1 (quick) * 1
        (values(P1=1), None, Fraction(8, 15)),  # 2/3 * 1 * 0.8 (low cost) * 1
        (values(P1=2), None, Fraction(1, 6)),  # 1/3 * 1 * 0.5 (external) * 1
        (values(V1=1), "sell", Fraction(4, 5)),  # 2/3 * 1.5 * 0.8
        (values(V1=1), "manage", Fraction(8, 15)),  # the goal favours G
        (values(S1=0), None, Fraction(3, 2)),  # 1 * 1 * 1 * 1.5
        (values(S2=0), "protect", Fraction(9, 4)),  # 1 * 1.5 * 1 * 1.5
        (values(S1=1), None, Fraction(8, 15)),  # urgency only at 0
    ],
)
def test_the_priority_is_the_product_of_its_factors(
    rank: Rank, answers: Answers, goal: str | None, priority: Fraction
) -> None:
    assert only(rank(answers, goal=goal)).priority == priority


@pytest.mark.parametrize(
    ("goal", "item"),
    {"sell": "V1", "collect": "E1", "manage": "G1", "protect": "S1", "learn": "C1", "finance": "P1"}.items(),
)
def test_each_goal_favours_its_axis(rank: Rank, goal: str, item: str) -> None:
    steps = rank({name: answered(name, 1) for name in ITEMS[:7]}, goal=goal)
    assert steps[0].item == item
    assert [step.item for step in steps[1:]] == [name for name in ITEMS[:7] if name != item]


def test_an_unknown_goal_is_a_key_error(rank: Rank) -> None:
    with pytest.raises(KeyError):
        rank(values(P1=0), goal="riches")


def test_a_step_is_the_next_rung_with_its_card(rank: Rank) -> None:
    step = only(rank(values(G1=1)))
    assert (step.item, step.axis, step.current, step.to, step.card) == ("G1", "G", 1, 2, "G1-2")


def test_the_top_rung_leaves_nothing_to_do(rank: Rank) -> None:
    assert rank({item: answered(item, 3) for item in ITEMS}) == ()


def test_dk_asks_for_the_first_rung_and_imputed_too_but_what_does_not_apply_nothing(rank: Rank) -> None:
    answers = {
        "C1": dont_know("C1"),
        "D2": imputed("D2", 0),
        "V2": not_applicable("V2"),
        "P1": skipped("P1"),
    }
    found = [(step.item, step.current, step.priority) for step in rank(answers)]
    assert found == [("C1", 0, 1), ("D2", 0, 1)]


@pytest.mark.parametrize(
    ("v3", "kept", "priority"),
    [
        (None, None, 1),
        (None, False, 1),
        (None, True, Fraction(13, 10)),
        (answered("V3", 1), None, 1),
        (answered("V3", 2), None, Fraction(13, 10)),
        (answered("V3", 3), False, Fraction(13, 10)),
        (dont_know("V3"), None, 1),
    ],
)
def test_privacy_is_urgent_where_customers_data_are_kept(
    rank: Rank, v3: Answer | None, kept: bool | None, priority: Fraction
) -> None:
    answers = values(S3=0) | ({"V3": v3} if v3 else {})
    steps = {step.item: step for step in rank(answers, Profile(keeps_customer_data=kept))}
    assert steps["S3"].priority == priority


def test_privacy_is_not_urgent_from_the_first_rung_on(rank: Rank) -> None:
    assert only(rank(values(S3=1), Profile(keeps_customer_data=True))).priority == Fraction(8, 15)


@pytest.fixture
def priorities_data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load((KNOWLEDGE / "priority.yml").read_text(encoding="utf-8"))
    return data


def test_invoicing_is_not_urgent_while_no_date_is_known(priorities: Priorities, rank: Rank) -> None:
    assert priorities.e_invoicing.applies_from is None
    assert only(rank(values(G3=1), Profile(legal_form="company"))).priority == Fraction(8, 15)


@pytest.mark.parametrize(
    ("g3", "firm", "priority"),
    [
        (0, Profile(legal_form="company"), Fraction(13, 10)),  # 1 * 1 * 1 * 1.3
        (2, Profile(legal_form="company"), Fraction(13, 60)),  # 1/3 * 1 * 0.5 * 1.3
        (0, Profile(legal_form="informal"), 1),
        (0, NOBODY, 1),
    ],
)
def test_invoicing_is_urgent_for_the_firms_a_known_date_applies_to(
    priorities_data: dict[str, Any],
    write: Callable[[Any], Path],
    instrument: Instrument,
    cards: Cards,
    g3: int,
    firm: Profile,
    priority: Fraction,
) -> None:
    priorities_data["e_invoicing"]["applies_from"] = date(2027, 1, 1)
    dated = load_priorities(write(priorities_data), instrument)
    assert only(ranked_steps(instrument, cards, dated, values(G3=g3), firm)).priority == priority


def test_equal_priorities_keep_the_asking_order(rank: Rank) -> None:
    backwards = {item: answered(item, 0) for item in ("G2", "P2", "E1", "P1")}
    assert [step.item for step in rank(backwards)] == ["P1", "E1", "P2", "G2"]


def test_the_plan_takes_three_steps_one_an_axis(rank: Rank) -> None:
    # goal sell: V1, V2, V3 lead with 1.5; then P1 and C1 with 1, P2 also 1 but its axis is taken
    steps = rank(values(V1=0, V2=0, V3=0, P1=0, P2=0, C1=0, G1=0), goal="sell")
    assert [step.item for step in make_plan(steps, security_first=False)] == ["V1", "P1", "C1"]


def test_the_plan_may_be_short(rank: Rank) -> None:
    assert [step.item for step in make_plan(rank(values(P1=0, P2=0)), security_first=False)] == ["P1"]
    assert make_plan((), security_first=True) == ()


def test_a_weak_security_axis_puts_a_security_step_first(rank: Rank, instrument: Instrument) -> None:
    # S = (0 + 1 + 1)/9 = 22.2 < 25. S3 = 0 without customers' data: 1; V1 and V2 with goal sell: 1.5
    answers = values(V1=0, V2=0, P1=0, S1=1, S2=1, S3=0)
    steps = rank(answers, goal="sell")
    assert [step.item for step in make_plan(steps, security_first=False)] == ["V1", "P1", "S3"]
    assert score(instrument, answers).security_first
    assert [step.item for step in make_plan(steps, security_first=True)] == ["S3", "V1", "P1"]


def spoil_item(data: dict[str, Any]) -> None:
    data["urgency"][0]["item"] = "X1"


def spoil_factor(data: dict[str, Any]) -> None:
    data["goal_fit"]["match"] = 0


def spoil_condition(data: dict[str, Any]) -> None:
    data["urgency"][2]["only_if"] = "full_moon"


def spoil_ease(data: dict[str, Any]) -> None:
    del data["ease"]["external"]


def spoil_date(data: dict[str, Any]) -> None:
    data["e_invoicing"]["applies_from"] = "soon"


def year_for_date(data: dict[str, Any]) -> None:
    data["e_invoicing"]["applies_from"] = 2027


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_item, "urgency.0.item: unknown item 'X1'"),
        (spoil_factor, "goal_fit.match: ensure this value is greater than 0"),
        (spoil_condition, "urgency.2.only_if: unexpected value"),
        (spoil_ease, "ease.external: field required"),
        (spoil_date, "e_invoicing.applies_from: a date is written 2027-01-31"),
        (year_for_date, "e_invoicing.applies_from: a date is written 2027-01-31"),
    ],
)
def test_a_broken_priority_file_is_refused(
    priorities_data: dict[str, Any],
    write: Callable[[Any], Path],
    instrument: Instrument,
    spoil: Callable[[dict[str, Any]], None],
    reason: str,
) -> None:
    spoil(priorities_data)
    with pytest.raises(KnowledgeErrors) as caught:
        load_priorities(write(priorities_data), instrument)
    [error] = caught.value.errors
    assert error.reason.startswith(reason)
    assert error.line >= 1


@given(
    answers=answer_sets,
    profile=profiles,
    goal=st.sampled_from([None, "sell", "collect", "manage", "protect", "learn", "finance"]),
)
def test_a_plan_has_at_most_one_step_an_axis_and_security_first_when_weak(
    rank: Rank, instrument: Instrument, answers: Answers, profile: Profile, goal: str | None
) -> None:
    steps = rank(answers, profile, goal)
    result = score(instrument, answers)
    plan = make_plan(steps, result.security_first)
    axes = [step.axis for step in plan]
    assert len(axes) == len(set(axes)) == min(3, len({step.axis for step in steps}))
    assert not result.security_first or axes[0] == "S"
    assert all(step.to == (answers[step.item].value or 0) + 1 <= 3 for step in plan)
    assert plan[1:] == tuple(sorted(plan[1:], key=lambda step: -step.priority))
