"""The page of a result: one A4 sheet in PDF that an owner can show a bank or an adviser."""

from __future__ import annotations

import atexit
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from fontTools.ttLib import TTFont
from fontTools.varLib import instancer
from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue

from bot.diagnosis.cards import Card
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.picture import (
    BOLD,
    CLAY,
    DIM,
    FILL,
    INK,
    NORMAL_WIDTH,
    PAPER,
    QUIET,
    REGULAR,
    TEAL,
    WHITE,
    Bands,
    Bar,
    Colour,
    Mark,
    band_colour,
    font_file,
    level_bands,
    result_bars,
    result_level,
    star_points,
)
from bot.knowledge.text import Text

Place = Literal["start", "middle", "end"]
Style = Literal["", "B"]
Plan = Sequence[tuple[Card, date]]

# Places and lengths are millimetres, sizes of letters points.
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 15.0
INNER = WIDTH - 2 * MARGIN
CARD_TOP, CARD_HEIGHT, PADDING, HALF = 27.0, 35.0, 6.0, 98.0
FACTS_TOP = 67.0
AXES_TOP, ROWS_TOP, ROW_HEIGHT, BAR_HEIGHT = 84.0, 93.0, 8.4, 4.8
BAR_START, BAR_LENGTH = 78.0, 73.0
NUMBER_ROOM, MARK_START, SIGN = 10.0, 164.5, 4.6
PLAN_TOP, ENTRY_START, ENTRY_ROOM = 169.0, 25.0, 136.0
NOTE_BOTTOM, NOTE_PADDING, NOTE_SIZE, FOOT_TOP = 281.0, 2.5, 9.0, 283.0
LINE = 0.3528 * 1.42
"""Millimetres of a line for each point of its letters."""
PLAN_SIZES = (11.5, 11.0, 10.5, 10.0, 9.5, 9.0, 8.5, 8.0)
SMALLEST = 6.0

# At INFO it writes the name of every letter of every page.
logging.getLogger("fontTools").setLevel(logging.WARNING)


def draw_page(
    document: Mapping[str, Any],
    instrument: Instrument,
    labels: Mapping[str, Text],
    language: str,
    plan: Plan,
    told_on: date,
) -> bytes:
    """Draw a result of document.py and its plan as PDF; raise KeyError for an unknown language.

    The same input gives the same bytes: the file carries the day of the result, not of its making.
    """
    words = {key: labels[key][language] for key in _LABELS}
    sheet = _Sheet(language, words["result_title"], words["result_made_by"], told_on)
    sheet.text(MARGIN, 13, INNER, 10, words["result_title"], 19, INK, "B")
    _draw_level(sheet, document, instrument, words, language)
    _draw_facts(sheet, document, instrument, words, told_on)
    _draw_axes(sheet, document, instrument, words, language)
    note_top = NOTE_BOTTOM - _note_height(sheet, words)
    if plan:
        _draw_plan(sheet, plan, words, language, note_top - 4)
    _draw_note(sheet, words, note_top)
    return sheet.pdf()


_LABELS = (
    "provisional", "result_about", "result_axes", "result_before", "result_date", "result_instrument",
    "result_items", "result_level", "result_made_by", "result_no_answer", "result_not", "result_of",
    "result_plan", "result_score", "result_strong", "result_title", "result_weak", "result_why",
)  # fmt: skip


