"""A reviewer lists, labels and exports what was not understood from the command line."""

import json
import time
from datetime import datetime, timedelta, timezone

import pytest
import yaml
from typer.testing import CliRunner

from bot import cli
from bot.storage import inbox
from bot.storage.inbox import Incoming
from bot.storage.models import Misunderstood

DAY = 86400
ROWS = (
    ("bghit dak lqalb dyal lmachina jdid", "ary-Latn", False, "find_provider", 0),
    ("3ayto liya <phone> 3la lqalb", "ary-Latn", False, "find_provider", 0),
    ("ch7al kayswa le truc bizarre hada", "ary-Latn", True, "ask_cost", 0),
    ("bidule machin truc", "fr", False, None, 5 * DAY),
)


@pytest.fixture
def rafiq(session, addresses, settings, monkeypatch):
    """Give the command line on a database with four messages."""
    accepted = inbox.accept(session, addresses, Incoming("web", "a", "a-1", "text", "salam"), lambda _s: None)
    for text, language, mixed, intent, age in ROWS:
        row = Misunderstood(conversation_id=accepted.conversation_id, text=text, language=language, mixed=mixed)
        row.ranking, row.intent, row.created_at = [{"name": "help", "confidence": 0.2}], intent, time.time() - age
        session.add(row)
        session.flush()
    session.commit()
    monkeypatch.setattr(cli, "_settings", lambda: settings)

    def run(*words):
        result = CliRunner().invoke(cli.app, ["nlu", *words])
        session.expire_all()
        return result

    return run


def listed(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_what_was_not_understood_is_listed(rafiq):
    rows = listed(rafiq("misunderstood", "--json"))
    assert [(row["text"], row["variety"], row["intent"]) for row in rows] == [
        (text, "mixed" if mixed else language, intent) for text, language, mixed, intent, _ in ROWS
    ]
    assert set(rows[0]) == {"id", "at", "text", "variety", "intent", "prompt", "ranking"}
    plain = rafiq("misunderstood").stdout.splitlines()
    assert len(plain) == 4
    assert plain[3].endswith("fr  ?  bidule machin truc")


def test_the_list_can_be_narrowed(rafiq):
    def texts(*words):
        return [row["text"] for row in listed(rafiq("misunderstood", "--json", *words))]

    yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).strftime("%Y-%m-%d")
    assert texts("--variety", "mixed") == [ROWS[2][0]]
    assert texts("--since", yesterday) == [row[0] for row in ROWS[:3]]
    assert texts("--unlabelled") == [ROWS[3][0]]
    assert rafiq("misunderstood", "--variety", "klingon").exit_code == 1
    assert rafiq("misunderstood", "--since", "yesterday").exit_code != 0


def test_a_label_makes_a_candidate_and_none_deletes(rafiq):
    last = listed(rafiq("misunderstood", "--json"))[3]["id"]
    assert listed(rafiq("label", str(last), "find_provider")) == [{"id": last, "intent": "find_provider"}]
    assert listed(rafiq("misunderstood", "--unlabelled", "--json")) == []
    assert listed(rafiq("label", str(last), "none")) == [{"id": last, "deleted": True}]
    assert len(listed(rafiq("misunderstood", "--json"))) == 3


@pytest.mark.parametrize("words", [("1", "dance"), ("1", "nlu_fallback"), ("1", ""), ("999", "help"), ("x", "help")])
def test_a_wrong_label_is_refused_and_changes_nothing(rafiq, words):
    before = rafiq("misunderstood", "--json").stdout
    assert rafiq("label", *words).exit_code != 0
    assert rafiq("misunderstood", "--json").stdout == before


def test_candidates_are_labelled_and_without_a_mask(rafiq):
    result = rafiq("candidates")
    assert result.exit_code == 0
    entries = yaml.safe_load(result.stdout)["nlu"]
    assert [(entry["intent"], entry["metadata"]["variety"], entry["examples"]) for entry in entries] == [
        ("ask_cost", "mixed", f"- {ROWS[2][0]}\n"),
        ("find_provider", "ary-Latn", f"- {ROWS[0][0]}\n"),
    ]
    assert "2 candidates" in result.stderr


def test_more_is_exported_on_request(rafiq, tmp_path):
    rows = listed(rafiq("candidates", "--json", "--all", "--with-masked"))
    assert {(row["text"], row["variety"], row["intent"]) for row in rows} == {
        (text, "mixed" if mixed else language, intent) for text, language, mixed, intent, _ in ROWS
    }
    out = tmp_path / "candidates.yml"
    assert rafiq("candidates", "--all", "--out", str(out)).stdout == ""
    assert f"# fr: {ROWS[3][0]}\n" in out.read_text("utf-8")
    assert "<phone>" not in out.read_text("utf-8")
