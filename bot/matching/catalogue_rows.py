"""The columns of a provider catalogue (docs/catalogue.md): from the cells of a row to an entry, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from bot.knowledge.firm import MOST_MAD, Gender, LegalForm
from bot.knowledge.loader import load
from bot.knowledge.places import folded
from bot.knowledge.source import Source
from bot.knowledge.text import Text
from bot.knowledge.words import Sector
from bot.matching import catalogue_cells as cells_of
from bot.matching.catalogue_cells import Broken, Reader, WrongCell
from bot.matching.records import (
    CONTACT,
    NAME,
    SUMMARY,
    Axis,
    Cost,
    Entry,
    Kind,
    Language,
    Limits,
    ProviderCategory,
    Territory,
    TrainingTopic,
    entry_problems,
)

Cells = dict[str, str]
"""The normal forms of a row's cells by column; an empty cell is left out."""


class WrongRow(ValueError):
    """Why a row is refused: each wrong column with its reason."""


class WrongHeader(ValueError):
    """Why nothing of a file can be read."""


@dataclass(frozen=True)
class Column:
    """A column: how its cells are read, what else people call it, whether each row needs it."""

    name: str
    read: Reader
    also: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Terms:
    """What the columns take from knowledge/: names of sectors, and what is said of each category."""

    sectors: Mapping[str, str]
    categories: Mapping[str, Entry]
    taken_ids: frozenset[str] = field(default_factory=frozenset)


def terms_of(knowledge: Path, entries: Sequence[Entry]) -> Terms:
    """Return the terms of a knowledge folder whose entries have been read; raise KnowledgeErrors."""
    sectors = load(knowledge / "sectors.yml").parse(list[Sector])
    names = {
        folded(name): sector.id
        for sector in sectors
        for name in (sector.id, *sector.title.dict(by_alias=True).values())
    }
    categories: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda entry: bool(entry.sources)):  # a category's own record has no source
        if entry.category is not None:
            categories.setdefault(entry.category, entry)
    return Terms(names, categories, frozenset(entry.id for entry in entries))


_FORMS = {
    "informel": "informal", "sans papiers": "informal", "autoentrepreneur": "auto_entrepreneur",
    "personne physique": "individual", "entreprise individuelle": "individual", "societe": "company", "sarl": "company",
    "sarl au": "company", "sa": "company", "sas": "company", "cooperative agricole": "cooperative",
    "المقاول الذاتي": "auto_entrepreneur", "شركة": "company", "تعاونية": "cooperative", "جمعية": "association",
}  # fmt: skip
_KINDS = {
    "formation": "training", "outil": "tool", "logiciel": "tool", "prestataire": "provider", "fournisseur": "provider",
    "plateforme": "platform", "تكوين": "training",
}  # fmt: skip
_COSTS = {"gratuit": "free", "fabor": "free", "payant": "paid", "inconnu": "unknown", "فابور": "free", "مجاني": "free"}
_STATES = {"en vigueur": "in force", "actif": "in force", "annonce": "announced", "inconnu": "unknown"}
_LANGUAGES = {
    "francais": "fr", "french": "fr", "darija": "ary", "دارجة": "ary", "الدارجة": "ary", "arabe": "ar", "arabic": "ar",
    "arabe standard": "ar", "العربية": "ar", "amazigh": "zgh", "tamazight": "zgh", "الأمازيغية": "zgh",
    "anglais": "en", "english": "en", "espagnol": "es", "spanish": "es", "الفرنسية": "fr",
}  # fmt: skip
_LEVELS = {"haute": "high", "moyenne": "medium"}
_OWNERS = {"femme": "f", "femmes": "f", "homme": "m", "hommes": "m"}


def _names(values: Iterable[Any], also: Mapping[str, str] | None = None) -> dict[str, str]:
    plain = {folded(str(value)): str(value) for value in values}
    return plain | {folded(name): value for name, value in (also or {}).items()}


