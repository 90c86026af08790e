"""Parse messages with the NLU part of a trained model, and measure it (services.md "A parsed message").

The trained steps are taken out of Rasa's model file without Rasa, whose import takes longer than everything else.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bot.nlu.intents import FALLBACK
from bot.nlu.linear import Arrays
from bot.nlu.steps import MODEL_FILE, STEPS, Document, Heard, Step, TrainedStep

_METADATA_FILE = "metadata.json"
_SHELLS = "bot.nlu.components."
_PASSED_OVER = ("NLUMessageConverter", "RegexMessageHandler")
"""Steps of Rasa that only carry a message in, and read the commands of buttons."""
_START = re.compile(r"[\s/]*")
"""What is cut off a message: Rasa strips spaces, and a slash would make it the command of a button."""


class UnknownStep(ValueError):
    """The model has a step that only Rasa can take."""


class Parser:
    """The understanding half of a Rasa model, without dialogue."""

    def __init__(self, steps: Sequence[Step]) -> None:
        """Take the steps in their order."""
        self._steps = steps

    @classmethod
    def load(cls, model: Path) -> Parser:
        """Load a model file; raise FileNotFoundError without one, UnknownStep for one with foreign steps."""
        if not model.is_file():
            raise FileNotFoundError(model)
        metadata, trained = _unpacked(model)
        return cls([_step(node, trained) for node in _chain(metadata)])

    def parse(self, text: str, prompt: Mapping[str, Any] | None = None) -> Document:
        """Return the document of services.md for one message; `prompt` is what was asked last."""
        said, start = _said(text)
        found = self._read(said, prompt)
        return as_document(text, {**found, "entities": list(_moved(found["entities"], start))})

    def match_answer(self, item: str, text: str) -> Document:
        """Return `{"question", "text", "value", "confidence"}`; value is None where the bot would ask back."""
        offers = [{"choice": f"answer:test:{item}:{value}", "title": ""} for value in range(4)]
        found = self._read(_said(text)[0], {"kind": "question", "about": item, "offers": offers})
        intent = found.get("intent") or {}
        value = None
        if intent.get("name") == "answer":
            value = int(found["entities"][0]["value"].rpartition(":")[2])
        confidence = intent.get("confidence", 0.0) if str(intent.get("name")).startswith("answer") else 0.0
        return {"question": item, "text": text, "value": value, "confidence": round(float(confidence), 2)}

    def _read(self, text: str, prompt: Mapping[str, Any] | None) -> Document:
        heard = Heard(text, {"prompt": dict(prompt) if prompt else None})
        for step in self._steps:
            step.read(heard)
        ranking = [asdict(intent) for intent in heard.ranking]
        return {
            "language": heard.language,
            "intent": ranking[0] if ranking else None,
            "intent_ranking": ranking,
            "entities": heard.entities,
        }


def _unpacked(model: Path) -> tuple[Document, Mapping[str, Arrays]]:
    """Return the metadata of a model file, and the arrays of its trained steps by the folder they stand in."""
    metadata: Document = {}
    trained: dict[str, Arrays] = {}
    with tarfile.open(model, "r:gz") as archive:
        for member in archive:
            path = Path(member.name)
            if path.name not in (_METADATA_FILE, MODEL_FILE) or (file := archive.extractfile(member)) is None:
                continue
            if path.name == _METADATA_FILE:
                metadata = json.load(file)
            else:
                with np.load(io.BytesIO(file.read())) as arrays:
                    trained[path.parent.name] = dict(arrays)
    return metadata, trained


def _chain(metadata: Document) -> list[Document]:
    """Return the nodes of the NLU in the order in which a message passes them."""
    nodes = metadata["predict_schema"]["nodes"]
    found, name = [], metadata.get("nlu_target")
    while name in nodes:
        found.append(nodes[name])
        name = nodes[name]["needs"].get("messages")
    return [node for node in reversed(found) if node["uses"].rpartition(".")[2] not in _PASSED_OVER]


def _step(node: Document, trained: Mapping[str, Arrays]) -> Step:
    name = node["uses"].removeprefix(_SHELLS)
    if name not in STEPS:
        raise UnknownStep(f"the model has a step that only Rasa can take: {name}")
    step = STEPS[name](node["config"])
    if isinstance(step, TrainedStep):
        step.take(trained[node["resource"]["name"]])
    return step


def _said(text: str) -> tuple[str, int]:
    """Return a message as the steps get it, and where it starts in the original."""
    start = len(_START.match(text)[0])  # type: ignore[index]
    return text[start:].rstrip(), start


def _moved(entities: Iterable[Document], by: int) -> Iterator[Document]:
    """Give the entities with their places in the original."""
    for entity in entities:
        yield entity | {"start": entity["start"] + by, "end": entity["end"] + by}


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