class _Sheet:
    """One sheet whose places are counted from the side where reading starts."""

    def __init__(self, language: str, title: str, author: str, told_on: date) -> None:
        self._rtl = language == "ary-Arab"
        self._pdf = FPDF(format="A4")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_creation_date(datetime.combine(told_on, time(), timezone.utc))
        self._pdf.set_title(title)
        self._pdf.set_author(author)
        self._pdf.set_lang(language)
        self._pdf.c_margin = 0
        self._pdf.add_font("text", "", _static_font(REGULAR))
        self._pdf.add_font("text", "B", _static_font(BOLD))
        self._pdf.add_page()

    def box(self, start: float, top: float, width: float, height: float, fill: Colour, radius: float = 0) -> None:
        """Fill a rectangle; fpdf2 wants a radius of less than half its shorter side."""
        if width > 0:
            self._pdf.set_fill_color(*fill)
            left = self._left(start, width)
            self._pdf.rect(left, top, width, height, "F", round_corners=radius > 0, corner_radius=radius)

    def frame(self, start: float, top: float, width: float, height: float) -> None:
        """Draw a dashed rectangle."""
        self._pdf.set_draw_color(*QUIET)
        self._pdf.set_line_width(0.25)
        self._pdf.set_dash_pattern(1, 1)
        self._pdf.rect(self._left(start, width), top, width, height, "D")
        self._pdf.set_dash_pattern()

    def disc(self, start: float, top: float, size: float, fill: Colour) -> tuple[float, float]:
        """Fill a circle; return its middle."""
        left = self._left(start, size)
        self._pdf.set_fill_color(*fill)
        self._pdf.ellipse(left, top, size, size, "F")
        return left + size / 2, top + size / 2

    def sign(self, start: float, top: float, mark: Mark) -> None:
        """Draw the sign of an axis that stands out, as on the picture."""
        x, y = self.disc(start, top, SIGN, FILL[mark])
        self._pdf.set_fill_color(*WHITE)
        if mark == "strong":
            self._pdf.polygon(star_points(x, y, SIGN * 0.36), style="F")
        else:
            arm, half = SIGN * 0.27, SIGN * 0.07
            self._pdf.rect(x - arm, y - half, 2 * arm, 2 * half, "F")
            self._pdf.rect(x - half, y - arm, 2 * half, 2 * arm, "F")

    def text(
        self,
        start: float,
        top: float,
        room: float,
        height: float,
        words: str,
        size: float,
        colour: Colour,
        style: Style = "",
        *,
        at: Place = "start",
        number: bool = False,
    ) -> float:
        """Write one line into a box, in the middle of its height, smaller where it needs more than `room`.

        A number reads from left to right in every language. Return the width taken.
        """
        width = self.length(words, size, style, number)
        if width > room:
            width = self.length(words, max(SMALLEST, size * room / width), style, number)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(self._left(start, room), top)
        self._pdf.cell(room, height, words, align=self._align(at))
        return width

    def length(self, words: str, size: float, style: Style = "", number: bool = False) -> float:
        """Choose the letters, and measure one line in them."""
        self._pdf.set_font("text", style, size)
        self._pdf.set_text_shaping(True, direction="rtl" if self._rtl and not number else "ltr")
        return self._pdf.get_string_width(words)

    def paragraph(
        self,
        start: float,
        top: float,
        room: float,
        words: str,
        size: float,
        colour: Colour,
        style: Style = "",
        *,
        draw: bool = True,
    ) -> float:
        """Write lines as long as `room`, or only measure them; return their height."""
        self.length("", size, style)
        self._pdf.set_text_color(*colour)
        self._pdf.set_xy(self._left(start, room), top)
        height = self._pdf.multi_cell(
            room,
            size * LINE,
            words,
            align=self._align("start"),
            dry_run=not draw,
            output=MethodReturnValue.HEIGHT,
        )
        return float(height)  # type: ignore[arg-type]

    def pdf(self) -> bytes:
        """Give the sheet as a PDF file."""
        return bytes(self._pdf.output())

    def _left(self, start: float, width: float) -> float:
        return WIDTH - start - width if self._rtl else start

    def _align(self, at: Place) -> Align:
        if at == "middle":
            return Align.C
        return Align.R if (at == "end") != self._rtl else Align.L


def _draw_level(
    sheet: _Sheet,
    document: Mapping[str, Any],
    instrument: Instrument,
    words: Mapping[str, str],
    language: str,
) -> None:
    level, count = result_level(document, instrument), len(instrument.levels)
    start, top = MARGIN + PADDING, CARD_TOP + 4
    sheet.box(MARGIN, CARD_TOP, INNER, CARD_HEIGHT, TEAL, radius=4)
    sheet.text(start, top, 60, 6, words["result_level"], 11, PAPER)
    rank = f"{level.id} / {count}" if level is not None else ""
    name = words["result_no_answer"] if level is None else level.name[language]
    room = HALF - 18 - sheet.length(rank, 22, "B", number=True)
    sheet.text(start, top + 7, room, 12, name, 24, WHITE, "B")
    sheet.text(start, top + 7, HALF - 14, 12, rank, 22, WHITE, "B", at="end", number=True)
    width = (HALF - 12) / count
    for position in range(count):
        reached = level is not None and position < level.id
        sheet.box(start + position * width, top + 22, width - 2, 2.6, WHITE if reached else DIM, radius=1.29)
    sheet.box(MARGIN + HALF, CARD_TOP + 5, 0.4, CARD_HEIGHT - 10, DIM)
    points = None if document["score"] is None else instrument.whole_points(document["score"])
    _draw_score(sheet, points, document["provisional"], words)


