"""Words that stop and restart messages, compared as owners type them: knowledge/keywords.yml."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pydantic import StrictStr

from bot.knowledge.loader import Record, load


class _File(Record):
    opt_out: list[StrictStr]
    opt_in: list[StrictStr]


@dataclass(frozen=True)
class Keywords:
    """The normal forms of the words."""

    opt_out: frozenset[str]
    opt_in: frozenset[str]

    def stops(self, text: str) -> bool:
        """Say whether the text is a word that stops messages, and nothing else."""
        return normal_form(text) in self.opt_out

    def restarts(self, text: str) -> bool:
        """Say whether the text is a word that takes a stop back, and nothing else."""
        return normal_form(text) in self.opt_in


def normal_form(text: str) -> str:
    """Return letters and digits in lower case without accents, one space between words; at most 40 characters read."""
    plain = unicodedata.normalize("NFKD", text[:40]).casefold()
    spaced = "".join(
        char if char.isalnum() else "" if unicodedata.category(char) in ("Mn", "Cf", "Lm") else " " for char in plain
    )
    return " ".join(spaced.split())


def load_keywords(folder: Path) -> Keywords:
    """Read keywords.yml; raise KnowledgeErrors for a word that stands in both lists."""
    document = load(folder / "keywords.yml")
    file = document.parse(_File)
    out = {normal_form(word) for word in file.opt_out}
    document.refuse(
        (("opt_in", place), f"{word!r} stops messages already")
        for place, word in enumerate(file.opt_in)
        if normal_form(word) in out
    )
    return Keywords(frozenset(out), frozenset(map(normal_form, file.opt_in)))
