"""Labelled messages to train and test pipelines on: the project's own, or files of somebody else's corpus."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.nlu.steps import Example
from bot.nlu.text import plain

EVERYTHING = "all"
"""The variety of a corpus that names none."""


class CorpusError(ValueError):
    """A file of a corpus cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Columns:
    """What a file calls the message, its intent and, where it has one, its variety."""

    text: str = "text"
    intent: str = "intent"
    variety: str = "variety"


@dataclass(frozen=True)
class Corpus:
    """What is learnt from, and what is measured on."""

    training: Sequence[Example]
    test: Sequence[Example]
    seen: int = 0
    """Test messages left out because they stand in the training data."""


def make_corpus(training: Sequence[Example], test: Sequence[Example]) -> Corpus:
    """Keep the test messages that nobody learnt from; raise CorpusError when there is nothing to measure."""
    known = {plain(example.text) for example in training}
    new = [example for example in test if plain(example.text) not in known]
    if not new or len({example.intent for example in training}) < 2:
        raise CorpusError("training data with two intents and test messages that are not among them are needed")
    return Corpus(training, new, len(test) - len(new))


def own_training(folder: Path) -> list[Example]:
    """Read the training data of Rasa's format, all files of a folder."""
    return [
        Example(line.strip()[2:].strip(), block["intent"], (block.get("metadata") or {}).get("variety", EVERYTHING))
        for file in sorted(folder.glob("*.yml"))
        for block in yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)["nlu"]
        for line in block["examples"].splitlines()
        if line.strip().startswith("- ")
    ]


def own_tests(folder: Path) -> list[Path]:
    """Return the files of a folder that hold messages with intents."""
    return [file for file in sorted(folder.glob("*.jsonl")) if '"intent"' in file.read_text("utf-8").partition("\n")[0]]


def read_examples(files: Sequence[Path], columns: Columns = Columns()) -> list[Example]:
    """Read CSV files with a header, or JSON lines; raise CorpusError."""
    return [_example(file, number, row, columns) for file in files for number, row in _rows(file)]


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix == ".csv":
                for row in (reader := csv.DictReader(lines)):
                    yield reader.line_num, row
            else:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield number, json.loads(line)
    except (OSError, ValueError) as error:
        raise CorpusError(f"{file}: {error}") from None


def _example(file: Path, number: int, row: Any, columns: Columns) -> Example:
    if not isinstance(row, dict) or not row.get(columns.text) or row.get(columns.intent) in (None, ""):
        raise CorpusError(f"{file}:{number}: {columns.text} and {columns.intent} are needed")
    variety = row.get(columns.variety) or EVERYTHING
    return Example(" ".join(str(row[columns.text]).split()), str(row[columns.intent]), str(variety))
