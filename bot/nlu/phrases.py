"""Find known names in a message, in any script and with small spelling differences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from bot.nlu.text import Word, is_arabic, plain, word_skeleton

Key = tuple[str, ...]

NO_NAME = "_"
"""First sign of a "name" whose spellings only look like names."""

_FEWEST_BONES = 4
"""Consonants a name must have to be found by its skeleton."""
_FEWEST_BONES_ACROSS = 5
"""The same for a name known in the other script only."""
_CLOSE = 84
"""How alike (0 to 100) two spellings in one script must be beside having the same skeleton."""
_ARABIC_CLITICS = ("وال", "فال", "بال", "كال", "دال", "ال", "ولل", "لل")
_ARABIC_LETTER_CLITICS = "وفبلدك"
_LATIN_ARTICLES = ("lel", "del", "fel", "bel", "wel", "el", "al")


@dataclass(frozen=True)
class Hit:
    """A name found: words `first` to `last` excluded, what it names, whether its letters are exact."""

    first: int
    last: int
    name: str
    exact: bool


class PhraseBook:
    """Names and their spellings, looked up word by word."""

    def __init__(
        self, spellings: Mapping[str, Iterable[str]], loose: bool = True, ordinary: Iterable[str] = ()
    ) -> None:
        """Index the spellings; the first name keeps one that two share.

        `loose` also finds names by their skeleton, unless they start with an `ordinary` word.
        """
        self._ordinary = frozenset(map(plain, ordinary))
        self._exact: dict[Key, str] = {}
        self._bones: dict[Key, list[Key]] = {}
        for name, forms in spellings.items():
            for form in forms:
                key = tuple(bare(word) for word in plain(form).split())
                if key:
                    self._exact.setdefault(key, name)
        for key in self._exact:
            bones = tuple(word_skeleton(word) for word in key)
            if loose and all(bones) and sum(map(len, bones)) >= _FEWEST_BONES:
                self._bones.setdefault(bones, []).append(key)
        self._longest = max(map(len, self._exact), default=0)
        self._starts = {key[0] for key in self._exact}
        self._bone_starts = {key[0] for key in self._bones}

    def find(self, words: Sequence[Word]) -> list[Hit]:
        """Give the names in a message in its order, the longest where several overlap."""
        hits: list[Hit] = []
        place = 0
        while place < len(words):
            hit = self.at(words, place)
            if hit is not None and not hit.name.startswith(NO_NAME):
                hits.append(hit)
            place = hit.last if hit is not None else place + 1
        return hits

    def at(self, words: Sequence[Word], place: int) -> Hit | None:
        """Give the longest name that starts at a word."""
        starts = [form for form in variants(words[place].form) if form in self._starts]
        bone_starts = [bone for bone in self._loose_starts(words[place].form) if bone in self._bone_starts]
        if not starts and not bone_starts:
            return None
        for length in range(min(self._longest, len(words) - place), 0, -1):
            rest = tuple(bare(word.form) for word in words[place + 1 : place + length])
            for start in starts:
                if name := self._exact.get((start, *rest)):
                    return Hit(place, place + length, name, True)
            rest_bones = tuple(map(word_skeleton, rest))
            for start in bone_starts:
                for key in self._bones.get((start, *rest_bones), ()):
                    if any(_alike((form, *rest), key) for form in variants(words[place].form)):
                        return Hit(place, place + length, self._exact[key], False)
        return None

    def _loose_starts(self, form: str) -> Key:
        return () if form in self._ordinary else bone_variants(form)


def _alike(seen: Key, known: Key) -> bool:
    """Compare two spellings with one skeleton: across scripts a long one is enough, else the letters must be close."""
    first, second = " ".join(seen), " ".join(known)
    if is_arabic(first) != is_arabic(second):
        return sum(map(len, map(word_skeleton, known))) >= _FEWEST_BONES_ACROSS
    return first[0] == second[0] and ratio(first, second) >= _CLOSE


@lru_cache(maxsize=20_000)
def bare(form: str) -> str:
    """Drop the article and the plural s of a word in `plain` form; both sides of a comparison go through it."""
    if not is_arabic(form) and len(form) > 4 and form[-1] in "sx":
        form = form[:-1]
    return without_article(form)


@lru_cache(maxsize=20_000)
def without_article(form: str) -> str:
    """Drop the article of a word in `plain` form: `ال`, `l7anout`, and the double letter of `ssit`."""
    if is_arabic(form):
        return form[2:] if form.startswith("ال") and len(form) > 4 else form
    if len(form) > 3 and form[0] == "l" and form[1] not in "aeiouyl":
        return form[1:]
    if len(form) > 3 and form[0] == form[1]:
        return form[1:]
    return form


@lru_cache(maxsize=20_000)
def variants(form: str) -> Key:
    """Give the forms a word may have once a stuck particle or possessive is cut off."""
    return tuple(dict.fromkeys(bare(variant) for variant in _cuts(form)))


@lru_cache(maxsize=20_000)
def bone_variants(form: str) -> Key:
    """Give the skeletons of `variants`."""
    return tuple(dict.fromkeys(filter(None, map(word_skeleton, variants(form)))))


def _cuts(form: str) -> Iterator[str]:
    yield form
    if is_arabic(form):
        for clitic in _ARABIC_CLITICS:
            if form.startswith(clitic) and len(form) - len(clitic) >= 3:
                yield form[len(clitic) :]
        if form[0] in _ARABIC_LETTER_CLITICS and len(form) > 3:
            yield form[1:]
        for suffix in ("نا", "ي"):
            if form.endswith(suffix) and len(form) - len(suffix) >= 3:
                yield form[: -len(suffix)]
        return
    for article in _LATIN_ARTICLES:
        if form.startswith(article) and len(form) - len(article) >= 4:
            yield form[len(article) :]
    for suffix in ("na", "i"):
        if form.endswith(suffix) and len(form) - len(suffix) >= 4:
            yield form[: -len(suffix)]
