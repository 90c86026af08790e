"""A text an owner reads: one string for each variety."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, StrictStr, validator

from bot.knowledge.loader import Loc, Problem, Record

VARIETIES = ("fr", "ary-Arab", "ary-Latn")
"""French, Darija in Arabic letters, Darija in Latin letters: the codes of dialogue.md."""


class Text(Record):
    """The same thing said in the three varieties; `text["fr"]` gives one of them."""

    fr: StrictStr
    ary_arab: StrictStr = Field(alias="ary-Arab")
    ary_latn: StrictStr = Field(alias="ary-Latn")

    @validator("*")
    def _not_empty(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("the text is empty")
        return value

    def __getitem__(self, variety: str) -> str:
        """Give the text in one of VARIETIES; raise KeyError for another code."""
        if variety not in VARIETIES:
            raise KeyError(variety)
        return str(getattr(self, variety.replace("-", "_").lower()))


def too_long(text: Text, limit: int, loc: Loc) -> Iterator[Problem]:
    """Name each variety of `text` that has more than `limit` characters."""
    for variety in VARIETIES:
        length = len(text[variety])
        if length > limit:
            yield (*loc, variety), f"{length} characters, at most {limit} are allowed"
