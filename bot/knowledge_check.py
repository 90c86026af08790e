"""`rafiq knowledge check`: every record, what stands between the files, and what has grown old.

What is wrong whatever the day is (`lasting`) also stops the start. What depends on the day never does: a date in the
future is an error here, a review that is due or information that is old is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from bot.diagnosis.library import load_library
from bot.funding.possible import possible, rule_problems, tier_problems
from bot.funding.records import Programme, load_programmes
from bot.funding.words import load_funding_words
from bot.knowledge.firm import Region, Sector
from bot.knowledge.keywords import load_keywords
from bot.knowledge.loader import Document, KnowledgeErrors, Loc, Problem, load
from bot.knowledge.seats import load_seats
from bot.knowledge.source import AS_OF
from bot.knowledge.templates import load_templates
from bot.knowledge.words import load_words
from bot.legal import load_legal
from bot.matching.records import load_catalogue
from bot.nlu.knowledge import check as check_understanding

FILES_WITH_RECORDS = ("programmes.yml", "trainings.yml", "providers.yml", "legal.yml")
OLDEST_MONTHS = {"in force": 24, "announced": 12}
"""Months after which a status is no longer worth its word: by then it has most likely changed. A law lasts longer."""
LAW_MONTHS = 120
_EXPECTED = {"sectors.yml": get_args(Sector), "regions.yml": get_args(Region)}
"""Lists an owner chooses from, and the codes of a profile they must be."""
_VAGUE = re.compile(r"date unknown|(after |before )?\d{4}(-\d{2}(-\d{2})?)?|\d{4}-\d{4}")
"""A source's date: what it tells, as much as it tells."""


@dataclass(frozen=True)
class Finding:
    """One thing to look at: an error must be corrected, a warning is for the next review."""

    level: Literal["error", "warning"]
    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        mark = "" if self.level == "error" else "warning: "
        return f"{self.file}:{self.line}: {mark}{self.reason}"

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return asdict(self)


def findings(knowledge: Path, today: date, shown: Callable[[str], str] = str) -> list[Finding]:
    """Return all there is to say of a knowledge folder, errors first; `shown` shortens paths."""
    found = list(dict.fromkeys([*lasting(knowledge, shown), *_dated(knowledge, today, shown)]))
    return sorted(found, key=lambda finding: (finding.level, finding.file, finding.line))


def lasting(knowledge: Path, shown: Callable[[str], str] = str) -> list[Finding]:
    """Return the errors that do not depend on the day; a file that is refused is not looked at any further."""
    loads: list[Callable[[Path], Any]] = [
        load_library, load_words, load_keywords, load_templates, load_seats, load_programmes, load_funding_words,
        load_catalogue, load_legal, check_understanding,
    ]  # fmt: skip
    found = [finding for read in loads for finding in _refused(read, knowledge, shown)]
    if not found:
        between: list[Callable[[Path], Any]] = [
            _rules, _dates_readable, _names_of_concepts, _words_of_laws, _names_of_programmes, _unverified_names,
            _codes_of_lists,
        ]  # fmt: skip
        found = [finding for check in between for finding in _refused(check, knowledge, shown)]
    return found


def _refused(check: Callable[[Path], Any], knowledge: Path, shown: Callable[[str], str]) -> Iterator[Finding]:
    try:
        check(knowledge)
    except KnowledgeErrors as errors:
        for error in errors.errors:
            yield Finding("error", shown(error.path), error.line, error.reason)


def _rules(knowledge: Path) -> None:
    """Refuse programmes and laws whose conditions no firm can meet."""
    document = load(knowledge / "programmes.yml")
    document.refuse(
        ((position, *loc), why)
        for position, programme in enumerate(load_programmes(knowledge))
        for loc, why in _programme_problems(programme)
    )
    load(knowledge / "legal.yml").refuse(
        ((position, "applies_to", number), "these conditions can never hold together")
        for position, fact in enumerate(load_legal(knowledge))
        for number, way in enumerate(fact.applies_to)
        if not possible(way)
    )


def _programme_problems(programme: Programme) -> Iterator[Problem]:
    benefit = programme.benefit
    yield from ((("rules", *loc), why) for loc, why in rule_problems(programme.rules))
    for number, premium in enumerate(benefit.premiums):
        for loc, why in tier_problems([tier.when for tier in premium]):
            yield ("benefit", "premiums", number, *loc), why
    yield from ((("benefit", "caps", *loc), why) for loc, why in tier_problems([tier.when for tier in benefit.caps]))
    if benefit.min_mad is not None and benefit.max_mad is not None and benefit.min_mad > benefit.max_mad:
        yield ("benefit", "min_mad"), "min_mad is above max_mad"


def _dates_readable(knowledge: Path) -> None:
    """Refuse dates that are no dates, such as a thirteenth month; one file after the other."""
    for name in FILES_WITH_RECORDS:
        document = load(knowledge / name)
        document.refuse(
            (loc, f"{text!r} is no date")
            for loc, text in _written_dates(document)
            if not _VAGUE.fullmatch(text) or any(_first_day(part) is None for part in re.findall(r"\d[\d-]*", text))
        )


def _names_of_concepts(knowledge: Path) -> None:
    """Refuse words the NLU knows and nothing explains."""
    load(knowledge / "concept_names.yml").refuse(
        ((concept,), f"{concept!r} has no definition in concepts.yml")
        for concept in _named(knowledge / "concept_names.yml")
        if concept not in load_words(knowledge).concepts
    )


