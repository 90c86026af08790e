from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from io import BytesIO
from itertools import pairwise
from typing import Any

import pytest
from pypdf import PageObject, PdfReader

from bot.diagnosis.cards import TITLE, WHY, Card, Cards
from bot.diagnosis.document import parse_request, score_document
from bot.diagnosis.instrument import Instrument
from bot.diagnosis.page import draw_page
from bot.diagnosis.picture import CLAY, TEAL, Colour
from bot.diagnosis.plan import Priorities
from bot.knowledge.loader import load
from bot.knowledge.text import VARIETIES, Text

from .conftest import BLOCKS, KNOWLEDGE

Document = dict[str, Any]
Score = Callable[[dict[str, Any]], Document]
Labels = dict[str, Text]
Plan = list[tuple[Card, date]]

# The small instrument has nothing more to show, and a page takes a third of a second.
pytestmark = pytest.mark.parametrize("instrument", ["real"], indirect=True)

ANCHORS = {"P1": 1, "C1": 1, "V1": 3, "G1": 2, "E1": 1, "D1": 0, "S1": 1}
ITEMS = [item for block in BLOCKS for item in block]
TOLD_ON = date(2026, 11, 22)
DAYS = (date(2026, 12, 22), date(2027, 1, 21), date(2027, 2, 20))
POINT = 72 / 25.4


@pytest.fixture(scope="session")
def labels() -> Labels:
    return load(KNOWLEDGE / "labels.yml").parse(dict[str, Text])


@pytest.fixture
def scored(instrument: Instrument, cards: Cards, priorities: Priorities) -> Score:
    def result(answers: dict[str, Any]) -> Document:
        return score_document(instrument, cards, priorities, parse_request({"answers": answers}, instrument))

    return result


@pytest.fixture
def plan(cards: Cards) -> Plan:
    return [(cards.by_step[step], day) for step, day in zip((("D1", 1), ("S1", 2), ("C1", 2)), DAYS, strict=True)]


def page_of(pdf: bytes) -> PageObject:
    (page,) = PdfReader(BytesIO(pdf)).pages
    return page


def text_of(pdf: bytes) -> str:
    return " ".join(page_of(pdf).extract_text().split())


def bars(pdf: bytes, colours: tuple[Colour, ...] = (TEAL, CLAY)) -> list[tuple[float, float]]:
    """Give left and width of the plain rectangles in these colours, from the top of the page down."""
    wanted = [tuple(round(channel / 255, 3) for channel in colour) for colour in colours]
    colour, found = None, []
    for line in page_of(pdf).get_contents().get_data().decode("latin-1").splitlines():  # type: ignore[union-attr]
        if match := re.search(r"([\d.]+) ([\d.]+) ([\d.]+) rg$", line):
            colour = tuple(round(float(channel), 3) for channel in match.groups())
        if (match := re.search(r"([\d.]+) [\d.]+ ([\d.]+) -[\d.]+ re f$", line)) and colour in wanted:
            found.append((float(match[1]), float(match[2])))
    return found


def texts(pdf: bytes) -> list[tuple[str, float]]:
    """Give each piece of text, as drawn, with its height over the foot of the page in points."""
    found: list[tuple[str, float]] = []

    def note(text: str, _: Any, matrix: list[float], *rest: Any) -> None:
        if text.strip():
            found.append((text.strip(), matrix[5]))

    page_of(pdf).extract_text(visitor_text=note)
    return found


def long_card(words: dict[str, str]) -> Card:
    title = {variety: (words[variety] * TITLE)[: TITLE - 1] + "." for variety in VARIETIES}
    why = {variety: (words[variety] * WHY)[: WHY - 1] + "." for variety in VARIETIES}
    return Card.parse_obj(
        {
            "id": "G1-2", "item": "G1", "to": 2, "title": title, "why": why, "steps": [title, title],
            "ease": "quick", "cost": "free", "training_topic": "stock", "provider_category": "none",
        }
    )  # fmt: skip


