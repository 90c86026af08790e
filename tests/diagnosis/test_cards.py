from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.diagnosis.cards import Cards, load_cards
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.profile import Profile
from bot.knowledge import VARIETIES, KnowledgeErrors

Data = list[dict[str, Any]]
Write = Callable[[Any], Path]


def words(text: str) -> dict[str, str]:
    return {variety: text for variety in VARIETIES}


def test_there_is_a_card_for_each_step_of_each_question(cards: Cards, instrument: Instrument) -> None:
    assert len(cards.by_step) == 63
    for item in instrument.order:
        for to in (1, 2, 3):
            assert cards.for_step(item, to, Profile()).id == f"{item}-{to}"


@pytest.mark.parametrize("step", [("G1", 0), ("G1", 4), ("X1", 1)])
def test_there_is_no_card_for_another_step(cards: Cards, step: tuple[str, int]) -> None:
    with pytest.raises(KeyError):
        cards.for_step(*step, Profile())


def test_variants_that_match_replace_what_they_give(actions_data: Data, write: Write, instrument: Instrument) -> None:
    actions_data[0]["variants"] = [
        {"when": {"size": ["solo"]}, "title": words("seul"), "why": words("seul")},
        {"when": {"sector": ["crafts"]}, "why": words("artisan"), "steps": [words(step) for step in "abc"]},
    ]
    cards = load_cards(write(actions_data), instrument)
    default = cards.for_step("P1", 1, Profile())
    solo = cards.for_step("P1", 1, Profile(size="solo"))
    both = cards.for_step("P1", 1, Profile(size="solo", sector="crafts"))
    assert (default.title["fr"], default.why["fr"]) == ("Faire P1 1", "Gagner du temps")
    assert (solo.title["fr"], solo.why["fr"]) == ("seul", "seul")
    assert (both.title["fr"], both.why["fr"]) == ("seul", "artisan")
    assert [len(card.steps) for card in (default, solo, both)] == [2, 2, 3]
    assert (both.ease, both.id) == (default.ease, default.id)


def drop(data: Data) -> None:
    del data[4]  # C1-2


def repeat(data: Data) -> None:
    data[1] |= {"to": 1, "id": "P1-1"}


def rename(data: Data) -> None:
    data[0]["id"] = "P1-2"


def unknown_item(data: Data) -> None:
    data[0] |= {"item": "X1", "id": "X1-1"}


def rung_zero(data: Data) -> None:
    data[0]["to"] = 0


def long_title(data: Data) -> None:
    data[0]["title"]["fr"] = "x" * 61


def long_why(data: Data) -> None:
    data[0]["why"]["fr"] = "x" * 121


def long_step(data: Data) -> None:
    data[0]["steps"][1]["ary-Arab"] = "x" * 161


def one_step(data: Data) -> None:
    data[0]["steps"].pop()


def one_step_in_variant(data: Data) -> None:
    data[0]["variants"] = [{"when": {"size": ["solo"]}, "steps": [words("a")]}]


def long_title_in_variant(data: Data) -> None:
    data[0]["variants"] = [{"when": {"size": ["solo"]}, "title": words("x" * 61)}]


def variant_without_words(data: Data) -> None:
    data[0]["variants"] = [{"when": {"size": ["solo"]}}]


def unknown_ease(data: Data) -> None:
    data[0]["ease"] = "easy"


def unknown_topic(data: Data) -> None:
    data[0]["training_topic"] = "magic"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (drop, "there is no card for C1 to 2"),
        (repeat, "1.to: P1 already has a card to 1"),
        (repeat, "there is no card for P1 to 2"),
        (rename, "0.id: the id should be P1-1"),
        (unknown_item, "0.item: unknown item 'X1'"),
        (rung_zero, "0.to: unexpected value"),
        (long_title, "0.title.fr: 61 characters, at most 60"),
        (long_why, "0.why.fr: 121 characters, at most 120"),
        (long_step, "0.steps.1.ary-Arab: 161 characters, at most 160"),
        (one_step, "0.steps: 1 steps, two to four are needed"),
        (one_step_in_variant, "0.variants.0.steps: 1 steps"),
        (long_title_in_variant, "0.variants.0.title.fr: 61 characters"),
        (variant_without_words, "0.variants.0: the variant changes no text"),
        (unknown_ease, "0.ease: unexpected value"),
        (unknown_topic, "0.training_topic: unexpected value"),
    ],
)
def test_a_broken_file_is_refused(
    actions_data: Data, write: Write, instrument: Instrument, spoil: Callable[[Data], None], reason: str
) -> None:
    spoil(actions_data)
    with pytest.raises(KnowledgeErrors) as caught:
        load_cards(write(actions_data), instrument)
    assert any(error.reason.startswith(reason) for error in caught.value.errors), str(caught.value)


def test_a_mistake_is_told_with_file_and_line(actions_data: Data, write: Write, instrument: Instrument) -> None:
    actions_data[7]["cost"] = "dear"
    path = write(actions_data)
    line = path.read_text(encoding="utf-8").splitlines().index("  cost: dear") + 1
    with pytest.raises(KnowledgeErrors) as caught:
        load_cards(path, instrument)
    assert str(caught.value).startswith(f"{path}:{line}: 7.cost: unexpected value")
