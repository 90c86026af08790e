"""Numbers in digits and words."""

from __future__ import annotations

import pytest

from bot.nlu.numbers import number_at, scale_value, tokens, unit_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("200 000", 200_000),
        ("200.000", 200_000),
        ("1,5", 1.5),
        ("200.000,50", 200_000.5),
        ("٢٠٠", 200),
        ("deux", 2),
        ("jouj", 2),
        ("جوج", 2),
        ("khamsa w 3chrin", 25),
        ("خمسة وعشرين", 25),
        ("quatre-vingt-dix", 90),
        ("cent cinquante", 150),
        ("tlt mya", 300),
        ("mya w khamsin", 150),
        ("tes3oud", 9),
    ],
)
def test_a_number_is_read_to_its_end(text: str, value: float) -> None:
    words = tokens(text)
    number = number_at(text, words, 0)
    assert number is not None
    assert (number.value, number.last) == (value, len(words))


@pytest.mark.parametrize(("text", "value"), [("jouj tlata", 2), ("خمسين واحد", 50), ("3 200 dh", 3200), ("12 5", 12)])
def test_counts_side_by_side_stay_apart(text: str, value: float) -> None:
    number = number_at(text, tokens(text), 0)
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize("word", ["site", "ste", "chno", "مدينة", "salam", "dixit", "a" * 1000])
def test_other_words_are_no_numbers(word: str) -> None:
    assert unit_value(word) is None
    assert scale_value(word) is None


@pytest.mark.parametrize(
    ("word", "value"), [("alaf", 10**3), ("ألف", None), ("الف", 10**3), ("mlayen", 10**6), ("مليار", 10**9)]
)
def test_scales_are_known_in_plain_form(word: str, value: int | None) -> None:
    assert scale_value(word) == value


def test_a_unit_stuck_to_digits_is_cut_off_and_arabizi_is_not() -> None:
    assert [word.form for word in tokens("200dh 3ndi 7anout 20mlyoun", frozenset({"dh"}))] == [
        "200",
        "dh",
        "3ndi",
        "7anout",
        "20",
        "mlyoun",
    ]
