"""The programme's own files: questions.yml, actions.yml, priority.yml."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, get_args

import pytest

from bot import gsm7
from bot.diagnosis.cards import STEPS, Cards, load_cards
from bot.diagnosis.document import parse_request, score_document
from bot.diagnosis.instrument import MAY_NOT_APPLY, Instrument, load_instrument
from bot.diagnosis.plan import Priorities
from bot.diagnosis.profile import LegalForm, Profile, Sector, Size
from bot.knowledge import VARIETIES

from .conftest import AXES, BLOCKS, GOALS, KNOWLEDGE


@pytest.fixture(scope="session")
def instrument() -> Instrument:
    return load_instrument(KNOWLEDGE / "questions.yml")


@pytest.fixture(scope="session")
def cards(instrument: Instrument) -> Cards:
    return load_cards(KNOWLEDGE / "actions.yml", instrument)


def firms() -> Iterator[Profile]:
    """Every kind of firm that a wording may tell apart, those not known included."""
    kinds = product((None, *get_args(Size)), (None, *get_args(Sector)), (None, *get_args(LegalForm)))
    for size, sector, legal_form in kinds:
        yield Profile(size=size, sector=sector, legal_form=legal_form)


def test_the_instrument_has_the_axes_blocks_levels_and_goals_of_the_spec(instrument: Instrument) -> None:
    assert [axis.id for axis in instrument.axes] == list(AXES)
    assert {axis.weight for axis in instrument.axes} == {1}
    assert [list(block) for block in instrument.blocks] == BLOCKS
    assert [level.lower for level in instrument.levels] == [0, 25, 50, 75]
    assert {goal.id: goal.axis for goal in instrument.goals} == GOALS
    assert [question.axis for question in instrument.items] == [item[0] for item in instrument.order]


def test_answers_have_different_titles_for_every_kind_of_firm(instrument: Instrument) -> None:
    for firm, item in product(firms(), instrument.order):
        wording = instrument.wording(item, firm)
        titles = [option.title for option in wording.options]
        titles += [wording.not_applicable] if wording.not_applicable else []
        for variety in VARIETIES:
            assert len({title[variety].casefold() for title in titles}) == len(titles), (item, firm)


def test_a_firm_alone_is_not_asked_about_its_team(instrument: Instrument) -> None:
    alone = Profile(size="solo")
    for item in instrument.order:
        wording = instrument.wording(item, alone)
        texts = [wording.stem, wording.short, *(option.title for option in wording.options)]
        for text in texts:
            assert not any(word in text["fr"].lower() for word in ("équipe", "salaires", "salariés")), item


def test_the_questions_that_may_not_apply_say_so(instrument: Instrument) -> None:
    offered = {question.id for question in instrument.items if question.not_applicable}
    assert offered == set(MAY_NOT_APPLY)


def test_anchors_are_numbered_and_sms_name_their_four_answers(instrument: Instrument) -> None:
    for number, item in enumerate(instrument.blocks[0], 1):
        for variety in VARIETIES:
            assert instrument.question(item).sms[variety].startswith(f"{number}/7 "), item
    for question, variety in product(instrument.items, VARIETIES):
        assert all(f"{number})" in question.sms[variety] for number in (1, 2, 3, 4)), (question.id, variety)


@pytest.mark.parametrize("variety", ["fr", "ary-Latn"])
def test_the_result_by_sms_leaves_room_for_a_short_step(instrument: Instrument, variety: str) -> None:
    longest_axis = max((axis.short[variety] for axis in instrument.axes), key=len)
    longest_level = max((level.name[variety] for level in instrument.levels), key=len)
    text = instrument.sms_messages.result[variety].format(
        level=4, label=longest_level, score=100, strong=longest_axis, weak=longest_axis, step=""
    )
    assert gsm7.SEGMENT - gsm7.septets(gsm7.transliterate(text)) >= 10


def test_every_step_has_a_card_in_the_words_for_every_kind_of_firm(instrument: Instrument, cards: Cards) -> None:
    assert set(cards.by_step) == {(item, to) for item in instrument.order for to in (1, 2, 3)}
    worded = [card for card in cards.by_step.values() if card.variants]
    for firm, card in product(firms(), worded):
        assert len(cards.for_step(card.item, card.to, firm).steps) in STEPS


def test_a_whole_test_gives_a_plan_of_real_cards(instrument: Instrument, cards: Cards, priorities: Priorities) -> None:
    answers: dict[str, Any] = {item: 1 for item in instrument.order} | {"S1": 0, "S2": 0}
    request = parse_request({"answers": answers, "profile": {"staff": 3}, "goal": "sell"}, instrument)
    result = score_document(instrument, cards, priorities, request)
    # S = (0 + 0 + 1)/9 = 11.1: security comes first, and S1 before S2 where their cards are as easy
    assert result["level_shown"] == result["level"] == 2
    assert len(result["plan"]) == 3
    assert result["next_step"]["item"] in ("S1", "S2")
    ids = {card.id for card in cards.by_step.values()}
    assert {step["card"] for step in result["plan"]} <= ids
