"""Numbers as owners write them: digits of any script, French and Darija words, and what stands between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.nlu.text import Word, word_set, words

# Spellings in `plain` form (no accents, one alef, final ه for ة), as full matches.
_UNITS: dict[int, str] = {
    0: r"zero|sifr|صفر|زيرو",
    1: r"une?|wa?[7h]e?d(?:a|i)?|oua?[7h]e?d|واحد|وحده?|وحدا",
    2: r"deux|[jz]o?u?[jz]|jou[jz]e?|[it]tn[ie]+n|tnin|جوج|زوج|جوز|اتنين|اثنين|تنين|2eme",
    3: r"trois|t[ea]?la?t[ea]?|tla?t[ht]?a|[td]?lata|تلاته?|ثلاثه?|تلته?|ثلاث|تلاتا|تلت",
    4: r"quatre|[a]?r[aeo]?b?3[aeo]?|[a]?r[ae]?b3[ae]?|reb3a|arba3a?|اربعه?|ربعه?|ربعا",
    5: r"cinq|(?:kh|x|5)[ae]?ms[ae]?|خمسه?|خمسا",
    6: r"six|s[ei]?t+a|سته?|ستا",
    7: r"sept|s[ae]?b[ae]?3[ae]?|سبعه?|سبعا",
    8: r"huit|t[he]*m[ae]?n[iy]+[ae]|tmn(?:ya|ia)|tmen|تمنيه?|تمانيه|ثمانيه?|تمنيا|تمن",
    9: r"neuf|t[ei]?s[3e]*[ou]+d|tes[3]?[ae]|ts3[ae]?|تسعود|تسعه?|تسعا|تسع",
    10: r"dix|[3ae]*ch[ea]?ra|3[ea]?chr[ae]?|عشره?|عشرا",
    11: r"onze|[7h][de]*ach|حداش|احدعش",
    12: r"douze|[td]na[ch]+|tna3ch|[ti]*tnach|طناش|تناش|اثناعش|اطناش",
    13: r"treize|t[ea]?l[ea]?t+ach|تلطاش|تلتاش|تلتطاش",
    14: r"quatorze|r[ea]?b[ea]?3?t+ach|ربعطاش|اربعطاش",
    15: r"quinze|(?:kh|x|5)[ae]?m[ea]?s?t+ach|خمسطاش|خمصطاش",
    16: r"seize|s[ea]?t+ach|سطاش|ستاش",
    17: r"s[ae]?b[ea]?3?t+ach|سبعطاش",
    18: r"t[ea]?m[ea]?n?t+ach|تمنطاش|تمانطاش",
    19: r"t[ea]?s[ea]?3?t+ach|تسعطاش",
    20: r"vingt|3[ie]?[ch]+rin|[3e]?chrin|عشرين",
    30: r"trente|t[ea]?lat[iy]n|تلاتين|ثلاثين|تلتين",
    40: r"quarante|r[eo]?b[ea]?3[iy]n|arb3in|ربعين|اربعين",
    50: r"cinquante|(?:kh|x|5)[ae]?ms[iy]n|خمسين",
    60: r"soixante|s[ei]?tt?[iy]n|ستين",
    70: r"septante|s[ae]?b[ea]?3[iy]n|سبعين",
    80: r"t[ea]?ma?n[iy]n|تمانين|ثمانين|تمنين",
    90: r"nonante|t[ea]?s[ea]?3[iy]n|تسعين",
    100: r"cents?|m[iye]+a|m[iy]+at|mya|مي[هات]+|مايه|مءه|ميا|مائه|مئه",
    200: r"m[iye]+t[iaye]+n|ميتاين|ميتين|مايتين|مئتين",
    2000: r"alf[aeiy]+n|الفين|الفاين",
}
_SCALES: dict[int, str] = {
    1_000: r"mille|mil|[lh]?alfs?|elf|a+laf|[ae]?laf|[lt]?alaf|k|الف|لالف|الاف|لاف|تالاف|آلاف|اف",
    1_000_000: (
        r"d?l?[lm]?m[ie]?l+[iy]+[ouw]+ne?s?|d?l?millions?|d?l?ml[aeiy]+n|d?l?mla[iy]+[ie]?n"
        r"|[دبو]?(?:ال?)?مليون|مليون|لمليون|ملايين|ملاين|المليون"
    ),
    1_000_000_000: r"l?m[ie]?l+[iy]+a?rd?s?|b?mlyar|milliards?|[دبو]?(?:ال?)?مليار|مليار|لمليار|ملاير|ملايير",
}  # fmt: skip
_UNIT_FORMS = [(value, re.compile(pattern)) for value, pattern in _UNITS.items()]
_SCALE_FORMS = [(value, re.compile(pattern)) for value, pattern in _SCALES.items()]
_LONGEST = 15
"""Letters of the longest number word."""
_AND = frozenset({"w", "et", "و", "ou", "o"})
_FRENCH = word_set("un une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize")
_STUCK = re.compile(r"^(\d+)([^\W\d]{1,12})$")
_DIGITS = re.compile(r"\d+")
_THREE = re.compile(r"\d{3}")


@dataclass(frozen=True)
class Number:
    """A number below a thousand, or in digits: the words it takes, `first` to `last` excluded, and its value."""

    first: int
    last: int
    value: float
    digits: bool


@lru_cache(maxsize=20_000)
def unit_value(form: str) -> int | None:
    """Give the value of a number word up to 2000 (`jouj`, `عشرين`, `cent`), or None."""
    return _value(form, _UNIT_FORMS)


@lru_cache(maxsize=20_000)
def scale_value(form: str) -> int | None:
    """Give 1000, a million or a milliard for the words that multiply (`alf`, `mlayen`, `مليار`), or None."""
    return _value(form, _SCALE_FORMS)


def _value(form: str, patterns: Sequence[tuple[int, re.Pattern[str]]]) -> int | None:
    if len(form) > _LONGEST:
        return None
    return next((value for value, pattern in patterns if pattern.fullmatch(form)), None)


def tokens(text: str, units: frozenset[str] = frozenset()) -> list[Word]:
    """Give the words of a text, with digits cut from a unit stuck to them (`200dh`, `3snin`)."""
    result = []
    for word in words(text):
        stuck = _STUCK.match(word.form)
        if stuck and (scale_value(stuck[2]) or stuck[2] in units):
            cut = word.start + len(stuck[1])
            result += [Word(word.start, cut, stuck[1]), Word(cut, word.end, stuck[2])]
        else:
            result.append(word)
    return result


def number_at(text: str, tokens: Sequence[Word], place: int) -> Number | None:
    """Read the number that starts at a token: `200 000`, `1,5`, `٢٠٠`, `khamsa w 3chrin`, `quatre vingt`."""
    if _DIGITS.fullmatch(tokens[place].form):
        return _in_digits(text, tokens, place)
    return _in_words(tokens, place)


def _in_digits(text: str, tokens: Sequence[Word], place: int) -> Number:
    """Join groups of three and a decimal part, by what stands between the digits in the original."""
    digits, last = tokens[place].form[:15], place + 1
    while last < len(tokens) and _THREE.fullmatch(tokens[last].form) and len(tokens[place].form) <= 3:
        gap = text[tokens[last - 1].end : tokens[last].start]
        if gap not in (" ", ".", ",", "\u00a0", "\u202f", "'", "\u066c") or len(digits) >= 12 or digits[0] == "0":
            break
        digits += tokens[last].form
        last += 1
    value = float(digits)
    if last < len(tokens) and tokens[last].form.isdigit() and len(tokens[last].form) <= 2:
        gap = text[tokens[last - 1].end : tokens[last].start]
        if gap in (",", "\u066b") or (gap == "." and last == place + 1):
            value += float(f"0.{tokens[last].form}")
            last += 1
    return Number(place, last, value, True)


def _in_words(tokens: Sequence[Word], place: int) -> Number | None:
    total, last, here = 0.0, place, place
    while here < len(tokens) and here - place < 8:
        form = tokens[here].form
        if here > place and form in _AND:
            here += 1
            continue
        value = unit_value(form)
        joined = here > place and tokens[here - 1].form in _AND
        if value is None and here > place and form[0] == "و":
            value, joined = unit_value(form[1:]), True
        if value is None or not _may_follow(total, value, joined or form in _FRENCH):
            break
        total = _joined(total, value)
        here += 1
        last = here
    return Number(place, last, total, False) if last > place else None


def _may_follow(total: float, value: int, joined: bool) -> bool:
    """Keep two counts side by side apart: `jouj tlata` is not five; `khamsin wahed` is fifty persons."""
    if not total:
        return True
    if value == 100:
        return total < 20 or total >= 1000
    if total == 4 and value == 20:
        return True
    if value >= 20:
        return total < 10 or total % 100 == 0
    return total % 100 == 0 or (joined and total % 10 == 0 and value < 20 and total != 10)


def _joined(total: float, value: int) -> float:
    if value == 100 and 1 < total < 20:
        return total * 100
    if total == 4 and value == 20:
        return 80
    return total + value
