"""Every pipeline that needs nothing beside our own packages learns, is kept, and reads as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from bot.bench.corpora import Corpus
from bot.bench.pipelines import PIPELINES, Linear, Vectors, fit_logistic, raw_words
from bot.nlu.linear import Classifier, as_matrix

LIGHT = [name for name, pipeline in PIPELINES.items() if not pipeline.packages and name != "whole"]


@pytest.mark.parametrize("name", LIGHT)
def test_a_pipeline_reads_what_it_learnt(name: str, corpus: Corpus, tmp_path: Path) -> None:
    PIPELINES[name].make(1).train(corpus.training, tmp_path)
    reader = PIPELINES[name].make(1)
    reader.load(tmp_path)
    right = [reader.rank(example.text)[0].name == example.intent for example in corpus.training]
    assert sum(right) >= 0.8 * len(right)
    assert sum(intent.confidence for intent in reader.rank("salam da3m")) == pytest.approx(1, abs=1e-3)


def test_a_vector_stands_beside_the_other_columns(corpus: Corpus, tmp_path: Path) -> None:
    def vector(text: str) -> np.ndarray:
        return np.array([3.0 if "salam" in text else 0.0, 4.0])

    def make() -> Linear:
        return Linear([lambda: Vectors(lambda: vector)], fit_logistic)

    make().train(corpus.training, tmp_path)
    reader = make()
    reader.load(tmp_path)
    assert reader.rank("salam")[0].name == "greet"


def test_logistic_regression_gives_its_own_probabilities() -> None:
    generator = np.random.default_rng(0)
    rows = [(np.arange(3, dtype=np.int32), generator.normal(size=3).astype(np.float32)) for _ in range(60)]
    for classes in (2, 3):
        labels = [f"l{int(values.argmax()) % classes}" for _, values in rows]
        matrix = as_matrix(rows, 3)
        found: Classifier = fit_logistic(matrix, labels)
        machine = LogisticRegression(C=20, max_iter=1000).fit(matrix, labels)
        wanted = machine.predict_proba(matrix[:5])
        assert np.allclose([found.probabilities(row) for row in rows[:5]], wanted, atol=1e-4)


def test_words_as_typed_keep_accents_and_marks() -> None:
    assert raw_words("Crédit, SVP!") == ["crédit,", "svp!"]


def test_a_missing_package_is_named() -> None:
    from bot.bench.pipelines import Pipeline

    assert Pipeline("x", "", PIPELINES["ours"].make, ("json", "no_such_package")).missing() == "no_such_package"
    assert PIPELINES["ours"].missing() is None
