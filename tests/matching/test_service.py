from __future__ import annotations

import json
from typing import Any

import pytest

from bot.knowledge import VARIETIES
from bot.matching.service import LocalMatching, make_matching
from tests.matching.conftest import KNOWLEDGE, catalogue, plain_entry


def test_entries_come_by_kind_with_the_fields_of_the_specification(real: LocalMatching) -> None:
    request = {
        "profile": {"sector": "crafts", "legal_form": "cooperative"},
        "need": {"axis": "V", "item": "V2", "rung": 2, "goal": "sell", "language": "ary-Arab", "budget_mad": 0},
        "limit": 2,
    }
    found = real.match(request)
    assert set(found) == {"training", "tool", "provider", "platform"}
    assert json.loads(json.dumps(found)) == found == real.match(request)
    for kind, entries in found.items():
        assert len(entries) <= 2
        for entry in entries:
            assert set(entry) >= {"id", "score", "reasons", "cost", "contact", "as_of", "sources", "name", "summary"}
            assert all(set(entry[words]) == set(VARIETIES) for words in ("name", "summary", "contact")), kind
            assert (entry["as_of"] is None) == (entry["sources"] == [])
            assert entry["cost"]["kind"] in ("free", "unknown")
    assert found["training"][0]["id"] == "maison-artisan-plateformes"
    assert found["platform"][0]["id"] == "mytindy"


@pytest.mark.parametrize("need", [{"training_topic": topic} for topic in ("backup", "ai_basics")] + [{"axis": "E"}])
def test_every_firm_finds_a_free_training(real: LocalMatching, need: dict[str, Any]) -> None:
    assert real.match({"need": need})["training"][0]["cost"] == {"kind": "free", "mad": None}


def test_three_of_each_kind_are_returned_unless_told_otherwise() -> None:
    service = catalogue(*(plain_entry(name) for name in "abcdef"))
    assert len(service.match({})["tool"]) == 3
    assert len(service.match({"limit": 5})["tool"]) == 5
    assert service.match({"limit": None, "need": None, "profile": None}) == service.match({})


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"profile": {"sector": "shoes"}}, "profile.sector: unexpected value"),
        ({"need": {"axis": "X"}}, "need.axis: unexpected value"),
        ({"need": {"item": "G4"}}, "need.item: string does not match"),
        ({"need": {"rung": 4}}, "need.rung: a rung is a number from 0 to 3"),
        ({"need": {"goal": "fly"}}, "need.goal: unexpected value"),
        ({"need": {"budget_mad": -1}}, "need.budget_mad: a negative number"),
        ({"need": {"budget_mad": "10"}}, "need.budget_mad: a number is needed"),
        ({"need": {"training_topic": "magic"}}, "need.training_topic: unexpected value"),
        ({"need": 3}, "need: value is not a valid dict"),
        ({"need": {"budget_mad": 1e15}}, "need.budget_mad: more than"),
        ({"profile": {"region": "MA-13"}}, "profile.region: unexpected value; permitted: 'MA-01'"),
        ({"profile": {"staff": 0}}, "profile.staff: at least 1"),
        ({"profile": {"staff": 10_000_000}}, "profile.staff: more than 1000000 is not possible"),
        ({"profile": {"turnover_mad": 1e15}}, "profile.turnover_mad: more than"),
        ({"profile": {"turnover_mad": "deux millions"}}, "profile.turnover_mad: a number is needed"),
        (
            {"profile": {"region": "MA-06", "province": "Taroudannt"}},
            "profile.province: it lies in MA-09, not in MA-06",
        ),
        ({"limit": 0}, "limit: a number from 1 to 50"),
        ({"limit": "3"}, "limit: value is not a valid integer"),
        ([], "an object is needed"),
    ],
)
def test_a_wrong_request_is_refused_by_name(real: LocalMatching, request_: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        real.match(request_)


def test_without_an_address_the_service_is_ours() -> None:
    assert isinstance(make_matching("", KNOWLEDGE), LocalMatching)
