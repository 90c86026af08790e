"""The test by SMS: its texts, and what a whole test costs, since every segment that is sent is paid for."""

from __future__ import annotations

from bot import gsm7
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.library import DiagnosisLibrary
from bot.knowledge.text import Text

MOST_SEGMENTS = 10
"""Sent segments of a whole test, without errors and reminders."""


def segments_of_test(library: DiagnosisLibrary, operator: Text, variety: str) -> int:
    """Count the segments of a whole test with the longest result there can be."""
    return sum(sms_segments(text) for text in texts_of_test(library, operator, variety))


def texts_of_test(library: DiagnosisLibrary, operator: Text, variety: str) -> list[str]:
    """List what is sent in a whole test: the invitation, seven questions, the longest result."""
    instrument = library.instrument
    messages = instrument.sms_messages
    first, *others = (instrument.question(item).sms[variety] for item in instrument.blocks[0])
    return [
        messages.invite[variety].format(operator=operator[variety]),
        f"{messages.thanks[variety]}\n{first}",
        *others,
        _longest_result(library, variety),
    ]


def sms_segments(text: str) -> int:
    """Count the segments of one text as the SMS channel sends it."""
    return len(gsm7.segments(gsm7.for_sms(text)))


def _longest_result(library: DiagnosisLibrary, variety: str) -> str:
    instrument = library.instrument
    axis = _longest([axis.short for axis in instrument.axes], variety)
    titles = [card.title for card in library.cards.by_step.values()]
    titles += [other.title for card in library.cards.by_step.values() for other in card.variants if other.title]
    level = _longest([level.name for level in instrument.levels], variety)
    return result_text(
        instrument, variety, level=4, label=level, score=100, strong=axis, weak=axis, step=_longest(titles, variety)
    )


def result_text(instrument: Instrument, variety: str, **values: object) -> str:
    """Return the result in words: level, strongest and weakest domain where they differ, next step, how to go on."""
    messages = instrument.sms_messages
    if values.get("step") is None:
        return messages.result_top[variety].format(**values)
    told = messages.result if values.get("strong") else messages.result_even
    return f"{told[variety].format(**values)}\n{messages.go_on[variety]}"


def _longest(texts: list[Text], variety: str) -> str:
    return max((text[variety] for text in texts), key=len)
