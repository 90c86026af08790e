"""Match a free sentence to one of the four options of the open question (dialogue.md "Answers")."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import vstack
from sklearn.linear_model import LogisticRegression

from bot.knowledge.loader import Document, Loc, Problem, load
from bot.knowledge.text import VARIETIES
from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import Arrays, Classifier, Vectoriser, pack, unpack

NONE = "none"
OPTIONS = ("0", "1", "2", "3")

ACCEPT = 0.35
"""Probability of the best option from which it is the answer."""
ASK_BACK = 0.1
"""Probability from which the two best options are asked back; below, the message is no answer."""

_OTHER_MESSAGES = 600
_OTHER_ANSWERS = 400
_PENALTY_OF_OPTIONS = 2.0
_PENALTY_OF_RELEVANCE = 20.0


@dataclass(frozen=True)
class Phrasing:
    """One way to answer a question; the option is one of OPTIONS or NONE."""

    item: str
    option: str
    variety: str
    text: str


@dataclass(frozen=True)
class Match:
    """What a sentence answers: the value, or None where it must be asked back; candidates best first."""

    value: int | None
    confidence: float
    candidates: tuple[tuple[int, float], ...]


def load_phrasings(answers: Path, questions: Path) -> list[Phrasing]:
    """Read answers.yml, and the titles and descriptions of questions.yml; raise KnowledgeErrors."""
    document = load(answers)
    document.refuse(_problems(document))
    free = [
        Phrasing(item, str(option), variety, text)
        for item, options in document.data.items()
        for option, texts in options.items()
        for variety, lines in texts.items()
        for text in lines
    ]
    return free + _official(load(questions).data["items"])


def _problems(document: Document) -> list[Problem]:
    """Name every place of answers.yml that has not the shape item -> 0..3 or none -> variety -> lines."""
    if not isinstance(document.data, dict):
        return [((), "questions are missing")]
    problems: list[Problem] = []
    for item, options in document.data.items():
        if not isinstance(options, dict):
            problems.append(((item,), "options 0 to 3 and none are missing"))
            continue
        for option, texts in options.items():
            loc: Loc = (item, option)
            if str(option) not in (*OPTIONS, NONE):
                problems.append((loc, "an option is 0, 1, 2, 3 or none"))
            elif not isinstance(texts, dict) or set(texts) - set(VARIETIES):
                problems.append((loc, f"the varieties are {', '.join(VARIETIES)}"))
            else:
                problems += [
                    ((*loc, variety), "a list of lines is needed")
                    for variety, lines in texts.items()
                    if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines)
                ]
    return problems


def _official(items: Sequence[Mapping[str, Any]]) -> list[Phrasing]:
    return [
        Phrasing(item["id"], str(option["value"]), variety, text)
        for item in items
        for source in (item, *item.get("variants", ()))
        for option in source.get("options", ())
        for part in ("title", "description")
        for variety, text in (option.get(part) or {}).items()
    ]


@dataclass(frozen=True)
class AnswerModel:
    """For each question: is this an answer at all, and to which option."""

    vectoriser: Vectoriser
    items: Sequence[str]
    relevance: np.ndarray
    """n-grams by questions, and below them the bias."""
    options: Mapping[str, Classifier]

    @classmethod
    def fit(
        cls, phrasings: Sequence[Phrasing], other_messages: Sequence[str], lexicon: Lexicon, seed: int = 0
    ) -> AnswerModel:
        """Train on phrasings; messages of other intents and answers to other questions are no answers."""
        chance = random.Random(seed)
        others = chance.sample(list(other_messages), min(len(other_messages), 4 * _OTHER_MESSAGES))
        vectoriser = Vectoriser.fit([phrasing.text for phrasing in phrasings] + others, lexicon)
        items = list(dict.fromkeys(phrasing.item for phrasing in phrasings))
        relevance, options = [], {}
        for item in items:
            own = [phrasing for phrasing in phrasings if phrasing.item == item]
            answers = [phrasing for phrasing in own if phrasing.option != NONE]
            foreign = _foreign(phrasings, own, others, chance)
            matrix = vectoriser.matrix([phrasing.text for phrasing in answers])
            options[item] = Classifier.fit(matrix, [answer.option for answer in answers], _PENALTY_OF_OPTIONS, seed)
            machine = LogisticRegression(
                C=_PENALTY_OF_RELEVANCE, class_weight="balanced", solver="liblinear", random_state=seed
            ).fit(vstack([matrix, vectoriser.matrix(foreign)]), [1] * len(answers) + [0] * len(foreign))
            relevance.append(np.concatenate([machine.coef_[0], machine.intercept_]))
        return cls(vectoriser, items, np.ascontiguousarray(np.asarray(relevance, np.float32).T), options)

    def match(self, item: str, text: str, accept: float = ACCEPT, ask_back: float = ASK_BACK) -> Match:
        """Match a sentence to an option of `item`; no candidates when it is no answer, or the item is unknown."""
        row = self.vectoriser.row(text)
        if item not in self.options or not len(row[0]):
            return Match(None, 0.0, ())
        columns, values = row
        place = self.items.index(item)
        margin = float(values @ self.relevance[columns, place] + self.relevance[-1, place])
        relevant = 1 / (1 + np.exp(-margin))
        classifier = self.options[item]
        chances = relevant * classifier.probabilities(row)
        best = [int(place) for place in np.argsort(-chances)]
        candidates = tuple((int(classifier.labels[option]), float(chances[option])) for option in best)
        value, confidence = candidates[0]
        if confidence < ask_back:
            return Match(None, confidence, ())
        return Match(value if confidence >= accept else None, confidence, candidates)

    def arrays(self) -> Arrays:
        """Give what must be saved."""
        arrays = {**self.vectoriser.arrays(), "items": pack(self.items), "relevance": self.relevance.astype(np.float16)}
        for item, classifier in self.options.items():
            saved = classifier.arrays(f"{item}_")
            arrays |= saved | {f"{item}_weights": saved[f"{item}_weights"].astype(np.float16)}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> AnswerModel:
        """Rebuild what `arrays` gave."""
        items = unpack(arrays["items"])
        options = {item: Classifier.from_arrays(arrays, f"{item}_") for item in items}
        return cls(Vectoriser.from_arrays(arrays), items, arrays["relevance"], options)


def _foreign(
    phrasings: Sequence[Phrasing], own: Sequence[Phrasing], others: Sequence[str], chance: random.Random
) -> list[str]:
    """Give sentences that answer nothing here; those written as such for this question count three times."""
    here = [phrasing.text for phrasing in own if phrasing.option == NONE]
    said = {phrasing.text for phrasing in own}
    elsewhere = [phrasing.text for phrasing in phrasings if phrasing.item != own[0].item and phrasing.text not in said]
    return (
        here * 3
        + chance.sample(list(others), min(len(others), _OTHER_MESSAGES))
        + chance.sample(elsewhere, min(len(elsewhere), _OTHER_ANSWERS))
    )
