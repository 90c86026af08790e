"""Documents and measures of the parser; the model itself is tested with the components."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.nlu.parse import Parser, UnknownStep, as_document, evaluate, macro_f1, measure

FOUND = {
    "language": {"code": "ary-Latn", "mixed": False, "confidence": 0.9, "words": 2},
    "intent": {"name": "greet", "confidence": 0.912},
    "intent_ranking": [{"name": "greet", "confidence": 0.912}, {"name": "thank", "confidence": 0.051}],
    "entities": [{"entity": "staff", "value": 3, "start": 0, "end": 1, "extractor": "FirmEntityExtractor"}],
}


def test_a_document_is_that_of_services_md() -> None:
    assert as_document("salam", FOUND) == {
        "text": "salam",
        "language": "ary-Latn",
        "intent": "greet",
        "confidence": 0.91,
        "intents": [{"name": "greet", "confidence": 0.91}, {"name": "thank", "confidence": 0.05}],
        "entities": [{"entity": "staff", "value": 3, "start": 0, "end": 1}],
    }


def test_a_mixed_message_says_so() -> None:
    assert as_document("x", {**FOUND, "language": {"code": "fr", "mixed": True}})["mixed"] is True


def test_where_the_bot_falls_back_the_intent_is_null_and_the_ranking_stays() -> None:
    ranking = [{"name": "nlu_fallback", "confidence": 0.3}, {"name": "thank", "confidence": 0.2}]
    document = as_document("x", {**FOUND, "intent": ranking[0], "intent_ranking": ranking})
    assert (document["intent"], document["confidence"]) == (None, 0.2)
    assert document["intents"] == [{"name": "thank", "confidence": 0.2}]


def test_a_message_of_which_nothing_was_found_has_a_document() -> None:
    assert as_document("", {}) == {
        "text": "", "language": None, "intent": None, "confidence": 0.0, "intents": [], "entities": [],
    }  # fmt: skip


def test_macro_f1_is_the_mean_over_the_intents_that_occur() -> None:
    assert macro_f1([("a", "a"), ("a", "b"), ("b", "b")]) == pytest.approx((2 / 3 + 2 / 3) / 2, abs=1e-4)
    assert macro_f1([]) == 0.0


def test_a_fallback_is_right_for_a_message_out_of_scope_only() -> None:
    found = measure([("out_of_scope", None), ("greet", None), ("greet", "greet")])
    assert (found["accuracy"], found["fallback"]) == (0.6667, 0.6667)
    assert found["confusions"] == [{"intent": "greet", "parsed": None, "count": 1}]


class EchoParser(Parser):
    """A parser that takes the text for the intent."""

    def parse(self, text: str, prompt: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {"intent": text}


def test_evaluate_measures_each_variety() -> None:
    rows = [
        {"text": "greet", "intent": "greet", "variety": "fr"},
        {"text": "thank", "intent": "greet", "variety": "ary-Arab"},
    ]
    found = evaluate(rows, EchoParser(()))
    assert found["accuracy"] == 0.5
    assert found["varieties"]["fr"]["accuracy"] == 1.0
    assert found["varieties"]["ary-Arab"]["confusions"] == [{"intent": "greet", "parsed": "thank", "count": 1}]


class WordParser(Parser):
    """A parser that finds a word in every message."""

    def _read(self, text: str, prompt: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"entities": [{"entity": "concept", "value": text, "start": 0, "end": len(text)}]}


@pytest.mark.parametrize("text", ["crm", "  crm", "/crm \n", "/ //crm"])
def test_spaces_and_slashes_before_a_message_are_no_part_of_it_and_places_are_those_of_the_original(text: str) -> None:
    entity = WordParser(()).parse(text)["entities"][0]
    assert (entity["value"], text[entity["start"] : entity["end"]]) == ("crm", "crm")


def test_a_step_that_only_rasa_can_take_is_told(tmp_path: Path) -> None:
    node = {"uses": "rasa.nlu.classifiers.diet_classifier.DIETClassifier", "needs": {}, "config": {}}
    metadata = json.dumps({"nlu_target": "run", "predict_schema": {"nodes": {"run": node}}}).encode()
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("metadata.json")
        member.size = len(metadata)
        archive.addfile(member, io.BytesIO(metadata))
    with pytest.raises(UnknownStep, match="DIETClassifier"):
        Parser.load(tmp_path / "model.tar.gz")


def test_reading_messages_needs_neither_rasa_nor_what_only_training_needs() -> None:
    heavy = ("rasa", "tensorflow", "sklearn", "scipy", "spacy", "pandas", "httpx")
    code = f"import bot.cli, bot.nlu.parse, bot.dialogue.model, sys; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Parser.load(tmp_path / "none.tar.gz")
