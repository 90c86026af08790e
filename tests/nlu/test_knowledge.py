"""The check of the NLU's knowledge files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.knowledge.loader import KnowledgeErrors
from bot.nlu.knowledge import check

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path, knowledge: Path) -> Path:
    """A knowledge folder that may be spoilt."""
    for name in ("lexicon", "entity_names", "concept_names", "place_names", "answers", "questions"):
        shutil.copy(knowledge / f"{name}.yml", tmp_path)
    return tmp_path


def test_the_files_of_the_project_are_right(knowledge: Path) -> None:
    check(knowledge)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("lexicon", "want: [veux]", "1: want: words with spaces between them are needed"),
        ("lexicon", "- want", "1: names and their values are needed"),
        ("concept_names", "cloud: nuage", "1: cloud: a list of spellings is needed"),
        ("place_names", "town: {}", "1: town: one of region, province, commune, quarter, "),
        ("entity_names", "ordinary: [a]", "1: legal_form is missing"),
        ("answers", "P1: [a]", "1: P1: options 0 to 3 and none are missing"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(copy: Path, name: str, content: str, reason: str) -> None:
    path = copy / f"{name}.yml"
    path.write_text(content, "utf-8")
    with pytest.raises(KnowledgeErrors) as failure:
        check(copy)
    assert f"{path}:{reason}" in str(failure.value)


def test_mistakes_of_several_files_come_together(copy: Path) -> None:
    for name in ("lexicon", "concept_names"):
        (copy / f"{name}.yml").write_text("a: 1", "utf-8")
    with pytest.raises(KnowledgeErrors) as failure:
        check(copy)
    assert len(failure.value.errors) == 2


def test_the_check_does_without_rasa() -> None:
    code = "import sys, bot.nlu.knowledge; sys.exit('rasa' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
