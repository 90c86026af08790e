"""The linear classifier."""

from __future__ import annotations

import numpy as np
import pytest

from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import GRAMS, Classifier, Sight, Vectoriser, View, letter_grams, pair_grams, plain_words, word_grams

LEXICON = Lexicon({"money": "argent flous"})
TEXTS = [
    "je veux de l'argent",
    "bghit lflous",
    "bghit flous",
    "salut à vous",
    "salam khoya",
    "salam",
    "argent svp",
    "bonjour",
]
LABELS = ["money", "money", "money", "greet", "greet", "greet", "money", "greet"]


@pytest.fixture(scope="module")
def vectoriser() -> Vectoriser:
    return Vectoriser.fit(TEXTS, LEXICON)


@pytest.fixture(scope="module")
def classifier(vectoriser: Vectoriser) -> Classifier:
    return Classifier.fit(vectoriser.matrix(TEXTS), LABELS)


def test_letter_grams_stay_inside_a_word_and_know_its_edges() -> None:
    assert letter_grams(["ab"], 2, 3) == [" a", "ab", "b ", " ab", "ab "]


def test_word_and_pair_grams() -> None:
    assert word_grams(["a", "b"]) == ["a", "b", "a b"]
    assert pair_grams(["x", "y", "b"]) == ["x", "y", "b", "x>y", "y>b", "b&x"]


def test_both_scripts_give_the_same_bones() -> None:
    latin, arabic = (Sight(plain_words(text), LEXICON) for text in ("bghit lflous", "بغيت الفلوس"))
    assert GRAMS["bones"](latin) == GRAMS["bones"](arabic)


def test_each_view_of_a_row_has_its_weight(vectoriser: Vectoriser) -> None:
    _, weights = vectoriser.row("bghit lflous")
    assert np.linalg.norm(weights) == pytest.approx(np.sqrt(1 + 1 + 1 + 0.7**2), rel=1e-3)


def test_other_views_and_other_words_can_be_had() -> None:
    views = {"words": View(1, 1.0)}
    found = Vectoriser.fit(["Ab ab"], LEXICON, views, str.split)
    assert list(found.vocabularies["words"]) == ["Ab", "Ab ab", "ab"]
    again = Vectoriser.from_arrays(found.arrays(), views, str.split)
    assert np.array_equal(again.row("ab")[1], found.row("ab")[1])


def test_a_message_of_unknown_words_has_an_empty_row(vectoriser: Vectoriser) -> None:
    columns, weights = vectoriser.row("😀")
    assert len(columns) == len(weights) == 0


def test_probabilities_sum_to_one_and_find_the_class(vectoriser: Vectoriser, classifier: Classifier) -> None:
    chances = classifier.probabilities(vectoriser.row("بغيت الفلوس"))
    assert chances.sum() == pytest.approx(1)
    assert classifier.labels[int(chances.argmax())] == "money"


def test_a_saved_model_gives_the_same_probabilities(vectoriser: Vectoriser, classifier: Classifier) -> None:
    loaded = Vectoriser.from_arrays(vectoriser.arrays())
    again = Classifier.from_arrays(classifier.arrays("x_"), "x_")
    for text in TEXTS:
        assert again.probabilities(loaded.row(text)) == pytest.approx(classifier.probabilities(vectoriser.row(text)))


def test_training_twice_gives_the_same_weights(vectoriser: Vectoriser, classifier: Classifier) -> None:
    again = Classifier.fit(vectoriser.matrix(TEXTS), LABELS)
    assert np.array_equal(again.weights, classifier.weights)
    assert again.sharpness == classifier.sharpness
