"""Match a free sentence to one of the four options of the open question (dialogue.md "Answers")."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from bot.knowledge.loader import Document, Loc, Problem, load
from bot.knowledge.text import VARIETIES
from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import Arrays, Classifier, Vectoriser, pack, unpack
from bot.nlu.negation import asserted, is_negated, is_nothing

NONE = "none"
NOT_APPLICABLE = "na"
"""The option of a question that says "this does not concern me"."""
OPTIONS = ("0", "1", "2", "3", NOT_APPLICABLE)
GOAL = "GOAL"
"""What stands for a question where the goal of the owner is asked; its options are goals."""
NOTHING, ABSENCE, ABSENT = "NOTHING", "ABSENCE", "ABSENT"
"""Parts of answers.yml that are no questions."""

ACCEPT = 0.35
"""Probability of the best option from which it is the answer."""
ASK_BACK = 0.1
"""Probability from which the two best options are asked back; below, the message is no answer."""

_CERTAIN = 0.97
"""Confidence of a bare "no" where the first option says that there is nothing."""
_SAYS_NO_ITSELF = 0.3
"""Share of an option's phrasings with a negation from which a negated sentence may be it."""
_LIKELY_NOTHING = 0.15
"""Probability of option 0 from which a sentence denied throughout is it, when a higher one is likelier."""

_OTHER_MESSAGES = 600
_OTHER_ANSWERS = 400
_PENALTY_OF_OPTIONS = 2.0
_PENALTY_OF_RELEVANCE = 20.0


@dataclass(frozen=True)
class Phrasing:
    """One way to answer a question; the option is one of OPTIONS or NONE, or a goal."""

    item: str
    option: str
    variety: str
    text: str


@dataclass(frozen=True)
class Match:
    """What a sentence answers: the value, or None where it must be asked back; candidates best first.

    A value is the number of an option, "na" or a goal.
    """

    value: int | str | None
    confidence: float
    candidates: tuple[tuple[int | str, float], ...]


def load_phrasings(answers: Path, questions: Path) -> list[Phrasing]:
    """Read answers.yml, and the titles and descriptions of questions.yml; raise KnowledgeErrors."""
    document = load(answers)
    document.refuse(_problems(document))
    free = [
        Phrasing(item, str(option), variety, text)
        for item, options in document.data.items()
        if item not in (NOTHING, ABSENCE, ABSENT)
        for option, texts in options.items()
        for variety, lines in texts.items()
        for text in lines
    ]
    return free + _absences(document.data) + _official(load(questions).data)


def load_nothing(answers: Path) -> frozenset[str]:
    """Read the questions whose option 0 says that there is nothing."""
    return frozenset(load(answers).data.get(NOTHING) or ())


def _absences(data: Mapping[str, Any]) -> list[Phrasing]:
    """Say of each thing of ABSENT that it is missing, which is option 0."""
    return [
        Phrasing(item, "0", variety, form.format(thing))
        for item, things in (data.get(ABSENT) or {}).items()
        for variety, named in things.items()
        for thing in named
        for form in data[ABSENCE][variety]
    ]


def _problems(document: Document) -> list[Problem]:
    """Name every place of answers.yml that has not the shape item -> option -> variety -> lines."""
    if not isinstance(document.data, dict):
        return [((), "questions are missing")]
    problems: list[Problem] = []
    for item, options in document.data.items():
        if item == NOTHING:
            problems += _nothing_problems(options, document.data)
        elif item == ABSENCE:
            problems += _line_problems((item,), options)
        elif not isinstance(options, dict):
            problems.append(((item,), "options 0 to 3 and none are missing"))
        else:
            for option, texts in options.items():
                problems += _option_problems(item, option, texts, document.data)
    return problems


def _nothing_problems(items: Any, questions: Mapping[str, Any]) -> list[Problem]:
    if not isinstance(items, list):
        return [((NOTHING,), "a list of questions is needed")]
    return [
        ((NOTHING, place), "there is no such question") for place, item in enumerate(items) if item not in questions
    ]


def _option_problems(item: str, option: Any, texts: Any, questions: Mapping[str, Any]) -> list[Problem]:
    loc: Loc = (item, option)
    if item == ABSENT and option not in questions:
        return [(loc, "there is no such question")]
    if item not in (ABSENT, GOAL) and str(option) not in (*OPTIONS, NONE):
        return [(loc, "an option is 0, 1, 2, 3, na or none")]
    return _line_problems(loc, texts)


def _line_problems(loc: Loc, texts: Any) -> list[Problem]:
    if not isinstance(texts, dict) or set(texts) - set(VARIETIES):
        return [(loc, f"the varieties are {', '.join(VARIETIES)}")]
    return [
        ((*loc, variety), "a list of lines is needed")
        for variety, lines in texts.items()
        if not isinstance(lines, list) or not all(isinstance(line, str) and line.strip() for line in lines)
    ]


def _official(data: Mapping[str, Any]) -> list[Phrasing]:
    """Take the titles and descriptions of options, "not concerned", and the titles of goals."""
    told = [
        (item["id"], str(option["value"]), option.get(part))
        for item in data["items"]
        for source in (item, *item.get("variants", ()))
        for option in source.get("options", ())
        for part in ("title", "description")
    ]
    told += [(item["id"], NOT_APPLICABLE, item.get("not_applicable")) for item in data["items"]]
    told += [(GOAL, goal["id"], goal.get("title")) for goal in data.get("goals", ())]
    return [
        Phrasing(item, option, variety, text) for item, option, texts in told for variety, text in (texts or {}).items()
    ]


