"""What can be matched, as the knowledge folder has it (knowledge/trainings.yml, knowledge/providers.yml)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import ConstrainedInt, Field, StrictBool, StrictStr, root_validator, validator

from bot.knowledge.firm import Exact, Gender, LegalForm, Region, Sector
from bot.knowledge.loader import Problem, Record, load
from bot.knowledge.places import places
from bot.knowledge.source import AS_OF, Source
from bot.knowledge.text import VARIETIES, Text, too_long

NAME, SUMMARY, CONTACT = 60, 280, 200
"""Longest texts, in characters."""

Kind = Literal["training", "tool", "provider", "platform"]
Language = Literal["fr", "ary", "ar", "zgh", "en", "es"]
"""French, Darija, Standard Arabic, Amazigh, English, Spanish (ISO 639)."""
Rung = Literal[1, 2, 3]
"""A rung of an axis to reach (diagnosis.md)."""
Axis = Literal["P", "C", "V", "G", "E", "D", "S"]
TrainingTopic = Literal[
    "digital_basics", "social_media", "whatsapp_business", "google_profile", "online_selling", "bookkeeping",
    "spreadsheet", "invoicing", "stock", "payments", "online_admin", "cloud_files", "backup",
    "passwords_security", "privacy_0908", "ai_basics", "digital_strategy", "customer_file", "data_decisions",
]  # fmt: skip
ProviderCategory = Literal[
    "web_agency", "marketplace", "payment_provider", "accounting_software", "accountant", "pos_software",
    "it_support", "cloud_storage", "cybersecurity", "crm_software", "bank", "training_centre", "adviser",
    "ai_tools", "public_portal",
]  # fmt: skip


class Count(ConstrainedInt):
    """A number of people: whole, at least 1."""

    strict = True
    ge = 1


class Cost(Record):
    """What it costs the owner; `mad` only with a dated source."""

    kind: Literal["free", "paid", "unknown"]
    mad: Exact | None = None

    @root_validator(skip_on_failure=True)
    def _price_is_paid(cls, values: dict[str, object]) -> dict[str, object]:
        if values["mad"] is not None and values["kind"] != "paid":
            raise ValueError("a price stands with `paid` only")
        return values


class Limits(Record):
    """Hard limits on who may have it: a firm known to be outside one of them is never shown the entry.

    Numbers are inclusive; `staff` counts the owner, `turnover_*_mad` is last year's without tax.
    """

    region: tuple[Region, ...] | None = None
    sector: tuple[Sector, ...] | None = None
    legal_form: tuple[LegalForm, ...] | None = None
    owner_gender: tuple[Gender, ...] | None = None
    firm_age_max: Exact | None = None
    staff_min: Count | None = None
    staff_max: Count | None = None
    turnover_min_mad: Exact | None = None
    turnover_max_mad: Exact | None = None

    @root_validator(skip_on_failure=True)
    def _leaves_somebody(cls, values: dict[str, Any]) -> dict[str, Any]:
        if any(value == () for value in values.values()):
            raise ValueError("an empty list would shut everybody out: leave the limit away")
        for low, high in (("staff_min", "staff_max"), ("turnover_min_mad", "turnover_max_mad")):
            if values[low] is not None and values[high] is not None and values[low] > values[high]:
                raise ValueError(f"{low} is above {high}: that would shut everybody out")
        return values


class Territory(Record):
    """Where it can be had: on the spot in these regions and in these provinces; `online` from anywhere.

    Without regions and provinces it is there in the whole country. A province has its official French name.
    """

    region: tuple[Region, ...] = ()
    province: tuple[StrictStr, ...] = ()
    online: StrictBool = False

    @validator("province", each_item=True)
    def _exists(cls, name: str) -> str:
        known = places().province(name)
        if known is None:
            raise ValueError(f"{name!r} is no province of Morocco")
        return known.name


class Entry(Record):
    """A training, a tool, a provider or a platform; a category of them where no name is endorsed.

    A training without topics and axes is general: it fits every need. `cloud` marks what works online and is kept
    by somebody else than the owner ("Cloud First", founding document 000). `languages` are those it is spoken or
    taught in; none when no source says. `rungs` are the steps of the ladder it helps to reach; none: all of them.
    """

    id: StrictStr = Field(regex=r"^[a-z0-9]+(-[a-z0-9]+)*\Z")
    kind: Kind
    name: Text
    summary: Text
    contact: Text
    topics: tuple[TrainingTopic, ...] = ()
    category: ProviderCategory | None = None
    axes: tuple[Axis, ...] = ()
    limits: Limits = Limits()
    territory: Territory = Territory()
    languages: tuple[Language, ...] = ()
    rungs: tuple[Rung, ...] = ()
    cost: Cost
    cloud: StrictBool = False
    status: Literal["in force", "announced", "unknown"]
    as_of: StrictStr | None = Field(default=None, regex=AS_OF)
    sources: tuple[Source, ...] = ()
    confidence: Literal["high", "medium"] | None = None
    review_by: date


def load_catalogue(knowledge: Path) -> tuple[Entry, ...]:
    """Read and check trainings.yml, then providers.yml; raise KnowledgeErrors."""
    trainings = _read(knowledge / "trainings.yml", ())
    return trainings + _read(knowledge / "providers.yml", trainings)


def _read(path: Path, before: Sequence[Entry]) -> tuple[Entry, ...]:
    document = load(path)
    entries = document.parse(list[Entry])
    document.refuse(_problems(entries, {entry.id for entry in before}, path.stem))
    return tuple(entries)


def _problems(entries: Sequence[Entry], taken: set[str], file: str) -> Iterator[Problem]:
    for position, entry in enumerate(entries):
        if entry.id in taken:
            yield (position, "id"), f"the id {entry.id!r} is given twice"
        taken = {*taken, entry.id}
        if (entry.kind == "training") != (file == "trainings"):
            yield (position, "kind"), f"{entry.kind} does not belong in {file}.yml"
        yield from (((position, *loc), why) for loc, why in entry_problems(entry))


def entry_problems(entry: Entry) -> Iterator[Problem]:
    """Tell what is wrong with an entry by itself, beyond what its fields refuse."""
    for name, text, longest in (
        ("name", entry.name, NAME),
        ("summary", entry.summary, SUMMARY),
        ("contact", entry.contact, CONTACT),
    ):
        yield from too_long(text, longest, (name,))
        for variety in VARIETIES:
            if "\n" in text[variety]:
                yield (name, variety), "one line is needed"
    if entry.topics and entry.kind != "training":
        yield ("topics",), "only a training has topics"
    if entry.category and entry.kind == "training":
        yield ("category",), "a training has no category"
    if entry.kind != "training" and not entry.axes:
        yield ("axes",), "at least one axis is needed: what the entry serves"
    if (entry.as_of is None) != (not entry.sources):
        yield ("as_of",), "a date stands with a source, and a source with a date"
