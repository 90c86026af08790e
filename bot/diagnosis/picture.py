"""The picture of a result: one horizontal bar an axis, made for a phone (dialogue.md 4.4)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import fontpkg
from PIL import Image, ImageDraw, ImageFont

from bot.diagnosis.instrument import Instrument, Level
from bot.knowledge.text import Text

Colour = tuple[int, int, int]
Mark = Literal["strong", "weak"]
Place = Literal["start", "middle", "end"]
Bands = list[tuple[Level, float, float]]

PAPER: Colour = (251, 247, 239)
INK: Colour = (22, 43, 41)
QUIET: Colour = (88, 97, 94)
WHITE: Colour = (255, 255, 255)
TEAL: Colour = (13, 94, 86)
DIM: Colour = (66, 130, 123)
CLAY: Colour = (172, 80, 32)
BAND_LIGHT: Colour = (235, 226, 208)
BAND_DARK: Colour = (208, 194, 166)
FILL: Mapping[Mark | None, Colour] = {None: TEAL, "strong": TEAL, "weak": CLAY}

# The only family of the three installed that has every letter of our texts, ڭ among them.
FONT_FAMILY = "Noto Sans Arabic"
REGULAR, BOLD = 400, 700
NORMAL_WIDTH = 100

WIDTH, MARGIN = 1080, 60
INNER = WIDTH - 2 * MARGIN
CARD_TOP, CARD_HEIGHT, CARD_PADDING = 132, 268, 40
ROWS_TOP, ROW_HEIGHT = 496, 122
BAR_TOP, BAR_HEIGHT = 68, 34
FOOT_HEIGHT = 192
BIG, LARGE, NORMAL, SMALL = 76, 48, 42, 36
"""Sizes of letters in pixels: a phone shows 3 pixels as one point, or 4 inside a chat bubble."""
SMALLEST = 26
SYMBOL, SMOOTH = 42, 4
"""Pixels a sign is wide, and how much larger it is drawn before it is reduced to smooth edges."""


@dataclass(frozen=True)
class Bar:
    """An axis as it is shown; `score`, 0 to 100, and whole `points` are None while no question is answered."""

    short: str
    name: str
    score: float | None
    points: int | None
    mark: Mark | None


def result_bars(document: Mapping[str, Any], instrument: Instrument, language: str) -> tuple[Bar, ...]:
    """Give the axes in the instrument's order; nothing stands out where all are equal."""
    strongest, weakest = document["strongest"], document["weakest"]
    marks: dict[str, Mark] = {} if strongest == weakest else {strongest: "strong", weakest: "weak"}
    scores = {axis: float(found["score"]) for axis, found in document["axes"].items()}
    points = {axis: instrument.whole_points(score) for axis, score in scores.items()}
    return tuple(
        Bar(axis.short[language], axis.name[language], scores.get(axis.id), points.get(axis.id), marks.get(axis.id))
        for axis in instrument.axes
    )


def result_level(document: Mapping[str, Any], instrument: Instrument) -> Level | None:
    """Give the level to show, which the security guard-rail may hold down; None without an answer."""
    return next((level for level in instrument.levels if level.id == document["level_shown"]), None)


def level_bands(instrument: Instrument) -> Bands:
    """Give each level with the scores where it starts and ends."""
    starts = [float(level.lower) for level in instrument.levels]
    return list(zip(instrument.levels, starts, [*starts[1:], 100.0], strict=True))


def band_colour(position: int, count: int) -> Colour:
    """Give the tint behind a level: the higher, the darker."""
    return _between(BAND_LIGHT, BAND_DARK, position / max(count - 1, 1))