@dataclass(frozen=True)
class AnswerModel:
    """For each question: is this an answer at all, and to which option."""

    vectoriser: Vectoriser
    items: Sequence[str]
    relevance: np.ndarray
    """n-grams by questions, and below them the bias."""
    options: Mapping[str, Classifier]
    denying: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """For each question the options that owners say with a negation."""
    nothing: frozenset[str] = frozenset()
    """Questions whose option 0 says that there is nothing."""

    @classmethod
    def fit(
        cls,
        phrasings: Sequence[Phrasing],
        other_messages: Sequence[str],
        lexicon: Lexicon,
        seed: int = 0,
        nothing: frozenset[str] = frozenset(),
        goal_like: frozenset[str] = frozenset(),
    ) -> AnswerModel:
        """Train on phrasings; messages of other intents and answers to other questions are no answers.

        `goal_like` are other messages that may name a goal: they are no counter-examples there.
        """
        from scipy.sparse import vstack
        from sklearn.linear_model import LogisticRegression

        chance = random.Random(seed)
        others = chance.sample(list(other_messages), min(len(other_messages), 4 * _OTHER_MESSAGES))
        vectoriser = Vectoriser.fit([phrasing.text for phrasing in phrasings] + others, lexicon)
        items = list(dict.fromkeys(phrasing.item for phrasing in phrasings))
        relevance, options = [], {}
        for item in items:
            own = [phrasing for phrasing in phrasings if phrasing.item == item]
            answers = [phrasing for phrasing in own if phrasing.option != NONE]
            unlike = [text for text in others if text not in goal_like] if item == GOAL else others
            foreign = _foreign(phrasings, own, unlike, chance)
            matrix = vectoriser.matrix([phrasing.text for phrasing in answers])
            options[item] = Classifier.fit(matrix, [answer.option for answer in answers], _PENALTY_OF_OPTIONS, seed)
            machine = LogisticRegression(
                C=_PENALTY_OF_RELEVANCE, class_weight="balanced", solver="liblinear", random_state=seed
            ).fit(vstack([matrix, vectoriser.matrix(foreign)]), [1] * len(answers) + [0] * len(foreign))
            relevance.append(np.concatenate([machine.coef_[0], machine.intercept_]))
        weights = np.ascontiguousarray(np.asarray(relevance, np.float32).T)
        denying = {item: _denying(phrasings, item) for item in items}
        return cls(vectoriser, items, weights, options, denying, nothing)

    def match(self, item: str, text: str, accept: float = ACCEPT, ask_back: float = ASK_BACK) -> Match:
        """Match a sentence to an option of `item`; no candidates when it is no answer, or the item is unknown."""
        if item in self.nothing and is_nothing(text):
            return Match(0, _CERTAIN, ((0, _CERTAIN),))
        match = self._match_words(item, text, accept, ask_back)
        if item == GOAL or not is_negated(text):
            return match
        return self._heed_negation(item, text, match, accept, ask_back)

    def _heed_negation(self, item: str, text: str, match: Match, accept: float, ask_back: float) -> Match:
        """Take a higher option of a negated sentence only when its other clauses, or that option itself, say so."""
        value = match.value
        rest = self._match_words(item, asserted(text), accept, ask_back)
        if value == 0 and rest.value not in (None, 0, NOT_APPLICABLE):
            both = ((0, match.confidence), *(pair for pair in rest.candidates if pair[0] != 0))
            return Match(None, match.confidence, both)
        if value in (None, 0, NOT_APPLICABLE) or value == rest.value or str(value) in self.denying.get(item, ()):
            return match
        chances = dict(match.candidates)
        if item in self.nothing and not asserted(text) and chances.get(0, 0.0) >= _LIKELY_NOTHING:
            return Match(0, chances[0], ((0, chances[0]), (value, chances[value])))
        first = sorted(match.candidates, key=lambda pair: pair[0] not in (0, value))
        return replace(match, value=None, candidates=tuple(first))

    def _match_words(self, item: str, text: str, accept: float, ask_back: float) -> Match:
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
        candidates = tuple((_value(classifier.labels[option]), float(chances[option])) for option in best)
        value, confidence = candidates[0]
        if confidence < ask_back:
            return Match(None, confidence, ())
        return Match(value if confidence >= accept else None, confidence, candidates)

    def arrays(self) -> Arrays:
        """Give what must be saved."""
        arrays = {**self.vectoriser.arrays(), "items": pack(self.items), "relevance": self.relevance.astype(np.float16)}
        arrays["nothing"] = pack(sorted(self.nothing))
        for item, classifier in self.options.items():
            arrays[f"{item}_denying"] = pack(sorted(self.denying.get(item, ())))
            saved = classifier.arrays(f"{item}_")
            arrays |= saved | {f"{item}_weights": saved[f"{item}_weights"].astype(np.float16)}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> AnswerModel:
        """Rebuild what `arrays` gave."""
        items = unpack(arrays["items"])
        options = {item: Classifier.from_arrays(arrays, f"{item}_") for item in items}
        denying = {item: frozenset(unpack(arrays[f"{item}_denying"])) for item in items}
        nothing = frozenset(unpack(arrays["nothing"]))
        return cls(Vectoriser.from_arrays(arrays), items, arrays["relevance"], options, denying, nothing)


def _value(label: str) -> int | str:
    return int(label) if label.isdigit() else label


def _denying(phrasings: Sequence[Phrasing], item: str) -> frozenset[str]:
    """Give the options of a question that are said with a negation often enough."""
    said: dict[str, list[bool]] = {}
    for phrasing in phrasings:
        if phrasing.item == item:
            said.setdefault(phrasing.option, []).append(is_negated(phrasing.text))
    return frozenset(option for option, denied in said.items() if sum(denied) >= _SAYS_NO_ITSELF * len(denied))


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
