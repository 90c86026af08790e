"""`rafiq knowledge check` names file, line and reason; what is only old never stops a start."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.check import problems
from bot.cli import app
from bot.knowledge_check import Finding, findings, lasting
from bot.settings import ROOT

TODAY = date(2026, 11, 22)
Spoil = Callable[[str, str, str], int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "knowledge", tmp_path / "knowledge"))


@pytest.fixture
def spoil(folder: Path) -> Spoil:
    """Replace a line of a file, or add some below it; the line's number comes back."""

    def write(name: str, old: str, new: str) -> int:
        lines = (folder / name).read_text("utf-8").splitlines()
        number = lines.index(old)
        lines[number : number + 1] = new.splitlines()
        (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
        return number + 1

    return write


def errors(folder: Path, today: date = TODAY) -> list[tuple[str, int, str]]:
    found = findings(folder, today, lambda path: Path(path).name)
    return [(finding.file, finding.line, finding.reason) for finding in found if finding.level == "error"]


def test_our_own_knowledge_has_no_error() -> None:
    assert [finding for finding in findings(ROOT / "knowledge", TODAY) if finding.level == "error"] == []


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("programmes.yml", "      value: 50000000", "      value: 500000",
         "0.rules.7: no firm can meet this rule and rule 6 too"),
        ("programmes.yml", "        - [{field: firm_age_years, op: below, value: 1}]",
         "        - [{field: turnover_mad, op: min, value: 1000000}]",
         "0.rules.1.waived_if.0: circular: it holds only where the rule itself holds already"),
        ("entity_names.yml", "  charte-tpe: [charte tpe, ميثاق المقاولات الصغيرة جدا]",
         "  charte-new: [charte nouvelle]", "programme.charte-new: 'charte-new' has no record"),
        ("concept_names.yml", "pdf: [pdf, fichier pdf, بي دي اف]", "fax: [fax]", "fax: 'fax' has no definition"),
        ("legal.yml", "  concepts: [ice, invoice]", "  concepts: [ice, rc]", "concepts.1: 'rc' is no word"),
        ("legal.yml", "  status: {value: in force, as_of: \"2016-07\"}",
         "  status: {value: in force, as_of: \"2016-13\"}", "status.as_of: '2016-13' is no date"),
        ("unverified.yml", 'generation-green: "facts file a-17: not searched, from memory only"', "nawat: known",
         "nawat: 'nawat' has a record"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_and_reason(
    folder: Path, spoil: Spoil, name: str, old: str, new: str, reason: str
) -> None:
    at = spoil(name, old, new)
    found = [(file, number, why) for file, number, why in errors(folder) if reason in why]
    assert [file for file, _, _ in found] == [name]
    assert abs(found[0][1] - at) <= 2, (found, at)


def test_a_missing_translation_is_told(folder: Path) -> None:
    text = (folder / "legal.yml").read_text("utf-8")
    (folder / "legal.yml").write_text(text.replace('    ary-Latn: "CNDP b rasha"\n', ""), "utf-8")
    [(file, _, reason)] = errors(folder)
    assert (file, reason) == ("legal.yml", "2.check_with.ary-Latn: field required")


def test_dates_in_the_future_are_errors_that_never_stop_a_start(folder: Path) -> None:
    assert any("is in the future" in reason for _, _, reason in errors(folder, date(2020, 1, 1)))
    assert lasting(folder) == []


def test_a_review_that_was_due_is_a_warning(folder: Path) -> None:
    found = findings(folder, date(2027, 2, 1))
    assert {finding.level for finding in found} == {"warning"}
    assert any(finding.reason == "charte-tpme: the review was due on 2027-01-31" for finding in found)
    assert not any("moussanada" in finding.reason for finding in found), "what is over is not reviewed"


def test_the_start_refuses_what_knowledge_check_refuses(folder: Path, spoil: Spoil, settings) -> None:
    assert problems(settings) == []
    spoil("legal.yml", "  concepts: [ice, invoice]", "  concepts: [ice, rc]")
    [line] = problems(settings.copy(update={"knowledge_dir": folder}))
    assert line.endswith("concepts.1: 'rc' is no word of concepts.yml")


def test_the_command_prints_lines_or_json(settings, monkeypatch) -> None:
    monkeypatch.setattr("bot.settings.get_settings", lambda: settings)
    old = Finding("warning", "x.yml", 3, "old")
    monkeypatch.setattr("bot.knowledge_check.findings", lambda *_: [old])
    run = CliRunner().invoke
    plain = run(app, ["knowledge", "check"])
    assert (plain.exit_code, plain.stdout) == (0, "x.yml:3: warning: old\n0 errors, 1 warnings\n")
    document = json.loads(run(app, ["knowledge", "check", "--json"]).stdout)
    assert document == {"errors": 0, "warnings": 1, "findings": [old.as_dict()]}
    assert run(app, ["knowledge", "check", "--strict"]).exit_code == 1
