"""The instrument as data: knowledge/questions.yml, checked against the rules of diagnosis.md 3.1 to 3.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from string import Formatter
from typing import Literal, TypeVar

from pydantic import Field, StrictStr, root_validator

from bot import gsm7
from bot.diagnosis.profile import Profile, When
from bot.knowledge.loader import Loc, Problem, Record, load
from bot.knowledge.text import VARIETIES, Text, too_long

MAY_NOT_APPLY = ("V2", "G2", "E2", "E3")
"""The only questions an owner may answer with "not concerned" (diagnosis.md 3.1)."""

TITLE, DESCRIPTION, GOAL_TITLE, AXIS_SHORT, QUESTION_SHORT = 24, 72, 20, 16, 60
"""Longest texts, in characters: a list row, its description, a button, a bar's label, a short question."""
PLACEHOLDERS = ("operator", "level", "label", "score", "strong", "weak", "step")
"""What the invitation and the result may be filled with."""
ARABIC_SMS = 201
"""UTF-16 units in three joined UCS-2 segments of 67."""


class Level(Record):
    """A maturity level: scores from `lower` (included) up to the next level's."""

    id: int
    lower: Decimal = Field(alias="from")
    name: Text
    meaning: Text


class Goal(Record):
    """What the owner wants most, and the axis that serves it."""

    id: StrictStr
    axis: StrictStr
    title: Text


class Axis(Record):
    """One of the dimensions of maturity, with its weight in the overall score."""

    id: StrictStr
    weight: Decimal = Field(gt=0)
    name: Text
    short: Text
    plain: Text


class Option(Record):
    """A graded answer."""

    value: Literal[0, 1, 2, 3]
    title: Text
    description: Text


class OptionChange(Record):
    """Other words for one graded answer."""

    value: Literal[0, 1, 2, 3]
    title: Text | None = None
    description: Text | None = None


class QuestionVariant(Record):
    """Other words for a question, for the firms that `when` names."""

    when: When
    stem: Text | None = None
    short: Text | None = None
    explain: Text | None = None
    not_applicable: Text | None = None
    options: tuple[OptionChange, ...] = ()

    @root_validator(skip_on_failure=True)
    def _changes_something(cls, values: dict[str, object]) -> dict[str, object]:
        if not any(value for field, value in values.items() if field != "when"):
            raise ValueError("the variant changes no text")
        return values


class Question(Record):
    """A question with its four graded answers, in the wording of one kind of firm."""

    id: StrictStr
    axis: StrictStr
    stem: Text
    short: Text
    explain: Text
    not_applicable: Text | None = None
    options: tuple[Option, ...]
    variants: tuple[QuestionVariant, ...] = ()
    sms: Text

    def worded_for(self, profile: Profile) -> Question:
        """Apply the variants that match the firm, in the order of the file: the later one wins."""
        question = self
        for variant in self.variants:
            if variant.when.matches(profile):
                question = _apply(question, variant)
        return question


Identified = TypeVar("Identified", Goal, Axis, Question)


class SmsMessages(Record):
    """The service messages of the SMS version."""

    invite: Text
    thanks: Text
    error: Text
    result: Text
    result_even: Text
    result_top: Text
    go_on: Text


class Instrument(Record):
    """The whole test: levels, goals, axes and questions, asked block after block."""

    version: StrictStr = Field(alias="instrument")
    blocks: tuple[tuple[StrictStr, ...], ...]
    levels: tuple[Level, ...]
    goals: tuple[Goal, ...]
    axes: tuple[Axis, ...]
    items: tuple[Question, ...]
    sms_messages: SmsMessages

    @property
    def order(self) -> tuple[str, ...]:
        """Item ids in asking order."""
        return tuple(item for block in self.blocks for item in block)

    def question(self, item: str) -> Question:
        """Give a question by its id; raise KeyError for an unknown one."""
        return _by_id(self.items, item)

    def axis(self, axis: str) -> Axis:
        """Give an axis by its id; raise KeyError for an unknown one."""
        return _by_id(self.axes, axis)

    def goal(self, goal: str) -> Goal:
        """Give a goal by its id; raise KeyError for an unknown one."""
        return _by_id(self.goals, goal)

    def level(self, score: Fraction) -> Level:
        """Give the level of an unrounded score of 0 to 100."""
        return [level for level in self.levels if Fraction(level.lower) <= score][-1]

    def whole_points(self, score: float) -> int:
        """Give a score as whole points, rounded, but never up onto the next level's edge: 24.6 is 24."""
        higher = [float(level.lower) for level in self.levels if float(level.lower) > score]
        points = round(score)
        return points - 1 if higher and points >= min(higher) else points

    def block_of(self, item: str) -> int:
        """Give the position of an item's block, 0 for the anchors."""
        return next(number for number, block in enumerate(self.blocks) if item in block)

    def wording(self, item: str, profile: Profile) -> Question:
        """Give a question in the words for this firm; raise KeyError for an unknown item."""
        return self.question(item).worded_for(profile)


