from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops, features

from bot.diagnosis import picture
from bot.diagnosis.cards import Cards
from bot.diagnosis.document import parse_request, score_document
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.picture import (
    BAR_HEIGHT,
    BAR_TOP,
    CLAY,
    INNER,
    MARGIN,
    PAPER,
    ROW_HEIGHT,
    ROWS_TOP,
    TEAL,
    WIDTH,
    band_colour,
    draw_picture,
    font_file,
)
from bot.diagnosis.plan import Priorities
from bot.knowledge.loader import load
from bot.knowledge.text import VARIETIES, Text

from .conftest import AXES, BLOCKS, KNOWLEDGE

Document = dict[str, Any]
Score = Callable[[dict[str, Any]], Document]
Labels = dict[str, Text]

# The small instrument has nothing more to show.
pytestmark = pytest.mark.parametrize("instrument", ["real"], indirect=True)

ANCHORS = {"P1": 1, "C1": 1, "V1": 3, "G1": 2, "E1": 1, "D1": 0, "S1": 1}
ITEMS = [item for block in BLOCKS for item in block]
RTL = "ary-Arab"


@pytest.fixture(scope="session")
def labels() -> Labels:
    return load(KNOWLEDGE / "labels.yml").parse(dict[str, Text])


@pytest.fixture
def scored(instrument: Instrument, cards: Cards, priorities: Priorities) -> Score:
    def result(answers: dict[str, Any]) -> Document:
        return score_document(instrument, cards, priorities, parse_request({"answers": answers}, instrument))

    return result


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


def reworded(labels: Labels, key: str, words: str) -> Labels:
    return {**labels, key: Text(**{variety: words for variety in VARIETIES})}


def row(image: Image.Image, axis: str) -> Image.Image:
    top = ROWS_TOP + AXES.index(axis) * ROW_HEIGHT
    return image.crop((0, top, WIDTH, top + ROW_HEIGHT))


