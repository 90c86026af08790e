"""Check the knowledge files of the NLU without loading Rasa: what `rafiq check` calls before the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot.knowledge.loader import Document, KnowledgeError, KnowledgeErrors, Loc, Problem, load
from bot.nlu.answers import load_phrasings

_NAMED = ("legal_form", "programme", "axis")
"""Parts of entity_names.yml, each id -> spellings."""
_PLACES = ("region", "province", "commune", "quarter")
"""Parts of place_names.yml, each official name -> spellings."""
_PLACE_LISTS = ("never", "needs_cue", "never_alone")


def check(knowledge_dir: Path) -> None:
    """Check lexicon, entity, concept and place names, and answers; raise KnowledgeErrors with all that is wrong."""
    shapes: dict[str, Callable[[Any], Iterator[Problem]]] = {
        "lexicon.yml": _lexicon,
        "entity_names.yml": _entity_names,
        "concept_names.yml": lambda data: _spellings((), data),
        "place_names.yml": _place_names,
    }
    checks: list[Callable[[], Any]] = [
        lambda name=name, shape=shape: _refuse(load(knowledge_dir / name), shape)  # type: ignore[misc]
        for name, shape in shapes.items()
    ]
    checks.append(lambda: load_phrasings(knowledge_dir / "answers.yml", knowledge_dir / "questions.yml"))
    found: list[KnowledgeError] = []
    for read in checks:
        try:
            read()
        except KnowledgeErrors as errors:
            found += errors.errors
    if found:
        raise KnowledgeErrors(found)


def _refuse(document: Document, shape: Callable[[Any], Iterator[Problem]]) -> None:
    if not isinstance(document.data, dict):
        document.refuse([((), "names and their values are needed")])
    document.refuse(shape(document.data))


def _lexicon(data: dict[Any, Any]) -> Iterator[Problem]:
    for concept, words in data.items():
        if not isinstance(words, str) or not words.strip():
            yield (concept,), "words with spaces between them are needed"


def _entity_names(data: dict[Any, Any]) -> Iterator[Problem]:
    yield from _required(data, (*_NAMED, "ordinary"))
    yield from _lines(("ordinary",), data.get("ordinary", ["_"]))
    for name in _NAMED:
        yield from _spellings((name,), data.get(name, {}))


def _place_names(data: dict[Any, Any]) -> Iterator[Problem]:
    for name in data:
        if name not in (*_PLACES, *_PLACE_LISTS):
            yield (name,), f"one of {', '.join((*_PLACES, *_PLACE_LISTS))} is expected"
    for name in _PLACE_LISTS:
        yield from _lines((name,), data.get(name, ["_"]))
    for name in _PLACES:
        yield from _spellings((name,), data.get(name, {}))


def _required(data: dict[Any, Any], names: tuple[str, ...]) -> Iterator[Problem]:
    yield from (((), f"{name} is missing") for name in names if name not in data)


def _spellings(loc: Loc, names: Any) -> Iterator[Problem]:
    """Name what keeps a part of a file from being id -> list of spellings."""
    if not isinstance(names, dict):
        yield loc, "names and their spellings are needed"
        return
    for name, forms in names.items():
        yield from _lines((*loc, name), forms)


def _lines(loc: Loc, lines: Any) -> Iterator[Problem]:
    if not isinstance(lines, list) or not all(str(line).strip() for line in lines if line is not None):
        yield loc, "a list of spellings is needed"
    elif None in lines:
        yield (*loc, lines.index(None)), "a spelling is empty"
