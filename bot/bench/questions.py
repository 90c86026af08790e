"""How many questions decide every programme: one field at a time, and as the chat asks."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.funding.facts import FIELDS
from bot.funding.service import FundingService
from bot.funding.words import Ask, FundingWords

STARTS: Mapping[str, Sequence[str]] = {
    "nothing": (),
    "after_the_profile": ("sector", "staff", "region", "province"),
    "after_a_request": ("sector", "staff", "region", "province", "legal_form", "project.kind", "project.amount_mad"),
}
"""What is known before the first question: nothing; what the four taps tell; what a full sentence tells."""


def measure(
    service: FundingService, words: FundingWords, profiles: Iterable[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Return, by start, the mean and the most questions; a field that a profile leaves out is skipped."""
    firms = [_flat(profile) for profile in profiles]
    return {
        start: _summary([_one(service, words, firm, [f for f in known if f in firm]) for firm in firms])
        for start, known in STARTS.items()
    }


def _summary(counts: Sequence[tuple[int, int]]) -> dict[str, float]:
    fields, asks = [count[0] for count in counts], [count[1] for count in counts]
    return {
        "firms": len(counts),
        "fields_mean": round(statistics.mean(fields), 2),
        "fields_most": max(fields),
        "chat_mean": round(statistics.mean(asks), 2),
        "chat_most": max(asks),
    }


def _one(
    service: FundingService, words: FundingWords, firm: Mapping[str, Any], start: Sequence[str]
) -> tuple[int, int]:
    known = {field: firm[field] for field in start}
    return _by_field(service, firm, dict(known)), _by_ask(service, words, firm, dict(known))


def _by_field(service: FundingService, firm: Mapping[str, Any], known: dict[str, Any]) -> int:
    count = 0
    while count < len(FIELDS):
        question = service.check(_nested(known))["next_question"]
        field = str(question["field"]) if question else ""
        # A bracket that decides nothing is asked again by the rule: it cannot be told more exactly here.
        if field not in firm or known.get(field) == firm[field]:
            break
        known[field] = firm[field]
        count += 1
    return count


def _by_ask(service: FundingService, words: FundingWords, firm: Mapping[str, Any], known: dict[str, Any]) -> int:
    asked: list[str] = []
    while (ask := words.next_ask(service.check(_nested(known)), known, asked)) is not None:
        asked.append(ask.id)
        known |= _answer(ask, firm)
    return len(asked)


def _answer(ask: Ask, firm: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the owner of this firm tells when asked: every field of the question that the profile has."""
    return {field: firm[field] for field in ask.fields_ if field in firm}


def _flat(profile: Mapping[str, Any]) -> dict[str, Any]:
    project = {f"project.{name}": value for name, value in (profile.get("project") or {}).items()}
    return {name: value for name, value in {**profile, **project}.items() if name in FIELDS and value is not None}


def _nested(known: Mapping[str, Any]) -> dict[str, Any]:
    project = {name.removeprefix("project."): v for name, v in known.items() if name.startswith("project.")}
    return {name: value for name, value in known.items() if "." not in name} | {"project": project}
