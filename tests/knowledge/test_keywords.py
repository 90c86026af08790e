"""Stop words are recognised as owners type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.keywords import load_keywords, normal_form
from bot.knowledge.loader import KnowledgeErrors
from bot.settings import ROOT

KEYWORDS = load_keywords(ROOT / "knowledge")


@pytest.mark.parametrize(
    "text", ["Stop", "S T O P".replace(" ", ""), "«arrêt»", "ARRÊT!!", "حَبِّسْ", "\u200fوقف\u200f", "ＳＴＯＰ"]
)
def test_case_accents_marks_and_signs_do_not_matter(text):
    assert KEYWORDS.stops(text)


@given(st.text())
def test_any_text_has_a_short_normal_form(text):
    assert normal_form(normal_form(text)) == normal_form(text)


def test_a_word_in_both_lists_is_refused_with_its_line(tmp_path):
    (tmp_path / "keywords.yml").write_text("opt_out:\n  - stop\nopt_in:\n  - start\n  - Stop\n")
    with pytest.raises(KnowledgeErrors, match=r"keywords\.yml:5: .*stops messages already"):
        load_keywords(tmp_path)
