"""Words of three varieties that mean the same: knowledge/lexicon.yml turned into a view of a message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from bot.knowledge.loader import load
from bot.nlu.phrases import bare, bone_variants, variants
from bot.nlu.text import is_arabic, plain, word_skeleton

_FEWEST_BONES = 3
"""Consonants a Darija word must have to be found by its skeleton."""
_SHORTEST_STEM = 3
_NEGATED = re.compile(r"(?:w|و)?(?:ma|ما|m)(.{2,12})(?:ch|sh|ش)(?:i|ي)?")
_NOT = "not"


class Lexicon:
    """Concepts by their words; a word may carry several."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Take `concept: "word word stem* two_words"` as the file has it."""
        self.entries = {name: " ".join(str(forms).split()) for name, forms in entries.items()}
        self._exact: dict[str, list[str]] = {}
        self._bones: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        self._phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        for name, forms in self.entries.items():
            for form in forms.split():
                self._add(name, form)
        self._stem_lengths = sorted({len(stem) for stem in self._stems}, reverse=True)

    @classmethod
    def read(cls, path: Path) -> Lexicon:
        """Read lexicon.yml; raise KnowledgeErrors."""
        return cls(load(path).data)

    def _add(self, name: str, form: str) -> None:
        words = plain(form.replace("_", " ").replace("*", "")).split()
        if not words:
            return
        if len(words) > 1:
            self._phrases.setdefault(words[0], []).append((tuple(words), name))
        elif form.endswith("*") and len(words[0]) >= _SHORTEST_STEM:
            self._stems.setdefault(words[0], []).append(name)
        else:
            self._exact.setdefault(bare(words[0]), []).append(name)
            bones = word_skeleton(words[0])
            if len(bones) >= _FEWEST_BONES and name not in self._bones.setdefault(bones, []):
                self._bones[bones].append(name)

    def concepts(self, words: list[str]) -> list[str]:
        """Give the concepts of a message, split into words in `plain` form, in its order."""
        found: list[str] = []
        for place, word in enumerate(words):
            for name in self._at(words, place, word):
                if not found or found[-1] != name:
                    found.append(name)
        return found

    def _at(self, words: list[str], place: int, word: str) -> list[str]:
        names = [name for key, name in self._phrases.get(word, ()) if tuple(words[place : place + len(key)]) == key]
        own = self._of_word(word)
        if len(word) > 3 and (negated := _NEGATED.fullmatch(word)):
            names.append(_NOT)
            own = own or self._of_word(negated[1])
        return names + own

    def _of_word(self, word: str) -> list[str]:
        for form in variants(word):
            if form in self._exact:
                return self._exact[form]
        if not is_arabic(word):
            for length in self._stem_lengths:
                if word[:length] in self._stems:
                    return self._stems[word[:length]]
        for bones in bone_variants(word):
            if bones in self._bones:
                return self._bones[bones]
        return []
