from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.check import check_sms_cost
from bot.diagnosis.library import load_library
from bot.diagnosis.sms import MOST_SEGMENTS, segments_of_test, sms_segments, texts_of_test
from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.words import load_words
from bot.settings import ROOT

KNOWLEDGE = ROOT / "knowledge"


@pytest.mark.parametrize("variety", ["fr", "ary-Latn"])
def test_a_whole_test_by_sms_stays_within_ten_segments(variety: str) -> None:
    assert segments_of_test(load_library(KNOWLEDGE), load_words(KNOWLEDGE).operator.short, variety) <= MOST_SEGMENTS


@pytest.mark.parametrize("variety", ["fr", "ary-Latn"])
def test_a_whole_test_is_an_invitation_seven_questions_and_a_result_in_two_segments_at_most(variety: str) -> None:
    texts = texts_of_test(load_library(KNOWLEDGE), load_words(KNOWLEDGE).operator.short, variety)
    costs = [sms_segments(text) for text in texts]
    assert costs[:-1] == [1] * 8, texts
    assert costs[-1] <= 2, texts[-1]


@pytest.mark.parametrize("variety", ["fr", "ary-Latn"])
def test_each_question_is_one_segment(variety: str) -> None:
    instrument = load_library(KNOWLEDGE).instrument
    assert [sms_segments(question.sms[variety]) for question in instrument.items] == [1] * len(instrument.items)


def test_a_text_that_grew_too_long_is_told_with_its_line(tmp_path: Path) -> None:
    knowledge = shutil.copytree(KNOWLEDGE, tmp_path / "knowledge")
    questions = knowledge / "questions.yml"
    text = questions.read_text("utf-8")
    # Placeholders are not counted in the fixed part, so only the whole test shows what the result costs.
    longer = "A faire: {step}. " + "{strong}, " * 12
    questions.write_text(text.replace("A faire: {step}", longer), "utf-8")
    line = text[: text.index("sms_messages:")].count("\n") + 1
    with pytest.raises(KnowledgeErrors) as caught:
        check_sms_cost(knowledge)
    assert [(error.line, "segments, at most 10" in error.reason) for error in caught.value.errors] == [(line, True)]
