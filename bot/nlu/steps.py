"""The steps that read a message, one after the other: the same for Rasa's graph and for the parser without Rasa.

Each class has the name of its Rasa shell in bot.nlu.components, which is how a trained model names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

from bot.nlu.answers import ACCEPT, ASK_BACK, AnswerModel, load_nothing, load_phrasings
from bot.nlu.entities import FirmEntities
from bot.nlu.intents import FALLBACK, IntentModel, Ranked, with_fallback
from bot.nlu.language import WordLanguages
from bot.nlu.lexicon import Lexicon
from bot.nlu.linear import Arrays
from bot.nlu.prompts import (
    INFORM,
    Picked,
    is_interruption,
    is_said,
    item_of,
    pick_answer,
    pick_offer,
    profile_field,
    tells_field,
)
from bot.nlu.text import plain
from bot.nlu.told import TELL, asked_field, told

ROOT = Path(__file__).resolve().parents[2]
MODEL_FILE = "model.npz"
"""Name of the file in which a trained step is kept."""
MIXED = "mixed"
Document = dict[str, Any]

_GOAL_LIKE = ("find_funding", "find_training", "find_provider", "inform", "start_diagnosis")
"""Intents whose messages may also name a goal."""
_FEW_WORDS = 4
_CLEARLY = 0.6
_ASKS = (
    "ask_programme", "ask_definition", "explain_question", "ask_privacy", "ask_cost", "help", "opt_out", "pause",
    "delete_my_data", "export_my_data", "talk_to_adviser", "change_language", "start_diagnosis", "resume_diagnosis",
    "go_back", "complain", "bot_challenge", "find_training", "find_provider",
)  # fmt: skip
"""Intents that, said clearly, are served before a number in the same message answers the funding check."""
_RIGHTS = ("delete_my_data", "export_my_data", "opt_out")
"""An owner's rights: heard in any words; the dialogue asks back before it does what cannot be undone."""


@dataclass(frozen=True)
class Example:
    """A message of the training data."""

    text: str
    intent: str
    variety: str


@dataclass
class Heard:
    """A message on its way through the steps: its metadata, and what is known of it so far."""

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    language: Document | None = None
    ranking: list[Ranked] = field(default_factory=list)
    """Intents, best first, the fallback among them."""
    entities: list[Document] = field(default_factory=list)


class Step:
    """One step: its settings, and how it reads a message."""

    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take the settings of config.yml; those it leaves out are the defaults."""
        self.config = {**self.defaults, **config}

    @classmethod
    def data_files(cls, config: Mapping[str, Any]) -> list[Path]:
        """Return the files beside the training data that a model depends on."""
        return []

    def read(self, heard: Heard) -> None:
        """Add to a message what this step finds."""
        raise NotImplementedError


class TrainedStep(Step):
    """A step with a model of plain arrays."""

    def train(self, examples: Sequence[Example]) -> Arrays:
        """Learn from the training data; return the model to keep."""
        raise NotImplementedError

    def take(self, arrays: Arrays) -> None:
        """Take over a model that was kept."""
        raise NotImplementedError


class LanguageIdentifier(TrainedStep):
    """Find the language: code, mixed, confidence, words."""

    model = WordLanguages({}, 0.0)

    def train(self, examples: Sequence[Example]) -> Arrays:
        """Learn French from Darija by the variety of the examples."""
        self.model = WordLanguages.fit((example.text, example.variety) for example in examples)
        return self.model.arrays()

    def take(self, arrays: Arrays) -> None:
        self.model = WordLanguages.from_arrays(arrays)

    def read(self, heard: Heard) -> None:
        heard.language = asdict(self.model.identify(heard.text))


class CharNgramIntentClassifier(TrainedStep):
    """Rank the intents; below the threshold of the message's variety nlu_fallback comes first."""

    defaults: ClassVar[dict[str, Any]] = {
        "thresholds": {"fr": 0.3, "ary-Arab": 0.3, "ary-Latn": 0.3, MIXED: 0.3},
        "ranking_length": 10,
        "lexicon": "knowledge/lexicon.yml",
    }
    model: IntentModel | None = None

    @classmethod
    def data_files(cls, config: Mapping[str, Any]) -> list[Path]:
        return [_path(config["lexicon"])]

    def train(self, examples: Sequence[Example]) -> Arrays:
        """Train on the examples of two intents or more; with fewer, every message falls back."""
        told = [example for example in examples if example.intent]
        intents = [example.intent for example in told]
        if len(set(intents)) < 2:
            return {}
        lexicon = Lexicon.read(_path(self.config["lexicon"]))
        self.model = IntentModel.fit([example.text for example in told], intents, lexicon)
        return self.model.arrays()

    def take(self, arrays: Arrays) -> None:
        self.model = IntentModel.from_arrays(arrays) if arrays else None

    def read(self, heard: Heard) -> None:
        ranking = self.model.rank(heard.text, self.config["ranking_length"]) if self.model else []
        heard.ranking = with_fallback(ranking, self._threshold(heard.language or {}))

    def _threshold(self, language: Mapping[str, Any]) -> float:
        variety = MIXED if language.get("mixed") else language.get("code")
        return float(self.config["thresholds"].get(variety, 0.3))


