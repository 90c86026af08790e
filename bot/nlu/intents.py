"""Rank the intents of a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import Arrays, Classifier, Vectoriser

FALLBACK = "nlu_fallback"
"""The intent of a message that was not understood."""


@dataclass(frozen=True)
class Ranked:
    """An intent and its probability."""

    name: str
    confidence: float


@dataclass(frozen=True)
class IntentModel:
    """Intents from letter n-grams of the message and of its skeleton (facts/darija_nlu.md E.1)."""

    vectoriser: Vectoriser
    classifier: Classifier

    @classmethod
    def fit(cls, texts: Sequence[str], intents: Sequence[str], lexicon: Lexicon) -> IntentModel:
        """Train on messages and their intents; at least two intents."""
        vectoriser = Vectoriser.fit(texts, lexicon)
        return cls(vectoriser, Classifier.fit(vectoriser.matrix(texts), intents))

    def rank(self, text: str, limit: int = 10) -> list[Ranked]:
        """Give the likeliest intents, best first; none for a message without letters."""
        row = self.vectoriser.row(text)
        if not len(row[0]) or not any(char.isalpha() for char in text):
            return []
        chances = self.classifier.probabilities(row)
        best = np.argsort(-chances)[:limit]
        return [Ranked(self.classifier.labels[label], float(chances[label])) for label in best]

    def arrays(self) -> Arrays:
        """Give what must be saved."""
        return {**self.vectoriser.arrays(), **self.classifier.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> IntentModel:
        """Rebuild what `arrays` gave."""
        return cls(Vectoriser.from_arrays(arrays), Classifier.from_arrays(arrays))


def with_fallback(ranking: Sequence[Ranked], threshold: float) -> list[Ranked]:
    """Put `nlu_fallback` first when the best intent is below the threshold."""
    if ranking and ranking[0].confidence >= threshold:
        return list(ranking)
    return [Ranked(FALLBACK, threshold), *ranking]
