"""A corpus small enough to train on in a test."""

from __future__ import annotations

import pytest

from bot.bench.corpora import Corpus
from bot.nlu.steps import Example

TRAINING = {
    "greet": ["bonjour à tous", "salam khoya", "السلام عليكم خويا", "bonsoir monsieur", "salam labas", "صباح الخير"],
    "find_funding": [
        "je cherche un crédit",
        "bghit chi da3m",
        "بغيت شي دعم",
        "une subvention",
        "bghit lflous",
        "الفلوس",
    ],
    "out_of_scope": ["quelle heure est-il", "bghit nsafer", "بغيت نسافر", "la météo", "chkon rba7 lmatch", "الماتش"],
}
TEST = {
    "greet": ["bonjour madame", "salam 3likom", "السلام", "bonsoir à vous"],
    "find_funding": ["un crédit svp", "bghit da3m", "شي دعم عافاك", "je veux une subvention"],
    "out_of_scope": ["la météo demain", "bghit nsafer l fransa", "شكون ربح الماتش", "zzz"],
}


def examples(told: dict[str, list[str]]) -> list[Example]:
    """Give the messages with the variety `fr`."""
    return [Example(text, intent, "fr") for intent, texts in told.items() for text in texts]


@pytest.fixture
def corpus() -> Corpus:
    """Three intents in three varieties."""
    return Corpus(examples(TRAINING), examples(TEST))
