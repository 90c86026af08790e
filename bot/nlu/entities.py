"""Everything a message says of a firm, as entities in normal form (services.md "A parsed message")."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from bot.knowledge.loader import load
from bot.nlu import firm_facts
from bot.nlu.amounts import UNITS, amounts
from bot.nlu.numbers import tokens
from bot.nlu.phrases import Hit, PhraseBook
from bot.nlu.places import Gazetteer
from bot.nlu.text import Word, word_set
from bot.nlu.told import role_of

_STUCK_UNITS = UNITS | word_set(
    "ans an snin sna 3am mois chhour dnas nas dyal d personnes salaries employes khddama femmes nssa"
)
_GENERIC_SECTOR = "grocery"
"""A sector whose words (`7anout`, `commerçant`) yield to a trade named beside them."""

_REFUSALS = word_set("pas machi ماشي bla بلا mafhemtch kanfhemch makanfhemch plus non walo ma ما")
_REFUSALS_AFTER = word_set("pas machi ماشي s3ib صعيب")
_DENIALS = word_set(
    "pas sans ni aucun aucune ma3ndich ma3andich ma3endich ma3ndna ma3ndnach mazal machi bla ماعنديش ماعندناش "
    "عنديش عندناش ماعندي ماشي مازال بلا لا باقي"
)


@dataclass(frozen=True)
class Entity:
    """A named value and its place in the original text; region and province come with places."""

    entity: str
    value: Any
    start: int
    end: int
    region: str | None = None
    province: str | None = None
    role: str | None = None
    """Of a sum: `turnover`, `own_funds`, or None where nothing says what it is."""

    def as_document(self) -> dict[str, Any]:
        """Return the JSON form of services.md, with `region` and `province` where they are known."""
        fields = {"entity": self.entity, "value": self.value, "start": self.start, "end": self.end}
        places = {"region": self.region, "province": self.province}
        known = fields | {name: code for name, code in places.items() if code and self.entity != name}
        return known | {"role": self.role} if self.role else known


class FirmEntities:
    """Find the entities of a message with the names of the knowledge files."""

    def __init__(self, knowledge: Path) -> None:
        """Read sectors, concepts, other names and places; raise KnowledgeErrors."""
        names = load(knowledge / "entity_names.yml").data
        ordinary = names["ordinary"]
        sectors = load(knowledge / "sectors.yml").data
        keywords = {row["id"]: _flat(row.get("keywords", {}).values()) for row in sectors}
        self._sectors = PhraseBook(keywords, ordinary=ordinary)
        self._concepts = PhraseBook(load(knowledge / "concept_names.yml").data, ordinary=ordinary)
        self._named = {name: PhraseBook(names[name], ordinary=ordinary) for name in ("legal_form", "programme", "axis")}
        needs = load(knowledge / "need_words.yml").data
        self._needs = {name: PhraseBook(needs[name], loose=False) for name in ("project_kind", "provider_category")}
        self._languages = PhraseBook(load(knowledge / "languages.yml").data)
        self._places = Gazetteer(load(knowledge / "place_names.yml").data)

    def find(self, text: str, today: date) -> list[Entity]:
        """Give the entities of a message in its order; ages are counted up to `today`."""
        words = tokens(text, _STUCK_UNITS)
        found = [
            *self._sector(words),
            *self._place(words, text),
            *_facts(words, text, today),
            *_money(words, text),
            *(_entity(words, name, hit) for name, book in self._needs.items() for hit in book.find(words)[:1]),
            *self._legal_form(words),
            *(_entity(words, "programme", hit) for hit in _distinct(self._named["programme"].find(words))),
            *(_entity(words, "concept", hit) for hit in _distinct(self._concepts.find(words))),
            *(_entity(words, "axis", hit) for hit in _distinct(self._named["axis"].find(words))),
            *self._language(words),
        ]
        return sorted(found, key=lambda entity: (entity.start, entity.end))

    def _sector(self, words: Sequence[Word]) -> Iterator[Entity]:
        """Give one sector: the most precise of those named."""
        hits = self._sectors.find(words)
        if not hits:
            return
        precise = [hit for hit in hits if hit.name != _GENERIC_SECTOR] or hits
        best = max(precise, key=lambda hit: (hit.last - hit.first, hit.exact, -hit.first))
        yield _entity(words, "sector", best)

    def _legal_form(self, words: Sequence[Word]) -> Iterator[Entity]:
        """Give one legal form; any other says more than "company"."""
        hits = [hit for hit in map(partial(_unless_denied, words), self._named["legal_form"].find(words)) if hit]
        if hits:
            yield _entity(words, "legal_form", next((hit for hit in hits if hit.name != "company"), hits[0]))

    def _place(self, words: Sequence[Word], text: str) -> Iterator[Entity]:
        for hit in self._places.find(words, text):
            place = hit.place
            start, end = words[hit.first].start, words[hit.last - 1].end
            yield Entity(place.kind, place.name, start, end, place.region, place.province)

    def _language(self, words: Sequence[Word]) -> Iterator[Entity]:
        """Give the varieties asked for, without those refused: `français pas bon 3ndi, l3arbiya ahsen`."""
        for hit in self._languages.find(words):
            before = {word.form for word in words[max(0, hit.first - 2) : hit.first]}
            after = {word.form for word in words[hit.last : hit.last + 1]}
            if not (_REFUSALS & before or _REFUSALS_AFTER & after):
                yield _entity(words, "language", hit)


def _unless_denied(words: Sequence[Word], hit: Hit) -> Hit | None:
    """Drop a legal form the owner says they do not have; without a register or a patente a firm is informal."""
    before = [word.form for word in words[max(0, hit.first - 4) : hit.first]]
    if hit.name == "informal" or not _DENIALS.intersection(before):
        return hit
    return replace(hit, name="informal") if hit.name == "individual" else None


def _facts(words: Sequence[Word], text: str, today: date) -> Iterator[Entity]:
    firm_age, owner_age = firm_facts.ages(text, words, today)
    told = {
        "staff": firm_facts.staff(text, words),
        "firm_age": firm_age,
        "owner_age": owner_age or firm_facts.age_in_words(words),
        "owner_gender": firm_facts.gender(words),
    }
    for name, facts in told.items():
        for fact in facts:
            yield Entity(name, fact.value, words[fact.first].start, words[fact.last - 1].end)


def _money(words: Sequence[Word], text: str) -> Iterator[Entity]:
    for amount in amounts(text):
        inside = [place for place, word in enumerate(words) if amount.start <= word.start < amount.end]
        role = role_of(words, inside[0], inside[-1]) if inside else None
        value: Any = amount.value
        value = {"min": _whole(value[0]), "max": _whole(value[1])} if isinstance(value, tuple) else _whole(value)
        yield Entity("amount", value, amount.start, amount.end, role=role)


def _entity(words: Sequence[Word], name: str, hit: Hit) -> Entity:
    return Entity(name, hit.name, words[hit.first].start, words[hit.last - 1].end)


def _distinct(hits: Iterable[Hit]) -> Iterator[Hit]:
    seen: set[str] = set()
    for hit in hits:
        if hit.name not in seen:
            seen.add(hit.name)
            yield hit


def _flat(lists: Iterable[Iterable[str]]) -> list[str]:
    return [value for values in lists for value in values]


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 2)


def spans(entities: Iterable[Entity]) -> Mapping[str, list[Any]]:
    """Give the values by entity name, in the order of the message."""
    values: dict[str, list[Any]] = {}
    for entity in entities:
        values.setdefault(entity.entity, []).append(entity.value)
    return values
