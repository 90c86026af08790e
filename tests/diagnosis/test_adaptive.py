from __future__ import annotations

import pytest
from hypothesis import given

from bot.diagnosis.adaptive import (
    DEFAULT,
    Settings,
    TimedAnswer,
    asking_order,
    blocks_reached,
    completed,
    consequences,
    low_quality,
    next_item,
    wants_adviser,
    wants_check_question,
)
from bot.diagnosis.answers import Answer, answered, dont_know, imputed, not_applicable, skipped
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.profile import Profile
from bot.diagnosis.scoring import score

from .strategies import ITEMS, answer_sets, improvements, profiles

Answers = dict[str, Answer]
NOBODY = Profile()
AUDITED = Settings(audit_share=1)
SWAPPED = Settings(swap_share=1)


def values(**given: int) -> Answers:
    return {item: answered(item, value) for item, value in given.items()}


def found(
    instrument: Instrument,
    answers: Answers,
    profile: Profile = NOBODY,
    blocks: int = 3,
    settings: Settings = DEFAULT,
) -> dict[int, Answer]:
    return {c.rule: c.answer for c in consequences(instrument, answers, profile, blocks, settings)}


def interview(instrument: Instrument, answers: Answers, profile: Profile = NOBODY, blocks: int = 3) -> list[str]:
    """Ask to the end, answering what is not given with 3."""
    asked: list[str] = []
    given: Answers = {}
    while (item := next_item(instrument, given, profile, blocks)) is not None:
        asked.append(item)
        given[item] = answers.get(item, answered(item, 3))
    return asked


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_questions_come_in_the_order_of_the_blocks_wanted(instrument: Instrument, blocks: int) -> None:
    assert interview(instrument, {}, blocks=blocks) == list(ITEMS[: 7 * blocks])


def test_a_stopped_test_resumes_at_the_first_open_question(instrument: Instrument) -> None:
    assert next_item(instrument, values(P1=1, V1=2), NOBODY, 3) == "C1"


def test_a_given_up_question_is_not_asked_again(instrument: Instrument) -> None:
    assert next_item(instrument, {"P1": skipped("P1")}, NOBODY, 3) == "C1"


@pytest.mark.parametrize("g1", [0, 1])
def test_rule_1_all_paper_has_no_tools_to_link(instrument: Instrument, g1: int) -> None:
    answers = values(D1=0, G1=g1)
    assert found(instrument, answers) == {1: imputed("D2", 0)}
    assert "D2" not in interview(instrument, answers)


@pytest.mark.parametrize(
    "answers",
    [
        values(D1=0, G1=2),
        values(D1=1, G1=0),
        values(D1=0),
        values(G1=0),
        {**values(G1=0), "D1": dont_know("D1")},
        {**values(D1=0), "G1": dont_know("G1")},
    ],
)
def test_rule_1_needs_both_answers(instrument: Instrument, answers: Answers) -> None:
    assert found(instrument, answers) == {}


def test_rule_2_calls_and_sms_only_means_no_ai(instrument: Instrument) -> None:
    assert found(instrument, values(C2=0)) == {2: imputed("D3", 0)}
    assert "D3" not in interview(instrument, values(C2=0))


@pytest.mark.parametrize("c2", [answered("C2", 1), dont_know("C2"), skipped("C2")])
def test_rule_2_needs_an_answered_0(instrument: Instrument, c2: Answer) -> None:
    assert found(instrument, {"C2": c2}) == {}


def test_rule_2_holds_only_when_c2_is_asked_before_d3(instrument: Instrument) -> None:
    assert found(instrument, values(C2=0), settings=SWAPPED) == {}
    assert found(instrument, values(C2=0), blocks=2, settings=SWAPPED) == {}


def test_rule_3_a_basic_phone_gets_the_anchors_only(instrument: Instrument) -> None:
    settings = Settings(anchors_only=True)
    anchors = {item: answered(item, 2) for item in ITEMS[:7]}
    assert asking_order(instrument, 3, settings) == ITEMS[:7]
    assert next_item(instrument, anchors, NOBODY, 3, settings) is None


