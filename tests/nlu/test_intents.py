"""Ranking of intents."""

from __future__ import annotations

import pytest

from bot.nlu.intents import FALLBACK, IntentModel, Ranked, with_fallback
from bot.nlu.lexicon import Lexicon

EXAMPLES = {
    "find_funding": ["bghit flous", "je cherche un crédit", "بغيت شي دعم", "subvention pour mon magasin"],
    "greet": ["salam", "bonjour", "السلام عليكم", "slt"],
    "opt_out": ["stop", "7bsso", "وقفو عليا", "ne m'envoyez plus rien"],
}


@pytest.fixture(scope="module")
def model() -> IntentModel:
    texts = [(text, intent) for intent, texts in EXAMPLES.items() for text in texts]
    return IntentModel.fit(
        [text for text, _ in texts], [intent for _, intent in texts], Lexicon({"stop": "stop 7bsso"})
    )


def test_the_likeliest_intent_comes_first(model: IntentModel) -> None:
    ranking = model.rank("بغيت الفلوس")
    assert ranking[0].name == "find_funding"
    assert [intent.confidence for intent in ranking] == sorted((intent.confidence for intent in ranking), reverse=True)


def test_the_ranking_is_as_long_as_asked(model: IntentModel) -> None:
    assert len(model.rank("salam", limit=2)) == 2


@pytest.mark.parametrize("text", ["", "😀", "\ud83d", "2", "0612345678"])
def test_a_message_without_letters_has_no_ranking(model: IntentModel, text: str) -> None:
    assert model.rank(text) == []


def test_a_saved_model_ranks_alike(model: IntentModel) -> None:
    loaded = IntentModel.from_arrays(model.arrays())
    assert [intent.name for intent in loaded.rank("stop salam")] == [intent.name for intent in model.rank("stop salam")]


def test_below_the_threshold_the_fallback_goes_first_and_the_rest_is_kept() -> None:
    ranking = [Ranked("greet", 0.4), Ranked("thank", 0.3)]
    assert with_fallback(ranking, 0.5) == [Ranked(FALLBACK, 0.5), *ranking]
    assert with_fallback(ranking, 0.4) == ranking
    assert with_fallback([], 0.3) == [Ranked(FALLBACK, 0.3)]
