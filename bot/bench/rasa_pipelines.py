"""Rasa's own pipelines, trained and asked through Rasa."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bot.nlu.intents import Ranked
from bot.nlu.steps import Example

_CHARS = {"name": "CountVectorsFeaturizer", "analyzer": "char_wb"}


def make(which: str, epochs: int) -> RasaReader:
    """Make Rasa's default (`diet`) or its counts with logistic regression (`lr`)."""
    words: list[dict[str, Any]] = [{"name": "WhitespaceTokenizer"}, {"name": "CountVectorsFeaturizer"}]
    if which == "lr":
        return RasaReader([*words, _CHARS | {"min_ngram": 2, "max_ngram": 5}, {"name": "LogisticRegressionClassifier"}])
    default = [
        words[0], {"name": "RegexFeaturizer"}, {"name": "LexicalSyntacticFeaturizer"}, words[1],
        _CHARS | {"min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": epochs, "constrain_similarities": True, "random_seed": 0},
    ]  # fmt: skip
    return RasaReader(default)


class RasaReader:
    """A pipeline of Rasa's components."""

    def __init__(self, pipeline: list[dict[str, Any]]) -> None:
        self._pipeline = pipeline

    def train(self, examples: Sequence[Example], folder: Path) -> None:
        """Write a project of NLU data only, and let Rasa train it."""
        from rasa.model_training import train_nlu

        told: dict[str, list[str]] = {}
        for example in examples:
            told.setdefault(example.intent, []).append(example.text)
        nlu = [
            {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)} for intent, texts in told.items()
        ]
        config = {"recipe": "default.v1", "language": "fr", "assistant_id": "compare", "pipeline": self._pipeline}
        with TemporaryDirectory() as project:
            files = {"config.yml": config, "nlu.yml": {"version": "3.1", "nlu": nlu}}
            for name, content in files.items():
                Path(project, name).write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
            model = train_nlu(f"{project}/config.yml", f"{project}/nlu.yml", str(folder), fixed_model_name="model")
        if not model:
            raise RuntimeError("Rasa made no model")

    def load(self, folder: Path) -> None:
        """Load the model into Rasa's graph."""
        from rasa.engine.loader import load_predict_graph_runner
        from rasa.engine.runner.dask import DaskGraphRunner
        from rasa.engine.storage.local_model_storage import LocalModelStorage

        from bot.dialogue.runner import SequentialRunner

        with TemporaryDirectory() as storage:
            metadata, runner = load_predict_graph_runner(
                Path(storage), folder / "model.tar.gz", LocalModelStorage, DaskGraphRunner
            )
        self._runner = SequentialRunner(runner)
        self._target = metadata.nlu_target or ""

    def rank(self, text: str) -> list[Ranked]:
        """Ask the graph, with the runner that the worker uses too."""
        from rasa.core.channels.channel import UserMessage
        from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
        from rasa.shared.core.trackers import DialogueStateTracker

        message = UserMessage(text)
        tracker = DialogueStateTracker.from_events(message.sender_id, [])
        inputs = {PLACEHOLDER_MESSAGE: [message], PLACEHOLDER_TRACKER: tracker}
        found = self._runner.run(inputs, [self._target])[self._target][0]
        return [Ranked(row["name"], float(row["confidence"])) for row in found.get("intent_ranking") or ()]
