"""What to do next: one card for each question and each rung above the first (knowledge/actions.yml)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import StrictStr, root_validator

from bot.diagnosis.answers import TOP
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.profile import Profile, When
from bot.knowledge.loader import Loc, Problem, Record, load
from bot.knowledge.text import Text, too_long

Ease = Literal["quick", "low_cost", "external"]
Cost = Literal["free", "low", "provider"]
TrainingTopic = Literal[
    "digital_basics", "social_media", "whatsapp_business", "google_profile", "online_selling", "bookkeeping",
    "spreadsheet", "invoicing", "stock", "payments", "online_admin", "cloud_files", "backup",
    "passwords_security", "privacy_0908", "ai_basics", "digital_strategy", "customer_file", "data_decisions",
]  # fmt: skip
ProviderCategory = Literal[
    "none", "web_agency", "marketplace", "payment_provider", "accounting_software", "accountant",
    "pos_software", "it_support", "cloud_storage", "cybersecurity", "crm_software", "bank",
    "training_centre", "adviser", "ai_tools", "public_portal",
]  # fmt: skip

TITLE, WHY, STEP = 60, 120, 160
"""Longest texts, in characters."""
STEPS = range(2, 5)
"""How many steps a card may have."""


class CardVariant(Record):
    """Other words for a card, for the firms that `when` names."""

    when: When
    title: Text | None = None
    why: Text | None = None
    steps: tuple[Text, ...] | None = None

    @root_validator(skip_on_failure=True)
    def _changes_something(cls, values: dict[str, object]) -> dict[str, object]:
        if not any(value for field, value in values.items() if field != "when"):
            raise ValueError("the variant changes no text")
        return values


class Card(Record):
    """The action that climbs one rung of a question, from `to - 1` to `to`."""

    id: StrictStr
    item: StrictStr
    to: Literal[1, 2, 3]
    title: Text
    why: Text
    steps: tuple[Text, ...]
    ease: Ease
    cost: Cost
    training_topic: TrainingTopic
    provider_category: ProviderCategory
    variants: tuple[CardVariant, ...] = ()

    def worded_for(self, profile: Profile) -> Card:
        """Apply the variants that match the firm, in the order of the file: the later one wins."""
        changed: dict[str, object] = {}
        for variant in self.variants:
            if variant.when.matches(profile):
                words = {name: getattr(variant, name) for name in ("title", "why", "steps")}
                changed.update({name: text for name, text in words.items() if text is not None})
        return self.copy(update=changed)


@dataclass(frozen=True)
class Cards:
    """All cards, by item and rung."""

    by_step: Mapping[tuple[str, int], Card]

    def for_step(self, item: str, to: int, profile: Profile) -> Card:
        """Give the card that leads `item` to rung `to`, in the words for this firm; raise KeyError."""
        return self.by_step[item, to].worded_for(profile)


def load_cards(path: str | Path, instrument: Instrument) -> Cards:
    """Read actions.yml, checked to have one card for each step of each question; raise KnowledgeErrors."""
    document = load(path)
    cards = document.parse(list[Card])
    document.refuse(_problems(cards, instrument))
    return Cards({(card.item, card.to): card for card in cards})


def _problems(cards: list[Card], instrument: Instrument) -> Iterator[Problem]:
    missing = {(item, to): None for item in instrument.order for to in range(1, TOP + 1)}
    seen: set[tuple[str, int]] = set()
    for position, card in enumerate(cards):
        step = (card.item, card.to)
        if card.item not in instrument.order:
            yield (position, "item"), f"unknown item {card.item!r}"
        elif step in seen:
            yield (position, "to"), f"{card.item} already has a card to {card.to}"
        seen.add(step)
        missing.pop(step, None)
        if card.id != f"{card.item}-{card.to}":
            yield (position, "id"), f"the id should be {card.item}-{card.to}"
        yield from _words_problems(card, (position,))
        for number, variant in enumerate(card.variants):
            yield from _words_problems(variant, (position, "variants", number))
    for item, to in missing:
        yield (), f"there is no card for {item} to {to}"


def _words_problems(words: Card | CardVariant, loc: Loc) -> Iterator[Problem]:
    if words.title:
        yield from too_long(words.title, TITLE, (*loc, "title"))
    if words.why:
        yield from too_long(words.why, WHY, (*loc, "why"))
    if words.steps is None:
        return
    if len(words.steps) not in STEPS:
        yield (*loc, "steps"), f"{len(words.steps)} steps, two to four are needed"
    for position, step in enumerate(words.steps):
        yield from too_long(step, STEP, (*loc, "steps", position))