def test_the_page_says_everything_in_french(scored: Score, instrument: Instrument, labels: Labels, plan: Plan) -> None:
    document = scored(ANCHORS)
    text = text_of(draw_page(document, instrument, labels, "fr", plan, TOLD_ON))
    score = instrument.whole_points(document["score"])
    level = instrument.levels[document["level_shown"] - 1].name["fr"]
    for words in (
        labels["result_title"]["fr"],
        f"{level} {document['level_shown']} / 4",
        f"{labels['result_about']['fr']} {score} {labels['result_of']['fr']} 100",
        labels["provisional"]["fr"],
        "22/11/2026",
        instrument.version,
        f"7 {labels['result_of']['fr']} 21",
        labels["result_axes"]["fr"],
        labels["result_plan"]["fr"],
        " ".join(labels["result_not"]["fr"].split()),
        labels["result_made_by"]["fr"],
    ):
        assert words in text
    for axis in instrument.axes:
        number = instrument.whole_points(document["axes"][axis.id]["score"])
        assert f"{axis.name['fr']} {number}" in text
    for number, (card, day) in enumerate(plan, 1):
        assert f"{number} {card.title['fr']} {labels['result_why']['fr']} {card.why['fr']}" in text
        assert f"{labels['result_before']['fr']} {day:%d/%m/%Y}" in text


def test_the_strongest_and_the_weakest_axis_are_named(
    scored: Score, instrument: Instrument, labels: Labels, plan: Plan
) -> None:
    text = text_of(draw_page(scored(ANCHORS), instrument, labels, "fr", plan, TOLD_ON))
    assert f"{instrument.axis('V').name['fr']} 100 {labels['result_strong']['fr']}" in text
    assert f"{instrument.axis('D').name['fr']} 0 {labels['result_weak']['fr']}" in text
    for value in (0, 3):
        equal = scored(dict.fromkeys(ITEMS, value))
        text = text_of(draw_page(equal, instrument, labels, "fr", plan, TOLD_ON))
        assert labels["result_strong"]["fr"] not in text
        assert labels["result_weak"]["fr"] not in text


def test_a_full_test_is_not_called_provisional(
    scored: Score, instrument: Instrument, labels: Labels, plan: Plan
) -> None:
    text = text_of(draw_page(scored(dict.fromkeys(ITEMS, 3)), instrument, labels, "fr", plan, TOLD_ON))
    assert labels["provisional"]["fr"] not in text
    assert labels["result_about"]["fr"] not in text
    assert f"100 {labels['result_of']['fr']} 100" in text
    assert f"21 {labels['result_of']['fr']} 21" in text


def test_not_concerned_is_an_answer_and_a_deduced_value_is_none(
    scored: Score, instrument: Instrument, labels: Labels
) -> None:
    answers = {item: 0 for item in ITEMS if item != "D2"}
    document = scored({**answers, "V2": "na"})
    assert (document["imputed"], document["na"]) == (["D2"], ["V2"])
    text = text_of(draw_page(document, instrument, labels, "fr", [], TOLD_ON))
    assert f"20 {labels['result_of']['fr']} 21" in text


def test_the_level_shown_is_the_one_the_guard_rail_allows(
    scored: Score, instrument: Instrument, labels: Labels
) -> None:
    document = scored({**dict.fromkeys(ITEMS, 3), "S1": 0, "S2": 0, "S3": 0})
    assert (document["level"], document["level_shown"]) == (4, 3)
    text = text_of(draw_page(document, instrument, labels, "fr", [], TOLD_ON))
    assert f"{instrument.levels[2].name['fr']} 3 / 4" in text