def load_instrument(path: str | Path) -> Instrument:
    """Read and check questions.yml; raise KnowledgeErrors."""
    document = load(path)
    instrument = document.parse(Instrument)
    document.refuse(_problems(instrument))
    return instrument


def _by_id(records: Iterable[Identified], key: str) -> Identified:
    for record in records:
        if record.id == key:
            return record
    raise KeyError(key)


def _apply(question: Question, variant: QuestionVariant) -> Question:
    words = {name: getattr(variant, name) for name in ("stem", "short", "explain", "not_applicable")}
    changed: dict[str, object] = {name: text for name, text in words.items() if text is not None}
    changes = {change.value: change for change in variant.options}
    changed["options"] = tuple(_reworded(option, changes.get(option.value)) for option in question.options)
    return question.copy(update=changed)


def _reworded(option: Option, change: OptionChange | None) -> Option:
    if change is None:
        return option
    return option.copy(
        update={
            "title": change.title or option.title,
            "description": change.description or option.description,
        }
    )


def _problems(instrument: Instrument) -> Iterator[Problem]:
    yield from _repeated([axis.id for axis in instrument.axes], ("axes",))
    yield from _repeated([goal.id for goal in instrument.goals], ("goals",))
    yield from _repeated([question.id for question in instrument.items], ("items",))
    for name in ("blocks", "levels"):
        if not getattr(instrument, name):
            yield (name,), "at least one is needed"
    yield from _block_problems(instrument)
    yield from _level_problems(instrument)
    axes = {axis.id for axis in instrument.axes}
    for position, axis in enumerate(instrument.axes):
        yield from too_long(axis.short, AXIS_SHORT, ("axes", position, "short"))
    for position, goal in enumerate(instrument.goals):
        if goal.axis not in axes:
            yield ("goals", position, "axis"), f"unknown axis {goal.axis!r}"
        yield from too_long(goal.title, GOAL_TITLE, ("goals", position, "title"))
    for position, question in enumerate(instrument.items):
        if question.axis not in axes:
            yield ("items", position, "axis"), f"unknown axis {question.axis!r}"
        yield from _question_problems(question, ("items", position))
    for name in SmsMessages.__fields__:
        yield from _message_problems(getattr(instrument.sms_messages, name), ("sms_messages", name))


def _repeated(ids: list[str], loc: Loc) -> Iterator[Problem]:
    for position, name in enumerate(ids):
        if name in ids[:position]:
            yield (*loc, position, "id"), f"the id {name!r} is given twice"


def _block_problems(instrument: Instrument) -> Iterator[Problem]:
    known = {question.id for question in instrument.items}
    placed: set[str] = set()
    for number, block in enumerate(instrument.blocks):
        for position, item in enumerate(block):
            loc = ("blocks", number, position)
            if item not in known:
                yield loc, f"unknown item {item!r}"
            if item in placed:
                yield loc, f"the item {item!r} is already in a block"
            placed.add(item)
    for position, question in enumerate(instrument.items):
        if question.id not in placed:
            yield ("items", position, "id"), f"the item {question.id!r} is in no block"