def test_rule_4_neither_stock_nor_appointments(instrument: Instrument) -> None:
    profile = Profile(has_stock=False, takes_appointments=False)
    assert found(instrument, {}, profile) == {4: not_applicable("G2")}
    assert "G2" not in interview(instrument, {}, profile)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(has_stock=False),
        Profile(takes_appointments=False),
        Profile(has_stock=False, takes_appointments=True),
        Profile(has_stock=True, takes_appointments=False),
    ],
)
def test_rule_4_needs_both_said(instrument: Instrument, profile: Profile) -> None:
    assert found(instrument, {}, profile) == {}


def test_rule_5_no_remote_sale(instrument: Instrument) -> None:
    profile = Profile(sells_remotely=False)
    assert found(instrument, {}, profile) == {5: not_applicable("V2")}
    assert "V2" not in interview(instrument, {}, profile)
    assert found(instrument, {}, Profile(sells_remotely=True)) == {}


def test_rule_6_pays_nobody(instrument: Instrument) -> None:
    profile = Profile(pays_nobody=True)
    assert found(instrument, {}, profile) == {6: not_applicable("E2")}
    assert "E2" not in interview(instrument, {}, profile)
    assert found(instrument, {}, Profile(pays_nobody=False)) == {}


def test_rule_7_no_invoice_and_informal_is_not_asked_about_taxes(instrument: Instrument) -> None:
    profile = Profile(legal_form="informal")
    assert found(instrument, values(G3=0), profile) == {7: not_applicable("E3")}
    assert "E3" not in interview(instrument, values(G3=0), profile)


@pytest.mark.parametrize(
    ("g3", "profile"),
    [
        (answered("G3", 0), NOBODY),
        (answered("G3", 0), Profile(legal_form="company")),
        (answered("G3", 1), Profile(legal_form="informal")),
        (dont_know("G3"), Profile(legal_form="informal")),
    ],
)
def test_rule_7_needs_an_answered_0_and_a_firm_that_said_it(
    instrument: Instrument, g3: Answer, profile: Profile
) -> None:
    assert found(instrument, {"G3": g3}, profile) == {}


def test_an_answer_given_stands_against_every_rule(instrument: Instrument) -> None:
    given = values(D1=0, G1=0, D2=2, C2=0, D3=1, G3=0, E3=2, G2=1, V2=1, E2=1)
    profile = Profile(
        legal_form="informal",
        has_stock=False,
        takes_appointments=False,
        sells_remotely=False,
        pays_nobody=True,
    )
    assert found(instrument, given, profile) == {}
    assert completed(instrument, given, profile) == given


def test_a_corrected_answer_takes_its_consequence_back(instrument: Instrument) -> None:
    answers = {item: answered(item, 0) for item in ITEMS[:7]}
    assert next_item(instrument, {**answers, **values(P2=0, C2=1, V2=0, G2=0, E2=0)}, NOBODY) == "S2"
    answers |= values(D1=2, P2=0, C2=1, V2=0, G2=0, E2=0)
    assert next_item(instrument, answers, NOBODY) == "D2"


def test_nothing_is_skipped_in_the_audit_sample(instrument: Instrument) -> None:
    profile = Profile(
        legal_form="informal",
        has_stock=False,
        takes_appointments=False,
        sells_remotely=False,
        pays_nobody=True,
    )
    given = values(D1=0, G1=0, C2=0, G3=0)
    assert set(found(instrument, given, profile)) == {1, 2, 4, 5, 6, 7}
    assert found(instrument, given, profile, settings=AUDITED) == {}


def test_consequences_stay_within_the_blocks_wanted(instrument: Instrument) -> None:
    answers = values(D1=0, G1=0, C2=0)
    assert set(found(instrument, answers, blocks=1)) == set()
    assert set(found(instrument, answers, blocks=2)) == {1}
    assert set(found(instrument, answers, blocks=3)) == {1, 2}


