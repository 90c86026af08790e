"""Candidates are in the format of nlu_data/intents, new, and never from the dev or test set."""

import json

import yaml

from bot.nlu.candidates import Candidate, as_document, as_yaml, known_intents, known_texts, unknown
from tests.nlu.conftest import ROOT

SOME = [
    Candidate("bghit chi 7aja n9ra biha", "ary-Latn", "find_training"),
    Candidate("j'veux voir: ma note #1", "fr", "ask_result"),
    Candidate("- [zid](menu) 'shof' \"hadi\"", "mixed", "ask_result"),
    Candidate("بغيت نشوف فين وصلت", "ary-Arab", "ask_result"),
    Candidate("machi mfhoum", "ary-Latn", None),
]


def test_rasa_reads_the_export_as_it_was_written(tmp_path):
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

    file = tmp_path / "candidates.yml"
    file.write_text(as_yaml(SOME), "utf-8")
    read = [
        (message.get("text"), message.get("metadata")["intent"]["variety"], message.get("intent"))
        for message in RasaYAMLReader().read(file).intent_examples
    ]
    wanted = [(c.text.replace("[", "(").replace("]", ")"), c.variety, c.intent) for c in SOME if c.intent]
    assert sorted(read) == sorted(wanted)


def test_entries_stand_as_in_nlu_data():
    document = yaml.safe_load(as_yaml(SOME))
    ours = yaml.safe_load((ROOT / "nlu_data" / "intents" / "pause.yml").read_text("utf-8"))
    assert document["version"] == ours["version"]
    assert {tuple(entry) for entry in document["nlu"]} == {tuple(entry) for entry in ours["nlu"]}
    assert [(entry["intent"], entry["metadata"]["variety"]) for entry in document["nlu"]] == [
        ("ask_result", "fr"),
        ("ask_result", "ary-Arab"),
        ("ask_result", "mixed"),
        ("find_training", "ary-Latn"),
    ]


def test_what_has_no_label_stands_in_comments():
    assert "# ary-Latn: machi mfhoum\n" in as_yaml(SOME)
    assert yaml.safe_load(as_yaml(SOME[-1:]))["nlu"] == []


def test_known_messages_are_left_out_in_any_spelling_and_repeats_too():
    known = known_texts(ROOT / "nlu_data")
    training = yaml.safe_load((ROOT / "nlu_data/intents/pause.yml").read_text("utf-8"))["nlu"][0]["examples"]
    first = training.splitlines()[0].removeprefix("- ")
    dev = json.loads((ROOT / "nlu_data/dev/fr.jsonl").read_text("utf-8").splitlines()[0])["text"]
    new = "wa7ed lmessage jdid ta3 test li makaynch 9bel"
    given = [Candidate(text, "fr", "pause") for text in (first, f"  {first.upper()} !!", dev, new, f"{new}.", "...")]
    assert [candidate.text for candidate in unknown(given, known)] == [new]


def test_intents_are_those_of_the_training_data():
    known = known_intents(ROOT / "nlu_data")
    assert {"find_funding", "out_of_scope", "greet"} <= known
    assert not {"answer", "nlu_fallback", "none"} & known


def test_json_lines_have_the_fields_that_evaluate_reads():
    assert as_document(SOME[0]) == {
        "text": "bghit chi 7aja n9ra biha",
        "intent": "find_training",
        "variety": "ary-Latn",
    }
