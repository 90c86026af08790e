"""Tell French, Darija in Arabic letters and Darija in Latin letters apart, and messages that mix them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bot.nlu.linear import Arrays, pack, unpack
from bot.nlu.text import clean, is_arabic, plain, word_set

FRENCH, ARABIC, LATIN = "fr", "ary-Arab", "ary-Latn"

_CLIP = 4.0
"""Most that one word may say for a language, in log odds."""
_SURE = 2.0
"""Log odds from which a word alone belongs to a language."""
_MIXED_SHARE = 0.2
"""Share of the words that the smaller language must have in a message called mixed."""
_ARABIC_SHARE = 0.3
"""Share of words in Arabic letters from which a message in both scripts is answered in Arabic letters."""
_FRENCH_FRAME = word_set(
    "je j'ai jai jveux j'aimerais tu vous il elle on nous ils ca c'est cest c'etait est suis sommes sont etes "
    "es-ce estce est-ce ai as avez avons ont a-t-il ya veux voudrais voulez peux pouvez peut faut faire mon "
    "ma mes notre nos votre vos que qui quoi qu'est quel quelle comment combien pourquoi cherche besoin dois "
    "merci donnez dites"
)
"""Words that carry a French sentence; without one, French nouns stand in a Darija sentence."""


@dataclass(frozen=True)
class Language:
    """The language of a message; `words` counts those that could be read, 0 means nothing is known."""

    code: str
    mixed: bool
    confidence: float
    words: int


@dataclass(frozen=True)
class WordLanguages:
    """Log odds that a word in Latin letters is Darija and not French, from its letters (facts/darija_nlu.md B)."""

    grams: Mapping[str, float]
    bias: float

    @classmethod
    def fit(cls, examples: Iterable[tuple[str, str]]) -> WordLanguages:
        """Learn from (message, variety) pairs; each word of a message counts as its variety."""
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression

        tokens = [
            (word, variety == LATIN)
            for text, variety in examples
            if variety in (FRENCH, LATIN)
            for word in _latin_words(text)
        ]
        targets = [is_darija for _, is_darija in tokens]
        if len(set(targets)) < 2:
            return cls({}, _CLIP if any(targets) else -_CLIP)
        counts = Counter(gram for word, _ in tokens for gram in _letter_grams(word))
        kept = {gram: column for column, gram in enumerate(sorted(g for g, n in counts.items() if n > 1))}
        rows = [[kept[gram] for gram in _letter_grams(word) if gram in kept] for word, _ in tokens]
        ends = np.cumsum([0] + [len(row) for row in rows])
        columns = np.concatenate([np.asarray(row, np.int32) for row in rows])
        matrix = csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(kept)))
        model = LogisticRegression(C=1.0, solver="liblinear", random_state=0).fit(matrix, targets)
        return cls(dict(zip(kept, model.coef_[0].tolist(), strict=True)), float(model.intercept_[0]))

    def odds(self, word: str) -> float:
        """Give the clipped log odds of one word in Latin letters: above 0 Darija, below 0 French."""
        total = self.bias + sum(self.grams.get(gram, 0.0) for gram in _letter_grams(word))
        return max(-_CLIP, min(_CLIP, total))

    def identify(self, text: str) -> Language:
        """Name the language of a message."""
        arabic = sum(is_arabic(word) for word in _letter_words(text))
        odds = [self.odds(word) for word in _latin_words(text)]
        count = arabic + len(odds)
        if not count:
            return Language(FRENCH, False, 0.0, 0)
        latin = self._in_latin_letters(_latin_words(text), odds, count)
        if not arabic:
            return latin
        if arabic >= _ARABIC_SHARE * count:
            return Language(ARABIC, bool(odds), max(0.5, arabic / count), count)
        return Language(latin.code, True, latin.confidence, count)

    def _in_latin_letters(self, words: list[str], odds: list[float], count: int) -> Language:
        mixed = _both(odds)
        if mixed and _FRENCH_FRAME.isdisjoint(part for word in words for part in plain(word).split()):
            return Language(LATIN, True, _certainty(sum(odd for odd in odds if odd > 0)), count)
        return Language(LATIN if sum(odds) > 0 else FRENCH, mixed, _certainty(sum(odds)), count)

    def arrays(self) -> Arrays:
        """Give what must be saved."""
        values = np.asarray([*self.grams.values(), self.bias], np.float32)
        return {"language_grams": pack(self.grams), "language_odds": values}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> WordLanguages:
        """Rebuild what `arrays` gave."""
        *odds, bias = arrays["language_odds"].tolist()
        return cls(dict(zip(unpack(arrays["language_grams"]), odds, strict=True)), bias)


def _letter_words(text: str) -> list[str]:
    words = "".join(char if char.isalnum() or char == "'" else " " for char in clean(text)).split()
    return [word for word in words if any(char.isalpha() for char in word)]


def _latin_words(text: str) -> list[str]:
    return [word for word in _letter_words(text) if not is_arabic(word)]


def _letter_grams(word: str) -> set[str]:
    edged = f" {word} "
    grams = {edged[start : start + size] for size in range(1, 5) for start in range(len(edged) - size + 1)}
    return grams | {f"={word}"}


def _both(odds: list[float]) -> bool:
    darija, french = sum(odd > _SURE for odd in odds), sum(odd < -_SURE for odd in odds)
    return min(darija, french) > 0 and min(darija, french) >= _MIXED_SHARE * len(odds)


def _certainty(total: float) -> float:
    return 1 / (1 + math.exp(-min(abs(total), 30.0)))
