from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from bot.diagnosis.adaptive import DEFAULT, Settings
from bot.diagnosis.answers import Answer
from bot.diagnosis.cards import Cards
from bot.diagnosis.document import Request, parse_request, score_document
from bot.diagnosis.instrument import Instrument, load_instrument
from bot.diagnosis.plan import Priorities
from bot.diagnosis.profile import Profile

from .strategies import ITEMS, answer_sets, profiles

Score = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def document(instrument: Instrument, cards: Cards, priorities: Priorities) -> Score:
    """Score with the action cards of conftest.py, whose ease the sums of these tests rely on."""

    def scored(data: dict[str, Any], settings: Settings = DEFAULT) -> dict[str, Any]:
        request = parse_request(data, instrument)
        return score_document(instrument, cards, priorities, request, settings)

    return scored


def test_the_example_of_the_spec(document: Score, instrument: Instrument) -> None:
    # C1: 3/3 * 1 * 1 (quick) = 1; P1: 1/3 * 1 * 0.5 (external) = 1/6
    step = {"item": "C1", "from": 0, "to": 1, "priority": 1.0, "card": "C1-1"}
    assert document({"answers": {"P1": 2, "C1": "dk", "G2": "na"}, "profile": {}, "goal": "sell"}) == {
        "instrument": instrument.version,
        "items": ["P1", "C1"],
        "score": 33.3,
        "level": 2,
        "level_shown": 2,
        "security_first": False,
        "axes": {
            "P": {"score": 66.7, "level": 3, "items": 1, "reliable": False},
            "C": {"score": 0.0, "level": 1, "items": 1, "reliable": False},
        },
        "strongest": "P",
        "weakest": "C",
        "provisional": True,
        "alerts": [],
        "provisional_alerts": [],
        "dk": ["C1"],
        "na": ["G2"],
        "imputed": [],
        "next_step": step,
        "plan": [step, {"item": "P1", "from": 2, "to": 3, "priority": 0.1667, "card": "P1-3"}],
    }


def test_skipped_questions_are_imputed_and_marked(document: Score) -> None:
    answers = {item: 1 for item in ITEMS if item not in ("D2", "D3", "E3")} | {"D1": 0, "C2": 0, "G3": 0}
    result = document({"answers": answers, "profile": {"legal_form": "informal"}})
    assert (result["imputed"], result["na"], result["dk"]) == (["D2", "D3"], ["E3"], [])
    assert result["axes"]["D"] == {"score": 0.0, "level": 1, "items": 3, "reliable": True}
    assert not result["provisional"]


def test_settings_reach_the_rules(document: Score) -> None:
    answers = {item: 1 for item in ITEMS if item != "D2"} | {"D1": 0}
    assert document({"answers": answers})["imputed"] == ["D2"]
    assert document({"answers": answers}, Settings(audit_share=1))["imputed"] == []


def test_the_level_is_taken_before_rounding(
    questions_data: dict[str, Any], write: Callable[[Any], Path], cards: Cards, priorities: Priorities
) -> None:
    questions_data["axes"][0]["weight"] = 3
    questions_data["axes"][1]["weight"] = 1.001
    instrument = load_instrument(write(questions_data))
    request = parse_request({"answers": {"P1": 3, "C1": 0}}, instrument)
    result = score_document(instrument, cards, priorities, request)
    # 3 * 100 / 4.001 = 74.981: shown as 75.0, and still level 3
    assert (result["score"], result["level"]) == (75.0, 3)


def test_the_guard_rail_is_seen_in_the_level_shown_and_the_first_step(document: Score) -> None:
    answers = {item: 3 for item in ITEMS} | {"S1": 0, "S2": 0, "S3": 1, "V1": 0}
    result = document({"answers": answers, "goal": "sell"})
    assert (result["level"], result["level_shown"], result["security_first"]) == (4, 3, True)
    assert result["next_step"]["item"] == "S1"
    assert [step["item"] for step in result["plan"]] == ["S1", "V1"]


def test_alerts_are_ids(document: Score) -> None:
    result = document({"answers": {"V1": 3, "D1": 0, "S1": 0}})
    assert result["alerts"] == result["provisional_alerts"] == ["data_without_protection"]


def test_a_firm_at_the_top_has_no_next_step(document: Score) -> None:
    result = document({"answers": {item: 3 for item in ITEMS}})
    assert (result["score"], result["next_step"], result["plan"]) == (100.0, None, [])


def test_no_answers_give_no_score(document: Score) -> None:
    result = document({"answers": {}})
    assert (result["score"], result["level"], result["level_shown"], result["axes"]) == (None, None, None, {})


def test_a_goal_beside_the_profile_goes_before_the_one_inside(instrument: Instrument) -> None:
    inside = {"answers": {}, "profile": {"goal": "learn", "staff": 3, "turnover_mad": 5}}
    assert parse_request(inside, instrument).goal == "learn"
    assert parse_request({**inside, "goal": "sell"}, instrument).goal == "sell"
    assert parse_request({**inside, "goal": None}, instrument).goal == "learn"


def test_profile_and_goal_may_be_absent_or_null(instrument: Instrument) -> None:
    nothing = Request({}, Profile(), None)
    assert parse_request({"answers": {}}, instrument) == nothing
    assert parse_request({"answers": {}, "profile": None, "goal": None}, instrument) == nothing


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], 'a JSON object with "answers" is needed'),
        ({}, "answers: a JSON object is expected"),
        ({"answers": None}, "answers: a JSON object is expected"),
        ({"answers": [1]}, "answers: a JSON object is expected"),
        ({"answers": {"X1": 1}}, "unknown item 'X1'"),
        ({"answers": {"P1": 4}}, "P1: the value is 0, 1, 2 or 3, not 4"),
        ({"answers": {"P1": "beaucoup"}}, 'P1: an answer is 0, 1, 2, 3, "dk" or "na", not \'beaucoup\''),
        ({"answers": {"P1": "na"}}, "P1: 'na' is allowed only for V2, G2, E2, E3"),
        ({"answers": {}, "profile": []}, "profile: a JSON object is expected"),
        ({"answers": {}, "profile": {"staff": "3"}}, "profile.staff: value is not a valid integer"),
        ({"answers": {}, "goal": "riches"}, "goal: one of sell, collect, manage, protect, learn, finance"),
        ({"answers": {}, "goal": 0}, "goal: one of"),
        ({"answers": {}, "profile": {"goal": "riches"}}, "goal: one of"),
    ],
)
def test_bad_input_is_refused_with_its_reason(instrument: Instrument, data: object, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_request(data, instrument)
    assert reason in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(instrument: Instrument) -> None:
    data = {"answers": {"P1": 4, "X1": 0}, "profile": {"staff": 0}, "goal": "riches"}
    with pytest.raises(ValueError, match=r"P1: .*X1.*profile\.staff: .*goal: "):
        parse_request(data, instrument)


@given(answers=answer_sets, profile=profiles)
def test_every_result_is_plain_json(
    instrument: Instrument,
    cards: Cards,
    priorities: Priorities,
    answers: dict[str, Answer],
    profile: Profile,
) -> None:
    result = score_document(instrument, cards, priorities, Request(answers, profile, None))
    assert json.loads(json.dumps(result)) == result
    assert result["dk"] == [item for item in ITEMS if item in answers and answers[item].status == "dk"]
    assert result["next_step"] == (result["plan"][0] if result["plan"] else None)
