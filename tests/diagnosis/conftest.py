"""A small instrument with the ids, axes and blocks of the real one, plain words and known ease."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.diagnosis.cards import Cards, load_cards
from bot.diagnosis.instrument import Instrument, load_instrument
from bot.diagnosis.plan import Priorities, load_priorities

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
AXES = "PCVGEDS"
BLOCKS = [[f"{axis}{block}" for axis in AXES] for block in (1, 2, 3)]
GOALS = {"sell": "V", "collect": "E", "manage": "G", "protect": "S", "learn": "C", "finance": "P"}
EASE = {1: "quick", 2: "low_cost", 3: "external"}

Write = Callable[[Any], Path]


def words(fr: str) -> dict[str, str]:
    return {"fr": fr, "ary-Arab": f"{fr} ع", "ary-Latn": f"{fr} dyal"}


def question(item: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": item,
        "axis": item[0],
        "stem": words(f"Question {item} ?"),
        "short": words(f"{item} ?"),
        "explain": words(f"Par exemple {item}."),
        "options": [
            {"value": value, "title": words(f"Réponse {value}"), "description": words(f"Rang {value}")}
            for value in range(4)
        ],
        "sms": words(f"{item}: 1)a 2)b 3)c 4)d. Répondez 1-4"),
    }
    if item in ("V2", "G2", "E2", "E3"):
        result["not_applicable"] = words("Non concerné")
    return result


def card(item: str, to: int) -> dict[str, Any]:
    return {
        "id": f"{item}-{to}",
        "item": item,
        "to": to,
        "title": words(f"Faire {item} {to}"),
        "why": words("Gagner du temps"),
        "steps": [words("Un"), words("Deux")],
        "ease": EASE[to],
        "cost": "free",
        "training_topic": "digital_basics",
        "provider_category": "none",
    }


def questions() -> dict[str, Any]:
    names = ("Démarrage", "En marche", "Structurée", "Avancée")
    return {
        "instrument": "1.0",
        "blocks": [list(block) for block in BLOCKS],
        "levels": [
            {"id": number + 1, "from": 25 * number, "name": words(name), "meaning": words("Bravo.")}
            for number, name in enumerate(names)
        ],
        "goals": [{"id": goal, "axis": axis, "title": words(goal)} for goal, axis in GOALS.items()],
        "axes": [
            {"id": axis, "weight": 1, "name": words(axis), "short": words(axis), "plain": words(axis)} for axis in AXES
        ],
        "items": [question(item) for block in BLOCKS for item in block],
        "sms_messages": {
            name: words(f"{name}: {{score}} OUI ou STOP")
            for name in ("invite", "thanks", "error", "result", "result_even", "result_top", "go_on")
        },
    }


def actions() -> list[dict[str, Any]]:
    return [card(item, to) for block in BLOCKS for item in block for to in (1, 2, 3)]


def write_yaml(data: Any, path: Path) -> Path:
    content = yaml.dump(data, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=False)
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def questions_data() -> dict[str, Any]:
    """Give the content of questions.yml, fresh for each test to break as it likes."""
    return questions()


@pytest.fixture
def actions_data() -> list[dict[str, Any]]:
    """Give the content of actions.yml: rung 1 is quick, rung 2 low_cost, rung 3 external."""
    return actions()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write data as YAML and give the file's path."""
    return lambda data: write_yaml(data, tmp_path / "file.yml")


@pytest.fixture(scope="session", params=["small", "real"])
def instrument(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Instrument:
    """Give the small instrument, then the programme's own: both keep the same rules."""
    if request.param == "real":
        return load_instrument(KNOWLEDGE / "questions.yml")
    return load_instrument(write_yaml(questions(), tmp_path_factory.mktemp("data") / "questions.yml"))


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory, instrument: Instrument) -> Cards:
    """Give cards of known ease: the sums of the tests rely on it."""
    path = write_yaml(actions(), tmp_path_factory.mktemp("data") / "actions.yml")
    return load_cards(path, instrument)


@pytest.fixture(scope="session")
def priorities(instrument: Instrument) -> Priorities:
    return load_priorities(KNOWLEDGE / "priority.yml", instrument)
