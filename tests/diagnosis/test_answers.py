from __future__ import annotations

import pytest

from bot.diagnosis.answers import Answer, answered, dont_know, imputed, not_applicable, parse_answers, skipped
from bot.diagnosis.instrument import Instrument


def test_each_kind_of_answer_is_taken(instrument: Instrument) -> None:
    assert parse_answers({"P1": 2, "C1": "dk", "G2": "na"}, instrument) == {
        "P1": answered("P1", 2),
        "C1": dont_know("C1"),
        "G2": not_applicable("G2"),
    }


def test_dk_counts_as_zero_and_na_has_no_value() -> None:
    assert (dont_know("P1").value, dont_know("P1").status) == (0, "dk")
    assert (not_applicable("V2").value, skipped("P1").value) == (None, None)


@pytest.mark.parametrize("item", ["V2", "G2", "E2", "E3"])
def test_na_is_taken_where_a_question_may_not_apply(item: str) -> None:
    assert not_applicable(item).status == "na"


@pytest.mark.parametrize("item", ["P1", "V1", "V3", "G3", "E1", "S3"])
def test_na_is_refused_elsewhere(item: str, instrument: Instrument) -> None:
    with pytest.raises(ValueError, match=f"{item}: 'na' is allowed only for V2, G2, E2, E3"):
        parse_answers({item: "na"}, instrument)


@pytest.mark.parametrize("value", [4, -1, 1.0, 1.5, True, False, "2", "oui", None, [1], {}])
def test_anything_else_is_refused_by_name(value: object, instrument: Instrument) -> None:
    with pytest.raises(ValueError, match="G1"):
        parse_answers({"G1": value}, instrument)


def test_an_unknown_item_is_refused(instrument: Instrument) -> None:
    with pytest.raises(ValueError, match="unknown item 'X1'"):
        parse_answers({"X1": 1}, instrument)


def test_every_bad_answer_is_named_at_once(instrument: Instrument) -> None:
    with pytest.raises(ValueError, match=r"X1.*P1.*S1"):
        parse_answers({"X1": 1, "P1": 4, "S1": "na", "C1": 2}, instrument)


@pytest.mark.parametrize(
    ("status", "value"),
    [("answered", None), ("answered", 4), ("imputed", None), ("dk", 1), ("dk", None), ("skipped", 0)],
)
def test_a_status_and_a_value_must_agree(status: str, value: int | None) -> None:
    with pytest.raises(ValueError, match="P1"):
        Answer("P1", status, value)  # type: ignore[arg-type]


def test_an_imputed_answer_keeps_its_value() -> None:
    assert imputed("D2", 0) == Answer("D2", "imputed", 0)
