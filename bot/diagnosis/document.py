"""A diagnosis as JSON: the request and the result of services.md, "Diagnosis"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bot.diagnosis.adaptive import DEFAULT, Settings, completed
from bot.diagnosis.answers import Answers, Status, parse_answers
from bot.diagnosis.cards import Cards
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.plan import Priorities, Step, make_plan, ranked_steps
from bot.diagnosis.profile import Profile
from bot.diagnosis.scoring import Score, score


@dataclass(frozen=True)
class Request:
    """What is to be scored: the answers given, the firm, its owner's goal."""

    answers: Answers
    profile: Profile
    goal: str | None


def parse_request(data: object, instrument: Instrument) -> Request:
    """Take `{"answers": …, "profile": …, "goal": …}`; raise ValueError naming everything that is wrong.

    `goal` beside the profile goes before the one inside it.
    """
    if not isinstance(data, Mapping):
        raise ValueError('a JSON object with "answers" is needed')
    reasons: list[str] = []
    answers: Answers = {}
    profile = Profile()
    try:
        answers = parse_answers(_object(data, "answers", required=True), instrument)
    except ValueError as error:
        reasons.append(str(error))
    try:
        profile = Profile.from_dict(_object(data, "profile", required=False))
    except ValueError as error:
        reasons.append(str(error))
    goal = profile.goal if data.get("goal") is None else data["goal"]
    goals = [known.id for known in instrument.goals]
    if goal is not None and goal not in goals:
        reasons.append(f"goal: one of {', '.join(goals)} is expected, not {goal!r}")
    if reasons:
        raise ValueError("; ".join(reasons))
    return Request(answers, profile, goal)


def score_document(
    instrument: Instrument,
    cards: Cards,
    priorities: Priorities,
    request: Request,
    settings: Settings = DEFAULT,
) -> dict[str, Any]:
    """Score a request and give the document of services.md: plain JSON values, scores to one decimal."""
    answers = completed(instrument, request.answers, request.profile, settings)
    result = score(instrument, answers)
    steps = ranked_steps(instrument, cards, priorities, answers, request.profile, request.goal)
    plan = [_step(step) for step in make_plan(steps, result.security_first)]
    return {
        "instrument": instrument.version,
        **_scores(result),
        "dk": _with_status(instrument, answers, "dk"),
        "na": _with_status(instrument, answers, "na"),
        "imputed": _with_status(instrument, answers, "imputed"),
        "next_step": plan[0] if plan else None,
        "plan": plan,
    }


def _scores(result: Score) -> dict[str, Any]:
    return {
        "items": list(result.items),
        "score": None if result.overall is None else _one_decimal(result.overall),
        "level": result.level,
        "level_shown": result.level_shown,
        "security_first": result.security_first,
        "axes": {
            axis.axis: {
                "score": _one_decimal(axis.score),
                "level": axis.level,
                "items": len(axis.items),
                "reliable": axis.reliable,
            }
            for axis in result.axes.values()
        },
        "strongest": result.strongest,
        "weakest": result.weakest,
        "provisional": result.provisional,
        "alerts": [alert.id for alert in result.alerts],
        "provisional_alerts": [alert.id for alert in result.alerts if alert.provisional],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "item": step.item,
        "from": step.current,
        "to": step.to,
        "priority": round(float(step.priority), 4),
        "card": step.card,
    }


def _with_status(instrument: Instrument, answers: Answers, status: Status) -> list[str]:
    return [item for item in instrument.order if item in answers and answers[item].status == status]


def _one_decimal(score: Fraction) -> float:
    return float(round(score, 1))


def _object(data: Mapping[str, Any], name: str, required: bool) -> Mapping[str, Any]:
    value = data.get(name)
    if value is None and not required:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: a JSON object is expected")
    return value