class FirmEntityExtractor(Step):
    """Add what a message says of a firm: trade, place, staff, ages, legal form, money, programmes, concepts."""

    defaults: ClassVar[dict[str, Any]] = {"knowledge": "knowledge"}

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._entities = FirmEntities(_path(self.config["knowledge"]))

    def read(self, heard: Heard) -> None:
        found = self._entities.find(heard.text, _day_of(heard.metadata))
        heard.entities = [*heard.entities, *(entity.as_document() for entity in found)]


class AnswerMatcher(TrainedStep):
    """Turn a message that answers the open prompt into the intent and the choice of the offer it picks.

    The prompt stands in the metadata: `{"kind": …, "about": …, "offers": [{"choice": …, "title": …}]}`.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "answers": "knowledge/answers.yml",
        "questions": "knowledge/questions.yml",
        "lexicon": "knowledge/lexicon.yml",
        "accept": ACCEPT,
        "ask_back": ASK_BACK,
        "sure_intent": 0.9,
        "likely_intent": 0.6,
    }
    model: AnswerModel | None = None

    @classmethod
    def data_files(cls, config: Mapping[str, Any]) -> list[Path]:
        return [_path(config[name]) for name in ("answers", "questions", "lexicon")]

    def train(self, examples: Sequence[Example]) -> Arrays:
        """Train on answers.yml and questions.yml; the messages of all intents are no answers."""
        phrasings = load_phrasings(_path(self.config["answers"]), _path(self.config["questions"]))
        self.model = AnswerModel.fit(
            phrasings,
            [example.text for example in examples],
            Lexicon.read(_path(self.config["lexicon"])),
            nothing=load_nothing(_path(self.config["answers"])),
            goal_like=frozenset(example.text for example in examples if example.intent in _GOAL_LIKE),
        )
        return self.model.arrays()

    def take(self, arrays: Arrays) -> None:
        self.model = AnswerModel.from_arrays(arrays)

    def read(self, heard: Heard) -> None:
        prompt = heard.metadata.get("prompt")
        if not isinstance(prompt, dict):
            return
        picked = pick_offer(heard.text, prompt)
        if picked is None and _tells_funding(heard, prompt):
            return
        if picked is None:
            self._drop_unsaid(heard, prompt)
            picked = self._pick_answer(heard, prompt)
        if picked is not None:
            _set_choice(heard, picked)
        elif _tells_field(heard, prompt):
            heard.ranking = [Ranked(INFORM, 1.0), *(row for row in heard.ranking if row.name != INFORM)]

    def _drop_unsaid(self, heard: Heard, prompt: dict[str, Any]) -> None:
        """Drop intents that would leave the question, such as opt_out, from a few words of which none says so.

        A longer message keeps them, since a request about one's data may come in any words.
        """
        words = plain(heard.text).split()
        ranking = _without_fallback(heard)
        if not ranking or len(words) > _FEW_WORDS or not (item_of(prompt) or profile_field(prompt)):
            return
        if ranking[0].name not in _RIGHTS and not self._is_said(ranking[0].name, heard.text):
            kept = [intent for intent in ranking if self._is_said(intent.name, heard.text)]
            heard.ranking = with_fallback(kept, self.config["likely_intent"])

    def _is_said(self, intent: str, text: str) -> bool:
        return self.model is None or is_said(intent, self.model.vectoriser.lexicon.concepts(plain(text).split()))

    def _pick_answer(self, heard: Heard, prompt: dict[str, Any]) -> Picked | None:
        item = item_of(prompt)
        if self.model is None or item is None:
            return None
        match = self.model.match(item, heard.text, self.config["accept"], self.config["ask_back"])
        rival = next(iter(_without_fallback(heard)), None)
        answered = match.value is not None and rival is not None and not self._is_said(rival.name, heard.text)
        if not answered and is_interruption(rival, match, self.config["sure_intent"], self.config["likely_intent"]):
            return None
        return pick_answer(match, prompt)


STEPS: Mapping[str, type[Step]] = {
    step.__name__: step for step in (LanguageIdentifier, CharNgramIntentClassifier, FirmEntityExtractor, AnswerMatcher)
}
"""The steps by the name of their Rasa shell."""


def _tells_field(heard: Heard, prompt: dict[str, Any]) -> bool:
    field_asked = profile_field(prompt)
    entities = [entity["entity"] for entity in heard.entities]
    rival = next(iter(heard.ranking), None)
    return field_asked is not None and tells_field(field_asked, entities, len(plain(heard.text).split()), rival)


def _tells_funding(heard: Heard, prompt: dict[str, Any]) -> bool:
    """Take a free message for the answer to a question of the funding check; what else it says is kept."""
    asked = asked_field(prompt)
    rival = next(iter(_without_fallback(heard)), Ranked("", 0.0))
    if asked is None or (rival.name in _ASKS and rival.confidence >= _CLEARLY):
        return False
    offers = [str(offer["choice"]) for offer in prompt.get("offers") or ()]
    value = told(asked, heard.text, heard.entities, (rival.name, rival.confidence), offers, _day_of(heard.metadata))
    if value is None:
        return False
    rest = [intent for intent in heard.ranking if intent.name != TELL]
    heard.ranking = [Ranked(TELL, 0.9), *rest]
    heard.entities = [*heard.entities, {"entity": "choice", "value": value, "start": 0, "end": len(heard.text)}]
    return True


def _set_choice(heard: Heard, picked: Picked) -> None:
    rest = [intent for intent in _without_fallback(heard) if intent.name != picked.intent]
    heard.ranking = [Ranked(picked.intent, picked.confidence), *rest]
    heard.entities = [
        {"entity": "choice", "value": value, "start": 0, "end": len(heard.text)} for value in picked.choices
    ]


def _without_fallback(heard: Heard) -> list[Ranked]:
    return [intent for intent in heard.ranking if intent.name != FALLBACK]


def _day_of(metadata: Mapping[str, Any]) -> date:
    """Return the day the message came, from its metadata, or today."""
    received = metadata.get("received_at")
    if isinstance(received, (int, float)):
        return datetime.fromtimestamp(received).date()
    if isinstance(received, datetime):
        return received.date()
    try:
        return date.fromisoformat(str(received)[:10])
    except ValueError:
        return date.today()


def _path(name: str) -> Path:
    """Return a path of the config, relative to the project."""
    return ROOT / name