def columns_of(terms: Terms) -> tuple[Column, ...]:
    """Return the columns in the order of an export."""
    staff, turnover = cells_of.number(1, 100_000), cells_of.number(0, MOST_MAD)
    short = cells_of.text(120)
    return (
        Column("id", cells_of.slug, ("identifiant",), required=True),
        Column("kind", cells_of.code(_names(get_args(Kind), _KINDS)), ("type",), required=True),
        Column("name", cells_of.text(NAME), ("nom", "raison sociale"), required=True),
        Column("name_arab", cells_of.text(NAME), ("nom arabe",)),
        Column("name_latn", cells_of.text(NAME), ("nom darija latin",)),
        Column("summary", cells_of.text(SUMMARY), ("description", "resume"), required=True),
        Column("summary_arab", cells_of.text(SUMMARY), ("description arabe", "resume arabe")),
        Column("summary_latn", cells_of.text(SUMMARY), ("description darija latin",)),
        Column("category", cells_of.code(_names(get_args(ProviderCategory))), ("categorie",)),
        Column("topics", cells_of.codes(_names(get_args(TrainingTopic))), ("topic", "themes")),
        Column("axes", cells_of.codes(_names(get_args(Axis))), ("axis", "axe")),
        Column("rungs", cells_of.codes(_names((1, 2, 3))), ("rung", "paliers")),
        Column("regions", cells_of.regions, ("region",)),
        Column("provinces", cells_of.provinces, ("province", "prefecture")),
        Column("online", cells_of.flag, ("en ligne", "a distance")),
        Column("languages", cells_of.codes(_names(get_args(Language), _LANGUAGES)), ("language", "langues", "langue")),
        Column("for_regions", cells_of.regions, ("reserve aux regions",)),
        Column("sectors", cells_of.codes(terms.sectors), ("sector", "secteurs", "secteur")),
        Column(
            "legal_forms",
            cells_of.codes(_names(get_args(LegalForm), _FORMS)),
            ("legal form", "formes juridiques", "forme juridique"),
        ),
        Column("owner_gender", cells_of.code(_names(get_args(Gender), _OWNERS)), ("genre",)),
        Column("firm_age_max", cells_of.number(0, 200), ("age max",)),
        Column("staff_min", staff, ("effectif min",)),
        Column("staff_max", staff, ("effectif max",)),
        Column("turnover_min_mad", turnover, ("ca min",)),
        Column("turnover_max_mad", turnover, ("ca max",)),
        Column("cost", cells_of.code(_names(get_args(Cost.__fields__["kind"].type_), _COSTS)), ("cout",)),
        Column("price_mad", cells_of.number(1, cells_of.HIGHEST_PRICE), ("prix", "prix mad", "prix dh", "price")),
        Column("cloud", cells_of.flag),
        Column("phone", cells_of.phones, ("telephone", "tel", "gsm")),
        Column("email", cells_of.email, ("e mail", "mail", "courriel")),
        Column("website", cells_of.website, ("site web", "site", "web", "url")),
        Column("contact", cells_of.text(CONTACT), ("personne a contacter", "adresse")),
        Column("status", cells_of.code(_names(get_args(Entry.__fields__["status"].type_), _STATES)), ("statut",)),
        Column("as_of", cells_of.since, ("a jour au", "date information"), required=True),
        Column("source_title", short, ("source",), required=True),
        Column("source_publisher", short, ("editeur", "publisher"), required=True),
        Column("source_date", short, ("date source",)),
        Column("source_where", short, ("lien source",)),
        Column("confidence", cells_of.code(_names(("high", "medium"), _LEVELS)), ("confiance",)),
        Column("review_by", cells_of.day, ("a revoir le", "revoir avant")),
    )


COLUMN_NAMES = tuple(column.name for column in columns_of(Terms({}, {})))


def known_names(columns: Sequence[Column]) -> dict[str, Column]:
    """Return the columns by every name a header may give them, folded."""
    return {folded(name): column for column in columns for name in (column.name, *column.also)}


