"""A linear text classifier over n-grams of several views of a message: small, quick, saved as plain arrays.

scikit-learn and SciPy are imported where something is trained: reading messages needs NumPy alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bot.nlu.lexicon import Lexicon
from bot.nlu.phrases import without_article
from bot.nlu.text import plain, word_skeleton

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Arrays = dict[str, np.ndarray]
"""What is saved of a model: arrays only, no code."""
Row = tuple[np.ndarray, np.ndarray]
"""A message as columns of a Vectoriser and their weights."""


def letter_grams(words: Sequence[str], shortest: int = 2, longest: int = 5) -> list[str]:
    """Give the letter n-grams inside each word, with a space for the word's edge."""
    found = []
    for word in words:
        edged = f" {word} "
        for size in range(shortest, min(longest, len(edged)) + 1):
            found += [edged[start : start + size] for start in range(len(edged) - size + 1)]
    return found


def word_grams(words: Sequence[str]) -> list[str]:
    """Give the words and the pairs of neighbours."""
    return list(words) + [f"{first} {second}" for first, second in pairwise(words)]


def pair_grams(names: Sequence[str]) -> list[str]:
    """Give names, neighbours in their order, and pairs that stand two or three apart in any order."""
    near = [f"{first}>{second}" for first, second in pairwise(names)]
    apart = [
        "&".join(sorted((name, other)))
        for place, name in enumerate(names)
        for other in names[place + 2 : place + 4]
        if other != name
    ]
    return [*names, *near, *apart]


@dataclass(frozen=True)
class Sight:
    """A message as its words, from which the views are made."""

    words: Sequence[str]
    lexicon: Lexicon

    @cached_property
    def bones(self) -> list[str]:
        """Give the consonants of each word, without its article."""
        return [bone for word in self.words if (bone := word_skeleton(without_article(word)))]


GRAMS: Mapping[str, Callable[[Sight], list[str]]] = {
    "letters": lambda sight: letter_grams(sight.words),
    "words": lambda sight: word_grams(sight.words),
    "bones": lambda sight: letter_grams(sight.bones),
    "bone_words": lambda sight: word_grams(sight.bones),
    "meaning": lambda sight: pair_grams(sight.lexicon.concepts(list(sight.words))),
}
"""The views by name: letters of the words, words, consonants by letter and by word, concepts of the lexicon."""


@dataclass(frozen=True)
class View:
    """How one view counts: in how many training messages a gram must stand, and its weight."""

    fewest: int
    weight: float


Views = Mapping[str, View]

VIEWS: Views = {
    "letters": View(2, 1.0),
    "bones": View(2, 1.0),
    "bone_words": View(1, 1.0),
    "meaning": View(2, 0.7),
}
"""The views of the product; `rafiq nlu compare` measures others."""


def plain_words(text: str) -> list[str]:
    """Give the words of a message in `plain` form."""
    return plain(text).split()


@dataclass(frozen=True)
class Vectoriser:
    """Sublinear TF-IDF of the grams of each view, each view scaled to its weight."""

    vocabularies: Mapping[str, Mapping[str, int]]
    idf: np.ndarray
    lexicon: Lexicon
    views: Views = field(default_factory=lambda: VIEWS)
    words_of: Callable[[str], list[str]] = plain_words

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        lexicon: Lexicon,
        views: Views = VIEWS,
        words_of: Callable[[str], list[str]] = plain_words,
    ) -> Vectoriser:
        """Learn the grams and their weights from training messages."""
        counts: dict[str, Counter[str]] = {view: Counter() for view in views}
        for text in texts:
            sight = Sight(words_of(text), lexicon)
            for view in views:
                counts[view].update(set(GRAMS[view](sight)))
        vocabularies: dict[str, dict[str, int]] = {}
        idf: list[float] = []
        for view, settings in views.items():
            kept = sorted(gram for gram, count in counts[view].items() if count >= settings.fewest)
            vocabularies[view] = {gram: len(idf) + place for place, gram in enumerate(kept)}
            idf += [np.log((1 + len(texts)) / (1 + counts[view][gram])) + 1 for gram in kept]
        return cls(vocabularies, np.asarray(idf, np.float32), lexicon, views, words_of)

    def row(self, text: str) -> Row:
        """Give the columns and the weights of one message."""
        sight = Sight(self.words_of(text), self.lexicon)
        columns: list[np.ndarray] = [np.empty(0, np.int32)]
        weights: list[np.ndarray] = [np.empty(0, np.float32)]
        for view, settings in self.views.items():
            counts = Counter(map(self.vocabularies[view].get, GRAMS[view](sight)))
            counts.pop(None, None)
            if counts:
                column = np.fromiter(counts, np.int32, len(counts))
                weight = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[column]
                columns.append(column)
                weights.append(settings.weight * weight / np.linalg.norm(weight))
        return np.concatenate(columns), np.concatenate(weights).astype(np.float32)

    def matrix(self, texts: Sequence[str]) -> csr_matrix:
        """Give the rows of several messages as a sparse matrix, messages by grams."""
        return as_matrix([self.row(text) for text in texts], len(self.idf))

    def arrays(self) -> Arrays:
        """Give what must be saved."""
        lists = {f"grams_{view}": pack(words) for view, words in self.vocabularies.items()}
        lexicon = pack(f"{name}\t{forms}" for name, forms in self.lexicon.entries.items())
        return {**lists, "idf": self.idf, "lexicon": lexicon}

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        views: Views = VIEWS,
        words_of: Callable[[str], list[str]] = plain_words,
    ) -> Vectoriser:
        """Rebuild what `arrays` gave."""
        vocabularies: dict[str, dict[str, int]] = {}
        column = 0
        for view in views:
            words = unpack(arrays[f"grams_{view}"])
            vocabularies[view] = {gram: column + place for place, gram in enumerate(words)}
            column += len(words)
        lexicon = Lexicon(dict(line.split("\t", 1) for line in unpack(arrays["lexicon"])))
        return cls(vocabularies, arrays["idf"], lexicon, views, words_of)