def star_points(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Give the ten corners of a star around a point, from the top on."""
    corners = ((number * math.pi / 5, radius if number % 2 == 0 else radius * 0.42) for number in range(10))
    return [(x + length * math.sin(angle), y - length * math.cos(angle)) for angle, length in corners]


@lru_cache
def font_file() -> Path:
    """Give the variable font that the picture and the page are set in."""
    return fontpkg.path(FONT_FAMILY, nearest=True)


def draw_picture(
    document: Mapping[str, Any], instrument: Instrument, labels: Mapping[str, Text], language: str
) -> bytes:
    """Draw a result of document.py as PNG, 1080 pixels wide; raise KeyError for an unknown language."""
    bars = result_bars(document, instrument, language)
    sheet = _Sheet(ROWS_TOP + len(bars) * ROW_HEIGHT + FOOT_HEIGHT, rtl=language == "ary-Arab")
    sheet.text(MARGIN, 92, labels["result_title"][language], LARGE, INK, BOLD, room=INNER)
    _draw_level(sheet, document, instrument, labels, language)
    sheet.text(MARGIN, ROWS_TOP - 34, labels["result_axes"][language], NORMAL, TEAL, BOLD, room=INNER)
    bands = level_bands(instrument)
    for position, bar in enumerate(bars):
        _draw_bar(sheet, ROWS_TOP + position * ROW_HEIGHT, bar, bands, labels, language)
    bottom = ROWS_TOP + len(bars) * ROW_HEIGHT
    _draw_scale(sheet, bottom, bands, language)
    sheet.text(WIDTH / 2, bottom + 160, labels["result_made_by"][language], SMALL, QUIET, at="middle", room=INNER)
    return sheet.png(_palette(len(bands)))


class _Sheet:
    """A drawing whose places are counted from the side where reading starts."""

    def __init__(self, height: int, rtl: bool) -> None:
        self._image = Image.new("RGB", (WIDTH, height), PAPER)
        self._draw = ImageDraw.Draw(self._image)
        self._rtl = rtl

    def box(self, start: float, top: float, width: float, height: float, fill: Colour, radius: int = 0) -> None:
        """Fill a rectangle; less than a pixel is not drawn."""
        left = round(WIDTH - start - width if self._rtl else start)
        size = round(width), round(height)
        if radius:
            self._image.paste(fill, (left, round(top)), _rounded(*size, radius))
        elif size[0] > 0:
            self._draw.rectangle((left, round(top), left + size[0] - 1, round(top) + size[1] - 1), fill)

    def text(
        self,
        start: float,
        baseline: float,
        words: str,
        size: int,
        colour: Colour,
        weight: int = REGULAR,
        *,
        room: float,
        at: Place = "start",
        number: bool = False,
    ) -> float:
        """Write one line with its start, middle or end at `start`, smaller where it needs more than `room`.

        A number reads from left to right in every language. Return the width taken.
        """
        width = self.length(words, size, weight, number)
        if width > room:
            size = max(SMALLEST, int(size * room / width))
            width = self.length(words, size, weight, number)
        side = {"start": "r" if self._rtl else "l", "middle": "m", "end": "l" if self._rtl else "r"}[at]
        x = WIDTH - start if self._rtl else start
        font, shaping = _font(size, weight), self._shaping(number)
        self._draw.text((x, baseline), words, colour, font, anchor=f"{side}s", **shaping)
        return width

    def length(self, words: str, size: int, weight: int, number: bool = False) -> float:
        """Measure one line in pixels."""
        return _font(size, weight).getlength(words, **self._shaping(number))

    def _shaping(self, number: bool) -> dict[str, Any]:
        return {"direction": "rtl", "language": "ar"} if self._rtl and not number else {"direction": "ltr"}

    def symbol(self, start: float, top: float, mark: Mark) -> None:
        """Draw the sign of an axis that stands out."""
        left = WIDTH - start - SYMBOL if self._rtl else start
        self._image.paste(FILL[mark], (round(left), round(top)), _symbol(mark))

    def png(self, palette: Image.Image) -> bytes:
        """Give the picture as PNG with a palette: a third of the size of full colour."""
        data = BytesIO()
        reduced = self._image.quantize(palette=palette, dither=Image.Dither.NONE)
        reduced.save(data, "PNG", compress_level=6)
        return data.getvalue()


def _draw_level(
    sheet: _Sheet,
    document: Mapping[str, Any],
    instrument: Instrument,
    labels: Mapping[str, Text],
    language: str,
) -> None:
    level, count = result_level(document, instrument), len(instrument.levels)
    start, end = MARGIN + CARD_PADDING, WIDTH - MARGIN - CARD_PADDING
    sheet.box(MARGIN, CARD_TOP, INNER, CARD_HEIGHT, TEAL, radius=32)
    sheet.text(start, CARD_TOP + 72, labels["result_level"][language], NORMAL, PAPER, room=340)
    if document["provisional"]:
        _draw_provisional(sheet, labels["provisional"][language], end)
    name = labels["result_no_answer"][language] if level is None else level.name[language]
    rank = 0.0
    if level is not None:
        rank = sheet.text(
            end, CARD_TOP + 176, f"{level.id} / {count}", BIG, WHITE, BOLD, room=260, at="end", number=True
        )
    sheet.text(start, CARD_TOP + 176, name, BIG, WHITE, BOLD, room=end - start - rank - 40)
    width = (end - start + 12) / count
    for position in range(count):
        reached = level is not None and position < level.id
        sheet.box(start + position * width, CARD_TOP + 218, width - 12, 18, WHITE if reached else DIM, radius=9)


def _draw_provisional(sheet: _Sheet, word: str, end: float) -> None:
    width = min(sheet.length(word, SMALL, BOLD), 420.0)
    sheet.box(end - width - 48, CARD_TOP + 28, width + 48, 62, PAPER, radius=31)
    sheet.text(end - width / 2 - 24, CARD_TOP + 71, word, SMALL, INK, BOLD, room=width, at="middle")


def _draw_bar(sheet: _Sheet, top: int, bar: Bar, bands: Bands, labels: Mapping[str, Text], language: str) -> None:
    end, baseline = WIDTH - MARGIN, top + 44
    taken = sheet.text(MARGIN, baseline, bar.short, NORMAL, INK, BOLD, room=INNER * 0.55)
    if bar.score is None:
        word = labels["result_no_answer"][language]
        sheet.text(end, baseline, word, SMALL, QUIET, room=INNER - taken - 30, at="end")
        _draw_empty(sheet, top + BAR_TOP)
        return
    rounded = sheet.text(end, baseline, str(bar.points), LARGE, FILL[bar.mark], BOLD, room=120, at="end", number=True)
    if bar.mark is not None:
        start = MARGIN + taken + 28
        word = labels[f"result_{bar.mark}"][language]
        sheet.symbol(start, baseline - 34, bar.mark)
        start += SYMBOL + 12
        sheet.text(start, baseline, word, SMALL, FILL[bar.mark], BOLD, room=end - rounded - 24 - start)
    _draw_filled(sheet, top + BAR_TOP, bar.score, FILL[bar.mark], bands)


def _draw_filled(sheet: _Sheet, top: int, score: float, fill: Colour, bands: Bands) -> None:
    """Draw the bands, the bar over them, and the limits of the bands through both."""
    for position, (_, lower, upper) in enumerate(bands):
        tint = band_colour(position, len(bands))
        sheet.box(_along(lower), top, _along(upper) - _along(lower), BAR_HEIGHT, tint)
    sheet.box(MARGIN, top, _along(score) - MARGIN, BAR_HEIGHT, fill)
    for _, lower, _ in bands[1:]:
        sheet.box(_along(lower) - 2, top, 4, BAR_HEIGHT, PAPER)


def _draw_empty(sheet: _Sheet, top: int) -> None:
    """Draw a dashed frame: no bar is not a bar of 0."""
    dashes, dash = 41, 12
    for number in range(dashes):
        start = MARGIN + number * (INNER - dash) / (dashes - 1)
        sheet.box(start, top, dash, 3, QUIET)
        sheet.box(start, top + BAR_HEIGHT - 3, dash, 3, QUIET)
    for start in (MARGIN, WIDTH - MARGIN - 3):
        sheet.box(start, top, 3, BAR_HEIGHT, QUIET)


def _draw_scale(sheet: _Sheet, top: int, bands: Bands, language: str) -> None:
    baseline = top + 36
    sheet.text(WIDTH - MARGIN, baseline, "100", SMALL, QUIET, room=90, at="end", number=True)
    for position, (level, lower, upper) in enumerate(bands):
        at: Place = "middle" if position else "start"
        sheet.text(_along(lower), baseline, f"{lower:g}", SMALL, QUIET, room=90, at=at, number=True)
        middle, width = _along((lower + upper) / 2), _along(upper) - _along(lower)
        sheet.text(middle, baseline + 50, level.name[language], SMALL, INK, room=width - 16, at="middle")


def _along(score: float) -> float:
    return MARGIN + INNER * score / 100


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@lru_cache(maxsize=64)
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(str(font_file()), size, layout_engine=ImageFont.Layout.RAQM)
    font.set_variation_by_axes([weight, NORMAL_WIDTH])
    return font


@lru_cache(maxsize=64)
def _rounded(width: int, height: int, radius: int) -> Image.Image:
    """Make the mask of a rectangle with smooth round corners."""
    large = Image.new("L", (width * SMOOTH, height * SMOOTH), 0)
    corner = (width * SMOOTH - 1, height * SMOOTH - 1)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, *corner), radius * SMOOTH, 255)
    return large.resize((width, height), Image.Resampling.BOX)


@lru_cache
def _symbol(mark: Mark) -> Image.Image:
    """Cut a star (strong) or a plus (weak: there is room to grow) out of a disc, with smooth edges."""
    size = SYMBOL * SMOOTH
    middle, arm, half = size / 2, size * 0.27, size * 0.07
    large = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(large)
    draw.ellipse((0, 0, size - 1, size - 1), 255)
    if mark == "strong":
        draw.polygon(star_points(middle, middle * 1.03, size * 0.36), 0)
    else:
        draw.rectangle((middle - arm, middle - half, middle + arm, middle + half), 0)
        draw.rectangle((middle - half, middle - arm, middle + half, middle + arm), 0)
    return large.resize((SYMBOL, SYMBOL), Image.Resampling.BOX)


@lru_cache
def _palette(bands: int) -> Image.Image:
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in _colours(bands) for channel in colour])
    return palette


def _colours(bands: int) -> Iterator[Colour]:
    """Give the plain colours, and the steps between letters and their ground: at most 256."""
    yield from (DIM, *(band_colour(position, bands) for position in range(bands)))
    grounds = ((PAPER, INK), (PAPER, QUIET), (PAPER, TEAL), (PAPER, CLAY), (TEAL, PAPER), (TEAL, WHITE))
    for ground, letters in grounds:
        yield from (_between(ground, letters, step / 15) for step in range(16))
