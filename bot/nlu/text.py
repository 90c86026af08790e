"""Three views of a message: clean, normalised, and the consonant skeleton where scripts and spellings meet.

Every function takes any string, in linear time, and never raises.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARS = 1000
"""Characters of a message that are read; what comes after is ignored."""

_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
_ARABIC_LETTER = re.compile(r"[\u0621-\u064a\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]")
_DROPPED = re.compile(f"[{_INVISIBLE}]")
_SPACES = re.compile(r"\s+")
_LONG_RUN = re.compile(r"(\D)\1{2,}")
_WORD = re.compile(rf"[\w{_MARKS}{_INVISIBLE}]+")
_MARK = re.compile(rf"[{_MARKS}\u0640]")
_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02bc\u02b9\u0060\u00b4\u2032]")
_NOT_WORD = re.compile(r"[^\w\s]+|_")

_LETTERS = str.maketrans(
    {
        **dict.fromkeys("أإآٱ", "ا"),
        **dict.fromkeys("ىیېئ", "ي"),
        **dict.fromkeys("ةەہۃھ", "ه"),
        **dict.fromkeys("کڪگڭݣ", "ك"),
        **dict.fromkeys("ڤڢڥ", "ف"),
        "ؤ": "و",
        "پ": "ب",
        "چ": "ش",
        "ژ": "ج",
        "ء": None,
        "œ": "oe",
        "æ": "ae",
        "ß": "ss",
        "ø": "o",
        "ł": "l",
        "đ": "d",
    }
    | {chr(zero + digit): str(digit) for zero in (0x0660, 0x06F0) for digit in range(10)}
)


@dataclass(frozen=True)
class Word:
    """A word of a message with its place in the original text and its normalised form."""

    start: int
    end: int
    form: str


def clean(text: str) -> str:
    """Lower the case, repair and drop what nobody sees, shorten long runs of a character to two."""
    text = _repair(str(text)[: 2 * MAX_CHARS])
    text = unicodedata.normalize("NFKC", text).lower()
    text = _DROPPED.sub("", text)
    text = "".join(" " if unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") else char for char in text)
    text = _LONG_RUN.sub(r"\1\1", text)
    return _SPACES.sub(" ", text).strip()[:MAX_CHARS].strip()


def normalise(text: str) -> str:
    """Give `clean` text with one spelling for a letter: no accents, no tashkeel, one alef, digits 0-9."""
    return _fold(clean(text))


def plain(text: str) -> str:
    """Give `normalise` text with its words only, one space between them."""
    return _SPACES.sub(" ", _NOT_WORD.sub(" ", normalise(text))).strip()


def skeleton(text: str) -> str:
    """Give the consonants of each word in one alphabet for both scripts (facts/darija_nlu.md E.3)."""
    return " ".join(filter(None, map(word_skeleton, plain(text).split())))


def words(text: str) -> list[Word]:
    """Split the original text into words that know where they stand in it."""
    return [
        Word(match.start(), match.end(), form)
        for match in _WORD.finditer(text[:MAX_CHARS])
        if (form := plain(match.group()).replace(" ", ""))
    ]


def word_set(listed: str) -> frozenset[str]:
    """Give a list of words written in one string as a set of their `plain` forms."""
    return frozenset(plain(listed).split())


def is_arabic(text: str) -> bool:
    """Tell whether at least one letter is Arabic."""
    return _ARABIC_LETTER.search(text) is not None


def _repair(text: str) -> str:
    """Join surrogate pairs and replace the lonely ones by a space."""
    repaired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return repaired.replace("\ufffd", " ")


def _fold(text: str) -> str:
    text = _APOSTROPHES.sub("'", text)
    text = unicodedata.normalize("NFD", text.translate(_LETTERS))
    text = "".join(char for char in text if unicodedata.category(char) != "Mn" and char != "\u0640")
    return _LONG_RUN.sub(r"\1\1", text)


# The skeleton. Latin digraphs first, then letters; both scripts land in the same alphabet:
# S=ش ch sh, x=خ kh 5, G=غ gh, h=ح ه 7, E=ع 3, k=ك ق g q 9 c; emphatics with their plain letter, p with b, v with f.
_DIGRAPHS = re.compile(r"sch|tch|ch|sh|kh|gh|ph|th|dh|dj|qu|ck|sc(?=[eiy])|c(?=[eiy])|g(?=[eiy])|x")
_DIGRAPH_LETTERS = {
    "sch": "S", "tch": "S", "ch": "S", "sh": "S", "kh": "x", "gh": "G", "ph": "f", "th": "t", "dh": "d",
    "dj": "j", "qu": "k", "ck": "k", "sc": "s", "c": "s", "g": "j", "x": "ks",
}  # fmt: skip
_LATIN = str.maketrans("cqgpv" + "aeiouyw", "kkkbf" + "aaaaaaa", "2'")
_LATIN_DIGITS = str.maketrans("356789", "Exthhk", "0124")
_ARABIC = str.maketrans(
    "بتثجحخدذرزسشصضطظعغفقكلمنه" + "اوي",
    "bttjhxddrzsSsdtdEGfkklmnh" + "aaa",
)
_REPEAT = re.compile(r"(.)\1+")
_COUNT = re.compile(r"^\d{2,}")


@lru_cache(maxsize=50_000)
def word_skeleton(word: str) -> str:
    """Give the skeleton of one word already in `plain` form; a number is `#`."""
    if word.isdigit():
        return "#"
    rest = _COUNT.sub("", word)
    head = "#" if rest != word else ""
    if is_arabic(rest):
        first = "w" if rest[0] == "و" else ""
        letters = rest.removesuffix("ه").translate(_ARABIC) or "h"
    else:
        first = "w" if rest.startswith(("w", "ou")) else ""
        letters = _DIGRAPHS.sub(lambda match: _DIGRAPH_LETTERS[match.group()], rest)
        letters = letters.translate(_LATIN).translate(_LATIN_DIGITS)
    letters = first + letters.replace("a", "")
    return head + _REPEAT.sub(r"\1", letters)
