"""Amounts said the Moroccan way."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.amounts import amounts


@pytest.mark.parametrize(
    ("text", "said", "value"),
    [
        ("bghit 200 000 dh", "200 000 dh", 200_000),
        ("200 alf", "200 alf", 200_000),
        ("بغيت 200 ألف درهم", "200 ألف درهم", 200_000),
        ("20 mlyoun", "20 mlyoun", 200_000),
        ("20 مليون", "20 مليون", 200_000),
        ("1 mlyar", "1 mlyar", 10_000_000),
        ("كنبيع بمليار فالعام", "بمليار", 10_000_000),
        ("4 alaf ryal", "4 alaf ryal", 200),
        ("100 ريال", "100 ريال", 5),
        ("15 millions de centimes", "15 millions de centimes", 150_000),
        ("3 millions de dirhams", "3 millions de dirhams", 3_000_000),
        ("1 MDH", "1 MDH", 1_000_000),
        ("1,5 MDH", "1,5 MDH", 1_500_000),
        ("400 kdh", "400 kdh", 400_000),
        ("devis 22000dh", "22000dh", 22_000),
        ("٢٠٠ ألف", "٢٠٠ ألف", 200_000),
        ("mlyoun w noss", "mlyoun w noss", 15_000),
        ("تلاتة د المليون", "تلاتة د المليون", 30_000),
        ("alf w khams mya dh", "alf w khams mya dh", 1_500),
        ("deux mille cinq cents dirhams", "deux mille cinq cents dirhams", 2_500),
        ("mlyoun w 200 alf", "mlyoun w 200 alf", 12_000),
        ("3ndi 7anout, 3 dnas, bghit 20 mlyoun", "20 mlyoun", 200_000),
    ],
)
def test_an_amount_is_read_in_dirhams(text: str, said: str, value: float) -> None:
    found = amounts(text)
    assert [(text[amount.start : amount.end], amount.value) for amount in found] == [(said, value)]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("entre 50 000 et 100 000 dh", (50_000, 100_000)),
        ("50-60 alf", (50_000, 60_000)),
        ("mn 20 l 30 mlyoun", (200_000, 300_000)),
        ("بين 20 و 30 مليون", (200_000, 300_000)),
        ("50 à 100 mille dh", (50_000, 100_000)),
    ],
)
def test_a_range_has_both_bounds(text: str, bounds: tuple[float, float]) -> None:
    assert [amount.value for amount in amounts(text)] == [bounds]


@pytest.mark.parametrize(
    "text",
    [
        "bghit 200000",
        "عندي 5",
        "10 mille abonnés",
        "merci un million de fois",
        "5000 euros",
        "alf chokr",
        "depuis 2019",
        "CA 1,2 million",
        "0612345678",
        "sans un dirham",
    ],
)
def test_a_number_with_two_readings_is_no_amount(text: str) -> None:
    assert amounts(text) == []


@given(
    st.lists(
        st.sampled_from(["20", "alf", "mlyoun", "w", "dh", "noss", "entre", "et", "-", "ryal", "d", "x"]), max_size=60
    )
)
def test_any_sequence_of_money_words_gives_amounts_in_order_inside_the_text(parts: list[str]) -> None:
    text = " ".join(parts)
    found = amounts(text)
    assert all(0 <= amount.start < amount.end <= len(text) for amount in found)
    assert all(first.end <= second.start for first, second in pairwise(found))
