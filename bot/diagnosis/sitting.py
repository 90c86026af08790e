"""A firm's sitting of the test in the database: start, answer, correct, go back, finish."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.diagnosis import adaptive
from bot.diagnosis.adaptive import TimedAnswer
from bot.diagnosis.answers import Answer
from bot.diagnosis.document import Request, score_document
from bot.diagnosis.library import DiagnosisLibrary
from bot.diagnosis.profile import Profile
from bot.storage.models import Answer as AnswerRow
from bot.storage.models import Assessment, Firm, Result, new_id

ALL_BLOCKS = 3


@dataclass(frozen=True)
class Rules:
    """How long a test can be resumed (days), and the settings of the adaptive rules."""

    resume_days: int = 30
    swap_share: float = 0.0
    audit_share: float = 0.0

    def adaptive(self, sitting: Assessment) -> adaptive.Settings:
        """Return the adaptive settings of one sitting, drawn from its id, the same way each time."""
        return adaptive.Settings(seed=sitting.id, audit_share=self.audit_share, swap_share=self.swap_share)


def open_sitting(firm: Firm, rules: Rules) -> Assessment | None:
    """Return the firm's unfinished test; one left alone for too long is abandoned and not returned."""
    for sitting in reversed(firm.assessments):
        if sitting.status == "open":
            if sitting.updated_at < time.time() - rules.resume_days * 86400:
                sitting.status = "abandoned"
                continue
            return sitting
    return None


def last_done(firm: Firm) -> Assessment | None:
    """Return the newest test with a result."""
    return next((sitting for sitting in reversed(firm.assessments) if sitting.results), None)


def start(firm: Firm, library: DiagnosisLibrary, rules: Rules, blocks: int) -> Assessment:
    """Return a new sitting; an unfinished one is abandoned."""
    unfinished = open_sitting(firm, rules)
    if unfinished is not None:
        unfinished.status = "abandoned"
    sitting = Assessment(
        id=new_id(),
        instrument_version=library.instrument.version,
        blocks_wanted=blocks,
        status="open",
        started_at=time.time(),
        updated_at=time.time(),
        low_quality=False,
    )
    firm.assessments.append(sitting)
    return sitting


def extend(sitting: Assessment, blocks: int) -> None:
    """Ask for more blocks of a sitting, also of one that has a result already."""
    sitting.blocks_wanted = min(max(sitting.blocks_wanted, blocks), ALL_BLOCKS)
    sitting.status = "open"
    sitting.updated_at = time.time()


def answers_of(sitting: Assessment) -> dict[str, Answer]:
    """Return the answers given, by item, in the order in which they were given."""
    return {row.item: Answer(row.item, row.status, row.value) for row in sitting.answers}


def completed_answers(
    sitting: Assessment, library: DiagnosisLibrary, profile: Profile, rules: Rules
) -> dict[str, Answer]:
    """Return the answers given, with what the rules put in the place of skipped questions."""
    return adaptive.completed(library.instrument, answers_of(sitting), profile, rules.adaptive(sitting))


def next_item(sitting: Assessment, library: DiagnosisLibrary, profile: Profile, rules: Rules) -> str | None:
    """Return the item to ask now, or None when the blocks wanted are done."""
    return adaptive.next_item(
        library.instrument, answers_of(sitting), profile, sitting.blocks_wanted, rules.adaptive(sitting)
    )


def number_of(sitting: Assessment, library: DiagnosisLibrary, item: str, rules: Rules) -> tuple[int, int]:
    """Return the item's number in the test as it is asked, and how many items that test has at most."""
    order = adaptive.asking_order(library.instrument, sitting.blocks_wanted, rules.adaptive(sitting))
    return order.index(item) + 1, len(order)


def record(sitting: Assessment, answer: Answer, source: str, seconds: float | None) -> None:
    """Write an answer; a second one to the same item replaces it, so none counts twice."""
    row = next((row for row in sitting.answers if row.item == answer.item), None)
    if row is None:
        row = AnswerRow(item=answer.item, position=len(sitting.answers))
        sitting.answers.append(row)
    row.status, row.value, row.source, row.seconds = answer.status, answer.value, source, seconds
    row.answered_at = time.time()
    sitting.updated_at = time.time()
    timed = [
        TimedAnswer(Answer(r.item, r.status, r.value), r.seconds) for r in sitting.answers if r.seconds is not None
    ]
    sitting.low_quality = adaptive.low_quality(timed)


def last_answered(sitting: Assessment, before: str | None) -> str | None:
    """Return the item answered just before another one; before None, the last one answered."""
    items = [row.item for row in sitting.answers]
    if before in items:
        items = items[: items.index(before)]
    return items[-1] if items else None


def two_unknown(sitting: Assessment) -> bool:
    """Say whether the last two answers were both "I don't know"."""
    return adaptive.wants_adviser(list(answers_of(sitting).values()))


def finish(sitting: Assessment, library: DiagnosisLibrary, profile: Profile, rules: Rules) -> Result:
    """Score the sitting and keep the result with its instrument version and items."""
    request = Request(answers_of(sitting), profile, profile.goal)
    document = score_document(library.instrument, library.cards, library.priorities, request, rules.adaptive(sitting))
    result = Result(
        id=new_id(),
        instrument_version=document["instrument"],
        items=document["items"],
        score=document["score"],
        level=document["level"],
        document=document,
        created_at=time.time(),
    )
    sitting.results.append(result)
    sitting.status = "done"
    sitting.completed_at = sitting.updated_at = time.time()
    return result


def rungs_gained(before: Assessment, after: Assessment) -> list[tuple[str, int, int]]:
    """Return (item, from, to) for each item answered in both tests and higher in the later; none across versions."""
    if before.instrument_version != after.instrument_version:
        return []
    old = {row.item: row.value for row in before.answers if row.status == "answered"}
    return [
        (row.item, old[row.item], row.value)
        for row in after.answers
        if row.status == "answered" and row.item in old and row.value > old[row.item]
    ]