def _level_problems(instrument: Instrument) -> Iterator[Problem]:
    for position, level in enumerate(instrument.levels):
        loc = ("levels", position)
        if level.id != position + 1:
            yield (*loc, "id"), f"levels are numbered from 1: {position + 1} expected"
        if position == 0 and level.lower != 0:
            yield (*loc, "from"), "the first level starts at 0"
        if position and level.lower <= instrument.levels[position - 1].lower:
            yield (*loc, "from"), "a level starts above the one before it"
        if level.lower >= 100:
            yield (*loc, "from"), "a level starts below 100"


def _question_problems(question: Question, loc: Loc) -> Iterator[Problem]:
    if [option.value for option in question.options] != [0, 1, 2, 3]:
        yield (*loc, "options"), "exactly four options with the values 0, 1, 2, 3 in this order are needed"
    if (question.not_applicable is not None) != (question.id in MAY_NOT_APPLY):
        yield (*loc, "not_applicable"), f"needed for {', '.join(MAY_NOT_APPLY)}, not allowed elsewhere"
    yield from _words_problems(question, loc)
    yield from _alike(question, loc)
    for position, variant in enumerate(question.variants):
        variant_loc = (*loc, "variants", position)
        yield from _words_problems(variant, variant_loc)
        yield from _variant_problems(question, variant, variant_loc)
    yield from _sms_problems(question.sms, (*loc, "sms"))


def _words_problems(words: Question | QuestionVariant, loc: Loc) -> Iterator[Problem]:
    if words.short:
        yield from too_long(words.short, QUESTION_SHORT, (*loc, "short"))
    if words.not_applicable:
        yield from too_long(words.not_applicable, TITLE, (*loc, "not_applicable"))
    options: tuple[Option | OptionChange, ...] = words.options
    for position, option in enumerate(options):
        if option.title:
            yield from too_long(option.title, TITLE, (*loc, "options", position, "title"))
        if option.description:
            yield from too_long(option.description, DESCRIPTION, (*loc, "options", position, "description"))


def _variant_problems(question: Question, variant: QuestionVariant, loc: Loc) -> Iterator[Problem]:
    values = [change.value for change in variant.options]
    if len(set(values)) < len(values):
        yield (*loc, "options"), "an option is changed twice"
    if variant.not_applicable and not question.not_applicable:
        yield (*loc, "not_applicable"), "the question itself has none"
    yield from _alike(_apply(question, variant), loc)


def _alike(question: Question, loc: Loc) -> Iterator[Problem]:
    titles = [option.title for option in question.options]
    if question.not_applicable:
        titles.append(question.not_applicable)
    for variety in VARIETIES:
        words = [title[variety].casefold().strip() for title in titles]
        if len(set(words)) < len(words):
            yield (*loc, "options"), f"two answers have the same title in {variety}"


def _message_problems(text: Text, loc: Loc) -> Iterator[Problem]:
    for variety in VARIETIES:
        try:
            names = {name for _, name, _, _ in Formatter().parse(text[variety]) if name is not None}
        except ValueError as error:
            yield (*loc, variety), f"a brace is not closed: {error}"
            continue
        for name in sorted(names - set(PLACEHOLDERS)):
            yield (*loc, variety), f"unknown placeholder {{{name}}}"
    yield from _sms_problems(text, loc)


def _sms_problems(text: Text, loc: Loc) -> Iterator[Problem]:
    """Check the fixed part of an SMS: what a placeholder adds is known only when it is sent."""
    for variety in ("fr", "ary-Latn"):
        plain = gsm7.transliterate(_without_placeholders(text[variety]))
        if foreign := gsm7.outside(plain):
            yield (*loc, variety), f"not in the GSM 7-bit alphabet: {foreign!r}"
        elif gsm7.septets(plain) > gsm7.SEGMENT:
            yield (*loc, variety), f"{gsm7.septets(plain)} septets, at most {gsm7.SEGMENT} are allowed"
    units = gsm7.utf16_units(_without_placeholders(text["ary-Arab"]))
    if units > ARABIC_SMS:
        yield (*loc, "ary-Arab"), f"{units} UTF-16 units, at most {ARABIC_SMS} are allowed"


def _without_placeholders(text: str) -> str:
    for name in PLACEHOLDERS:
        text = text.replace(f"{{{name}}}", "")
    return text
