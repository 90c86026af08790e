from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.firm import Gender, LegalForm, Region, Sector
from bot.matching.ranking import POINTS, Ranking, rank
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
        ({"staff_min": 2, "staff_max": 9}, {"staff": 9}, {"staff": 10}),
        ({"staff_min": 2}, {"staff": 2}, {"staff": 1}),
        ({"turnover_max_mad": 1_000_000}, {"turnover_mad": 1_000_000}, {"turnover_mad": 1_000_000.5}),
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


def located(name: str, **territory: Any) -> dict[str, Any]:
    return plain_entry(name, territory=territory)


TERRITORIES = catalogue(
    located("everywhere"), located("online", online=True), located("souss", region=["MA-09"]),
    located("souss-online", region=["MA-09"], online=True), located("taroudannt", province=["Taroudannt"]),
    located("anfa", province=["Casablanca-Anfa"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"province": "Taroudannt"}, ["taroudannt", "souss", "souss-online", "online", "everywhere"]),
        ({"province": "Tiznit"}, ["souss", "souss-online", "online", "everywhere"]),
        ({"region": "MA-09"}, ["souss", "souss-online", "online", "everywhere", "taroudannt"]),
        ({"region": "MA-02"}, ["online", "souss-online", "everywhere"]),
        ({"province": "Casablanca-Anfa"}, ["anfa", "online", "souss-online", "everywhere"]),
        ({"province": "Casablanca"}, ["online", "souss-online", "everywhere", "anfa"]),
        ({"province": "Aïn-Chock"}, ["online", "souss-online", "everywhere"]),
        ({}, ["online", "souss-online", "everywhere", "anfa", "souss", "taroudannt"]),
    ],
)
def test_what_is_out_of_reach_is_left_out_and_what_is_near_comes_first(
    profile: dict[str, Any], expected: list[str]
) -> None:
    assert ids(TERRITORIES.match({"profile": profile, "limit": 50})) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("fr", ["fr", "nobody-said"]),
        ("ary-Arab", ["ary", "ar", "nobody-said"]),
        ("ary-Latn", ["ary", "ar", "nobody-said"]),
        (None, ["ary", "ar", "fr", "nobody-said"]),
    ],
)
def test_what_is_in_a_language_the_owner_does_not_use_is_left_out(written: str | None, expected: list[str]) -> None:
    spoken = [plain_entry(name, languages=[name]) for name in ("ary", "ar", "fr")]
    found = catalogue(*spoken, plain_entry("nobody-said")).match({"need": {"language": written}, "limit": 9})
    assert set(ids(found)) == set(expected)
    assert ids(found)[-1] == "nobody-said"


def test_what_is_made_for_the_rung_to_reach_comes_first_and_no_rung_shuts_out() -> None:
    service = catalogue(plain_entry("any"), plain_entry("first", rungs=[1]), plain_entry("third", rungs=[3]))
    assert ids(service.match({"need": {"axis": "G", "rung": 3}})) == ["third", "any", "first"]
    assert ids(service.match({"need": {"axis": "G", "rung": 0}})) == ["any", "first", "third"]


@pytest.mark.parametrize(
    ("bracket", "found"),
    [
        ({"min": 0, "max": 1_000_000}, "met"),
        ({"min": 500_000, "max": 2_000_000}, "open"),
        ({"min": 1_000_000, "max": 2_000_000}, "open"),
        ({"min": 1_000_001, "max": None}, "shut"),
        ({"min": 0, "max": None}, "open"),
    ],
)
def test_a_bracket_decides_a_limit_only_when_it_is_on_one_side(bracket: dict[str, Any], found: str) -> None:
    service = catalogue(plain_entry("small", limits={"turnover_max_mad": 1_000_000}))
    tools = service.match({"profile": {"turnover_mad": bracket}})["tool"]
    assert [reason["code"] for tool in tools for reason in tool["reasons"] if reason["code"] != "price_unknown"] == {
        "met": ["turnover_mad"],
        "open": ["to_check"],
        "shut": [],
    }[found]


entries = st.builds(
    plain_entry,
    st.just("x"),
    kind=st.sampled_from(["training", "tool", "provider"]),
    axes=st.lists(st.sampled_from(["G", "S", "V"]), min_size=1, max_size=2, unique=True),
    limits=st.sampled_from(
        [{}, {"staff_max": 5}, {"sector": ["crafts"]}, {"region": ["MA-06"], "owner_gender": ["f"]}]
    ),
    territory=st.sampled_from([{}, {"online": True}, {"region": ["MA-06"]}, {"province": ["Settat"], "online": True}]),
    languages=st.sampled_from([[], ["fr"], ["ary", "fr"]]),
    cost=st.sampled_from([{"kind": "free"}, {"kind": "paid", "mad": 400}, {"kind": "paid"}, {"kind": "unknown"}]),
    cloud=st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(
    chosen=st.lists(entries, max_size=12),
    profile=profiles | st.fixed_dictionaries({"staff": st.integers(1, 9), "province": st.just("Settat")}),
    need=needs | st.fixed_dictionaries({"language": st.sampled_from(["fr", "ary-Arab"]), "rung": st.integers(0, 3)}),
    limit=st.integers(1, 50),
)
def test_the_catalogue_is_ranked_as_its_entries_one_by_one(
    chosen: list[dict[str, Any]], profile: dict[str, Any], need: dict[str, Any], limit: int
) -> None:
    together = [Entry(**entry | {"id": f"e{number}"}) for number, entry in enumerate(chosen)]
    asked = Request.from_dict({"profile": profile, "need": need})
    alone = [match for entry in together for match in rank([entry], asked.firm, asked.need)]
    alone.sort(key=lambda match: (-match.score, match.entry.id))
    best = Ranking(together).best(asked.firm, asked.need, limit)
    for kind, matches in best.items():
        assert matches == [match for match in alone if match.entry.kind == kind][:limit]
