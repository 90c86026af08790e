"""Answers to the test: a graded value, "I don't know", "not concerned", or what a rule put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.diagnosis.instrument import MAY_NOT_APPLY, Instrument

Status = Literal["answered", "dk", "na", "imputed", "skipped"]
"""`dk` counts as 0; `na` and `skipped` (asked, never answered) count nowhere; `imputed` comes from a rule."""

TOP = 3
"""The best graded answer."""


@dataclass(frozen=True)
class Answer:
    """The state of one item; `value` is 0 to 3, or None for an item that counts nowhere."""

    item: str
    status: Status
    value: int | None = None

    def __post_init__(self) -> None:
        if self.status == "na" and self.item not in MAY_NOT_APPLY:
            allowed = ", ".join(MAY_NOT_APPLY)
            raise ValueError(f"{self.item}: 'na' is allowed only for {allowed}")
        if self.status in ("na", "skipped"):
            if self.value is not None:
                raise ValueError(f"{self.item}: an answer {self.status!r} has no value")
        elif self.value not in range(TOP + 1):
            raise ValueError(f"{self.item}: the value is 0, 1, 2 or 3, not {self.value!r}")
        elif self.status == "dk" and self.value != 0:
            raise ValueError(f"{self.item}: 'dk' counts as 0, not {self.value}")


Answers = Mapping[str, Answer]
"""One answer an item, by item id."""


def answered(item: str, value: int) -> Answer:
    """Make the answer of an owner who picked an option."""
    return Answer(item, "answered", value)


def dont_know(item: str) -> Answer:
    """Make the answer of an owner who does not know: it counts as 0."""
    return Answer(item, "dk", 0)


def not_applicable(item: str) -> Answer:
    """Make the answer of an owner who is not concerned; raise ValueError where that is not offered."""
    return Answer(item, "na")


def imputed(item: str, value: int) -> Answer:
    """Make the answer that a rule of diagnosis.md 3.5 puts in the place of a question."""
    return Answer(item, "imputed", value)


def skipped(item: str) -> Answer:
    """Mark a question that was asked and given up: it is not asked again and counts nowhere."""
    return Answer(item, "skipped")


def parse_answers(data: Mapping[str, object], instrument: Instrument) -> dict[str, Answer]:
    """Take `{"P1": 2, "C1": "dk", "G2": "na"}` (services.md); raise ValueError naming every bad answer."""
    result: dict[str, Answer] = {}
    reasons: list[str] = []
    for item, given in data.items():
        try:
            result[item] = _parse(item, given, instrument)
        except ValueError as error:
            reasons.append(str(error))
    if reasons:
        raise ValueError("; ".join(reasons))
    return result


def _parse(item: str, given: object, instrument: Instrument) -> Answer:
    if item not in instrument.order:
        raise ValueError(f"unknown item {item!r}")
    if given == "dk":
        return dont_know(item)
    if given == "na":
        return not_applicable(item)
    if isinstance(given, bool) or not isinstance(given, int):
        raise ValueError(f'{item}: an answer is 0, 1, 2, 3, "dk" or "na", not {given!r}')
    return answered(item, given)
