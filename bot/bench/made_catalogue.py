"""A catalogue of any size, the same one each time: made up, to measure with."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import get_args

from bot.knowledge.firm import LegalForm, Region, Sector
from bot.knowledge.places import places
from bot.matching.catalogue_rows import COLUMN_NAMES
from bot.matching.records import Axis, ProviderCategory, TrainingTopic

Cells = dict[str, str]


def made_rows(count: int) -> Iterator[Cells]:
    """Give rows of a catalogue file; nearly every one has a price, a territory or limits of its own."""
    chance = random.Random(20_26)
    provinces = sorted({province.name for province in places().provinces.values()})
    for number in range(count):
        kind = chance.choices(("provider", "tool", "platform", "training"), (6, 2, 1, 1))[0]
        cells = {
            "id": f"made-{number:06}",
            "kind": kind,
            "name": f"Prestataire {number} رفيق",
            "summary": f"Fait ce qu'il faut, numéro {number}, près de chez vous.",
            "axes": "; ".join(chance.sample(get_args(Axis), chance.randint(1, 3))),
            "phone": f"05 28 {number // 10_000:02} {number // 100 % 100:02} {number % 100:02}",
            "as_of": f"2026-{chance.randint(1, 10):02}",
            "source_title": "Annuaire",
            "source_publisher": "Chambre",
            "status": chance.choice(("in force", "unknown")),
            "online": chance.choice(("yes", "")),
            "cloud": chance.choice(("yes", "", "")),
            "languages": chance.choice(("fr", "ary; fr", "ary", "")),
            "rungs": chance.choice(("", "1", "2; 3")),
            "regions": "; ".join(chance.sample(get_args(Region), chance.randint(0, 3))),
            "provinces": "; ".join(chance.sample(provinces, chance.randint(0, 2))),
            "sectors": "; ".join(chance.sample(get_args(Sector), chance.choice((0, 0, 4)))),
            "legal_forms": "; ".join(chance.sample(get_args(LegalForm), chance.choice((0, 0, 3)))),
            "staff_max": chance.choice(("", "", "10", "50", "200")),
            "turnover_max_mad": chance.choice(("", "", "10000000", "50000000")),
        }
        if kind == "training":
            cells["topics"] = chance.choice(get_args(TrainingTopic))
        else:
            cells["category"] = chance.choice(get_args(ProviderCategory))
        cells["cost"] = chance.choice(("free", "paid", "unknown"))
        if cells["cost"] == "paid":
            cells["price_mad"] = str(chance.randint(50, 40_000))
        yield cells


def as_table(rows: Iterator[Cells]) -> Iterator[list[str]]:
    """Give the rows as a file has them, the header first."""
    yield list(COLUMN_NAMES)
    for cells in rows:
        yield [cells.get(name, "") for name in COLUMN_NAMES]