def _draw_score(sheet: _Sheet, points: int | None, provisional: bool, words: Mapping[str, str]) -> None:
    start, top = MARGIN + HALF + PADDING, CARD_TOP + 4
    room = INNER - HALF - 2 * PADDING
    taken = sheet.text(start, top, room / 2, 6, words["result_score"], 11, PAPER)
    parts = [] if points is None else [str(points), words["result_of"], "100"]
    if provisional:
        parts = [words["result_about"], *parts] if parts else []
        _draw_provisional(sheet, words["provisional"], start + room, top, room - taken - 4)
    sheet.text(start, top + 10, room, 12, " ".join(parts), 20, WHITE, "B")


def _draw_provisional(sheet: _Sheet, word: str, end: float, top: float, room: float) -> None:
    width = min(sheet.length(word, 10, "B") + 6, room)
    sheet.box(end - width, top - 0.5, width, 7, PAPER, radius=3.49)
    sheet.text(end - width + 3, top - 0.5, width - 6, 7, word, 10, INK, "B", at="middle")


def _draw_facts(
    sheet: _Sheet,
    document: Mapping[str, Any],
    instrument: Instrument,
    words: Mapping[str, str],
    told_on: date,
) -> None:
    answered = f"{len(_answered(document))} {words['result_of']} {len(instrument.order)}"
    facts = (
        (words["result_date"], f"{told_on:%d/%m/%Y}"),
        (words["result_items"], answered),
        (words["result_instrument"], document["instrument"]),
    )
    width = INNER / len(facts)
    for position, (name, value) in enumerate(facts):
        start = MARGIN + position * width
        sheet.text(start, FACTS_TOP, width - 4, 5, name, 9.5, QUIET)
        sheet.text(start, FACTS_TOP + 5, width - 4, 6.5, value, 12.5, INK, "B")


def _answered(document: Mapping[str, Any]) -> set[str]:
    """Give the questions the owner answered: "not concerned" is an answer, what was deduced is not."""
    return (set(document["items"]) | set(document.get("na", ()))) - set(document.get("imputed", ()))


def _draw_axes(
    sheet: _Sheet,
    document: Mapping[str, Any],
    instrument: Instrument,
    words: Mapping[str, str],
    language: str,
) -> None:
    bars, bands = result_bars(document, instrument, language), level_bands(instrument)
    sheet.text(MARGIN, AXES_TOP, INNER, 7, words["result_axes"], 13, TEAL, "B")
    for position, bar in enumerate(bars):
        _draw_bar(sheet, ROWS_TOP + position * ROW_HEIGHT, bar, bands, words)
    _draw_scale(sheet, ROWS_TOP + len(bars) * ROW_HEIGHT, bands, language)


def _draw_bar(sheet: _Sheet, top: float, bar: Bar, bands: Bands, words: Mapping[str, str]) -> None:
    bar_top = top + (ROW_HEIGHT - BAR_HEIGHT) / 2
    sheet.text(MARGIN, top, BAR_START - MARGIN - 3, ROW_HEIGHT, bar.name, 10.5, INK)
    if bar.score is None:
        sheet.frame(BAR_START, bar_top, BAR_LENGTH, BAR_HEIGHT)
        room = WIDTH - MARGIN - BAR_START - BAR_LENGTH - 4
        sheet.text(BAR_START + BAR_LENGTH + 4, top, room, ROW_HEIGHT, words["result_no_answer"], 9.5, QUIET)
        return
    for position, (_, lower, upper) in enumerate(bands):
        tint = band_colour(position, len(bands))
        sheet.box(_along(lower), bar_top, _along(upper) - _along(lower), BAR_HEIGHT, tint)
    sheet.box(BAR_START, bar_top, _along(bar.score) - BAR_START, BAR_HEIGHT, FILL[bar.mark])
    for _, lower, _ in bands[1:]:
        sheet.box(_along(lower) - 0.2, bar_top, 0.4, BAR_HEIGHT, WHITE)
    start = BAR_START + BAR_LENGTH + 1
    number = str(bar.points)
    sheet.text(start, top, NUMBER_ROOM, ROW_HEIGHT, number, 12, FILL[bar.mark], "B", at="end", number=True)
    if bar.mark is not None:
        sheet.sign(MARK_START, top + (ROW_HEIGHT - SIGN) / 2, bar.mark)
        start = MARK_START + SIGN + 1.2
        word = words[f"result_{bar.mark}"]
        sheet.text(start, top, WIDTH - MARGIN - start, ROW_HEIGHT, word, 10, FILL[bar.mark], "B")


