"""What the understanding is worth on messages it never saw: nlu_data/dev, written by somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.nlu.answers import AnswerModel, load_nothing, load_phrasings
from bot.nlu.intents import IntentModel
from bot.nlu.language import WordLanguages
from bot.nlu.lexicon import Lexicon
from bot.nlu.parse import measure
from bot.nlu.text import plain

ROOT = Path(__file__).resolve().parents[2]
VARIETIES = ("fr", "ary-Arab", "ary-Latn", "mixed")


def rows(name: str) -> list[dict[str, Any]]:
    lines = (ROOT / "nlu_data/dev" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


@pytest.fixture(scope="module")
def training() -> list[tuple[str, str, str]]:
    """All training messages with intent and variety."""
    found = []
    for path in sorted((ROOT / "nlu_data/intents").glob("*.yml")):
        for block in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            for line in block["examples"].splitlines():
                if line.strip().startswith("- "):
                    found.append((line.strip()[2:], block["intent"], block["metadata"]["variety"]))
    return found


@pytest.fixture(scope="module")
def intents(training: list[tuple[str, str, str]], lexicon: Lexicon) -> IntentModel:
    return IntentModel.fit([text for text, _, _ in training], [intent for _, intent, _ in training], lexicon)


@pytest.mark.parametrize(("variety", "least"), [("fr", 0.89), ("ary-Arab", 0.84), ("ary-Latn", 0.86), ("mixed", 0.92)])
def test_intents_of_new_messages_are_recognised(
    training: list[tuple[str, str, str]], intents: IntentModel, variety: str, least: float
) -> None:
    known = {plain(text) for text, _, _ in training}
    new = [row for row in rows(variety) if plain(row["text"]) not in known]
    assert len(new) >= 200
    found = measure([(row["intent"], intents.rank(row["text"])[0].name) for row in new])
    assert found["macro_f1"] >= least, found["confusions"][:10]


@pytest.mark.parametrize("variety", VARIETIES[:3])
def test_the_language_of_three_words_or_more_is_named(training: list[tuple[str, str, str]], variety: str) -> None:
    model = WordLanguages.fit((text, variety) for text, _, variety in training)
    named = [model.identify(row["text"]) for row in rows(variety)]
    long_enough = [language for language in named if language.words >= 3]
    assert sum(language.code == variety for language in long_enough) >= 0.97 * len(long_enough)


@pytest.fixture(scope="module")
def answers(training: list[tuple[str, str, str]], lexicon: Lexicon) -> AnswerModel:
    path = ROOT / "knowledge/answers.yml"
    phrasings = load_phrasings(path, ROOT / "knowledge/questions.yml")
    goal_like = frozenset(text for text, intent, _ in training if intent.startswith("find_") or intent == "inform")
    texts = [text for text, _, _ in training]
    return AnswerModel.fit(phrasings, texts, lexicon, nothing=load_nothing(path), goal_like=goal_like)


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("D3", "on n'utilise pas chatgpt"),
        ("E1", "on prend pas la carte"),
        ("E3", "je ne déclare rien sur internet"),
        ("G3", "ماكنصاوبوش الفاكتورة"),
        ("P3", "ma kanchofch l2ar9am"),
        ("V3", "on n'a jamais eu de crm"),
        ("S1", "ما داير حتى سوفكارد"),
    ],
)
def test_a_negated_sentence_is_no_higher_rung(answers: AnswerModel, item: str, text: str) -> None:
    assert answers.match(item, text).value in (0, None)


@pytest.mark.parametrize(
    ("item", "text", "value"),
    [
        ("G2", "chez moi y a pas de stock", "na"),
        ("E2", "ma kankhelles 7ed", "na"),
        ("D1", "dans mon gmail", 2),
        ("GOAL", "je veux avoir plus de clients", "sell"),
        ("GOAL", "bghit nt3llm excel", "learn"),
        ("GOAL", "أحمي المعلومات ديالي", "protect"),
    ],
)
def test_short_answers_find_their_option(answers: AnswerModel, item: str, text: str, value: int | str) -> None:
    assert answers.match(item, text).value == value


def test_free_answers_find_their_option_and_others_are_refused(answers: AnswerModel) -> None:
    matched = [(row["value"], answers.match(row["question"], row["text"]).value) for row in rows("answers")]
    meant = [(wanted, got) for wanted, got in matched if wanted is not None]
    given = [(wanted, got) for wanted, got in meant if got is not None]
    others = [got for wanted, got in matched if wanted is None]
    assert sum(wanted == got for wanted, got in given) >= 0.95 * len(given)
    assert len(given) >= 0.85 * len(meant)
    assert sum(got is None for got in others) >= 0.9 * len(others)
