from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bot.diagnosis.instrument import Instrument, load_instrument
from bot.diagnosis.profile import Profile
from bot.knowledge import VARIETIES, KnowledgeErrors

Data = dict[str, Any]
Write = Callable[[Any], Path]


def words(text: str) -> dict[str, str]:
    return {variety: text for variety in VARIETIES}


def line_of(path: Path, text: str) -> int:
    [line] = [n for n, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in row]
    return line


def reasons(data: Data, write: Write) -> list[str]:
    with pytest.raises(KnowledgeErrors) as caught:
        load_instrument(write(data))
    return [error.reason for error in caught.value.errors]


def item(data: Data, name: str) -> Data:
    return next(question for question in data["items"] if question["id"] == name)


def test_the_order_is_block_after_block(instrument: Instrument) -> None:
    assert len(instrument.order) == 21
    assert instrument.order[:8] == ("P1", "C1", "V1", "G1", "E1", "D1", "S1", "P2")
    assert [instrument.block_of(name) for name in ("P1", "S1", "P2", "S3")] == [0, 0, 1, 2]


def test_things_are_found_by_id(instrument: Instrument) -> None:
    assert instrument.version
    assert instrument.question("G2").axis == "G"
    assert instrument.goal("sell").axis == "V"
    assert instrument.axis("S").weight == 1
    with pytest.raises(KeyError):
        instrument.question("X9")


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (Fraction(0), 1), (Fraction(24999, 1000), 1), (Fraction(25), 2), (Fraction(49999, 1000), 2),
        (Fraction(50), 3), (Fraction(74999, 1000), 3), (Fraction(75), 4), (Fraction(100), 4),
    ],
)  # fmt: skip
def test_levels_are_half_open(instrument: Instrument, score: Fraction, level: int) -> None:
    assert instrument.level(score).id == level


def test_the_default_wording_is_for_a_firm_nothing_is_known_of(instrument: Instrument) -> None:
    assert instrument.wording("C1", Profile()) == instrument.question("C1")


def test_a_variant_changes_only_the_words_it_gives(questions_data: Data, write: Write) -> None:
    item(questions_data, "C1")["variants"] = [
        {
            "when": {"size": ["solo"]},
            "stem": words("Et vous ?"),
            "options": [{"value": 2, "title": words("Seul")}],
        }
    ]
    instrument = load_instrument(write(questions_data))
    default, solo = instrument.question("C1"), instrument.wording("C1", Profile(size="solo"))
    assert solo.stem["fr"] == "Et vous ?"
    assert solo.options[2].title["fr"] == "Seul"
    assert solo.options[2].description == default.options[2].description
    assert solo.options[:2] == default.options[:2]
    assert (solo.short, solo.explain, solo.sms) == (default.short, default.explain, default.sms)
    assert instrument.wording("C1", Profile(size="s2_9")) == default


def test_of_two_variants_that_match_the_later_wins_and_the_rest_adds_up(questions_data: Data, write: Write) -> None:
    item(questions_data, "G2")["variants"] = [
        {"when": {"size": ["solo"]}, "stem": words("seul"), "short": words("seul ?")},
        {"when": {"sector": ["beauty"]}, "stem": words("rendez-vous"), "not_applicable": words("Sans")},
    ]
    instrument = load_instrument(write(questions_data))
    wording = instrument.wording("G2", Profile(size="solo", sector="beauty"))
    assert (wording.stem["fr"], wording.short["fr"]) == ("rendez-vous", "seul ?")
    assert wording.not_applicable is not None
    assert wording.not_applicable["fr"] == "Sans"


def test_a_mistake_is_told_with_file_line_and_reason(questions_data: Data, write: Write) -> None:
    item(questions_data, "V3")["options"][1]["title"]["ary-Latn"] = "n" * 25
    with pytest.raises(KnowledgeErrors) as caught:
        load_instrument(path := write(questions_data))
    line = line_of(path, "n" * 25)
    why = "25 characters, at most 24 are allowed"
    assert str(caught.value) == f"{path}:{line}: items.16.options.1.title.ary-Latn: {why}"


def break_option_value(data: Data) -> None:
    item(data, "P1")["options"][3]["value"] = 4


def drop_option(data: Data) -> None:
    item(data, "P1")["options"].pop()


