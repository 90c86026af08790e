"""What the understanding is worth on a folder of labelled messages: intents, varieties, answers, amounts and places."""

from __future__ import annotations

import json
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.nlu.parse import Parser, evaluate

OUT_OF_SCOPE = "out_of_scope"
PLACES = ("commune", "province", "region")
LONG_ENOUGH = 3
"""Words from which the variety of a message must be known."""


def measure_folder(folder: Path, parser: Parser) -> dict[str, Any]:
    """Read VARIETY.jsonl, answers*.jsonl and entities*.jsonl, as nlu_data/test has them; return the figures."""
    started, read = time.process_time(), Counter[str]()
    figures: dict[str, Any] = {"intents": {}, "answers": {}, "entities": {}}
    for path in sorted(folder.glob("*.jsonl")):
        rows = list(_rows(path))
        read["messages"] += len(rows)
        if path.stem.startswith("answers"):
            figures["answers"][path.stem] = dict(_answers(rows, parser))
        elif path.stem.startswith("entities"):
            figures["entities"][path.stem] = _entities(rows, parser)
        else:
            figures["intents"][path.stem] = _intents(rows, parser)
            read["messages"] += len(rows)  # parsed once for the intent, once for the variety
    seconds = time.process_time() - started
    return figures | {"ms_per_message": round(seconds / max(read["messages"], 1) * 1000, 2)}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def _intents(rows: list[dict[str, Any]], parser: Parser) -> dict[str, Any]:
    report = evaluate(rows, parser)
    parsed = [(row, parser.parse(row["text"])) for row in rows]
    foreign = [found["intent"] for row, found in parsed if row["intent"] == OUT_OF_SCOPE]
    told = [_variety_is_right(row, found) for row, found in parsed if len(row["text"].split()) >= LONG_ENOUGH]
    return {
        **{name: report[name] for name in ("messages", "accuracy", "macro_f1", "fallback")},
        "out_of_scope": len(foreign),
        "out_of_scope_accepted": sum(intent not in (None, OUT_OF_SCOPE) for intent in foreign),
        "variety_known": len(told),
        "variety_right": sum(told),
    }


def _variety_is_right(row: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return bool(found.get("mixed")) if row["variety"] == "mixed" else found["language"] == row["variety"]


def _answers(rows: list[dict[str, Any]], parser: Parser) -> Counter[str]:
    counts = Counter(dict.fromkeys(("right", "wrong", "asked_back", "non_answers", "refused"), 0))
    for row in rows:
        value = parser.match_answer(row["question"], row["text"])["value"]
        if row["value"] is None:
            counts["non_answers"] += 1
            counts["refused"] += value is None
        else:
            counts["asked_back" if value is None else "right" if value == row["value"] else "wrong"] += 1
    return counts


def _entities(rows: list[dict[str, Any]], parser: Parser) -> dict[str, int]:
    """Count amounts and places; spellings of a place differ in accents and hyphens only."""
    wanted = found = extra = 0
    for row in rows:
        meant = _facts(row["entities"])
        got = _facts(parser.parse(row["text"])["entities"])
        wanted, found, extra = wanted + len(meant), found + len(meant & got), extra + len(got - meant)
    return {"wanted": wanted, "found": found, "extra": extra}


def _facts(entities: list[dict[str, Any]]) -> set[tuple[str, str]]:
    facts = set()
    for entity in entities:
        if entity["entity"] == "amount":
            facts.add(("amount", str(float(entity["value"]))))
        elif entity["entity"] in PLACES:
            plain = unicodedata.normalize("NFKD", str(entity["value"])).casefold()
            facts.add((entity["entity"], "".join(char for char in plain if char.isalnum())))
    return facts
