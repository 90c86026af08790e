"""Scores of a set of answers, exactly (diagnosis.md 3.4; services.md, "Diagnosis")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bot.diagnosis.answers import TOP, Answers
from bot.diagnosis.instrument import Instrument

AlertId = Literal["spending_without_plan", "tools_without_skills", "data_without_protection"]

SECURITY = "S"
SECURITY_FLOOR = Fraction(25)
"""Below this score of the security axis the guard-rail holds."""
GUARDED_LEVEL = 3
"""The highest level shown while the guard-rail holds."""
GAP = Fraction(30)
"""How far use must run ahead of skills or protection for an alert."""
RELIABLE = 2
"""Items an axis score needs to be more than indicative."""

# Item, lowest value, points: 11 of the 12 points of Eurostat's index; broadband speed is not asked.
_DII = (
    ("V1", 2, 1), ("V1", 3, 1), ("V2", 2, 2), ("V3", 3, 1), ("G1", 3, 1), ("D1", 2, 1), ("D1", 3, 1),
    ("D3", 2, 1), ("P3", 3, 1), ("C2", 2, 1),
)  # fmt: skip


@dataclass(frozen=True)
class AxisScore:
    """The unrounded score of an axis, 0 to 100, over its `items` that count."""

    axis: str
    score: Fraction
    level: int
    items: tuple[str, ...]

    @property
    def reliable(self) -> bool:
        """Say whether enough items stand behind the score."""
        return len(self.items) >= RELIABLE


@dataclass(frozen=True)
class Alert:
    """A gap worth telling the owner; provisional while only the anchors are answered."""

    id: AlertId
    provisional: bool


@dataclass(frozen=True)
class Score:
    """The result of a test; without any scored item `overall`, levels, strongest and weakest are None."""

    items: tuple[str, ...]
    overall: Fraction | None
    level: int | None
    level_shown: int | None
    axes: dict[str, AxisScore]
    strongest: str | None
    weakest: str | None
    alerts: tuple[Alert, ...]
    provisional: bool
    security_first: bool


def score(instrument: Instrument, answers: Answers) -> Score:
    """Score the answers given, and those imputed, with exact fractions."""
    axes = axis_scores(instrument, answers)
    overall = _overall(instrument, axes)
    level = None if overall is None else instrument.level(overall).id
    security_first = SECURITY in axes and axes[SECURITY].score < SECURITY_FLOOR
    counted = {item for axis in axes.values() for item in axis.items}
    items = tuple(item for item in instrument.order if item in counted)
    # max and min keep the first of equals: the order of the axes breaks ties
    strongest = max(axes, key=lambda axis: axes[axis].score, default=None)
    weakest = min(axes, key=lambda axis: axes[axis].score, default=None)
    return Score(
        items=items,
        overall=overall,
        level=level,
        level_shown=min(level, GUARDED_LEVEL) if level is not None and security_first else level,
        axes=axes,
        strongest=strongest,
        weakest=weakest,
        alerts=_alerts(instrument, answers, axes, items),
        provisional=any(_open(answers, item) for item in instrument.order),
        security_first=security_first,
    )


def axis_scores(instrument: Instrument, answers: Answers) -> dict[str, AxisScore]:
    """Score each axis that has an answered item, in the order of the instrument."""
    result = {}
    for axis in instrument.axes:
        items = [item for item in instrument.order if instrument.question(item).axis == axis.id]
        counted = {i: v for i in items if i in answers and (v := answers[i].value) is not None}
        if any(answers[item].status != "imputed" for item in counted):
            mean = Fraction(100 * sum(counted.values()), TOP * len(counted))
            result[axis.id] = AxisScore(axis.id, mean, instrument.level(mean).id, tuple(counted))
    return result


def dii_proxy(answers: Answers) -> int | None:
    """Count the points, 0 to 11, that come near Eurostat's index: internal, never shown as the DII.

    Give None while one of its items is open; an item that does not apply gives no point.
    """
    if any(_open(answers, item) for item, _, _ in _DII):
        return None
    return sum(points for item, lowest, points in _DII if (answers[item].value or 0) >= lowest)


def _open(answers: Answers, item: str) -> bool:
    return item not in answers or answers[item].status == "skipped"


def _overall(instrument: Instrument, axes: dict[str, AxisScore]) -> Fraction | None:
    if not axes:
        return None
    weights = {axis: Fraction(instrument.axis(axis).weight) for axis in axes}
    total = sum((weights[axis] * axes[axis].score for axis in axes), Fraction(0))
    return total / sum(weights.values(), Fraction(0))


def _alerts(
    instrument: Instrument, answers: Answers, axes: dict[str, AxisScore], items: tuple[str, ...]
) -> tuple[Alert, ...]:
    express = set(items) <= set(instrument.blocks[0])
    return tuple(Alert(name, express) for name in _alert_ids(answers, axes))


def _alert_ids(answers: Answers, axes: dict[str, AxisScore]) -> Iterator[AlertId]:
    spent, plan = _value(answers, "P2"), _value(answers, "P1")
    if spent is not None and plan is not None and spent >= 2 and plan <= 1:
        yield "spending_without_plan"
    if _ahead(axes, ("V", "E", "D"), "C"):
        yield "tools_without_skills"
    if _ahead(axes, ("V", "D"), SECURITY):
        yield "data_without_protection"


def _ahead(axes: dict[str, AxisScore], leading: tuple[str, ...], behind: str) -> bool:
    if not {*leading, behind} <= axes.keys():
        return False
    mean = sum((axes[axis].score for axis in leading), Fraction(0)) / len(leading)
    return mean - axes[behind].score >= GAP


def _value(answers: Answers, item: str) -> int | None:
    return answers[item].value if item in answers else None
