"""A programme officer imports a catalogue, and gets it back."""

import json
import os
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from bot.bench.made_catalogue import as_table, made_rows
from bot.bench.services import measure
from bot.cli import app
from bot.matching.catalogue_files import write_csv
from bot.settings import ROOT, Settings

HEADER = "id;kind;name;summary;category;phone;as_of;source_title;source_publisher\n"
GOOD = "p-1;provider;Société Été;Des sites.;web_agency;0528223344;2026-01;Annuaire;Chambre\n"
BAD = "p-2;provider;Autre;Des sites.;magic;12;2026-01;Annuaire;Chambre\n"


@pytest.fixture
def rafiq(settings, monkeypatch):
    monkeypatch.setattr("bot.settings.get_settings", lambda: settings)
    return lambda *words, **options: CliRunner().invoke(app, words, **options)


@pytest.fixture
def listed(tmp_path):
    def write(text, name="list.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding)
        return str(path)

    return write


def test_rows_come_in_and_each_refused_one_has_its_line(rafiq, listed):
    result = rafiq("knowledge", "import", listed(HEADER + GOOD + BAD))
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"import": 1, "file": "list.csv", "entries": 1, "refused": 1}
    [line] = [line for line in result.stderr.splitlines() if line.startswith("list.csv:")]
    assert line.startswith("list.csv:3: category: 'magic' is not one of accountant, ")
    assert "; phone: '12' is no phone number" in line
    asked = json.dumps({"profile": {"region": "MA-09"}, "need": {"provider_category": "web_agency"}})
    found = json.loads(rafiq("match", input=asked).stdout)["provider"]
    assert {entry["id"] for entry in found} == {"p-1", "web-agency"}


def test_nothing_is_half_done(rafiq, listed):
    rafiq("knowledge", "import", listed(HEADER + GOOD))
    before = rafiq("knowledge", "export").stdout
    assert before.splitlines()[1].startswith("p-1;provider;Société Été;")
    for text, encoding, options, reason in (
        (HEADER + GOOD + BAD, "utf-8", ["--strict"], "nothing imported: 1 rows refused"),
        (HEADER + BAD, "utf-8", [], "nothing imported: 1 rows refused"),
        (HEADER, "utf-8", [], "list.csv:1: there is no row below the header"),
        (
            HEADER.replace("name", "désignation") + GOOD,
            "latin-1",
            [],
            "list.csv:1: the header is wrong: column 3: 'dés",
        ),
    ):
        result = rafiq("knowledge", "import", listed(text, encoding=encoding), *options)
        assert result.exit_code == 1
        assert reason in result.stderr
        assert result.stdout == ""
        assert rafiq("knowledge", "export").stdout == before
    assert (
        rafiq("knowledge", "import", "missing.csv")
        .stderr.strip()
        .endswith("missing.csv:1: cannot be read: No such file or directory")
    )


def test_latin_1_is_read_and_said(rafiq, listed):
    result = rafiq("knowledge", "import", listed(HEADER + GOOD, encoding="latin-1"))
    assert result.exit_code == 0
    assert "list.csv: not UTF-8, read as Windows-1252" in result.stderr
    assert "Société Été" in rafiq("knowledge", "export").stdout


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_exported_is_imported_as_it_was(rafiq, tmp_path, suffix):
    write_csv(tmp_path / "made.csv", as_table(made_rows(60)))
    assert json.loads(rafiq("knowledge", "import", str(tmp_path / "made.csv")).stdout)["entries"] == 60
    before = rafiq("knowledge", "export").stdout
    out = str(tmp_path / f"out{suffix}")
    assert json.loads(rafiq("knowledge", "export", out).stdout)["entries"] == 60
    assert json.loads(rafiq("knowledge", "import", out).stdout)["refused"] == 0
    assert rafiq("knowledge", "export").stdout == before


def test_an_export_without_an_import_is_the_header(rafiq, tmp_path):
    assert rafiq("knowledge", "export").stdout.startswith("id;kind;name;")
    assert rafiq("knowledge", "export", str(tmp_path / "list.pdf")).exit_code == 1


def test_a_killed_import_leaves_the_catalogue_before(rafiq, listed, tmp_path, settings):
    rafiq("knowledge", "import", listed(HEADER + GOOD))
    before = rafiq("knowledge", "export").stdout
    write_csv(tmp_path / "made.csv", as_table(made_rows(3_000)))
    environment = {**os.environ, "DATABASE_URL": settings.database, "DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "bot.cli", "knowledge", "import", str(tmp_path / "made.csv")]
    running = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert running.stderr.read(1)  # the bar: it is reading rows
    running.send_signal(signal.SIGKILL)
    running.wait()
    running.stderr.close()
    assert rafiq("knowledge", "export").stdout == before


def test_a_request_before_there_is_a_database_makes_none(tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path, secret_key="k" * 40)
    monkeypatch.setattr("bot.settings.get_settings", lambda: settings)
    assert CliRunner().invoke(app, ["match"], input="{}").exit_code == 0
    assert list(tmp_path.iterdir()) == []


def test_the_services_are_measured_by_size():
    found = measure(ROOT / "knowledge", [20, 40], 0.2, lambda _line: None)
    assert [size["entries"] for size in found["matching"]] == [20, 40]
    assert all(size["p50_ms"] <= size["p95_ms"] for size in (*found["matching"], *found["funding"]))