def as_matrix(rows: Sequence[Row], width: int) -> csr_matrix:
    """Give rows as a sparse matrix of `width` columns."""
    from scipy.sparse import csr_matrix

    ends = np.cumsum([0] + [len(columns) for columns, _ in rows])
    columns = np.concatenate([columns for columns, _ in rows])
    weights = np.concatenate([weights for _, weights in rows])
    return csr_matrix((weights, columns, ends), shape=(len(rows), width))


@dataclass(frozen=True)
class Classifier:
    """One-against-the-rest margins turned into probabilities by one temperature."""

    labels: Sequence[str]
    weights: np.ndarray
    """n-grams by labels."""
    bias: np.ndarray
    sharpness: float

    @classmethod
    def fit(cls, matrix: csr_matrix, labels: Sequence[str], penalty: float = 0.5, seed: int = 0) -> Classifier:
        """Train on rows of a Vectoriser; the temperature is fitted on margins of held-out folds."""
        names, targets = np.unique(np.asarray(labels), return_inverse=True)
        sharpness = _sharpness(*_held_out_margins(matrix, targets, len(names), penalty, seed))
        weights, bias = _margin_weights(matrix, targets, len(names), penalty, seed)
        return cls([str(name) for name in names], weights, bias, sharpness)

    def probabilities(self, row: Row) -> np.ndarray:
        """Give the probability of each label for a row of the Vectoriser."""
        columns, values = row
        margins = values @ self.weights[columns] + self.bias
        return _softmax(self.sharpness * margins.astype(np.float64))

    def arrays(self, prefix: str = "") -> Arrays:
        """Give what must be saved."""
        return {
            f"{prefix}labels": pack(self.labels),
            f"{prefix}weights": self.weights,
            f"{prefix}bias": self.bias,
            f"{prefix}sharpness": np.asarray(self.sharpness),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "") -> Classifier:
        """Rebuild what `arrays` gave."""
        return cls(
            unpack(arrays[f"{prefix}labels"]),
            arrays[f"{prefix}weights"],
            arrays[f"{prefix}bias"],
            float(arrays[f"{prefix}sharpness"]),
        )


def _softmax(margins: np.ndarray) -> np.ndarray:
    powers = np.exp(margins - margins.max())
    shares: np.ndarray = powers / powers.sum()
    return shares


def _margin_weights(
    matrix: csr_matrix, targets: np.ndarray, classes: int, penalty: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=penalty, random_state=seed, max_iter=3000).fit(matrix, targets)
    weights, bias = machine.coef_, machine.intercept_
    if classes == 2:  # scikit-learn keeps one side only
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return np.ascontiguousarray(weights.T, np.float32), bias.astype(np.float32)


def _held_out_margins(
    matrix: csr_matrix, targets: np.ndarray, classes: int, penalty: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import StratifiedKFold

    smallest = int(np.bincount(targets).min())
    folds = min(3, smallest)
    if folds < 2:
        return np.zeros((0, classes)), targets[:0]
    margins = np.zeros((len(targets), classes))
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(targets, targets):
        weights, bias = _margin_weights(matrix[train], targets[train], classes, penalty, seed)
        margins[test] = matrix[test] @ weights + bias
    return margins, targets


def _sharpness(margins: np.ndarray, targets: np.ndarray) -> float:
    """Find the factor under which held-out margins give the likeliest probabilities."""
    from scipy.optimize import minimize_scalar

    if not len(targets):
        return 3.0

    def surprise(log_factor: float) -> float:
        scaled = np.exp(log_factor) * margins
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(np.mean(total - scaled[np.arange(len(targets)), targets]))

    return float(np.exp(minimize_scalar(surprise, bounds=(-2.0, 3.5), method="bounded").x))


def pack(words: Iterable[str]) -> np.ndarray:
    """Turn strings without line breaks into one array of bytes."""
    return np.frombuffer("\n".join(words).encode(), np.uint8)


def unpack(packed: np.ndarray) -> list[str]:
    """Give the strings that `pack` was given."""
    text = packed.tobytes().decode()
    return text.split("\n") if text else []