def test_an_express_test_is_completed_with_nothing_from_later_blocks(instrument: Instrument) -> None:
    anchors = {item: answered(item, 0) for item in ITEMS[:7]}
    assert blocks_reached(instrument, anchors) == 1
    assert completed(instrument, anchors, Profile(pays_nobody=True)) == anchors
    second = {**anchors, **values(P2=1)}
    assert blocks_reached(instrument, second) == 2
    assert completed(instrument, second, Profile(pays_nobody=True)) == {
        **second,
        "D2": imputed("D2", 0),
        "E2": not_applicable("E2"),
    }


def test_swapped_blocks_follow_the_anchors(instrument: Instrument) -> None:
    assert asking_order(instrument, 3, SWAPPED) == ITEMS[:7] + ITEMS[14:] + ITEMS[7:14]
    assert blocks_reached(instrument, values(P3=1), SWAPPED) == 2


def test_settings_are_off_by_default_and_drawn_the_same_way_each_time() -> None:
    assert not Settings(seed="firm 7").audited
    assert not Settings(seed="firm 7").swapped
    draws = [Settings(f"firm {n}", audit_share=0.1, swap_share=0.5) for n in range(2000)]
    assert [d.audited for d in draws] == [Settings(d.seed, 0.1, 0.5).audited for d in draws]
    assert 150 < sum(d.audited for d in draws) < 250
    assert 900 < sum(d.swapped for d in draws) < 1100
    assert 60 < sum(d.audited and d.swapped for d in draws) < 140  # one draw does not decide the other


def test_rule_8_two_dk_in_a_row_offer_an_adviser() -> None:
    p1, c1, v1 = dont_know("P1"), dont_know("C1"), answered("V1", 0)
    assert wants_adviser([p1, c1])
    assert wants_adviser([v1, p1, c1])
    assert not wants_adviser([p1])
    assert not wants_adviser([p1, v1, c1])
    assert not wants_adviser([p1, c1, v1])
    assert not wants_adviser([])


def timed(*pairs: tuple[int, float]) -> list[TimedAnswer]:
    return [TimedAnswer(answered(item, value), seconds) for item, (value, seconds) in zip(ITEMS, pairs, strict=False)]


def test_rule_10_three_hasty_equal_answers_in_a_row() -> None:
    assert wants_check_question(timed((2, 1.0), (2, 2.9), (2, 0.5)))
    assert low_quality(timed((0, 1), (2, 1.0), (2, 2.9), (2, 0.5), (1, 9)))


@pytest.mark.parametrize(
    "history",
    [
        timed((2, 1), (2, 1)),
        timed((2, 1), (2, 3.0), (2, 1)),
        timed((2, 1), (1, 1), (2, 1), (1, 1)),
        [TimedAnswer(dont_know(item), 1) for item in ITEMS[:3]],
        [],
    ],
)
def test_rule_10_leaves_other_answers_alone(history: list[TimedAnswer]) -> None:
    assert not low_quality(history)
    assert not wants_check_question(history)


def test_the_check_question_looks_at_the_last_three_only() -> None:
    history = timed((2, 1), (2, 1), (2, 1), (1, 8))
    assert low_quality(history)
    assert not wants_check_question(history)


@given(answers=answer_sets, profile=profiles)
def test_every_question_is_asked_or_settled_once(instrument: Instrument, answers: Answers, profile: Profile) -> None:
    asked = interview(instrument, answers, profile)
    given = {item: answers.get(item, answered(item, 3)) for item in asked}
    settled = {c.answer.item for c in consequences(instrument, given, profile)}
    assert sorted([*asked, *settled]) == sorted(ITEMS)
    assert not score(instrument, completed(instrument, given, profile)).provisional or any(
        answer.status == "skipped" for answer in given.values()
    )


@given(pair=improvements(), profile=profiles)
def test_a_better_answer_never_lowers_a_score_through_the_rules_either(
    instrument: Instrument, pair: tuple[Answers, Answers, str], profile: Profile
) -> None:
    before, after = (score(instrument, completed(instrument, given, profile)) for given in pair[:2])
    assert before.overall is not None and after.overall is not None
    assert after.overall >= before.overall
    assert all(after.axes[axis].score >= found.score for axis, found in before.axes.items())
