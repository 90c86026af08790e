"""What the funding check asks an owner, and how it says a rule: knowledge/funding.yml."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, StrictBool, StrictInt, StrictStr

from bot.funding.facts import FIELDS, facts_of
from bot.funding.records import Programme
from bot.funding.rules import CODES, Rule
from bot.knowledge.firm import Bracket, Firm, ProjectKind
from bot.knowledge.loader import Problem, Record, load
from bot.knowledge.text import VARIETIES, Text, too_long
from bot.knowledge.words import LONGEST_TITLE

MOST_OPTIONS = 8
"""A list on WhatsApp has ten rows; two are for "I don't know" and "show me now"."""
PHRASES = (
    "may_fit", "missing", "office", "not_fit", "not_fit_plain", "because", "amount", "amount_range", "ask_at",
    "fresh", "old",
)  # fmt: skip
SAID_AS_REASON = (
    "legal_form", "sector", "project.kind", "rural", "owner_gender", "region", "innovative_startup",
    "exports_to_africa", "project.amount_mad", "turnover_mad",
)  # fmt: skip
"""Fields that tell an owner why a programme is shown, the most telling first."""

Word = Callable[[str, str], str | None]
"""Gives the word of a code: (field, code) -> the title in the owner's variety, or None."""


class Option(Record):
    """One closed answer, and what it tells of the firm by field."""

    id: StrictStr = Field(regex=r"^[a-z0-9_]+\Z")
    tells: Mapping[StrictStr, StrictBool | StrictInt | Bracket | StrictStr]
    title: Text

    def told(self) -> dict[str, Any]:
        """Return the fields as a profile holds them."""
        return {name: _plain(value) for name, value in self.tells.items()}


class Limits(Record):
    """What is likely for a number: anything else is asked back once."""

    min: StrictInt = 0
    max: StrictInt | None = None


class Ask(Record):
    """One question; its id is the first of the fields it fills."""

    fields_: tuple[StrictStr, ...] = Field(alias="fields")
    text: Text
    options: tuple[Option, ...] = ()
    free: Literal["money", "age", "count"] | None = None
    limits: Limits = Limits()
    listed: Literal["sectors", "regions"] | None = None

    @property
    def id(self) -> str:
        """Return the name by which buttons and prompts know the question."""
        return self.fields_[0]


class FieldWords(Record):
    """A field's name, and how a rule on it is said where nothing better is known."""

    name: Text
    rule: Text


class FundingWords(Record):
    """Everything the funding check says beside the programmes themselves."""

    asks: tuple[Ask, ...]
    fields_: Mapping[StrictStr, FieldWords] = Field(alias="fields")
    rules: Mapping[StrictStr, Text]
    kinds: Mapping[ProjectKind, Text]
    phrases: Mapping[StrictStr, Text]

    def ask(self, name: str) -> Ask | None:
        """Return a question by its id."""
        return next((ask for ask in self.asks if ask.id == name), None)

    def ask_for(self, field: str, known: Mapping[str, Any]) -> Ask | None:
        """Return the question that tells a field: one that opens more at once, where nothing of it is known yet."""
        ways = [ask for ask in self.asks if field in ask.fields_]
        fresh = [ask for ask in ways if ask.id not in known]
        return max(fresh or ways, key=lambda ask: len(ask.fields_), default=None)

    def next_ask(
        self, document: Mapping[str, Any], known: Mapping[str, Any], skipped: Collection[str] = ()
    ) -> Ask | None:
        """Return the question of the service's next field; where that was skipped, of the one missing most often."""
        undecided = [entry for entry in document["programmes"] if entry["verdict"] == "unknown"]
        missing = [field for entry in undecided for field in entry.get("missing") or ()]
        best = (document.get("next_question") or {}).get("field")
        order = sorted(set(missing) & set(FIELDS), key=lambda field: (-missing.count(field), FIELDS.index(field)))
        for field in ([best] if best in FIELDS else []) + order:
            ask = self.ask_for(field, known)
            if ask is not None and ask.id not in skipped and not _settled(ask, field, known):
                return ask
        return None

    def phrase(self, name: str, variety: str, **values: Any) -> str:
        """Return a sentence part with its values."""
        return self.phrases[name][variety].format(**values)

    def field_name(self, field: str, variety: str) -> str | None:
        """Return what a field is called; None for one that we do not know."""
        known = self.fields_.get(field)
        return known.name[variety] if known else None

    def rule_text(self, rule: Rule | None, field: str, variety: str, word: Word) -> str | None:
        """Say a rule, as exactly as it is known; None for a field that we do not know."""
        exact = self.rules.get(f"{rule.field}.{rule.op}") if rule else None
        if rule is not None and exact is not None:
            values = _rule_values(rule, word, self.kinds, variety)
            if values is not None:
                return exact[variety].format(**values)
        known = self.fields_.get(field)
        return known.rule[variety] if known else None