def filled(image: Image.Image, axis: str) -> list[int]:
    """Give the places, from the left, of the coloured pixels along the middle of an axis' bar."""
    line = row(image, axis).crop((0, BAR_TOP + BAR_HEIGHT // 2, WIDTH, BAR_TOP + BAR_HEIGHT // 2 + 1))
    return [x for x in range(WIDTH) if line.getpixel((x, 0)) in (TEAL, CLAY)]


def colours(image: Image.Image) -> set[Any]:
    return {colour for _, colour in image.getcolors() or ()}


def differs(one: Image.Image, other: Image.Image) -> tuple[int, int, int, int] | None:
    return ImageChops.difference(one, other).getbbox()


@pytest.mark.parametrize("language", VARIETIES)
@pytest.mark.parametrize(
    "answers", [ANCHORS, {}, {"V1": 2}, dict.fromkeys(ITEMS, 0), dict.fromkeys(ITEMS, 3)],
    ids=["anchors", "none", "one", "all 0", "all 3"],
)  # fmt: skip
def test_a_picture_is_1080_pixels_wide_and_light(
    scored: Score, instrument: Instrument, labels: Labels, language: str, answers: dict[str, int]
) -> None:
    png = draw_picture(scored(answers), instrument, labels, language)
    image = Image.open(BytesIO(png))
    assert (image.format, image.width) == ("PNG", 1080)
    assert 1300 < image.height < 1700
    assert len(png) < 60_000


@pytest.mark.parametrize("language", ["fr", "ary-Latn"])
def test_bars_grow_from_the_left(scored: Score, instrument: Instrument, labels: Labels, language: str) -> None:
    image = opened(draw_picture(scored(ANCHORS), instrument, labels, language))
    for axis in "PCVGES":
        places = filled(image, axis)
        assert places[0] == MARGIN
        expected = MARGIN + INNER * ANCHORS[f"{axis}1"] / 3
        assert places[-1] == pytest.approx(expected, abs=3), axis


def test_bars_grow_from_the_right_in_arabic_letters(scored: Score, instrument: Instrument, labels: Labels) -> None:
    image = opened(draw_picture(scored(ANCHORS), instrument, labels, RTL))
    for axis in "PCVGES":
        places = filled(image, axis)
        assert places[-1] == WIDTH - MARGIN - 1
        expected = WIDTH - MARGIN - INNER * ANCHORS[f"{axis}1"] / 3
        assert places[0] == pytest.approx(expected, abs=3), axis


@pytest.mark.parametrize("language", VARIETIES)
def test_nothing_is_filled_where_all_is_0_and_everything_where_all_is_100(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    zero = opened(draw_picture(scored(dict.fromkeys(ITEMS, 0)), instrument, labels, language))
    full = opened(draw_picture(scored(dict.fromkeys(ITEMS, 3)), instrument, labels, language))
    limits = 3 * 4
    for axis in AXES:
        assert filled(zero, axis) == []
        assert len(filled(full, axis)) == INNER - limits


def test_the_four_bands_lie_under_a_bar(scored: Score, instrument: Instrument, labels: Labels) -> None:
    zero = opened(draw_picture(scored(dict.fromkeys(ITEMS, 0)), instrument, labels, "fr"))
    quarter, middle = INNER // 4, BAR_TOP + BAR_HEIGHT // 2
    seen = [row(zero, "P").getpixel((MARGIN + band * quarter + quarter // 2, middle)) for band in range(4)]
    limits = [row(zero, "P").getpixel((MARGIN + band * quarter, middle)) for band in (1, 2, 3)]
    assert seen == [band_colour(band, 4) for band in range(4)]
    assert len(set(seen)) == 4
    assert limits == [PAPER] * 3


@pytest.mark.parametrize("language", VARIETIES)
def test_an_axis_without_an_answer_is_not_an_axis_of_0(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    document = scored({"P1": 1, "C1": 0, "V1": 3})
    image = opened(draw_picture(document, instrument, labels, language))
    silent = opened(draw_picture(document, instrument, reworded(labels, "result_no_answer", "."), language))
    bands = {band_colour(band, 4) for band in range(4)}
    bar = (MARGIN + 3, BAR_TOP + 3, WIDTH - MARGIN - 3, BAR_TOP + BAR_HEIGHT - 3)
    for axis in "GEDS":
        assert colours(row(image, axis).crop(bar)) == {PAPER}
        assert differs(row(image, axis), row(silent, axis)), "the words are missing"
    assert bands <= colours(row(image, "C").crop(bar))
    assert not differs(row(image, "C"), row(silent, "C"))


@pytest.mark.parametrize("language", VARIETIES)
@pytest.mark.parametrize("mark", ["strong", "weak"])
def test_what_stands_out_has_a_sign_and_a_word_beside_its_colour(
    scored: Score,
    instrument: Instrument,
    labels: Labels,
    language: str,
    mark: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(picture, "FILL", dict.fromkeys(picture.FILL, TEAL))
    dotted = reworded(reworded(labels, "result_strong", "."), "result_weak", ".")
    strongest, weakest = ("G", "P") if mark == "strong" else ("P", "G")
    marked = {**scored(ANCHORS), "strongest": strongest, "weakest": weakest}
    swapped = {**marked, "strongest": weakest, "weakest": strongest}
    unmarked = {**marked, "strongest": None, "weakest": None}

    def of_g(document: Document, words: Labels) -> Image.Image:
        return row(opened(draw_picture(document, instrument, words, language)), "G")

    sign = differs(of_g(marked, dotted), of_g(unmarked, dotted))
    assert sign is not None and sign[2] - sign[0] >= 40 and sign[3] - sign[1] >= 40
    assert differs(of_g(marked, dotted), of_g(swapped, dotted)), "both signs look the same"
    word = differs(of_g(marked, labels), of_g(marked, dotted))
    assert word is not None and word[2] - word[0] >= 60


def test_nothing_stands_out_where_all_axes_are_equal(scored: Score, instrument: Instrument, labels: Labels) -> None:
    for value in range(4):
        document = scored(dict.fromkeys(ITEMS, value))
        plain = {**document, "strongest": None, "weakest": None}
        drawn = draw_picture(document, instrument, labels, "fr")
        assert drawn == draw_picture(plain, instrument, labels, "fr")


def test_the_level_shown_is_the_one_the_guard_rail_allows(
    scored: Score, instrument: Instrument, labels: Labels
) -> None:
    document = scored({**dict.fromkeys(ITEMS, 3), "S1": 0, "S2": 0, "S3": 0})
    assert (document["level"], document["level_shown"]) == (4, 3)
    third = {**document, "level": 3}
    open_rail = {**document, "level_shown": 4}
    drawn = draw_picture(document, instrument, labels, "fr")
    assert drawn == draw_picture(third, instrument, labels, "fr")
    assert drawn != draw_picture(open_rail, instrument, labels, "fr")


@pytest.mark.parametrize("language", VARIETIES)
def test_a_provisional_result_says_so_beside_its_level(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    document = scored(ANCHORS)
    assert document["provisional"]
    sure = opened(draw_picture({**document, "provisional": False}, instrument, labels, language))
    unsure = opened(draw_picture(document, instrument, labels, language))
    change = differs(sure, unsure)
    assert change is not None and change[3] < ROWS_TOP
    other = opened(draw_picture(document, instrument, reworded(labels, "provisional", "."), language))
    assert differs(unsure, other)


@pytest.mark.parametrize("language", VARIETIES)
def test_the_longest_names_leave_the_number_alone(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    wide = Text(**{"fr": "W" * 16, "ary-Arab": "ص" * 16, "ary-Latn": "M" * 16})
    axes = tuple(axis.copy(update={"short": wide}) for axis in instrument.axes)
    document = scored({**dict.fromkeys(ITEMS, 3), "C1": 0})
    assert document["strongest"] == "P" and document["weakest"] == "C"
    image = opened(draw_picture(document, instrument.copy(update={"axes": axes}), labels, language))
    number = 110
    gap = (WIDTH - MARGIN - number, 0, WIDTH - MARGIN - number + 12, BAR_TOP)
    if language == RTL:
        gap = (MARGIN + number - 12, 0, MARGIN + number, BAR_TOP)
    assert colours(row(image, "P").crop(gap)) == {PAPER}
    assert colours(row(image, "C").crop(gap)) == {PAPER}


def test_every_letter_we_draw_is_in_the_font(instrument: Instrument, labels: Labels) -> None:
    assert features.check("raqm"), "Pillow cannot join Arabic letters here"
    texts = [text for key, text in labels.items() if key.startswith("result_")]
    texts += [labels["provisional"], *(level.name for level in instrument.levels)]
    texts += [text for axis in instrument.axes for text in (axis.short, axis.name)]
    drawn = {letter for text in texts for variety in VARIETIES for letter in text[variety]} | set("ڭݣگچڤپ")
    assert drawn - {chr(code) for code in TTFont(font_file()).getBestCmap()} == set()


def test_the_same_result_gives_the_same_bytes(scored: Score, instrument: Instrument, labels: Labels) -> None:
    document = scored(ANCHORS)
    assert draw_picture(document, instrument, labels, RTL) == draw_picture(document, instrument, labels, RTL)


@pytest.mark.parametrize("language", ["en", "ar", "FR", ""])
def test_an_unknown_language_is_a_key_error(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    with pytest.raises(KeyError, match=language):
        draw_picture(scored(ANCHORS), instrument, labels, language)


def test_a_missing_label_is_a_key_error(scored: Score, instrument: Instrument, labels: Labels) -> None:
    without = {key: text for key, text in labels.items() if key != "result_axes"}
    with pytest.raises(KeyError, match="result_axes"):
        draw_picture(scored(ANCHORS), instrument, without, "fr")