def _words_of_laws(knowledge: Path) -> None:
    """Refuse words of a law that nothing explains."""
    defined = load_words(knowledge).concepts
    load(knowledge / "legal.yml").refuse(
        ((position, "concepts", number), f"{concept!r} is no word of concepts.yml")
        for position, fact in enumerate(load_legal(knowledge))
        for number, concept in enumerate(fact.concepts)
        if concept not in defined
    )


def _names_of_programmes(knowledge: Path) -> None:
    """Refuse programmes that are understood and that nothing can be said of; `_x` only looks like a name."""
    answered = {record.id for record in load_programmes(knowledge)} | set(unverified(knowledge))
    load(knowledge / "entity_names.yml").refuse(
        (("programme", name), f"{name!r} has no record in programmes.yml, nor a reason in unverified.yml")
        for name in _named(knowledge / "entity_names.yml", "programme")
        if not name.startswith("_") and name not in answered
    )


def _unverified_names(knowledge: Path) -> None:
    """Refuse unverified names that have a record after all, or that nobody understands."""
    names = _named(knowledge / "entity_names.yml", "programme")
    load(knowledge / "unverified.yml").refuse(_verified_after_all(knowledge, names))


def _codes_of_lists(knowledge: Path) -> None:
    """Refuse rows an owner may choose that are no code of a profile; one file after the other."""
    for name, codes in _EXPECTED.items():
        document = load(knowledge / name)
        document.refuse(
            ((position, "id"), f"{row['id']!r} is no code of a firm's profile")
            for position, row in enumerate(document.data)
            if row["id"] not in codes
        )


def _named(path: Path, *part: str) -> list[str]:
    data = load(path).data
    for key in part:
        data = data[key]
    return list(data)


def _verified_after_all(knowledge: Path, names: Iterable[str]) -> Iterator[Problem]:
    known = {record.id for record in load_programmes(knowledge)}
    for name in unverified(knowledge):
        if name in known:
            yield (name,), f"{name!r} has a record in programmes.yml"
        elif name not in names:
            yield (name,), f"{name!r} is no name of entity_names.yml"


def unverified(knowledge: Path) -> dict[str, str]:
    """Return the names that owners say and no source supports, each with the reason; raise KnowledgeErrors."""
    return dict(load(knowledge / "unverified.yml").parse(dict[str, str]))


def _dated(knowledge: Path, today: date, shown: Callable[[str], str]) -> Iterator[Finding]:
    for name in FILES_WITH_RECORDS:
        try:
            document = load(knowledge / name)
        except KnowledgeErrors:
            continue  # told already
        for level, problems in (("error", _future(document, today)), ("warning", _old(document, today))):
            for loc, why in problems:
                yield Finding(level, shown(str(document.path)), document.line(loc), why)  # type: ignore[arg-type]


def _future(document: Document, today: date) -> Iterator[Problem]:
    for loc, text in _written_dates(document):
        day = _first_day(text) if re.match(AS_OF, text) else None
        if day is not None and day > today:
            yield loc, f"{text} is in the future"


def _old(document: Document, today: date) -> Iterator[Problem]:
    for position, record in _records(document):
        review = record.get("review_by")
        if isinstance(review, date) and review < today and not record.get("historic"):
            yield (position, "review_by"), f"{record.get('id')}: the review was due on {review}"
        oldest = {**OLDEST_MONTHS, "in force": LAW_MONTHS} if document.path.name == "legal.yml" else OLDEST_MONTHS
        yield from _outlived((position,), record, today, oldest)


def _outlived(loc: Loc, record: Mapping[str, Any], today: date, oldest: Mapping[str, int]) -> Iterator[Problem]:
    status = record.get("status")
    nested = status if isinstance(status, dict) else None
    value, as_of = (nested.get("value"), nested.get("as_of")) if nested else (status, record.get("as_of"))
    months = oldest.get(str(value))
    first = _first_day(as_of) if isinstance(as_of, str) else None
    if months is None or first is None:
        return
    # A year alone counts from its December, as in an answer (`to_verify`).
    month = first.month if len(str(as_of)) > 4 else 12
    if (today.year - first.year) * 12 + today.month - month > months:
        where = (*loc, "status", "as_of") if nested else (*loc, "as_of")
        yield where, f"{record.get('id')}: {value!r} was last known of {as_of}, more than {months} months ago"


def _records(document: Document) -> Iterator[tuple[int, Mapping[str, Any]]]:
    rows = document.data if isinstance(document.data, list) else []
    return ((position, row) for position, row in enumerate(rows) if isinstance(row, dict))


def _written_dates(document: Document) -> Iterator[tuple[Loc, str]]:
    """Give the dates of information, and of what was read, with their places."""
    for position, record in _records(document):
        status = record.get("status")
        places: list[tuple[Loc, Any]] = [((position, "as_of"), record.get("as_of"))]
        if isinstance(status, dict):
            places.append(((position, "status", "as_of"), status.get("as_of")))
        sources = record.get("sources")
        for number, source in enumerate(sources if isinstance(sources, list) else ()):
            if isinstance(source, dict):
                places.append(((position, "sources", number, "date"), source.get("date")))
        yield from ((loc, text) for loc, text in places if isinstance(text, str))


def _first_day(text: str) -> date | None:
    """Return the first day of a year, month or day; None when there is no such one, years alone between two taken."""
    span = re.fullmatch(r"(\d{4})-(\d{4})", text)
    parts = (span.group(1) if span else text).split("-")
    try:
        year, month, day = (int(part) for part in (*parts, "01", "01")[:3])
        return date(year, month, day)
    except ValueError:
        return None
