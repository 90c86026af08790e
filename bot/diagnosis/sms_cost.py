"""What a whole test by SMS costs: every segment that is sent is paid for."""

from __future__ import annotations

from bot import gsm7
from bot.diagnosis.library import DiagnosisLibrary

MOST_SEGMENTS = 10
"""Sent segments of a whole test, without errors and reminders."""


def segments_of_test(library: DiagnosisLibrary, variety: str) -> int:
    """Count the segments of the invitation, the seven questions and the longest result there can be."""
    instrument = library.instrument
    messages = instrument.sms_messages
    longest_axis = max((axis.short[variety] for axis in instrument.axes), key=len)
    result = messages.result[variety].format(
        level=4,
        label=max((level.name[variety] for level in instrument.levels), key=len),
        score=100,
        strong=longest_axis,
        weak=longest_axis,
        step=max((card.title[variety] for card in library.cards.by_step.values()), key=len),
    )
    questions = [instrument.question(item).sms[variety] for item in instrument.blocks[0]]
    return sum(sms_segments(text) for text in (messages.invite[variety], *questions, result))


def sms_segments(text: str) -> int:
    """Count the segments of one text as the SMS channel sends it."""
    return len(gsm7.segments(gsm7.for_sms(text)))
