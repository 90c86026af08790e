"""Amounts of money said the Moroccan way, in MAD (dialogue.md "Entities")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.nlu.numbers import Number, number_at, scale_value, tokens, unit_value
from bot.nlu.text import Word, word_set

_CURRENCIES = {
    "dirham": (
        "dh dhs drhm drhem derham derhem drham dirham dirhams dirhem mad ddh dhm dham "
        "درهم دراهم الدرهم درهما دهم دراهيم"
    ),
    "thousand_dirhams": "kdh kdhs",
    "million_dirhams": "mdh mdhs",
    "ryal": "ryal rial riyal ryals rials ryalat lryal ريال الريال ريالات",
    "centime": "centime centimes santim ssantim santimat frank franc francs سنتيم السنتيم سانتيم فرنك",
    "foreign": "euro euros eur € $ dollar dollars usd اورو يورو ليورو دولار",
}
_CURRENCY_OF = {form: name for name, forms in _CURRENCIES.items() for form in forms.split()}
_FRACTIONS = {
    **dict.fromkeys(["noss", "nos", "nss", "ness", "nus", "demi", "demie", "نص", "نصف"], 0.5),
    **dict.fromkeys(["rbe3", "rbo3", "rob3", "quart", "ربع"], 0.25),
}
_LINKS = word_set("d de des dyal dial diyal dyl ديال د ل l lel")
_AND = word_set("w et ou o و")
_TO = word_set("a l al 7ta 7tta hta la ila jusqu jusque حتى ل لـ الى wla aw ou او ولا w et و")
_BETWEEN = word_set("entre bin bayn byn mabin bayna بين مابين mn men min من de du")
_COUNTED = word_set(
    "abonnes abonne followers follower clients client personnes personne fois vues vue metres metre km "
    "kilometres m2 kg produits produit pieces articles likes messages visites visiteurs tonnes litres ans "
    "habitants partages متابع زبون كليان شخص مرة مره chokr choukr chokran mabrouk salama marhba salam شكر "
    "مبروك سلام مرحبا"
)
UNITS = frozenset(_CURRENCY_OF) | {"m"}
"""Forms that may be stuck to digits: `200dh`."""

_CENTIMES_IN_DIRHAM = 100
_RYALS_IN_DIRHAM = 20
_MILLION = 1_000_000


@dataclass(frozen=True)
class Amount:
    """A sum in MAD, or the bounds of one, and its place in the text."""

    start: int
    end: int
    value: float | tuple[float, float]


@dataclass(frozen=True)
class _Sum:
    """A number with its scale words, before its currency is known."""

    last: int
    value: float
    largest_scale: int
    counted: bool


def amounts(text: str) -> list[Amount]:
    """Give the amounts of a message; a bare number is none, since it has two readings."""
    words = tokens(text, UNITS)
    found, place = [], 0
    while place < len(words):
        amount, after = _range_at(text, words, place)
        if amount is None:
            amount, after = _amount_at(text, words, place)
        if amount is not None:
            found.append(amount)
        place = max(after, place + 1)
    return found


def _range_at(text: str, words: Sequence[Word], place: int) -> tuple[Amount | None, int]:
    """Read `entre 50 et 100 alf`, `50-60 mille dh`, `mn 20 l 30 mlyoun`: the unit of the end holds for both."""
    opened = words[place].form in _BETWEEN
    low_place = place + opened
    low = _sum_at(text, words, low_place) if low_place < len(words) else None
    if low is None or low.last >= len(words):
        return None, place
    after_low, low_currency = _currency_at(words, low.last)
    gap = text[words[after_low - 1].end : words[after_low].start] if after_low < len(words) else ""
    joined = words[after_low].form in _TO if after_low < len(words) else False
    high_place = after_low + 1 if joined else after_low
    if not (joined or gap.strip() in ("-", "\u2013", "/")) or high_place >= len(words):
        return None, place
    if words[after_low].form in _AND and not opened:
        return None, place
    high = _sum_at(text, words, high_place)
    if high is None:
        return None, place
    last, currency = _currency_at(words, high.last)
    currency = currency or low_currency
    scale = high.largest_scale if low.largest_scale == 1 else 1
    low_value = low.value * scale if low.value * scale <= high.value else low.value
    bounds = (
        _in_dirhams(low_value, max(low.largest_scale, scale), currency),
        _in_dirhams(high.value, high.largest_scale, currency),
    )
    if not (currency or high.largest_scale > 1) or currency == "foreign" or not 0 < bounds[0] < bounds[1]:
        return None, place
    return Amount(words[low_place].start, words[last - 1].end, bounds), last


def _amount_at(text: str, words: Sequence[Word], place: int) -> tuple[Amount | None, int]:
    found = _sum_at(text, words, place)
    if found is None:
        return None, place + 1
    last, currency = _currency_at(words, found.last)
    if currency is None and not _stands_without_currency(words, found):
        return None, found.last
    if currency == "foreign" or (found.value <= 1 and currency != "million_dirhams"):
        return None, last
    if currency is None and _decimal_millions(text, words, place, last):
        return None, last
    value = _in_dirhams(found.value, found.largest_scale, currency)
    return Amount(words[place].start, words[last - 1].end, value), last


def _stands_without_currency(words: Sequence[Word], found: _Sum) -> bool:
    """Tell whether a scale word alone makes it money: `200 alf` does, `10 mille abonnés` and `alf` do not."""
    if found.largest_scale == 1 or not (found.counted or found.largest_scale >= _MILLION):
        return False
    linked = found.last + 1 if found.last + 1 < len(words) and words[found.last].form in _LINKS else found.last
    return linked >= len(words) or words[linked].form not in _COUNTED


def _decimal_millions(text: str, words: Sequence[Word], place: int, last: int) -> bool:
    """Tell `CA 1,2 million` of written French, which may well be dirhams, from `2 millions`."""
    said = text[words[place].start : words[last - 1].end]
    return words[last - 1].form in ("million", "millions") and any(mark in said for mark in ",.")


def _in_dirhams(value: float, largest_scale: int, currency: str | None) -> float:
    """Convert to MAD: millions without a currency are centimes, 20 ryals are a dirham."""
    if currency == "ryal":
        return value / _RYALS_IN_DIRHAM
    if currency == "thousand_dirhams":
        return value * 1000
    if currency == "million_dirhams":
        return value * _MILLION if largest_scale < _MILLION else value
    if currency == "centime" or (currency is None and largest_scale >= _MILLION):
        return value / _CENTIMES_IN_DIRHAM
    return value


def _sum_at(text: str, words: Sequence[Word], place: int) -> _Sum | None:
    """Read counts and scales as long as the scales go down: `mlyoun w 200 alf`, `3 mlayen w noss`."""
    total, largest, smallest, last, counted = 0.0, 1, 10**12, place, False
    here = place
    while here < len(words):
        if last > place and words[here].form in _AND and here + 1 < len(words):
            fraction = _FRACTIONS.get(words[here + 1].form)
            if fraction and smallest < 10**12 and smallest > 1:
                return _Sum(here + 2, total + fraction * smallest, largest, True)
            here += 1
        elif last > place and words[here].form[0] == "و" and smallest > 1:
            fraction = _FRACTIONS.get(words[here].form[1:])
            if fraction:
                return _Sum(here + 1, total + fraction * smallest, largest, True)
        step = _group_at(text, words, here)
        if step is None:
            break
        number, scale, after = step
        if scale >= smallest or (last > place and not _continues(words, last, here, number, scale)):
            break
        total += (number.value if number else 1.0) * scale
        counted = counted or number is not None
        largest, smallest, last, here = max(largest, scale), scale, after, after
    return _Sum(last, total, largest, counted) if last > place else None


def _continues(words: Sequence[Word], last: int, here: int, number: Number | None, scale: int) -> bool:
    """Join `alf w khams mya` and `deux mille cinq cents`; leave `20 mlyoun, 3 dnas` apart."""
    return number is not None and (here > last or not number.digits) and (scale > 1 or number.value >= 1)


def _group_at(text: str, words: Sequence[Word], place: int) -> tuple[Number | None, int, int] | None:
    """Read one count with its scale: `20 mlyoun`, `3 d lmlayen`, `noss mlyoun`, `alf`."""
    if place >= len(words):
        return None
    form = words[place].form
    scale = scale_value(form) if form != "k" else None
    if scale:
        return None, scale, place + 1
    number = number_at(text, words, place)
    if number is None and form in _FRACTIONS and place + 1 < len(words) and scale_value(words[place + 1].form):
        number = Number(place, place + 1, _FRACTIONS[form], False)
    if number is None and form[0] == "و" and unit_value(form[1:]):
        number = Number(place, place + 1, float(unit_value(form[1:]) or 0), False)
    if number is None:
        return None
    after = number.last
    skipped = after + 1 if after + 1 < len(words) and words[after].form in _LINKS else after
    if skipped < len(words) and (scale := scale_value(words[skipped].form)):
        return number, scale, skipped + 1
    return number, 1, after


def _currency_at(words: Sequence[Word], place: int) -> tuple[int, str | None]:
    """Give the place after the currency and its name; `mlyoun d dirham`, `dh`."""
    linked = place + 1 if place + 1 < len(words) and words[place].form in _LINKS else place
    for here in (place, linked):
        if here < len(words) and (name := _CURRENCY_OF.get(words[here].form)):
            return here + 1, name
    if place + 1 < len(words) and words[place].form == "m" and words[place + 1].form in ("dh", "dhs"):
        return place + 2, "million_dirhams"
    return place, None