def swap_options(data: Data) -> None:
    item(data, "P1")["options"].reverse()


def lengthen_description(data: Data) -> None:
    item(data, "P1")["options"][0]["description"]["fr"] = "x" * 73


def lengthen_not_applicable(data: Data) -> None:
    item(data, "V2")["not_applicable"]["fr"] = "x" * 25


def lengthen_goal(data: Data) -> None:
    data["goals"][0]["title"]["fr"] = "x" * 21


def lengthen_short(data: Data) -> None:
    item(data, "P1")["short"]["fr"] = "x" * 61


def lengthen_axis(data: Data) -> None:
    data["axes"][0]["short"]["fr"] = "x" * 17


def lengthen_variant(data: Data) -> None:
    changes = [{"value": 0, "title": words("x" * 25)}]
    item(data, "P1")["variants"] = [{"when": {"size": ["solo"]}, "options": changes}]


def same_titles(data: Data) -> None:
    item(data, "P1")["options"][1]["title"]["fr"] = "réponse 0"


def same_titles_in_variant(data: Data) -> None:
    changes = [{"value": 0, "title": words("Réponse 1")}]
    item(data, "P1")["variants"] = [{"when": {"size": ["solo"]}, "options": changes}]


def variant_without_words(data: Data) -> None:
    item(data, "P1")["variants"] = [{"when": {"size": ["solo"]}}]


def variant_of_two_minds(data: Data) -> None:
    changes = [{"value": 0, "title": words("a")}, {"value": 0, "title": words("b")}]
    item(data, "P1")["variants"] = [{"when": {"size": ["solo"]}, "options": changes}]


def variant_for_unknown_sector(data: Data) -> None:
    item(data, "P1")["variants"] = [{"when": {"sector": ["pub"]}, "stem": words("a")}]


def repeat_item(data: Data) -> None:
    data["items"].append(deepcopy(item(data, "P1")))


def repeat_goal(data: Data) -> None:
    data["goals"][1]["id"] = "sell"


def item_in_two_blocks(data: Data) -> None:
    data["blocks"][1].append("P1")


def item_in_no_block(data: Data) -> None:
    data["blocks"][1].remove("P2")


def block_with_unknown_item(data: Data) -> None:
    data["blocks"][1].append("X9")


def no_blocks(data: Data) -> None:
    data["blocks"] = []


def unknown_axis(data: Data) -> None:
    item(data, "P1")["axis"] = "Z"


def unknown_goal_axis(data: Data) -> None:
    data["goals"][0]["axis"] = "Z"


def levels_start_late(data: Data) -> None:
    data["levels"][0]["from"] = 1


def levels_fall(data: Data) -> None:
    data["levels"][2]["from"] = 25


def level_out_of_reach(data: Data) -> None:
    data["levels"][3]["from"] = 100


def levels_numbered_wrong(data: Data) -> None:
    data["levels"][3]["id"] = 5


def no_levels(data: Data) -> None:
    data["levels"] = []


def weightless_axis(data: Data) -> None:
    data["axes"][0]["weight"] = 0


def may_not_apply_where_it_must(data: Data) -> None:
    item(data, "P1")["not_applicable"] = words("Non")


def applies_where_it_may_not(data: Data) -> None:
    del item(data, "E3")["not_applicable"]


def long_sms(data: Data) -> None:
    item(data, "P1")["sms"]["fr"] = "x" * 161


def sms_with_brackets(data: Data) -> None:
    item(data, "P1")["sms"]["ary-Latn"] = "x" * 158 + "[]"  # 158 + 2 * 2 = 162 septets


def sms_in_another_alphabet(data: Data) -> None:
    item(data, "P1")["sms"]["fr"] = "Prix ж 3"


def long_arabic_sms(data: Data) -> None:
    item(data, "P1")["sms"]["ary-Arab"] = "س" * 202


def message_with_unknown_placeholder(data: Data) -> None:
    data["sms_messages"]["result"]["fr"] = "Niveau {niveau}"


