"""Offers of the open prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.answers import Match
from bot.nlu.intents import Ranked
from bot.nlu.prompts import (
    Picked,
    is_interruption,
    is_question,
    is_said,
    item_of,
    pick_answer,
    pick_offer,
    tells_field,
)

QUESTION = {
    "kind": "question",
    "about": "G1",
    "offers": [
        {"choice": "answer:ab12:G1:0", "title": "De mémoire"},
        {"choice": "answer:ab12:G1:1", "title": "Cahier / papier"},
        {"choice": "answer:ab12:G1:2", "title": "Excel ou appli"},
        {"choice": "answer:ab12:G1:3", "title": "Logiciel de gestion"},
        {"choice": "dont_know:ab12:G1", "title": "Je ne sais pas"},
    ],
}
STOCK = {
    "kind": "question",
    "about": "G2",
    "offers": [{"choice": f"answer:ab12:G2:{value}", "title": str(value)} for value in (0, 1, 2, 3, "na")],
}
GOAL = {
    "kind": "profile",
    "about": "goal:0",
    "offers": [{"choice": "set_profile:goal:sell", "title": "Vendre plus"}],
}
CONSENT = {"kind": "consent", "about": "", "offers": [{"choice": "affirm:consent", "title": "Je suis d'accord"}]}


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        ("2", Picked("answer", ("ab12:G1:1",), 1.0)),
        ("excel ou appli", Picked("answer", ("ab12:G1:2",), 0.99)),
        ("5", Picked("dont_know", ("ab12:G1",), 1.0)),
        ("6", Picked("answer_unsure", (), 1.0)),
        ("kolchi f rassi", None),
    ],
)
def test_a_number_or_a_title_picks_its_offer(text: str, picked: Picked | None) -> None:
    assert pick_offer(text, QUESTION) == picked


@given(
    st.one_of(st.text(max_size=40), st.integers(0, 120).map(str), st.from_regex(r"(Rep: ?|n°|#)[0-9]{1,3}[.)]?")),
    st.integers(0, 6),
)
def test_nothing_is_picked_that_is_not_offered(text: str, count: int) -> None:
    offers = [{"choice": f"answer:ab12:G1:{place}", "title": f"Titre {place} bis"} for place in range(count)]
    picked = pick_offer(text, {"kind": "question", "about": "G1", "offers": offers})
    if picked is not None and picked.choices:
        assert f"answer:{picked.choices[0]}" in [offer["choice"] for offer in offers]
    assert picked is None or len(picked.choices) <= 1


def test_a_choice_without_a_value_is_an_intent_alone() -> None:
    assert pick_offer("1", {"kind": "menu", "offers": [{"choice": "show_plan", "title": "Mon plan"}]}) == Picked(
        "show_plan", (), 1.0
    )


def test_a_clear_answer_is_an_offer_and_an_unsure_one_gives_two() -> None:
    clear = Match(0, 0.9, ((0, 0.9), (1, 0.05)))
    unsure = Match(None, 0.3, ((2, 0.3), (1, 0.2), (0, 0.1)))
    assert pick_answer(clear, QUESTION) == Picked("answer", ("ab12:G1:0",), 0.9)
    assert pick_answer(unsure, QUESTION) == Picked("answer_unsure", ("ab12:G1:2", "ab12:G1:1"), 0.3)


def test_no_candidates_or_no_answers_on_offer_pick_nothing() -> None:
    assert pick_answer(Match(None, 0.01, ()), QUESTION) is None
    assert pick_answer(Match(0, 0.9, ((0, 0.9),)), CONSENT) is None
    assert pick_offer("salam", {"kind": "language"}) is None


def test_not_concerned_is_picked_only_where_it_is_offered() -> None:
    match = Match("na", 0.9, (("na", 0.9), (0, 0.05), (1, 0.01)))
    assert pick_answer(match, STOCK) == Picked("answer", ("ab12:G2:na",), 0.9)
    assert pick_answer(match, QUESTION) == Picked("answer_unsure", ("ab12:G1:0", "ab12:G1:1"), 0.9)


def test_a_goal_is_picked_and_an_unsure_one_left_alone() -> None:
    assert pick_answer(Match("sell", 0.9, (("sell", 0.9),)), GOAL) == Picked("set_profile", ("goal:sell",), 0.9)
    assert pick_answer(Match(None, 0.3, (("sell", 0.3),)), GOAL) is None


def test_goals_and_questions_are_matched_and_other_prompts_are_not() -> None:
    assert item_of(GOAL) == "GOAL"
    assert item_of(QUESTION) == "G1"
    assert item_of(CONSENT) is None
    assert item_of({"kind": "profile", "about": "size:0"}) is None


@pytest.mark.parametrize(
    ("intent", "concepts", "said"),
    [
        ("delete_my_data", ["delete", "data"], True),
        ("delete_my_data", ["data"], False),
        ("export_my_data", ["copy_of_data"], False),
        ("export_my_data", ["want", "copy_of_data"], True),
        ("opt_out", ["want", "tool"], False),
        ("greet", [], True),
    ],
)
def test_leaving_a_question_needs_words_that_say_so(intent: str, concepts: list[str], said: bool) -> None:
    assert is_said(intent, concepts) is said


@pytest.mark.parametrize(
    ("field", "entities", "words", "rival", "told"),
    [
        ("region", ["commune"], 1, Ranked("greet", 0.9), True),
        ("size", ["staff"], 3, None, True),
        ("size", ["commune"], 1, None, False),
        ("region", ["commune"], 12, None, False),
        ("sector", ["sector"], 4, Ranked("ask_definition", 0.9), False),
        ("goal", ["staff"], 1, None, False),
    ],
)
def test_a_short_fact_answers_the_field_asked_for(
    field: str, entities: list[str], words: int, rival: Ranked | None, told: bool
) -> None:
    assert tells_field(field, entities, words, rival) is told


def test_only_questions_take_free_answers() -> None:
    assert is_question(QUESTION)
    assert is_question({"kind": "unsure"})
    assert not is_question(CONSENT)


@pytest.mark.parametrize(
    ("rival", "match", "served"),
    [
        (Ranked("opt_out", 0.95), Match(1, 0.5, ((1, 0.5),)), True),
        (Ranked("opt_out", 0.95), Match(1, 0.97, ((1, 0.97),)), False),
        (Ranked("opt_out", 0.7), Match(1, 0.5, ((1, 0.5),)), False),
        (Ranked("inform", 0.99), Match(1, 0.5, ((1, 0.5),)), False),
        (Ranked("explain_question", 0.7), Match(None, 0.2, ((1, 0.2),)), True),
        (Ranked("inform", 0.7), Match(None, 0.2, ((1, 0.2),)), False),
        (None, Match(None, 0.2, ((1, 0.2),)), False),
    ],
)
def test_a_surer_intent_interrupts_an_answer(rival: Ranked | None, match: Match, served: bool) -> None:
    assert is_interruption(rival, match, sure=0.9, likely=0.6) is served