def read_header(header: Sequence[Any], columns: Sequence[Column]) -> list[Column | None]:
    """Return the column at each place, None for one to leave aside; raise WrongHeader naming all that is wrong."""
    known = known_names(columns)
    found: list[Column | None] = []
    reasons: list[str] = []
    for place, cell in enumerate(header, 1):
        title = _title(cell)
        column = known.get(folded(title))
        if column is None and title and not title.startswith("_"):
            near = get_close_matches(folded(title), known, n=1)
            meant = f": is {known[near[0]].name} meant?" if near else " (a column of your own begins with _)"
            reasons.append(f"column {place}: {title[:40]!r} is not known{meant}")
        elif column is not None and column in found:
            reasons.append(f"column {place}: {column.name} stands in column {found.index(column) + 1} already")
        found.append(column)
    missing = [column.name for column in columns if column.required and column not in found]
    if missing:
        reasons.append(f"missing: {', '.join(missing)}")
    if reasons:
        raise WrongHeader("the header is wrong: " + "; ".join(reasons[:12]))
    return found


def _title(cell: Any) -> str:
    try:
        return cells_of.plain(cell)
    except WrongCell:
        return "?"


class Rows:
    """Reads the rows of one file: keeps which ids it has seen."""

    def __init__(self, terms: Terms, header: Sequence[Column | None], today: date) -> None:
        self.terms = terms
        self.header = header
        self.today = today
        self._seen: dict[str, int] = {}

    def read(self, number: int, row: Sequence[Any]) -> Cells:
        """Return the normal forms of a row; raise WrongRow."""
        cells, reasons = self._cells(row)
        if not reasons:
            _fill(cells, self.terms)
            reasons = list(self._problems(cells))
        if reasons:
            raise WrongRow("; ".join(reasons))
        self._seen[cells["id"]] = number
        return cells

    def _cells(self, row: Sequence[Any]) -> tuple[Cells, list[str]]:
        cells: Cells = {}
        reasons: list[str] = []
        for place, cell in enumerate(row):
            column = self.header[place] if place < len(self.header) else None
            if column is None:
                if isinstance(cell, Broken):
                    reasons.append(cell.reason)
                elif place >= len(self.header) and cell not in (None, ""):
                    reasons.append(f"column {place + 1}: the header has no such column")
                continue
            try:
                if value := column.read(cell):
                    cells[column.name] = value
            except WrongCell as error:
                reasons.append(f"{column.name}: {error}")
        told = {reason.partition(":")[0] for reason in reasons}
        for column in self.header:
            if column is not None and column.required and column.name not in cells and column.name not in told:
                reasons.append(f"{column.name}: empty")
        return cells, reasons

    def _problems(self, cells: Cells) -> Iterator[str]:
        name = cells["id"]
        if name in self._seen:
            yield f"id: {name!r} stands in row {self._seen[name]} already"
        if name in self.terms.taken_ids:
            yield f"id: {name!r} is an entry of knowledge/ already"
        if cells["as_of"] > self.today.isoformat():
            yield f"as_of: {cells['as_of']} is in the future"
        if cells["review_by"] < cells["as_of"]:
            yield f"review_by: {cells['review_by']} is before as_of"
        if not any(cells.get(way) for way in ("phone", "email", "website", "contact")):
            yield "contact: a phone, an e-mail address, a website or a contact is needed"
        if "price_mad" in cells and cells["cost"] != "paid":
            yield "price_mad: a price stands with paid only"
            return
        try:
            entry = entry_of(cells, self.terms)
        except ValidationError as failure:
            yield from (f"{error['loc'][0]}: {error['msg']}" for error in failure.errors())
            return
        for loc, why in entry_problems(entry):
            yield f"{loc[0]}: {why}"


def _fill(cells: Cells, terms: Terms) -> None:
    """Write out what a row leaves to the rules of docs/catalogue.md, so that an export says it."""
    category = terms.categories.get(cells.get("category", ""))
    if "axes" not in cells and category is not None and cells["kind"] != "training":
        cells["axes"] = "; ".join(category.axes)
    cells.setdefault("cost", "paid" if "price_mad" in cells else "unknown")
    cells.setdefault("status", "unknown")
    cells.setdefault("confidence", "medium")
    cells.setdefault("source_date", cells["as_of"])
    cells.setdefault("review_by", _a_year_after(cells["as_of"]))


