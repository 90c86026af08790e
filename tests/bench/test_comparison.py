"""What is measured of a pipeline, and how results are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.bench import comparison
from bot.bench.comparison import (
    PipelineFailed,
    Result,
    best_threshold,
    calibration_error,
    decide,
    keep_result,
    key_of,
    read_results,
    report,
    run,
    thresholds,
)
from bot.bench.corpora import Corpus
from bot.bench.pipelines import PIPELINES, Pipeline
from bot.cli import app
from bot.nlu.steps import Example

COSTS = {"train_seconds": 1.0, "model_mb": 2.0, "package_mb": 0.0, "load_seconds": 0.1, "ms": 0.5, "ms_p95": 0.9}


def result(pipeline: str, readings: list[list[tuple[str, float]]]) -> Result:
    return Result(pipeline, "key", None, memory_mb=80.0, readings=readings, **COSTS)


def test_the_threshold_lets_few_strangers_in_and_asks_back_no_more_than_that_needs() -> None:
    own = [([("greet", 0.2 + place / 20)], "greet") for place in range(10)]
    strangers = [([("greet", 0.3)], "out_of_scope"), ([("greet", 0.1)], "out_of_scope")]
    assert 0.3 < best_threshold([*own, *strangers]) <= 0.35
    assert best_threshold(own) <= 0.2


def test_where_no_threshold_keeps_strangers_out_the_best_is_still_found() -> None:
    assert best_threshold([([("greet", 1.0)], "out_of_scope"), ([("greet", 1.0)], "greet")]) < 1


def test_a_half_of_the_messages_is_judged_by_the_threshold_of_the_other() -> None:
    test = [Example(str(number), "greet" if number < 20 else "out_of_scope", "fr") for number in range(40)]
    readings = [[("greet", 0.9 if number < 20 else 0.5)] for number in range(40)]
    read = decide(readings, test)
    assert read == ["greet"] * 20 + [None] * 20
    assert 0.5 < thresholds(readings, test)["fr"] <= 0.9


def test_calibration_is_how_far_probabilities_are_from_what_comes_true() -> None:
    assert calibration_error([[("a", 0.95)]] * 20, ["a"] * 19 + ["b"]) == pytest.approx(0, abs=1e-6)
    assert calibration_error([[("a", 0.95)]] * 20, ["b"] * 20) == pytest.approx(0.95)
    assert calibration_error([[]], ["a"]) == 0.0


def test_a_report_compares_message_by_message(corpus: Corpus) -> None:
    right = [[(example.intent, 0.9)] for example in corpus.test]
    wrong = [[("greet", 0.9), ("find_funding", 0.1)] for _ in corpus.test]
    found = report([result("char-lr", wrong), result("ours", right)], corpus)
    first, ours = found["pipelines"]
    assert (ours["accuracy"], ours["macro_f1"], ours["out_of_scope_accepted"], ours["asked_back"]) == (1, 1, 0, 0)
    assert "against_ours" not in ours
    assert first["against_ours"]["better"] == 0
    assert first["best_guess_accuracy"] == pytest.approx(1 / 3, abs=1e-3)
    assert first["best_two_accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    lines = comparison.as_markdown(found).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1


def test_a_key_changes_with_the_data_and_with_epochs_only_where_they_count(corpus: Corpus) -> None:
    other = replace(corpus, test=corpus.test[1:])
    ours, diet = PIPELINES["ours"], PIPELINES["rasa-diet"]
    assert key_of(ours, corpus, 1) == key_of(ours, corpus, 2) != key_of(ours, other, 1)
    assert key_of(diet, corpus, 1) != key_of(diet, corpus, 2)


def test_a_later_result_replaces_an_earlier_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "results.jsonl"
    assert read_results(file) == {}
    keep_result(file, result("ours", [[("greet", 0.5)]]))
    keep_result(file, replace(result("ours", []), ms=7.0))
    assert [kept.ms for kept in read_results(file).values()] == [7.0]


def test_a_pipeline_runs_in_processes_of_its_own_and_says_how_far_it_is(corpus: Corpus) -> None:
    told: list[str] = []
    found = run(PIPELINES["ours"], corpus, 1, lambda what, read: told.append(what))
    assert len(found.readings) == len(corpus.test)
    assert found.readings[0][0][0] == "greet"
    assert 20 < found.memory_mb < 500
    assert found.ms > 0 and found.train_seconds > 0
    assert told[:2] == ["training", "loading"]


def test_a_process_that_fails_is_told_in_its_own_words(corpus: Corpus) -> None:
    with pytest.raises(PipelineFailed, match="no-such-pipeline"):
        run(Pipeline("no-such-pipeline", "", PIPELINES["ours"].make), corpus, 1, lambda what, read: None)


def test_the_command_compares_on_files_and_remembers(tmp_path: Path, corpus: Corpus) -> None:
    files = {}
    for name, rows in (("training", corpus.training), ("test", corpus.test)):
        files[name] = tmp_path / f"{name}.csv"
        lines = ["utterance,label", *(f'"{example.text}",{example.intent}' for example in rows)]
        files[name].write_text("\n".join(lines), "utf-8")
    command = [
        "nlu", "compare", "--only", "word-lr", "--training", str(files["training"]), "--test", str(files["test"]),
        "--text-column", "utterance", "--intent-column", "label", "--results", str(tmp_path / "results.jsonl"),
    ]  # fmt: skip
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "| word-lr |" in done.stdout
    again = CliRunner().invoke(app, [*command, "--json"])
    found = json.loads(again.stdout)
    assert (found["training_messages"], found["test_messages"]) == (18, 12)
    assert [row["pipeline"] for row in found["pipelines"]] == ["word-lr"]
    assert len((tmp_path / "results.jsonl").read_text().splitlines()) == 1


def test_a_pipeline_nobody_knows_is_refused_with_a_list() -> None:
    done = CliRunner().invoke(app, ["nlu", "compare", "--only", "gpt"])
    assert done.exit_code == 1
    assert "rasa-diet: " in done.output
