"""Entities of a message in normal form."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.nlu.entities import FirmEntities, spans

TODAY = date(2026, 11, 22)


def test_the_message_of_services_md_is_read_as_written_there(entities: FirmEntities) -> None:
    text = "3ndi 7anout f Tiflet, 3 dnas, bghit 20 mlyoun"
    found = [entity.as_document() for entity in entities.find(text, TODAY)]
    assert found == [
        {"entity": "sector", "value": "grocery", "start": 5, "end": 11},
        {"entity": "commune", "value": "Tiflet", "start": 14, "end": 20, "region": "MA-04", "province": "Khémisset"},
        {"entity": "staff", "value": 3, "start": 22, "end": 23},
        {"entity": "amount", "value": 200000, "start": 36, "end": 45},
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("j'ai une épicerie a Fes", {"sector": ["grocery"], "commune": ["Fès"]}),
        ("عندي حانوت ففاس", {"sector": ["grocery"], "commune": ["Fès"]}),
        ("3ndi restaurant f Agadir m3a 5 dyal nas", {"sector": ["restaurant"], "commune": ["Agadir"], "staff": [5]}),
        ("7anout dyal l7wayej", {"sector": ["textile_leather"]}),
        ("auto-entrepreneur depuis 2020", {"legal_form": ["auto_entrepreneur"], "firm_age": [6]}),
        ("pas encore de registre de commerce", {"legal_form": ["informal"]}),
        ("ماعندي باطنطا", {"legal_form": ["informal"]}),
        ("société coopérative", {"legal_form": ["cooperative"]}),
        ("intelaka wla forsa ?", {"programme": ["intelaka", "forsa"]}),
        ("ana mo9awil dati", {"legal_form": ["auto_entrepreneur"], "programme": None}),
        ("c'est quoi le cloud", {"concept": ["cloud"]}),
        ("شنو هي الفاكتورة الإلكترونية", {"concept": ["e_invoice"]}),
        ("entre 50 000 et 100 000 dh", {"amount": [{"min": 50000, "max": 100000}]}),
        ("je suis une femme, j'ai 34 ans", {"owner_gender": ["f"], "owner_age": [34]}),
        ("hder m3aya b l3arbiya", {"language": ["ary-Arab"]}),
        ("français pas bon 3ndi, l3arbiya a7san", {"language": ["ary-Arab"]}),
        ("الفرنسية عافاك", {"language": ["fr"]}),
        ("la sécurité c'est quoi", {"axis": ["S"]}),
    ],
)
def test_values_are_normal_forms(entities: FirmEntities, text: str, wanted: dict[str, Any]) -> None:
    found = spans(entities.find(text, TODAY))
    assert {name: found.get(name) for name in wanted} == wanted


def test_offsets_hold_in_the_original_text(entities: FirmEntities) -> None:
    text = "\u200f  «COIFFEUSE» à  TÉTOUAN…  ٢٠٠ ألف درهم"
    said = {entity.entity: text[entity.start : entity.end] for entity in entities.find(text, TODAY)}
    assert said == {"sector": "COIFFEUSE", "commune": "TÉTOUAN", "amount": "٢٠٠ ألف درهم"}


@settings(deadline=None)
@given(st.text(st.characters(), max_size=200))
def test_any_text_gives_entities_inside_it(entities: FirmEntities, text: str) -> None:
    assert all(0 <= entity.start < entity.end <= len(text) for entity in entities.find(text, TODAY))


@pytest.mark.parametrize("unit", ["a", "ا", "😀", "1", "\ud83d", "mille ", "1 ", "w ", "f casa "])
def test_a_flood_is_read_to_the_limit_only(entities: FirmEntities, unit: str) -> None:
    assert all(entity.end <= 1100 for entity in entities.find(unit * 5000, TODAY))


def test_every_concept_with_a_definition_has_a_name(knowledge: Path) -> None:
    from bot.knowledge.loader import load

    defined = {row["id"] for row in load(knowledge / "concepts.yml").data}
    assert defined <= set(load(knowledge / "concept_names.yml").data)


def test_every_programme_of_the_knowledge_base_can_be_named(knowledge: Path) -> None:
    from bot.knowledge.loader import load

    known = {row["id"] for row in load(knowledge / "programmes.yml").data}
    assert known <= set(load(knowledge / "entity_names.yml").data["programme"])


def test_the_development_set_is_read(entities: FirmEntities, knowledge: Path) -> None:
    rows = [
        json.loads(line) for line in (knowledge.parent / "nlu_data/dev/entities.jsonl").read_text("utf-8").splitlines()
    ]
    wanted = [(row["text"], entity["entity"], entity["value"]) for row in rows for entity in row["entities"]]
    missed = [want for want in wanted if want[2] not in spans(entities.find(want[0], TODAY)).get(want[1], [])]
    assert len(missed) <= 0.03 * len(wanted), missed
