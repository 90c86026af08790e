"""The Rasa graph components of config.yml: thin shells around bot.nlu, which knows nothing of Rasa."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

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

ROOT = Path(__file__).resolve().parents[2]
LANGUAGE = "language"
MIXED = "mixed"
_FILE = "model.npz"
_GOAL_LIKE = ("find_funding", "find_training", "find_provider", "inform", "start_diagnosis")
"""Intents whose messages may also name a goal."""
_FEW_WORDS = 4
_COMMAND = "/"
"""First sign of what a button sends: not for the NLU."""


_RIGHTS = ("delete_my_data", "export_my_data", "opt_out")
"""An owner's rights: heard in any words; the dialogue asks back before it does what cannot be undone."""


class _Component(GraphComponent):
    """What the four components share: settings, and the way through the messages."""

    defaults: ClassVar[dict[str, Any]] = {}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self.config = {**self.get_default_config(), **config}
        self._storage = storage
        self._resource = resource

    @classmethod
    def get_default_config(cls) -> dict[str, Any]:
        """Return the settings a config.yml may change."""
        return dict(cls.defaults)

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> _Component:
        """Make an untrained component."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> _Component:
        """Make a component for use."""
        return cls(config, model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Return a digest of the code behind the shell: Rasa itself notices changes in this file only."""
        digest = hashlib.blake2b(digest_size=8)
        for file in [*sorted(Path(__file__).parent.glob("*.py")), *cls.data_files({**cls.defaults, **config})]:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    @classmethod
    def data_files(cls, config: dict[str, Any]) -> list[Path]:
        """Return the files beside the training data that a model depends on."""
        return []

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message that is not a command of a button."""
        for message in messages:
            text = message.get(TEXT)
            if isinstance(text, str) and not text.startswith(_COMMAND):
                self.read(message, text)
        return messages

    def read(self, message: Message, text: str) -> None:
        """Add to a message what this component finds."""
        raise NotImplementedError


class _TrainedComponent(_Component):
    """A component with a model of plain arrays."""

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> _TrainedComponent:
        """Make a component with the model that training kept."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder, np.load(folder / _FILE) as arrays:
            component.take(dict(arrays))
        return component

    def take(self, arrays: Arrays) -> None:
        """Take over a model that was kept."""
        raise NotImplementedError

    def keep(self, arrays: Arrays) -> Resource:
        """Keep a model."""
        with self._storage.write_to(self._resource) as folder:
            np.savez(folder / _FILE, **arrays)
        return self._resource


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class LanguageIdentifier(_TrainedComponent):
    """Set the property `language` of a message: code, mixed, confidence, words."""

    model = WordLanguages({}, 0.0)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn French from Darija by the variety in the metadata of the examples."""
        self.model = WordLanguages.fit((example.get(TEXT), _variety(example)) for example in _examples(training_data))
        return self.keep(self.model.arrays())

    def take(self, arrays: Arrays) -> None:
        self.model = WordLanguages.from_arrays(arrays)

    def read(self, message: Message, text: str) -> None:
        message.set(LANGUAGE, asdict(self.model.identify(text)), add_to_output=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CharNgramIntentClassifier(_TrainedComponent, IntentClassifier):
    """Set the intent and its ranking; below the threshold of the message's variety the intent is nlu_fallback."""

    defaults: ClassVar[dict[str, Any]] = {
        "thresholds": {"fr": 0.3, "ary-Arab": 0.3, "ary-Latn": 0.3, MIXED: 0.3},
        "ranking_length": 10,
        "lexicon": "knowledge/lexicon.yml",
    }
    model: IntentModel | None = None

    @classmethod
    def data_files(cls, config: dict[str, Any]) -> list[Path]:
        return [_path(config["lexicon"])]

    def train(self, training_data: TrainingData) -> Resource:
        """Train on the examples of two intents or more; with fewer, every message falls back."""
        examples = [example for example in _examples(training_data) if example.get(INTENT)]
        intents = [example.get(INTENT) for example in examples]
        if len(set(intents)) < 2:
            return self.keep({})
        lexicon = Lexicon.read(_path(self.config["lexicon"]))
        self.model = IntentModel.fit([example.get(TEXT) for example in examples], intents, lexicon)
        return self.keep(self.model.arrays())

    def take(self, arrays: Arrays) -> None:
        self.model = IntentModel.from_arrays(arrays) if arrays else None

    def read(self, message: Message, text: str) -> None:
        ranking = self.model.rank(text, self.config["ranking_length"]) if self.model else []
        _set_intents(message, with_fallback(ranking, self._threshold(message)))

    def _threshold(self, message: Message) -> float:
        language = message.get(LANGUAGE) or {}
        variety = MIXED if language.get("mixed") else language.get("code")
        return float(self.config["thresholds"].get(variety, 0.3))


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FirmEntityExtractor(_Component, EntityExtractorMixin):
    """Add what a message says of a firm: trade, place, staff, ages, legal form, money, programmes, concepts."""

    defaults: ClassVar[dict[str, Any]] = {"knowledge": "knowledge"}

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, storage, resource)
        self._entities = FirmEntities(_path(self.config["knowledge"]))

    def read(self, message: Message, text: str) -> None:
        found = [entity.as_document() for entity in self._entities.find(text, _day_of(message))]
        message.set(ENTITIES, [*message.get(ENTITIES, []), *self.add_extractor_name(found)], add_to_output=True)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerMatcher(_TrainedComponent, IntentClassifier):
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
    def data_files(cls, config: dict[str, Any]) -> list[Path]:
        return [_path(config[name]) for name in ("answers", "questions", "lexicon")]

    def train(self, training_data: TrainingData) -> Resource:
        """Train on answers.yml and questions.yml; the messages of all intents are no answers."""
        phrasings = load_phrasings(_path(self.config["answers"]), _path(self.config["questions"]))
        examples = _examples(training_data)
        self.model = AnswerModel.fit(
            phrasings,
            [example.get(TEXT) for example in examples],
            Lexicon.read(_path(self.config["lexicon"])),
            nothing=load_nothing(_path(self.config["answers"])),
            goal_like=frozenset(example.get(TEXT) for example in examples if example.get(INTENT) in _GOAL_LIKE),
        )
        return self.keep(self.model.arrays())

    def take(self, arrays: Arrays) -> None:
        self.model = AnswerModel.from_arrays(arrays)

    def read(self, message: Message, text: str) -> None:
        prompt = (message.get(METADATA) or {}).get("prompt")
        if not isinstance(prompt, dict):
            return
        picked = pick_offer(text, prompt)
        if picked is None:
            self._drop_unsaid(message, text, prompt)
            picked = self._pick_answer(message, text, prompt)
        if picked is not None:
            self._set_choice(message, text, picked)
        elif self._tells_field(message, text, prompt):
            _set_intents(message, [Ranked(INFORM, 1.0), *(row for row in _intents(message) if row.name != INFORM)])

    def _drop_unsaid(self, message: Message, text: str, prompt: dict[str, Any]) -> None:
        """Drop intents that would leave the question, such as opt_out, from a few words of which none says so.

        A longer message keeps them, since a request about one's data may come in any words.
        """
        words = plain(text).split()
        ranking = [intent for intent in _intents(message) if intent.name != FALLBACK]
        if not ranking or len(words) > _FEW_WORDS or not (item_of(prompt) or profile_field(prompt)):
            return
        if ranking[0].name not in _RIGHTS and not self._is_said(ranking[0].name, text):
            kept = [intent for intent in ranking if self._is_said(intent.name, text)]
            _set_intents(message, with_fallback(kept, self.config["likely_intent"]))

    def _is_said(self, intent: str, text: str) -> bool:
        return self.model is None or is_said(intent, self.model.vectoriser.lexicon.concepts(plain(text).split()))

    def _pick_answer(self, message: Message, text: str, prompt: dict[str, Any]) -> Picked | None:
        item = item_of(prompt)
        if self.model is None or item is None:
            return None
        match = self.model.match(item, text, self.config["accept"], self.config["ask_back"])
        rival = next((intent for intent in _intents(message) if intent.name != FALLBACK), None)
        answered = match.value is not None and rival is not None and not self._is_said(rival.name, text)
        if not answered and is_interruption(rival, match, self.config["sure_intent"], self.config["likely_intent"]):
            return None
        return pick_answer(match, prompt)

    def _tells_field(self, message: Message, text: str, prompt: dict[str, Any]) -> bool:
        field = profile_field(prompt)
        entities = [entity["entity"] for entity in message.get(ENTITIES) or ()]
        rival = next(iter(_intents(message)), None)
        return field is not None and tells_field(field, entities, len(plain(text).split()), rival)

    @staticmethod
    def _set_choice(message: Message, text: str, picked: Picked) -> None:
        rest = [intent for intent in _intents(message) if intent.name not in (FALLBACK, picked.intent)]
        _set_intents(message, [Ranked(picked.intent, picked.confidence), *rest])
        choices = [{"entity": "choice", "value": value, "start": 0, "end": len(text)} for value in picked.choices]
        message.set(ENTITIES, choices, add_to_output=True)


def _examples(training_data: TrainingData) -> list[Message]:
    return [example for example in training_data.intent_examples if example.get(TEXT)]


def _variety(example: Message) -> str:
    metadata = example.get(METADATA) or {}
    return str((metadata.get("intent") or {}).get("variety", ""))


def _intents(message: Message) -> list[Ranked]:
    return [Ranked(row["name"], row["confidence"]) for row in message.get(INTENT_RANKING_KEY) or ()]


def _set_intents(message: Message, ranking: Sequence[Ranked]) -> None:
    rows = [asdict(intent) for intent in ranking]
    message.set(INTENT, rows[0], add_to_output=True)
    message.set(INTENT_RANKING_KEY, rows, add_to_output=True)


def _day_of(message: Message) -> date:
    """Return the day the message came, from its metadata, or today."""
    received = (message.get(METADATA) or {}).get("received_at")
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
