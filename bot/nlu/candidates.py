"""Training candidates: real messages with a label, in the very format of nlu_data/intents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

from bot.nlu.text import plain

VARIETIES = ("fr", "ary-Arab", "ary-Latn", "mixed")
# Rasa reads [text](entity) as an annotation; our data has none.
_BRACKETS = str.maketrans("[]", "()")


@dataclass(frozen=True)
class Candidate:
    """A message, its variety, and its intent when somebody said what it meant."""

    text: str
    variety: str
    intent: str | None


def known_intents(folder: Path) -> frozenset[str]:
    """Return the intents that messages are labelled with: one file each in nlu_data/intents."""
    return frozenset(file.stem for file in (folder / "intents").glob("*.yml"))


def known_texts(folder: Path) -> frozenset[str]:
    """Return what nlu_data holds, for comparison: also the dev and test sets, which nobody trains on."""
    texts: set[str] = set()
    for file in sorted((folder / "intents").glob("*.yml")):
        for entry in (yaml.safe_load(file.read_text("utf-8")) or {}).get("nlu") or ():
            texts.update(line.removeprefix("- ") for line in str(entry.get("examples", "")).splitlines())
    for file in sorted(folder.glob("*/*.jsonl")):
        texts.update(str(json.loads(line)["text"]) for line in file.read_text("utf-8").splitlines() if line.strip())
    return frozenset(map(plain, texts))


def unknown(candidates: Iterable[Candidate], known: frozenset[str]) -> Iterator[Candidate]:
    """Yield each candidate whose words are not known yet, once."""
    seen = set(known)
    for candidate in candidates:
        form = plain(candidate.text)
        if form and form not in seen:
            seen.add(form)
            yield candidate


def as_yaml(candidates: Sequence[Candidate]) -> str:
    """Return Rasa NLU data: an entry for each intent and variety; what has no label yet stands in comments."""
    lines = ['version: "3.1"', "nlu:"]
    labelled = [candidate for candidate in candidates if candidate.intent is not None]
    waiting = [candidate for candidate in candidates if candidate.intent is None]
    for (intent, variety), group in groupby(sorted(labelled, key=_place), key=_key):
        lines += [f"- intent: {intent}", f"  metadata: {{variety: {variety}}}", "  examples: |"]
        lines += [f"    - {_one_line(candidate.text)}" for candidate in group]
    lines += [f"# {candidate.variety}: {_one_line(candidate.text)}" for candidate in waiting]
    if not labelled:
        lines[1] = "nlu: []"
    return "\n".join(lines) + "\n"


def as_document(candidate: Candidate) -> Mapping[str, str | None]:
    """Return the JSON form, in the fields that `rafiq nlu evaluate` reads."""
    return {"text": candidate.text, "intent": candidate.intent, "variety": candidate.variety}


def _key(candidate: Candidate) -> tuple[str, str]:
    return str(candidate.intent), candidate.variety


def _place(candidate: Candidate) -> tuple[str, int, str]:
    rank = VARIETIES.index(candidate.variety) if candidate.variety in VARIETIES else len(VARIETIES)
    return str(candidate.intent), rank, candidate.variety


def _one_line(text: str) -> str:
    return " ".join(text.translate(_BRACKETS).split())
