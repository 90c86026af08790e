"""Concepts of the lexicon."""

from __future__ import annotations

import pytest

from bot.nlu.lexicon import Lexicon
from bot.nlu.text import plain

SMALL = Lexicon(
    {
        "want": "veux voudr* bghit بغيت",
        "money": "argent subvention* flous",
        "learn": "apprend* nt3ellem",
        "what_is": "c'est_quoi chno_howa",
        "not": "pas",
    }
)


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("je voudrais de l'argent", ["want", "money"]),
        ("بغيت الفلوس", ["want", "money"]),
        ("bghyt nt3llem", ["want", "learn"]),
        ("des subventions", ["money"]),
        ("c'est quoi", ["what_is"]),
        ("chno howa", ["what_is"]),
        ("mabghitch", ["not", "want"]),
        ("خبز", []),
    ],
)
def test_words_of_three_varieties_carry_one_concept(text: str, concepts: list[str]) -> None:
    assert SMALL.concepts(plain(text).split()) == concepts


def test_a_repeated_concept_stands_once() -> None:
    assert SMALL.concepts(["flous", "argent"]) == ["money"]


def test_the_lexicon_of_the_project_covers_owners_words(lexicon: Lexicon) -> None:
    sentences = [
        "wach kayn chi da3m l l7anout",
        "jveu parler a un conseiller",
        "شحال كتخلص هاد الخدمة",
        "siftou lia nuskha",
    ]
    assert all(len(lexicon.concepts(plain(sentence).split())) >= 2 for sentence in sentences)