def _settled(ask: Ask, field: str, known: Mapping[str, Any]) -> bool:
    """Say whether asking again would tell nothing more: a bracket was chosen, and closed answers are all there are."""
    return field in known and (not isinstance(known[field], dict) or not ask.free)


def load_funding_words(knowledge: Path) -> FundingWords:
    """Read and check funding.yml; raise KnowledgeErrors."""
    document = load(knowledge / "funding.yml")
    words = document.parse(FundingWords)
    document.refuse(_problems(words))
    return words


def rule_of(programme: Programme | None, deciding: Mapping[str, Any]) -> Rule | None:
    """Return the rule of our records that a verdict names, when it is one of them."""
    rules = programme.rules if programme else ()
    return next((rule for rule in rules if rule.text == deciding.get("rule")), None)


def holding(programme: Programme | None, profile: Mapping[str, Any]) -> list[str]:
    """Return the told fields of the rules that hold: why a programme is shown, the most telling first."""
    if programme is None:
        return []
    facts = facts_of(Firm.from_dict(profile))
    held = {rule.told_field for rule in programme.rules if rule.decided(facts)}
    return [field for field in SAID_AS_REASON if field in held and facts.get(field) is not None]


def grouped(number: Fraction | int | float) -> str:
    """Return a number the way it is written in Morocco: 1 000 000; the spaces never break."""
    whole = float(number)
    return (f"{whole:,.0f}" if whole == int(whole) else f"{whole:,.2f}").replace(",", "\u00a0")


def _rule_values(rule: Rule, word: Word, kinds: Mapping[ProjectKind, Text], variety: str) -> dict[str, str] | None:
    if isinstance(rule.value, tuple):
        titles = [
            kinds[code][variety] if rule.field == "project.kind" else word(rule.field, code)  # type: ignore[index]
            for code in rule.value
        ]
        named = [title for title in titles if title]
        return {"values": _listed(named, variety)} if len(named) == len(titles) else None
    if isinstance(rule.value, Fraction):
        return {"limit": grouped(rule.value), "percent": grouped(rule.value * 100)}
    return {}


def _listed(parts: list[str], variety: str) -> str:
    return ("، " if variety == "ary-Arab" else ", ").join(parts)


def _plain(value: Any) -> Any:
    if not isinstance(value, Bracket):
        return value
    high = None if value.max is None else int(value.max)
    return {"min": int(value.min or 0), "max": high}


def _problems(words: FundingWords) -> Iterator[Problem]:
    for place, ask in enumerate(words.asks):
        for field in ask.fields_:
            if field not in FIELDS:
                yield ("asks", place, "fields"), f"unknown field {field!r}"
        if ask.id in [other.id for other in words.asks[:place]]:
            yield ("asks", place, "fields"), f"{ask.id} is asked twice"
        if len(ask.options) > MOST_OPTIONS:
            yield ("asks", place, "options"), f"at most {MOST_OPTIONS} answers fit in a list"
        if not (ask.options or ask.free or ask.listed):
            yield ("asks", place), "options, free or listed is needed: there is no way to answer"
        for number, option in enumerate(ask.options):
            yield from too_long(option.title, LONGEST_TITLE, ("asks", place, "options", number, "title"))
            yield from _option_problems(ask, option, place, number)
    for field in FIELDS:
        if field not in words.fields_:
            yield ("fields",), f"{field} is missing"
    for name in PHRASES:
        if name not in words.phrases:
            yield ("phrases",), f"{name} is missing"
    for key in words.rules:
        yield from _placeholder_problems(words.rules[key], {"limit", "values", "percent"}, ("rules", key))


def _option_problems(ask: Ask, option: Option, place: int, number: int) -> Iterator[Problem]:
    loc = ("asks", place, "options", number, "tells")
    for field, value in option.tells.items():
        if field not in ask.fields_:
            yield loc, f"{field} is not one of the question's fields"
        elif field in CODES and value not in CODES[field]:
            yield loc, f"unknown value {value!r} of {field}"


def _placeholder_problems(text: Text, allowed: set[str], loc: tuple[str, ...]) -> Iterator[Problem]:
    for variety in VARIETIES:
        used = {name for _, name, _, _ in string.Formatter().parse(text[variety]) if name is not None}
        if not used <= allowed:
            yield (*loc, variety), f"unknown values in braces: {', '.join(sorted(used - allowed))}"