def _draw_scale(sheet: _Sheet, top: float, bands: Bands, language: str) -> None:
    for position, (level, lower, upper) in enumerate(bands):
        at: Place = "middle" if position else "start"
        start = _along(lower) - 5 if position else BAR_START
        sheet.text(start, top, 10, 4, f"{lower:g}", 8.5, QUIET, at=at, number=True)
        width = _along(upper) - _along(lower)
        name = level.name[language]
        sheet.text(_along(lower) + 0.5, top + 4, width - 1, 4.5, name, 8.5, INK, at="middle")
    sheet.text(_along(100) - 10, top, 10, 4, "100", 8.5, QUIET, at="end", number=True)


def _along(score: float) -> float:
    return BAR_START + BAR_LENGTH * score / 100


def _note_height(sheet: _Sheet, words: Mapping[str, str]) -> float:
    room = INNER - 2 * PADDING
    return 2 * NOTE_PADDING + sheet.paragraph(0, 0, room, words["result_not"], NOTE_SIZE, INK, draw=False)


def _draw_note(sheet: _Sheet, words: Mapping[str, str], top: float) -> None:
    """Write what the score is not, and who made the page."""
    room = INNER - 2 * PADDING
    sheet.box(MARGIN, top, INNER, NOTE_BOTTOM - top, PAPER, radius=3)
    sheet.paragraph(MARGIN + PADDING, top + NOTE_PADDING, room, words["result_not"], NOTE_SIZE, INK)
    sheet.text(MARGIN, FOOT_TOP, INNER, 5, words["result_made_by"], 9, QUIET, at="middle")


def _draw_plan(sheet: _Sheet, plan: Plan, words: Mapping[str, str], language: str, bottom: float) -> None:
    sheet.text(MARGIN, PLAN_TOP, INNER, 7, words["result_plan"], 13, TEAL, "B")
    top = PLAN_TOP + 9
    size = _plan_size(sheet, plan, words, language, bottom - top)
    for number, (card, day) in enumerate(plan, 1):
        sheet.disc(MARGIN, top, 7, TEAL)
        sheet.text(MARGIN, top, 7, 7, str(number), 11, WHITE, "B", at="middle", number=True)
        height = _entry(sheet, top, card, words["result_why"], language, size)
        start = ENTRY_START + ENTRY_ROOM + 4
        room = WIDTH - MARGIN - start
        sheet.text(start, top, room, 4.5, words["result_before"], 9, QUIET, at="end")
        sheet.text(start, top + 4.5, room, 5.5, f"{day:%d/%m/%Y}", 11, INK, "B", at="end", number=True)
        top += height


def _plan_size(sheet: _Sheet, plan: Plan, words: Mapping[str, str], language: str, room: float) -> float:
    """Choose the largest letters with which the whole plan has room."""
    for size in PLAN_SIZES:
        heights = (_entry(sheet, 0, card, words["result_why"], language, size, draw=False) for card, _ in plan)
        if sum(heights) <= room:
            return size
    return PLAN_SIZES[-1]


def _entry(sheet: _Sheet, top: float, card: Card, why: str, language: str, size: float, draw: bool = True) -> float:
    """Write an action and its reason, or only measure them; return the height they take."""
    height = sheet.paragraph(ENTRY_START, top + 0.6, ENTRY_ROOM, card.title[language], size, INK, "B", draw=draw)
    small = size - 1
    indent = sheet.length(why, small, "B") + 2.5
    below = top + 0.6 + height
    if draw:
        sheet.text(ENTRY_START, below, indent, small * LINE, why, small, CLAY, "B")
    room = ENTRY_ROOM - indent
    height += sheet.paragraph(ENTRY_START + indent, below, room, card.why[language], small, INK, draw=draw)
    return max(height + 4, 13)


@lru_cache
def _static_font(weight: int) -> Path:
    """Cut one weight out of the variable font: a second's work, done once in a process."""
    font = TTFont(font_file(), recalcTimestamp=False)
    axes = {"wght": weight, "wdth": NORMAL_WIDTH}
    instancer.instantiateVariableFont(font, axes, inplace=True)
    path = _font_folder() / f"{weight}.ttf"
    font.save(path)
    return path


@lru_cache
def _font_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="rafiq-fonts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