@pytest.mark.parametrize("language", VARIETIES)
def test_an_axis_without_an_answer_has_words_instead_of_a_bar(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    document = scored({"P1": 1, "C1": 0, "V1": 3})
    pdf = draw_page(document, instrument, labels, language, [], TOLD_ON)
    assert len(bars(pdf)) == 2  # nothing is filled for a score of 0
    assert len(bars(draw_page(scored(ANCHORS), instrument, labels, language, [], TOLD_ON))) == 6
    if language == "fr":
        text = text_of(pdf)
        assert text.count(labels["result_no_answer"]["fr"]) == 4
        assert f"{instrument.axis('C').name['fr']} 0 " in text


@pytest.mark.parametrize("language", VARIETIES)
def test_bars_grow_from_where_reading_starts(
    scored: Score, instrument: Instrument, labels: Labels, language: str
) -> None:
    found = bars(draw_page(scored(ANCHORS), instrument, labels, language, [], TOLD_ON))
    rights = {round(left + width, 1) for left, width in found}
    lefts = {round(left, 1) for left, _ in found}
    full = max(width for _, width in found)
    assert [round(width / full * 3) for _, width in found] == [1, 1, 3, 2, 1, 1]
    if language == "ary-Arab":
        assert max(rights) - min(rights) < 0.2 and max(lefts) - min(lefts) > 100
        assert max(rights) < 150 * POINT
    else:
        assert max(lefts) - min(lefts) < 0.2 and max(rights) - min(rights) > 100
        assert min(lefts) > 60 * POINT


@pytest.mark.parametrize("language", VARIETIES)
@pytest.mark.parametrize(
    "answers", [ANCHORS, {}, dict.fromkeys(ITEMS, 0), dict.fromkeys(ITEMS, 3)],
    ids=["anchors", "none", "all 0", "all 3"],
)  # fmt: skip
def test_any_result_is_one_light_a4_page(
    scored: Score,
    instrument: Instrument,
    labels: Labels,
    plan: Plan,
    language: str,
    answers: dict[str, int],
) -> None:
    pdf = draw_page(scored(answers), instrument, labels, language, plan, TOLD_ON)
    page = page_of(pdf)
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((595.3, 841.9), abs=0.1)
    assert len(pdf) < 60_000


@pytest.mark.parametrize("language", VARIETIES)
@pytest.mark.parametrize(
    "words",
    [
        {"fr": "Un outil simple ", "ary-Arab": "خدمو ب Google ", "ary-Latn": "khdmo b tilifoun "},
        {"fr": "WWWWWWW MMMMMM ", "ary-Arab": "صصصصصص ضضضضضض ", "ary-Latn": "MMMMMMMM WWWW "},
    ],
    ids=["plain", "wide"],
)
def test_the_longest_plan_stays_on_the_page_above_the_note(
    scored: Score, instrument: Instrument, labels: Labels, language: str, words: dict[str, str]
) -> None:
    long = len(labels["result_not"][language]) // 5
    signs = {"result_plan": "PLAN", "result_not": "NOTE " + long * "note ", "result_made_by": "FOOT"}
    signed = {key: Text(**{variety: text for variety in VARIETIES}) for key, text in signs.items()}
    plan = [(long_card(words), day) for day in DAYS]
    found = texts(draw_page(scored(ANCHORS), instrument, {**labels, **signed}, language, plan, TOLD_ON))
    found = found[[text for text, _ in found].index("PLAN") :]
    parting = re.compile(r"(PLAN|[123]|NOTE .*|FOOT)$")
    starts = [start for start, (text, _) in enumerate(found) if parting.match(text)]
    assert [found[start][0][:4] for start in starts] == ["PLAN", "1", "2", "3", "NOTE", "FOOT"]
    parts = [[height for _, height in found[a:b]] for a, b in pairwise([*starts, len(found)])]
    for above, below in pairwise(parts):
        assert min(above) > max(below) + 6, "two parts overlap"
    assert min(parts[-1]) > 10 * POINT


def test_a_result_without_a_plan_has_no_plan(scored: Score, instrument: Instrument, labels: Labels) -> None:
    text = text_of(draw_page(scored(dict.fromkeys(ITEMS, 3)), instrument, labels, "fr", [], TOLD_ON))
    assert labels["result_plan"]["fr"] not in text
    assert labels["result_made_by"]["fr"] in text


@pytest.mark.parametrize("language", VARIETIES)
def test_the_file_carries_the_day_of_the_result(
    scored: Score, instrument: Instrument, labels: Labels, plan: Plan, language: str
) -> None:
    document = scored(ANCHORS)
    pdf = draw_page(document, instrument, labels, language, plan, TOLD_ON)
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata is not None
    assert reader.metadata["/CreationDate"] == "D:20261122000000Z"
    assert reader.metadata["/Title"] == labels["result_title"][language]
    assert reader.root_object["/Lang"] == language
    assert pdf == draw_page(document, instrument, labels, language, plan, TOLD_ON)
    assert pdf != draw_page(document, instrument, labels, language, plan, date(2026, 11, 23))


@pytest.mark.parametrize("language", ["en", "ar", "FR", ""])
def test_an_unknown_language_is_a_key_error(
    scored: Score, instrument: Instrument, labels: Labels, plan: Plan, language: str
) -> None:
    with pytest.raises(KeyError, match=language):
        draw_page(scored(ANCHORS), instrument, labels, language, plan, TOLD_ON)


def test_a_missing_label_is_a_key_error(scored: Score, instrument: Instrument, labels: Labels, plan: Plan) -> None:
    without = {key: text for key, text in labels.items() if key != "result_why"}
    with pytest.raises(KeyError, match="result_why"):
        draw_page(scored(ANCHORS), instrument, without, "fr", plan, TOLD_ON)
