"""Which question comes next, and which need not be asked: the rules of diagnosis.md 3.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from bot.diagnosis.answers import Answer, Answers, imputed, not_applicable
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.profile import Profile

HASTY_SECONDS = 3.0
HASTY_RUN = 3


@dataclass(frozen=True)
class Settings:
    """How a firm is questioned. Both shares (0 to 1) are drawn from `seed`, the same way each time."""

    seed: str = ""
    audit_share: float = 0.0
    """Share of firms for whom nothing is skipped, so that wrong imputations can be counted."""
    swap_share: float = 0.0
    """Share of firms for whom the blocks after the first come in reverse order."""
    anchors_only: bool = False
    """SMS or basic phone: the first block is the whole test (rule 3)."""

    @property
    def audited(self) -> bool:
        """Say whether this firm is in the audit sample."""
        return _drawn(self.seed, "audit", self.audit_share)

    @property
    def swapped(self) -> bool:
        """Say whether this firm gets the later blocks in reverse order."""
        return _drawn(self.seed, "swap", self.swap_share)


DEFAULT = Settings()


@dataclass(frozen=True)
class Consequence:
    """What a rule puts in the place of a question."""

    rule: int
    answer: Answer


@dataclass(frozen=True)
class TimedAnswer:
    """An answer and the seconds the owner took for it."""

    answer: Answer
    seconds: float


def asking_order(instrument: Instrument, blocks: int, settings: Settings = DEFAULT) -> tuple[str, ...]:
    """Give the items of the first `blocks` blocks in the order in which this firm is asked."""
    return tuple(item for block in _blocks(instrument, settings)[:blocks] for item in block)


def next_item(
    instrument: Instrument,
    answers: Answers,
    profile: Profile,
    blocks_wanted: int = 3,
    settings: Settings = DEFAULT,
) -> str | None:
    """Give the next item to ask, or None when the blocks wanted are done."""
    settled = {c.answer.item for c in consequences(instrument, answers, profile, blocks_wanted, settings)}
    for item in asking_order(instrument, blocks_wanted, settings):
        if item not in answers and item not in settled:
            return item
    return None


def consequences(
    instrument: Instrument,
    answers: Answers,
    profile: Profile,
    blocks_wanted: int = 3,
    settings: Settings = DEFAULT,
) -> tuple[Consequence, ...]:
    """Apply rules 1, 2 and 4 to 7 to the open items of the blocks wanted; an answer given always stands."""
    if settings.audited:
        return ()
    order = asking_order(instrument, blocks_wanted, settings)
    found = _logical(answers, order) + _declared(answers, profile)
    return tuple(c for c in found if c.answer.item in order and c.answer.item not in answers)


def blocks_reached(instrument: Instrument, answers: Answers, settings: Settings = DEFAULT) -> int:
    """Count the blocks up to the last one in which something was answered."""
    blocks = _blocks(instrument, settings)
    reached = [number for number, block in enumerate(blocks, 1) if any(item in answers for item in block)]
    return max(reached, default=0)


def completed(
    instrument: Instrument, answers: Answers, profile: Profile, settings: Settings = DEFAULT
) -> dict[str, Answer]:
    """Add to the answers what the rules put in the place of skipped questions, in the blocks reached."""
    reached = blocks_reached(instrument, answers, settings)
    added = consequences(instrument, answers, profile, reached, settings)
    return {**answers, **{c.answer.item: c.answer for c in added}}


def wants_adviser(history: Sequence[Answer]) -> bool:
    """Say whether the last two answers were both "I don't know" (rule 8)."""
    return len(history) >= 2 and all(answer.status == "dk" for answer in history[-2:])


def wants_check_question(history: Sequence[TimedAnswer]) -> bool:
    """Say whether the last three answers were the same option, each in under three seconds (rule 10)."""
    return len(history) >= HASTY_RUN and _hasty(history[-HASTY_RUN:])


def low_quality(history: Sequence[TimedAnswer]) -> bool:
    """Say whether three answers in a row were the same option in under three seconds each (rule 10)."""
    return any(_hasty(history[start : start + HASTY_RUN]) for start in range(len(history) - HASTY_RUN + 1))


def _blocks(instrument: Instrument, settings: Settings) -> tuple[tuple[str, ...], ...]:
    first, *later = instrument.blocks
    if settings.anchors_only:
        return (first,)
    return (first, *(reversed(later) if settings.swapped else later))


def _logical(answers: Answers, order: tuple[str, ...]) -> list[Consequence]:
    found = []
    if _at_most(answers, "D1", 0) and _at_most(answers, "G1", 1):
        found.append(Consequence(1, imputed("D2", 0)))
    if _at_most(answers, "C2", 0) and _before(order, "C2", "D3"):
        found.append(Consequence(2, imputed("D3", 0)))
    return found


def _declared(answers: Answers, profile: Profile) -> list[Consequence]:
    found = []
    if profile.has_stock is False and profile.takes_appointments is False:
        found.append(Consequence(4, not_applicable("G2")))
    if profile.sells_remotely is False:
        found.append(Consequence(5, not_applicable("V2")))
    if profile.pays_nobody:
        found.append(Consequence(6, not_applicable("E2")))
    if profile.legal_form == "informal" and _at_most(answers, "G3", 0):
        found.append(Consequence(7, not_applicable("E3")))
    return found


def _at_most(answers: Answers, item: str, value: int) -> bool:
    """Say whether the owner picked an option of at most `value`: "I don't know" triggers no rule."""
    answer = answers.get(item)
    return answer is not None and answer.status == "answered" and (answer.value or 0) <= value


def _before(order: tuple[str, ...], first: str, second: str) -> bool:
    return first in order and second in order and order.index(first) < order.index(second)


def _hasty(history: Sequence[TimedAnswer]) -> bool:
    values = {timed.answer.value for timed in history if timed.answer.status == "answered"}
    picked = all(timed.answer.status == "answered" for timed in history)
    return picked and len(values) == 1 and all(timed.seconds < HASTY_SECONDS for timed in history)


def _drawn(seed: str, purpose: str, share: float) -> bool:
    digest = sha256(f"{purpose}:{seed}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48 < share