def message_with_open_brace(data: Data) -> None:
    data["sms_messages"]["result"]["fr"] = "Niveau {level"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (break_option_value, "items.0.options.3.value: unexpected value"),
        (drop_option, "items.0.options: exactly four options"),
        (swap_options, "items.0.options: exactly four options"),
        (lengthen_description, "items.0.options.0.description.fr: 73 characters, at most 72"),
        (lengthen_not_applicable, "items.9.not_applicable.fr: 25 characters, at most 24"),
        (lengthen_goal, "goals.0.title.fr: 21 characters, at most 20"),
        (lengthen_short, "items.0.short.fr: 61 characters, at most 60"),
        (lengthen_axis, "axes.0.short.fr: 17 characters, at most 16"),
        (lengthen_variant, "items.0.variants.0.options.0.title.fr: 25 characters"),
        (same_titles, "items.0.options: two answers have the same title in fr"),
        (same_titles_in_variant, "items.0.variants.0.options: two answers have the same title in fr"),
        (variant_without_words, "items.0.variants.0: the variant changes no text"),
        (variant_of_two_minds, "items.0.variants.0.options: an option is changed twice"),
        (variant_for_unknown_sector, "items.0.variants.0.when.sector.0: unexpected value"),
        (repeat_item, "items.21.id: the id 'P1' is given twice"),
        (repeat_goal, "goals.1.id: the id 'sell' is given twice"),
        (item_in_two_blocks, "blocks.1.7: the item 'P1' is already in a block"),
        (item_in_no_block, "items.7.id: the item 'P2' is in no block"),
        (block_with_unknown_item, "blocks.1.7: unknown item 'X9'"),
        (no_blocks, "blocks: at least one is needed"),
        (unknown_axis, "items.0.axis: unknown axis 'Z'"),
        (unknown_goal_axis, "goals.0.axis: unknown axis 'Z'"),
        (levels_start_late, "levels.0.from: the first level starts at 0"),
        (levels_fall, "levels.2.from: a level starts above the one before it"),
        (level_out_of_reach, "levels.3.from: a level starts below 100"),
        (levels_numbered_wrong, "levels.3.id: levels are numbered from 1"),
        (no_levels, "levels: at least one is needed"),
        (weightless_axis, "axes.0.weight: ensure this value is greater than 0"),
        (may_not_apply_where_it_must, "items.0.not_applicable: needed for V2, G2, E2, E3, not allowed"),
        (applies_where_it_may_not, "items.18.not_applicable: needed for V2, G2, E2, E3"),
        (long_sms, "items.0.sms.fr: 161 septets, at most 160"),
        (sms_with_brackets, "items.0.sms.ary-Latn: 162 septets, at most 160"),
        (sms_in_another_alphabet, "items.0.sms.fr: not in the GSM 7-bit alphabet: 'ж'"),
        (long_arabic_sms, "items.0.sms.ary-Arab: 202 UTF-16 units, at most 201"),
        (message_with_unknown_placeholder, "sms_messages.result.fr: unknown placeholder {niveau}"),
        (message_with_open_brace, "sms_messages.result.fr: a brace is not closed"),
    ],
)
def test_a_broken_file_is_refused(
    questions_data: Data, write: Write, spoil: Callable[[Data], None], reason: str
) -> None:
    spoil(questions_data)
    found = reasons(questions_data, write)
    assert any(why.startswith(reason) for why in found), found


def test_all_mistakes_are_told_at_once(questions_data: Data, write: Write) -> None:
    for spoil in (lengthen_goal, long_sms, unknown_axis, levels_fall):
        spoil(questions_data)
    assert len(reasons(questions_data, write)) == 4


def test_an_sms_with_small_c_cedilla_is_counted_as_sent(questions_data: Data, write: Write) -> None:
    item(questions_data, "P1")["sms"]["fr"] = "ç" * 160
    assert load_instrument(write(questions_data)).question("P1").sms["fr"] == "ç" * 160


@pytest.mark.parametrize(
    ("score", "points"),
    [
        (0.0, 0),
        (24.4, 24),
        (24.6, 24),
        (24.96, 24),
        (25.0, 25),
        (49.7, 49),
        (50.0, 50),
        (66.7, 67),
        (74.9, 74),
        (99.6, 100),
    ],
)
def test_whole_points_never_reach_a_level_that_the_score_has_not_reached(
    instrument: Instrument, score: float, points: int
) -> None:
    assert instrument.whole_points(score) == points