def _a_year_after(as_of: str) -> str:
    year, month, in_month = [*as_of.split("-"), *("12", "28")[as_of.count("-") :]][:3]
    return f"{int(year) + 1}-{month}-{min(int(in_month), 28):02}"


def entry_of(cells: Mapping[str, str], terms: Terms, checked: bool = False) -> Entry:
    """Return the entry that a row tells; of rows that were checked before, without checking again (20 times as fast).

    Raise ValidationError.
    """
    category = terms.categories.get(cells.get("category", ""))
    summary = category.name if category is not None else None
    contact = " · ".join(cells[way] for way in ("contact", "phone", "email", "website") if way in cells)
    fields: dict[str, Any] = {
        "id": cells["id"],
        "kind": cells["kind"],
        "name": _said(cells, "name", None),
        "summary": _said(cells, "summary", summary),
        "contact": Text.construct(fr=contact, ary_arab=contact, ary_latn=contact),
        "topics": _several(cells.get("topics", "")),
        "category": cells.get("category"),
        "axes": _several(cells.get("axes", "")),
        "limits": _limits(*(cells.get(name) for name in _LIMITS)),
        "territory": _territory(cells.get("regions", ""), cells.get("provinces", ""), cells.get("online") == "yes"),
        "languages": _several(cells.get("languages", "")),
        "rungs": tuple(int(rung) for rung in _several(cells.get("rungs", ""))),
        "cost": _cost(cells["cost"], cells.get("price_mad")),
        "cloud": cells.get("cloud") == "yes",
        "status": cells["status"],
        "as_of": cells["as_of"],
        "sources": (
            _source(cells["source_title"], cells["source_publisher"], cells["source_date"], cells.get("source_where")),
        ),
        "confidence": cells["confidence"],
        "review_by": date.fromisoformat(cells["review_by"]),
    }
    return Entry.construct(**fields) if checked else Entry.parse_obj(fields)


def _said(cells: Mapping[str, str], column: str, instead: Text | None) -> Text:
    """Return a text of the catalogue; where a variety lacks it, plain words for the category, else the French one."""
    french = cells[column]
    return Text.construct(
        fr=french,
        ary_arab=cells.get(f"{column}_arab") or (instead["ary-Arab"] if instead else french),
        ary_latn=cells.get(f"{column}_latn") or (instead["ary-Latn"] if instead else french),
    )


_LIMITS = (
    "for_regions", "sectors", "legal_forms", "owner_gender",
    "firm_age_max", "staff_min", "staff_max", "turnover_min_mad", "turnover_max_mad",
)  # fmt: skip


@lru_cache(maxsize=65_536)
def _several(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("; ")) if cell else ()


@lru_cache(maxsize=65_536)
def _limits(
    regions: str | None, sectors: str | None, legal_forms: str | None, gender: str | None, *numbers: str | None
) -> Limits:
    age, staff_min, staff_max, turnover_min, turnover_max = (None if n is None else int(n) for n in numbers)
    return Limits.parse_obj(
        {
            "region": _several(regions or "") or None,
            "sector": _several(sectors or "") or None,
            "legal_form": _several(legal_forms or "") or None,
            "owner_gender": _several(gender or "") or None,
            "firm_age_max": age,
            "staff_min": staff_min,
            "staff_max": staff_max,
            "turnover_min_mad": turnover_min,
            "turnover_max_mad": turnover_max,
        }
    )


@lru_cache(maxsize=65_536)
def _territory(regions: str, provinces: str, online: bool) -> Territory:
    known = {"region": _several(regions), "province": _several(provinces), "online": online}
    return Territory.parse_obj(known)


@lru_cache(maxsize=65_536)
def _cost(kind: str, price: str | None) -> Cost:
    return Cost.parse_obj({"kind": kind, "mad": None if price is None else int(price)})


@lru_cache(maxsize=65_536)
def _source(title: str, publisher: str, when: str, where: str | None) -> Source:
    return Source(title=title, publisher=publisher, date=when, where=where)
