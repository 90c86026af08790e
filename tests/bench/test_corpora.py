"""Corpora from the project's own data and from files of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.bench.corpora import Columns, CorpusError, make_corpus, own_tests, own_training, read_examples
from bot.nlu.steps import Example

ROOT = Path(__file__).resolve().parents[2]


def test_the_projects_own_data_is_read() -> None:
    training = own_training(ROOT / "nlu_data/intents")
    assert {example.variety for example in training} == {"fr", "ary-Arab", "ary-Latn", "mixed"}
    assert len(training) > 8000
    assert all(example.text and not example.text.startswith("-") for example in training)


def test_the_development_set_is_the_files_with_intents() -> None:
    assert [file.stem for file in own_tests(ROOT / "nlu_data/dev")] == ["ary-Arab", "ary-Latn", "fr", "mixed"]


def test_csv_and_json_lines_are_read_by_their_column_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffquery,label\n"بغيت، نعرف",card\n', "utf-8")
    (tmp_path / "b.jsonl").write_text('{"query": "a \\n b", "label": 3, "variety": "fr"}\n\n', "utf-8")
    found = read_examples([tmp_path / "a.csv", tmp_path / "b.jsonl"], Columns("query", "label"))
    assert found == [Example("بغيت، نعرف", "card", "all"), Example("a b", "3", "fr")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text,label\nx,y\n", "a.csv:2: text and intent are needed"),
        ("a.jsonl", '{"text": "x", "intent": "y"}\n{"text": ""}\n', "a.jsonl:2: text and intent are needed"),
        ("a.jsonl", "nothing\n", "a.jsonl: "),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(CorpusError, match=said):
        read_examples([tmp_path / name])


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="none"):
        read_examples([tmp_path / "none.csv"])


def test_messages_that_were_learnt_are_not_measured() -> None:
    training = [Example("Salam!", "greet", "fr"), Example("stop", "opt_out", "fr")]
    corpus = make_corpus(training, [Example("salam", "greet", "fr"), Example("slm", "greet", "fr")])
    assert ([example.text for example in corpus.test], corpus.seen) == (["slm"], 1)


def test_without_new_messages_there_is_nothing_to_measure() -> None:
    with pytest.raises(CorpusError):
        make_corpus([Example("a", "x", "fr"), Example("b", "y", "fr")], [Example("a", "x", "fr")])
