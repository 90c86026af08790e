"""The operator's approved templates: names, varieties and ids are checked, with file and line."""

import pytest

from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.templates import load_templates
from bot.settings import ROOT

SID = "HX" + "0a" * 16


def load(folder, text):
    (folder / "whatsapp_templates.yml").write_text(text)
    return load_templates(folder)


def test_the_file_that_comes_with_the_program_has_none():
    assert load_templates(ROOT / "knowledge") == {}


def test_a_template_has_an_id_for_each_variety(tmp_path):
    assert load(tmp_path, f"first:\n  fr: {SID}\n  ary-Latn: {SID}\n") == {"first": {"fr": SID, "ary-Latn": SID}}


@pytest.mark.parametrize(
    ("wrong", "line"),
    [("fr: HX123", 3), (f"fr: SM{SID[2:]}", 3), ("fr: 12", 3), (f"fr: {SID}0", 3), (f"en: {SID}", 2)],
)
def test_a_mistake_is_told_with_its_line(tmp_path, wrong, line):
    with pytest.raises(KnowledgeErrors) as caught:
        load(tmp_path, f"# mine\nfirst:\n  {wrong}\n")
    assert caught.value.errors[0].line == line
