"""The funding service: one protocol, ours by default, another's when FUNDING_URL says so."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from bot.funding.estimate import Range, estimate
from bot.funding.facts import Facts, facts_of, plain, shown
from bot.funding.question import next_question
from bot.funding.records import Benefit, Programme, load_programmes
from bot.funding.rules import Rule, all_of
from bot.knowledge.firm import Firm
from bot.knowledge.text import VARIETIES, Text

FRESH_MONTHS = 6
"""Older information is to be verified before anything is decided on it."""
VERDICTS = {True: "yes", False: "no", None: "unknown"}


class FundingService(Protocol):
    """Who may be eligible for what."""

    def check(self, profile: Mapping[str, Any], named: Sequence[str] = ()) -> dict[str, Any]:
        """Return the document of services.md, "A funding verdict", each programme with its words.

        `named` adds historic programmes and institutions by their ids. Raise ValueError for a wrong profile,
        ServiceUnavailable when the service is another's and does not answer.
        """
        ...


class LocalFunding:
    """Our own rules, over the records of the knowledge folder."""

    def __init__(self, programmes: Sequence[Programme], today: Callable[[], date] = date.today) -> None:
        self.programmes = tuple(programmes)
        self.today = today

    def check(self, profile: Mapping[str, Any], named: Sequence[str] = ()) -> dict[str, Any]:
        """Check every programme that is running, and answer the historic ones and institutions that are named."""
        firm = Firm.from_dict(profile)
        facts, today = facts_of(firm), self.today()
        current = [programme for programme in self.programmes if programme.checked]
        others = [programme for programme in self.programmes if not programme.checked and programme.id in named]
        return {
            "checked_on": today.isoformat(),
            "programmes": [
                *(_entry(programme, _decision(programme, firm, facts), today) for programme in current),
                *(_entry(programme, _unchecked(programme), today) for programme in others),
            ],
            "next_question": next_question(current, facts),
        }


def make_funding(url: str, knowledge_dir: Path) -> FundingService:
    """Return the service at `url`, or ours when it is empty; raise KnowledgeErrors for a broken programmes.yml."""
    programmes = load_programmes(knowledge_dir)
    if not url:
        return LocalFunding(programmes)
    from bot.funding.remote import RemoteFunding

    return RemoteFunding(url, {programme.id: words_of(programme) for programme in programmes})


def words_of(programme: Programme) -> dict[str, Any]:
    """Return what the chat says of a programme, whoever decided on it."""
    return {
        "name": {"fr": programme.name.fr, "ar": programme.name.ar},
        "summary": _varieties(programme.summary),
        "contact": _varieties(programme.contact),
        "status_text": _varieties(programme.status.text),
        "as_of": programme.status.as_of,
        "benefit": _benefit(programme.benefit),
    }


def _entry(programme: Programme, decision: dict[str, Any], today: date) -> dict[str, Any]:
    return {
        "id": programme.id,
        **decision,
        **words_of(programme),
        "status": programme.status.value,
        "to_verify": today > programme.review_by or _months(programme.status.as_of, today) > FRESH_MONTHS,
        "to_check": list(programme.to_check),
        "operator": programme.operator,
        "sources": [source.line() for source in programme.sources],
        "confidence": programme.confidence,
    }


def _months(as_of: str, today: date) -> int:
    """Return the months since `as_of`, a year alone counting from its December."""
    year, month = int(as_of[:4]), int(as_of[5:7] or 12)
    return (today.year - year) * 12 + today.month - month


def _decision(programme: Programme, firm: Firm, facts: Facts) -> dict[str, Any]:
    decided = [(rule, rule.decided(facts)) for rule in programme.rules]
    truth = all_of(of_rule for _, of_rule in decided)
    failing = [_failing(rule, firm) for rule, of_rule in decided if of_rule is False]
    could_get = None if truth is False else estimate(programme.benefit, facts)
    if truth is None and could_get and could_get.open:
        could_get = None
    return {
        "verdict": VERDICTS[truth],
        "deciding": failing[0] if failing else None,
        "failing": failing,
        **_open_ends([rule for rule, of_rule in decided if of_rule is None and truth is None], facts),
        **_amounts(could_get),
    }


def _unchecked(programme: Programme) -> dict[str, Any]:
    """Return the verdict on what nobody can have any more, or on an institution: nothing is decided there."""
    if programme.institution:
        return {"verdict": "unknown", "deciding": None, "failing": [], **_open_ends((), Facts({})), **_amounts(None)}
    closed = {"field": "status", "rule": "the programme is still running", "value": "historic"}
    return {"verdict": "no", "deciding": closed, "failing": [closed], **_open_ends((), Facts({})), **_amounts(None)}


def _failing(rule: Rule, firm: Firm) -> dict[str, Any]:
    return {"field": rule.told_field, "rule": rule.text, "value": shown(firm, rule.told_field)}


def _open_ends(undecided: Sequence[Rule], facts: Facts) -> dict[str, Any]:
    """Return the fields of the undecided rules: those to ask, or the rule's own where only an office can tell."""
    asked = [(rule, rule.missing(facts)) for rule in undecided]
    silences = [
        {"field": rule.told_field, "rule": rule.text, "reason": rule.silence(facts)}
        for rule, fields in asked
        if not fields
    ]
    missing = [field for rule, fields in asked for field in fields or (rule.told_field,)]
    return {"missing": list(dict.fromkeys(missing)), "undocumented": silences}


def _amounts(could_get: Range | None) -> dict[str, Any]:
    """Return whole dirhams, rounded down: never more than the rules give."""
    low = None if could_get is None else math.floor(could_get.low)
    high = None if could_get is None else math.floor(could_get.high)
    return {"estimate_mad": low, "estimate_max_mad": high if high != low else None}


def _benefit(benefit: Benefit) -> dict[str, Any]:
    numbers = {name: getattr(benefit, name) for name in ("min_rate", "max_rate", "min_mad", "max_mad", "interest_rate")}
    shown_numbers = {name: None if number is None else plain(number) for name, number in numbers.items()}
    kept = {name: n for name, n in shown_numbers.items() if n is not None or name in ("max_rate", "max_mad")}
    return {"kind": benefit.kind, **kept}


def _varieties(text: Text) -> dict[str, str]:
    return {variety: text[variety] for variety in VARIETIES}
