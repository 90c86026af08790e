"""How much a firm could get for its project (services.md, "A funding verdict": `estimate_mad`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bot.funding.facts import CREDIT, Facts
from bot.funding.records import Benefit, Tier
from bot.funding.rules import all_of


@dataclass(frozen=True)
class Range:
    """From `low` to `high`; `open` when an answer of the owner would narrow it."""

    low: Fraction
    high: Fraction
    open: bool = False


def estimate(benefit: Benefit, facts: Facts) -> Range | None:
    """Return the MAD this project could bring; None without a rate, a cap for a loan, or the project's amount.

    Grant and advice: rate x amount, capped. Guarantee: rate x credit, capped; the credit is the whole amount until
    the own funds are known. Loan: the smaller of the cap and the amount. Equity is negotiated: never estimated.
    """
    amount = facts.number("project.amount_mad")
    cap = _cap(benefit, facts)
    if amount is None or benefit.kind == "equity":
        return None
    if benefit.kind == "loan":
        if cap is None:
            return None
        return Range(min(cap.low, amount.low), min(cap.high, amount.low), cap.open and cap.low < amount.low)
    rate = _rate(benefit, facts)
    if rate is None:
        return None
    base = amount.low
    if benefit.kind == "guarantee":
        credit = facts.number(CREDIT)
        base = (credit.high if credit else None) or Fraction(0)
    low, high = rate.low * base, rate.high * base
    if cap is None:
        return Range(low, high, rate.open)
    return Range(min(low, cap.low), min(high, cap.high), rate.open or cap.open)


def _rate(benefit: Benefit, facts: Facts) -> Range | None:
    top = benefit.max_rate
    if top is None:
        return None
    if not benefit.premiums:
        return Range(top if benefit.min_rate is None else benefit.min_rate, top)
    parts = [_first(premium, facts, lambda tier: tier.rate) for premium in benefit.premiums]
    low, high = sum(part.low for part in parts), sum(part.high for part in parts)
    return Range(min(Fraction(low), top), min(Fraction(high), top), any(part.open for part in parts))


def _cap(benefit: Benefit, facts: Facts) -> Range | None:
    if benefit.caps:
        return _first(benefit.caps, facts, lambda tier: tier.mad)
    return None if benefit.max_mad is None else Range(benefit.max_mad, benefit.max_mad)


def _first(tiers: Sequence[Tier], facts: Facts, worth: Callable[[Tier], Fraction | None]) -> Range:
    """Return what the first tier that holds is worth: a range while it is not known which one that is."""
    possible: list[Fraction] = []
    askable = False
    for tier in tiers:
        truth = all_of(condition.holds(facts) for condition in tier.when)
        if truth is False:
            continue
        possible.append(worth(tier) or Fraction(0))
        if truth:
            break
        askable = askable or any(condition.open_fields(facts) for condition in tier.when)
    else:
        possible.append(Fraction(0))
    return Range(min(possible), max(possible), askable and min(possible) < max(possible))
