"""The Rasa graph components of config.yml: thin shells around bot.nlu.steps, which knows nothing of Rasa."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, EXTRACTOR, INTENT, INTENT_RANKING_KEY, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.nlu import steps
from bot.nlu.intents import Ranked

LANGUAGE = "language"
_COMMAND = "/"
"""First sign of what a button sends: not for the NLU."""


class _Component(GraphComponent):
    """What the four components share: settings, and the way through the messages."""

    step_type: ClassVar[type[steps.Step]] = steps.Step

    def __init__(self, config: dict[str, Any], storage: ModelStorage, resource: Resource) -> None:
        self.step = self.step_type(config)
        self._storage = storage
        self._resource = resource

    @classmethod
    def get_default_config(cls) -> dict[str, Any]:
        """Return the settings a config.yml may change."""
        return dict(cls.step_type.defaults)

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
        data_files = cls.step_type.data_files({**cls.step_type.defaults, **config})
        for file in [*sorted(Path(__file__).parent.glob("*.py")), *data_files]:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def process(self, messages: list[Message]) -> list[Message]:
        """Read each message that is not a command of a button."""
        for message in messages:
            text = message.get(TEXT)
            if isinstance(text, str) and not text.startswith(_COMMAND):
                heard = _heard(message, text)
                self.step.read(heard)
                self._tell(message, heard)
        return messages

    def _tell(self, message: Message, heard: steps.Heard) -> None:
        """Set what is known of a message where Rasa looks for it."""
        if heard.language is not None:
            message.set(LANGUAGE, heard.language, add_to_output=True)
        if heard.ranking:
            rows = [asdict(intent) for intent in heard.ranking]
            message.set(INTENT, rows[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, rows, add_to_output=True)
        entities = [{EXTRACTOR: type(self).__name__, **entity} for entity in heard.entities]
        message.set(ENTITIES, entities, add_to_output=True)


class _TrainedComponent(_Component):
    """A component with a model of plain arrays."""

    step: steps.TrainedStep

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
        with model_storage.read_from(resource) as folder, np.load(folder / steps.MODEL_FILE) as arrays:
            component.step.take(dict(arrays))
        return component

    def train(self, training_data: TrainingData) -> Resource:
        """Train the step on the examples that have a text, and keep its model."""
        examples = [_example(message) for message in training_data.intent_examples if message.get(TEXT)]
        arrays = self.step.train(examples)
        with self._storage.write_to(self._resource) as folder:
            np.savez(folder / steps.MODEL_FILE, **arrays)
        return self._resource


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class LanguageIdentifier(_TrainedComponent):
    """Set the property `language` of a message: code, mixed, confidence, words."""

    step_type = steps.LanguageIdentifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CharNgramIntentClassifier(_TrainedComponent, IntentClassifier):
    """Set the intent and its ranking; below the threshold of the message's variety the intent is nlu_fallback."""

    step_type = steps.CharNgramIntentClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class FirmEntityExtractor(_Component, EntityExtractorMixin):
    """Add what a message says of a firm: trade, place, staff, ages, legal form, money, programmes, concepts."""

    step_type = steps.FirmEntityExtractor


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class AnswerMatcher(_TrainedComponent, IntentClassifier):
    """Turn a message that answers the open prompt into the intent and the choice of the offer it picks."""

    step_type = steps.AnswerMatcher


def _example(message: Message) -> steps.Example:
    metadata = message.get(METADATA) or {}
    variety = str((metadata.get("intent") or {}).get("variety", ""))
    return steps.Example(message.get(TEXT), message.get(INTENT) or "", variety)


def _heard(message: Message, text: str) -> steps.Heard:
    ranking = [Ranked(row["name"], row["confidence"]) for row in message.get(INTENT_RANKING_KEY) or ()]
    entities = list(message.get(ENTITIES) or ())
    return steps.Heard(text, message.get(METADATA) or {}, message.get(LANGUAGE), ranking, entities)
