from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.firm import Gender, LegalForm, Region, Sector
from bot.matching.ranking import POINTS, rank
from bot.matching.records import Axis, Entry, ProviderCategory, TrainingTopic
from bot.matching.request import Need, Request
from tests.matching.conftest import KNOWLEDGE, catalogue, dated, load_catalogue, plain_entry

REAL = load_catalogue(KNOWLEDGE)
profiles = st.fixed_dictionaries(
    {},
    optional={
        "sector": st.sampled_from(get_args(Sector)),
        "region": st.sampled_from(get_args(Region)),
        "legal_form": st.sampled_from(get_args(LegalForm)),
        "owner_gender": st.sampled_from(get_args(Gender)),
        "firm_age_years": st.sampled_from([0, 2, 2.1, 9]),
    },
)
needs = st.fixed_dictionaries(
    {},
    optional={
        "axis": st.sampled_from(get_args(Axis)),
        "goal": st.sampled_from(["sell", "collect", "manage", "protect", "learn", "finance"]),
        "training_topic": st.sampled_from(get_args(TrainingTopic)),
        "provider_category": st.sampled_from(["none", *get_args(ProviderCategory)]),
        "budget_mad": st.sampled_from([0, 500]),
    },
)


def ids(found: dict[str, Any], kind: str = "tool") -> list[str]:
    return [entry["id"] for entry in found[kind]]


@settings(max_examples=150, deadline=None)
@given(profile=profiles, need=needs, entries=st.permutations(REAL))
def test_the_order_depends_on_the_request_only(
    profile: dict[str, Any], need: dict[str, Any], entries: list[Entry]
) -> None:
    asked = Request.from_dict({"profile": profile, "need": need})
    shuffled = [match.entry.id for match in rank(entries, asked.firm, asked.need)]
    assert shuffled == [match.entry.id for match in rank(REAL, asked.firm, asked.need)]


@settings(max_examples=150, deadline=None)
@given(profile=profiles, need=needs)
def test_nobody_is_shown_what_a_hard_limit_forbids(profile: dict[str, Any], need: dict[str, Any]) -> None:
    asked = Request.from_dict({"profile": profile, "need": need})
    matches = rank(REAL, asked.firm, asked.need)
    assert [match.score for match in matches] == sorted((match.score for match in matches), reverse=True)
    for match in matches:
        for field in ("region", "sector", "legal_form", "owner_gender"):
            allowed = getattr(match.entry.limits, field)
            assert allowed is None or profile.get(field) is None or profile[field] in allowed
        assert not (need.get("budget_mad") == 0 and match.entry.cost.kind == "paid")
        assert match.score == sum(POINTS[reason["code"]] for reason in match.reasons)


def test_the_category_asked_comes_before_the_axis_alone() -> None:
    service = catalogue(plain_entry("axis"), plain_entry("both", category="pos_software"))
    found = service.match({"need": {"axis": "G", "provider_category": "pos_software"}})
    assert ids(found) == ["both", "axis"]
    assert found["tool"][0]["reasons"][0] == {"code": "category", "value": "pos_software"}
    assert found["tool"][0]["score"] - found["tool"][1]["score"] == POINTS["category"]


def test_what_serves_nothing_of_the_need_is_left_out() -> None:
    service = catalogue(plain_entry("g"), plain_entry("v", axes=["V"]))
    assert ids(service.match({"need": {"axis": "V"}})) == ["v"]
    assert ids(service.match({"need": {"item": "G2"}})) == ["g"]
    assert ids(service.match({"need": {"goal": "sell"}})) == ["v"]
    assert ids(service.match({"need": {"provider_category": "none", "axis": "G"}})) == ["g"]
    assert ids(service.match({})) == ["g", "v"]


def test_a_general_training_fits_every_need_but_comes_after_the_topic() -> None:
    general = plain_entry("general", kind="training", axes=[])
    named = plain_entry("named", kind="training", axes=["V"], topics=["online_selling"])
    service = catalogue(general, named)
    assert ids(service.match({"need": {"training_topic": "online_selling"}}), "training") == ["named", "general"]
    assert ids(service.match({"need": {"axis": "D", "training_topic": "backup"}}), "training") == ["general"]


@pytest.mark.parametrize(
    ("limits", "inside", "outside"),
    [
        ({"region": ["MA-02"]}, {"region": "MA-02"}, {"region": "MA-03"}),
        ({"sector": ["crafts"]}, {"sector": "crafts"}, {"sector": "grocery"}),
        ({"legal_form": ["cooperative"]}, {"legal_form": "cooperative"}, {"legal_form": "informal"}),
        ({"owner_gender": ["f"]}, {"owner_gender": "f"}, {"owner_gender": "m"}),
        ({"firm_age_max": 2}, {"firm_age_years": 2}, {"firm_age_years": 2.5}),
    ],
)
def test_a_limit_shuts_out_lifts_up_or_is_to_check(
    limits: dict[str, Any], inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    service = catalogue(plain_entry("open"), plain_entry("limited", limits=limits))
    [(field, value)] = inside.items()
    assert ids(service.match({"profile": outside})) == ["open"]
    assert ids(service.match({"profile": inside})) == ["limited", "open"]
    assert {"code": field, "value": value} in service.match({"profile": inside})["tool"][0]["reasons"]
    unknown = service.match({"profile": {}})
    assert ids(unknown) == ["open", "limited"]
    assert {"code": "to_check", "field": field} in unknown["tool"][1]["reasons"]


def test_a_price_above_the_budget_is_left_out() -> None:
    service = catalogue(
        plain_entry("at-500", cost={"kind": "paid", "mad": 500}),
        plain_entry("at-no-price", cost={"kind": "paid"}),
        plain_entry("not-known"),
        plain_entry("free", cost={"kind": "free"}),
    )
    assert ids(service.match({"need": {"budget_mad": 0}, "limit": 9})) == ["free", "not-known"]
    assert ids(service.match({"need": {"budget_mad": 499}, "limit": 9})) == ["free", "at-no-price", "not-known"]
    assert ids(service.match({"need": {"budget_mad": 500}, "limit": 9})) == [
        "free",
        "at-500",
        "at-no-price",
        "not-known",
    ]
    assert set(ids(service.match({"limit": 9}))) == {"at-500", "at-no-price", "not-known", "free"}


def test_security_comes_first_when_security_is_the_need_and_cloud_before_the_rest() -> None:
    service = catalogue(
        plain_entry("a-disk", axes=["S"]),
        plain_entry("online", axes=["S"], cloud=True),
        plain_entry("till", axes=["G"]),
    )
    found = service.match({"need": {"axis": "G", "goal": "protect"}})
    assert ids(found) == ["till", "online", "a-disk"]  # what was asked stays first
    assert ids(service.match({"need": {"goal": "protect"}})) == ["online", "a-disk"]
    assert {"code": "security_first"} in service.match({"need": {"axis": "S"}})["tool"][0]["reasons"]


def test_a_tie_goes_to_the_newer_information_then_to_the_id() -> None:
    service = catalogue(
        plain_entry("b"), plain_entry("a"), plain_entry("old", **dated("2020")), plain_entry("new", **dated("2025-11"))
    )
    assert ids(service.match({"limit": 9})) == ["new", "old", "a", "b"]


def test_the_axis_of_the_item_stands_for_the_axis() -> None:
    assert Need(item="S1").wanted_axis == "S"
    assert Need(item="S1", axis="V").wanted_axis == "V"
