"""Parse messages with the NLU part of a trained model, and measure it (services.md "A parsed message")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bot.nlu.intents import FALLBACK

Document = dict[str, Any]


class Parser:
    """The understanding half of a Rasa model, without dialogue."""

    def __init__(self, runner: Any, target: str) -> None:
        """Take a graph runner of Rasa and the name of its last NLU node."""
        self._runner = runner
        self._target = target

    @classmethod
    def load(cls, model: Path) -> Parser:
        """Load a model file; Rasa's import takes some seconds. Raise FileNotFoundError without a model."""
        if not model.is_file():
            raise FileNotFoundError(model)
        from tempfile import TemporaryDirectory

        from rasa.engine.loader import load_predict_graph_runner
        from rasa.engine.runner.dask import DaskGraphRunner
        from rasa.engine.storage.local_model_storage import LocalModelStorage

        with TemporaryDirectory() as folder:
            metadata, runner = load_predict_graph_runner(Path(folder), model, LocalModelStorage, DaskGraphRunner)
        return cls(runner, metadata.nlu_target or "")

    def parse(self, text: str, prompt: Mapping[str, Any] | None = None) -> Document:
        """Return the document of services.md for one message; `prompt` is what was asked last."""
        return as_document(text, self._read(text, prompt))

    def match_answer(self, item: str, text: str) -> Document:
        """Return `{"question", "text", "value", "confidence"}`; value is None where the bot would ask back."""
        offers = [{"choice": f"answer:test:{item}:{value}", "title": ""} for value in range(4)]
        found = self._read(text, {"kind": "question", "about": item, "offers": offers})
        intent = found.get("intent") or {}
        value = None
        if intent.get("name") == "answer":
            value = int(found["entities"][0]["value"].rpartition(":")[2])
        confidence = intent.get("confidence", 0.0) if str(intent.get("name")).startswith("answer") else 0.0
        return {"question": item, "text": text, "value": value, "confidence": round(float(confidence), 2)}

    def _read(self, text: str, prompt: Mapping[str, Any] | None) -> Document:
        from rasa.core.channels.channel import UserMessage
        from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
        from rasa.shared.core.trackers import DialogueStateTracker

        message = UserMessage(text.lstrip("/"), metadata={"prompt": dict(prompt) if prompt else None})
        tracker = DialogueStateTracker.from_events(message.sender_id, [])
        inputs = {PLACEHOLDER_MESSAGE: [message], PLACEHOLDER_TRACKER: tracker}
        result = self._runner.run(inputs=inputs, targets=[self._target])
        found: Document = result[self._target][0].as_dict(only_output_properties=True)
        return found


def as_document(text: str, found: Mapping[str, Any]) -> Document:
    """Return what the NLU found as services.md has it; intent is None where the bot would fall back."""
    language = found.get("language") or {}
    ranking = [row for row in found.get("intent_ranking") or () if row["name"] != FALLBACK]
    first = (found.get("intent") or {}).get("name")
    document: Document = {"text": text, "language": language.get("code")}
    if language.get("mixed"):
        document["mixed"] = True
    return document | {
        "intent": None if first in (None, FALLBACK) else first,
        "confidence": round(float(ranking[0]["confidence"]), 2) if ranking else 0.0,
        "intents": [{"name": row["name"], "confidence": round(float(row["confidence"]), 2)} for row in ranking],
        "entities": [_without_extractor(entity) for entity in found.get("entities") or ()],
    }


def _without_extractor(entity: Mapping[str, Any]) -> Document:
    return {name: value for name, value in entity.items() if name not in ("extractor", "processors")}


def evaluate(rows: Iterable[Mapping[str, str]], parser: Parser) -> Document:
    """Measure a parser on `{"text", "intent", "variety"}` rows: overall and per variety."""
    pairs = [(row.get("variety", "?"), row["intent"], parser.parse(row["text"])["intent"]) for row in rows]
    varieties = sorted({variety for variety, _, _ in pairs})
    return {
        **measure([(wanted, got) for _, wanted, got in pairs]),
        "varieties": {
            variety: measure([(wanted, got) for where, wanted, got in pairs if where == variety])
            for variety in varieties
        },
    }


def measure(pairs: list[tuple[str, str | None]]) -> Document:
    """Return count, accuracy, macro F1, the share that fell back, and the confusions, most common first.

    A message of `out_of_scope` that falls back counts as understood.
    """
    judged = [(wanted, "out_of_scope" if got is None and wanted == "out_of_scope" else got) for wanted, got in pairs]
    confusions = Counter((wanted, got) for wanted, got in judged if wanted != got)
    return {
        "messages": len(judged),
        "accuracy": _share(sum(wanted == got for wanted, got in judged), len(judged)),
        "macro_f1": macro_f1(judged),
        "fallback": _share(sum(got is None for _, got in pairs), len(pairs)),
        "confusions": [
            {"intent": wanted, "parsed": got, "count": count} for (wanted, got), count in confusions.most_common()
        ],
    }


def macro_f1(pairs: list[tuple[str, str | None]]) -> float:
    """Return the mean F1 of the intents that occur in the wanted column."""
    wanted = Counter(intent for intent, _ in pairs)
    got = Counter(intent for _, intent in pairs)
    hits = Counter(intent for intent, parsed in pairs if intent == parsed)
    scores = [2 * hits[intent] / (wanted[intent] + got[intent]) for intent in wanted]
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
