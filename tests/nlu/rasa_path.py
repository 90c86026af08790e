"""The other way to read a message: the same model inside Rasa, as the worker has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.nlu.parse import Parser


class RasaParser(Parser):
    """A parser whose steps run in Rasa's graph."""

    def __init__(self, runner: Any, target: str) -> None:
        super().__init__(())
        self._runner = runner
        self._target = target

    @classmethod
    def load(cls, model: Path) -> RasaParser:
        from rasa.engine.loader import load_predict_graph_runner
        from rasa.engine.runner.dask import DaskGraphRunner
        from rasa.engine.storage.local_model_storage import LocalModelStorage

        with TemporaryDirectory() as folder:
            metadata, runner = load_predict_graph_runner(Path(folder), model, LocalModelStorage, DaskGraphRunner)
        return cls(runner, metadata.nlu_target or "")

    def _read(self, text: str, prompt: Mapping[str, Any] | None) -> dict[str, Any]:
        from rasa.core.channels.channel import UserMessage
        from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
        from rasa.shared.core.trackers import DialogueStateTracker

        message = UserMessage(text, metadata={"prompt": dict(prompt) if prompt else None})
        tracker = DialogueStateTracker.from_events(message.sender_id, [])
        inputs = {PLACEHOLDER_MESSAGE: [message], PLACEHOLDER_TRACKER: tracker}
        result = self._runner.run(inputs=inputs, targets=[self._target])
        found: dict[str, Any] = result[self._target][0].as_dict(only_output_properties=True)
        return found
