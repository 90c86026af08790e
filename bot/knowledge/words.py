"""Words of buttons and lists, sectors, regions, the operator, and plain definitions: knowledge/*.yml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import StrictStr

from bot.knowledge.loader import Problem, Record, load
from bot.knowledge.text import Text, too_long

Variety = Literal["fr", "ary-Arab", "ary-Latn"]
# A list row on WhatsApp: 24 characters.
LONGEST_TITLE = 24
# What every list of programmes and cards needs to be sure of.
LONGEST_DEFINITION = 400
# The operator's name in the first SMS.
LONGEST_SHORT = 16


class Named(Record):
    """A code and its title in a list."""

    id: StrictStr
    title: Text


N = TypeVar("N", bound=Named)


class Sector(Named):
    """An activity an owner can name: its list title and the words people use for it."""

    description: Text | None = None
    keywords: Mapping[str, list[StrictStr]] = {}


class Definition(Record):
    """A notion in plain words."""

    id: StrictStr
    text: Text


class Operator(Record):
    """Who runs this bot, and which humans an owner can reach."""

    presentation: Text
    short: Text
    contact: Text
    consent_version: StrictStr


@dataclass(frozen=True)
class Words:
    """Everything of knowledge/ that is only said, by id."""

    labels: Mapping[str, Text]
    sectors: tuple[Sector, ...]
    regions: tuple[Named, ...]
    concepts: Mapping[str, Text]
    operator: Operator
    languages: Mapping[str, tuple[str, ...]]

    def named_language(self, text: str) -> str | None:
        """Return the variety that a text names, the most particular name first; None when it names none."""
        folded = text.casefold()
        names = [(name, variety) for variety, known in self.languages.items() for name in known]
        names.sort(key=lambda pair: -len(pair[0]))
        return next((variety for name, variety in names if name in folded), None)

    def label(self, key: str, variety: str) -> str:
        """Return a label; raise KeyError when labels.yml has none."""
        return self.labels[key][variety]


def load_words(knowledge: Path) -> Words:
    """Read and check the word files of a folder; raise KnowledgeErrors."""
    labels = load(knowledge / "labels.yml").parse(dict[str, Text])
    sectors = _listed(knowledge / "sectors.yml", Sector)
    regions = _listed(knowledge / "regions.yml", Named)
    definitions = load(knowledge / "concepts.yml")
    concepts = definitions.parse(list[Definition])
    definitions.refuse(_definition_problems(concepts))
    running = load(knowledge / "operator.yml")
    operator = running.parse(Operator)
    running.refuse(too_long(operator.short, LONGEST_SHORT, ("short",)))
    languages = load(knowledge / "languages.yml").parse(dict[Variety, tuple[StrictStr, ...]])
    return Words(labels, sectors, regions, {c.id: c.text for c in concepts}, operator, dict(languages.items()))


def _listed(path: Path, model: type[N]) -> tuple[N, ...]:
    document = load(path)
    records = document.parse(tuple[model, ...])  # type: ignore[valid-type]
    document.refuse(_title_problems(records))
    return records


def _title_problems(records: Sequence[Named]) -> Iterator[Problem]:
    for position, record in enumerate(records):
        if record.id in [other.id for other in records[:position]]:
            yield (position, "id"), f"the id {record.id!r} is given twice"
        yield from too_long(record.title, LONGEST_TITLE, (position, "title"))


def _definition_problems(concepts: list[Definition]) -> Iterator[Problem]:
    for position, concept in enumerate(concepts):
        if concept.id in [other.id for other in concepts[:position]]:
            yield (position, "id"), f"the id {concept.id!r} is given twice"
        yield from too_long(concept.text, LONGEST_DEFINITION, (position, "text"))
