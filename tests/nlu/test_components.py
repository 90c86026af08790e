"""The pipeline inside Rasa: trained on a small project, saved, loaded and asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.nlu.parse import Parser
from tests.nlu.rasa_path import RasaParser

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = {
    ("greet", "fr"): ["bonjour", "salut", "bonsoir à vous"],
    ("greet", "ary-Latn"): ["salam", "slm khoya", "salam 3likom"],
    ("greet", "ary-Arab"): ["السلام عليكم", "سلام", "صباح الخير"],
    ("find_funding", "fr"): ["je cherche un crédit", "une subvention pour mon magasin", "besoin d'argent"],
    ("find_funding", "ary-Latn"): ["bghit chi da3m", "khassni lflous", "chi kridi l l7anout"],
    ("find_funding", "ary-Arab"): ["بغيت شي دعم", "خاصني الفلوس", "شي كريدي للحانوت"],
    ("opt_out", "fr"): ["stop", "ne m'écrivez plus jamais", "arrêtez les messages"],
    ("opt_out", "ary-Latn"): ["7bsso", "matb9awch tsifto liya", "we9fo lmessages"],
    ("opt_out", "ary-Arab"): ["حبسو", "ماتبقاوش تصيفطو ليا", "وقفو الميساجات"],
}
ANSWERS = {
    0: ["kolchi f rassi", "de tête", "ما كنقيد والو", "je ne note rien du tout", "walo"],
    1: ["dans un cahier", "3ndi konnach", "كنكتب فالكناش", "sur papier à la main", "f lkarni"],
    2: ["sur excel", "f excel kol simana", "فالإكسيل", "une appli du téléphone", "tableau excel"],
    3: ["un logiciel de caisse", "logiciel dyal gestion", "لوجيسيال", "odoo", "notre erp"],
}
PROMPT = {
    "kind": "question",
    "about": "G1",
    "offers": [{"choice": f"answer:ab12cd34:G1:{value}", "title": title} for value, title in enumerate("wxyz")],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Rasa project with three intents and one question."""
    folder = tmp_path_factory.mktemp("project")
    nlu = [
        {"intent": intent, "metadata": {"variety": variety}, "examples": "".join(f"- {text}\n" for text in texts)}
        for (intent, variety), texts in EXAMPLES.items()
    ]
    answers = {"G1": {value: {"fr": texts} for value, texts in ANSWERS.items()}}
    answers["G1"]["none"] = {"fr": ["pourquoi cette question", "quel cahier ?"]}  # type: ignore[index]
    config = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    config["pipeline"][3] |= {"answers": str(folder / "answers.yml"), "questions": str(folder / "questions.yml")}
    intents = [*dict.fromkeys(intent for intent, _ in EXAMPLES), "answer", "answer_unsure", "nlu_fallback"]
    files: dict[str, Any] = {
        "config.yml": config,
        "domain.yml": {"version": "3.1", "intents": intents, "entities": ["choice", "sector", "amount"]},
        "nlu.yml": {"version": "3.1", "nlu": nlu},
        "answers.yml": answers,
        "questions.yml": {"items": []},
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return folder


@pytest.fixture(scope="module")
def model(project: Path) -> Path:
    """A model trained on the small project."""
    from rasa.model_training import train_nlu

    model = train_nlu(
        str(project / "config.yml"),
        str(project / "nlu.yml"),
        str(project / "models"),
        domain=str(project / "domain.yml"),
    )
    assert model
    return Path(model)


@pytest.fixture(scope="module", params=[Parser, RasaParser], ids=["plain", "in Rasa"])
def parser(request: pytest.FixtureRequest, model: Path) -> Parser:
    """The parser of the small model, without Rasa and inside it."""
    found: Parser = request.param.load(model)
    return found


def dev_messages() -> list[str]:
    """All messages of the development set, and some that nobody writes."""
    files = sorted((ROOT / "nlu_data/dev").glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [row["text"] for row in rows] + ["", "/greet", " /stop", "2 ", "\ud83d", "a" * 5000, "\u202e\u0000"]


@pytest.mark.parametrize("prompt", [None, PROMPT, {"kind": "profile", "about": "region:0", "offers": []}])
def test_a_message_is_read_alike_inside_rasa_and_without_it(model: Path, prompt: dict[str, Any] | None) -> None:
    ours, rasas = Parser.load(model), RasaParser.load(model)
    for text in dev_messages():
        assert ours.parse(text, prompt) == rasas.parse(text, prompt)
        if prompt is PROMPT:
            assert ours.match_answer("G1", text) == rasas.match_answer("G1", text)


def test_a_message_has_language_intent_and_entities(parser: Parser) -> None:
    document = parser.parse("بغيت الفلوس للحانوت، 20 مليون")
    assert (document["language"], document["intent"]) == ("ary-Arab", "find_funding")
    assert {entity["entity"]: entity["value"] for entity in document["entities"]} == {
        "sector": "grocery",
        "amount": 200000,
    }


def test_a_message_of_unknown_words_falls_back(parser: Parser) -> None:
    assert parser.parse("😀😀")["intent"] is None


def test_an_option_number_becomes_the_offer(parser: Parser) -> None:
    document = parser.parse("2", PROMPT)
    assert document["intent"] == "answer"
    assert document["entities"] == [{"entity": "choice", "value": "ab12cd34:G1:1", "start": 0, "end": 1}]


def test_without_a_prompt_a_number_is_no_answer(parser: Parser) -> None:
    assert parser.parse("2")["intent"] is None


def test_a_free_answer_becomes_the_offer(parser: Parser) -> None:
    document = parser.parse("kolchi f rassi", PROMPT)
    assert (document["intent"], document["entities"][0]["value"]) == ("answer", "ab12cd34:G1:0")


def test_a_surer_intent_is_served_instead_of_an_answer(parser: Parser) -> None:
    assert parser.parse("matb9awch tsifto liya", PROMPT)["intent"] == "opt_out"


def test_a_place_alone_answers_the_question_for_the_region(parser: Parser) -> None:
    prompt = {"kind": "profile", "about": "region:0", "offers": []}
    assert parser.parse("Agadir", prompt)["intent"] == "inform"


def test_an_answer_can_be_asked_for_alone(parser: Parser) -> None:
    assert parser.match_answer("G1", "dans un cahier")["value"] == 1
    assert parser.match_answer("G1", "salam 3likom")["value"] is None


@pytest.mark.parametrize("text", ["", "/greet", "\ud83d", "a" * 5000, "ا" * 5000, "1" * 5000])
def test_any_text_is_parsed(parser: Parser, text: str) -> None:
    assert parser.parse(text, PROMPT)["text"] == text


def test_a_command_of_a_button_is_left_to_rasa() -> None:
    from rasa.shared.nlu.training_data.message import Message

    from bot.nlu.components import FirmEntityExtractor

    message = Message({"text": '/inform{"sector": "grocery"} restaurant'})
    component = FirmEntityExtractor({}, None, None)  # type: ignore[arg-type]
    component.process([message])
    assert message.get("entities") is None


def test_a_change_of_the_answers_asks_for_new_training(project: Path) -> None:
    from bot.nlu.components import AnswerMatcher

    config = {"answers": str(project / "answers.yml"), "questions": str(project / "questions.yml")}
    before = AnswerMatcher.fingerprint_addon(config)
    (project / "questions.yml").write_text("items: []  # changed", "utf-8")
    assert AnswerMatcher.fingerprint_addon(config) != before


def test_ages_are_counted_up_to_the_day_the_message_came() -> None:
    from rasa.shared.nlu.training_data.message import Message

    from bot.nlu.components import FirmEntityExtractor

    message = Message({"text": "depuis 2019", "metadata": {"received_at": "2024-05-01T10:00:00"}})
    FirmEntityExtractor({}, None, None).process([message])  # type: ignore[arg-type]
    assert [entity["value"] for entity in message.get("entities")] == [5]
