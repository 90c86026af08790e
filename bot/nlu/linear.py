"""A linear text classifier over n-grams of several views of a message: small, quick, saved as plain arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from bot.nlu.text import plain, skeleton

Arrays = dict[str, np.ndarray]
"""What is saved of a model: arrays only, no code."""


def letter_grams(text: str, shortest: int = 2, longest: int = 5) -> list[str]:
    """Give the letter n-grams inside each word, with a space for the word's edge."""
    grams = []
    for word in text.split():
        edged = f" {word} "
        for size in range(shortest, min(longest, len(edged)) + 1):
            grams += [edged[start : start + size] for start in range(len(edged) - size + 1)]
    return grams


def word_grams(text: str) -> list[str]:
    """Give the words and the pairs of neighbours."""
    words = text.split()
    return words + [f"{first} {second}" for first, second in zip(words, words[1:], strict=False)]


VIEWS: Mapping[str, Callable[[str], list[str]]] = {
    "letters": lambda text: letter_grams(plain(text)),
    "bones": lambda text: letter_grams(skeleton(text)),
    "bone_words": lambda text: word_grams(skeleton(text)),
}
"""Views of a message by name: what the n-grams of each are made of."""

RARE = {"letters": 2, "bones": 2, "bone_words": 1}
"""In how many training messages an n-gram must stand to be kept."""


@dataclass(frozen=True)
class Vectoriser:
    """Sublinear TF-IDF of the n-grams of each view, each view scaled to length 1."""

    vocabularies: Mapping[str, Mapping[str, int]]
    idf: np.ndarray

    @classmethod
    def fit(cls, texts: Sequence[str], views: Iterable[str] = tuple(VIEWS)) -> Vectoriser:
        """Learn the n-grams and their weights from training messages."""
        vocabularies: dict[str, dict[str, int]] = {}
        idf: list[float] = []
        for view in views:
            counts = Counter(gram for text in texts for gram in set(VIEWS[view](text)))
            kept = sorted(gram for gram, count in counts.items() if count >= RARE[view])
            vocabularies[view] = {gram: len(idf) + place for place, gram in enumerate(kept)}
            idf += [np.log((1 + len(texts)) / (1 + counts[gram])) + 1 for gram in kept]
        return cls(vocabularies, np.asarray(idf, np.float32))

    def row(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Give the columns and the weights of one message."""
        columns: list[np.ndarray] = [np.empty(0, np.int32)]
        weights: list[np.ndarray] = [np.empty(0, np.float32)]
        for view, vocabulary in self.vocabularies.items():
            counts = Counter(filter(None.__ne__, map(vocabulary.get, VIEWS[view](text))))
            if counts:
                column = np.fromiter(counts, np.int32, len(counts))
                weight = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * self.idf[column]
                columns.append(column)
                weights.append(weight / np.linalg.norm(weight))
        return np.concatenate(columns), np.concatenate(weights).astype(np.float32)

    def matrix(self, texts: Sequence[str]) -> csr_matrix:
        """Give the rows of several messages as a sparse matrix, messages by n-grams."""
        rows = [self.row(text) for text in texts]
        ends = np.cumsum([0] + [len(columns) for columns, _ in rows])
        columns = np.concatenate([columns for columns, _ in rows])
        weights = np.concatenate([weights for _, weights in rows])
        return csr_matrix((weights, columns, ends), shape=(len(texts), len(self.idf)))

    def arrays(self, prefix: str = "") -> Arrays:
        """Give what must be saved."""
        lists = {f"{prefix}grams_{view}": pack(words) for view, words in self.vocabularies.items()}
        return {**lists, f"{prefix}idf": self.idf}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "") -> Vectoriser:
        """Rebuild what `arrays` gave."""
        vocabularies: dict[str, dict[str, int]] = {}
        column = 0
        for view in VIEWS:
            if f"{prefix}grams_{view}" in arrays:
                grams = unpack(arrays[f"{prefix}grams_{view}"])
                vocabularies[view] = {gram: column + place for place, gram in enumerate(grams)}
                column += len(grams)
        return cls(vocabularies, arrays[f"{prefix}idf"])


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

    def probabilities(self, row: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Give the probability of each label for a row of the Vectoriser."""
        columns, values = row
        margins = values @ self.weights[columns] + self.bias
        return softmax(self.sharpness * margins.astype(np.float64))

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


def _margin_weights(
    matrix: csr_matrix, targets: np.ndarray, classes: int, penalty: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    machine = LinearSVC(C=penalty, random_state=seed, max_iter=3000).fit(matrix, targets)
    weights, bias = machine.coef_, machine.intercept_
    if classes == 2:  # scikit-learn keeps one side only
        weights, bias = np.vstack([-weights, weights]), np.concatenate([-bias, bias])
    return np.ascontiguousarray(weights.T, np.float32), bias.astype(np.float32)


def _held_out_margins(
    matrix: csr_matrix, targets: np.ndarray, classes: int, penalty: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
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
