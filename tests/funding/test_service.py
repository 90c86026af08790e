from __future__ import annotations

import json
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.funding.facts import FIELDS
from bot.funding.records import load_programmes
from bot.funding.service import LocalFunding
from bot.knowledge import VARIETIES
from bot.knowledge.firm import Gender, LegalForm, ProjectKind, Region, Sector
from tests.funding.conftest import KNOWLEDGE, TODAY, entry

SERVICE = LocalFunding(load_programmes(KNOWLEDGE), lambda: TODAY)
BOOLEANS = st.booleans()
MONEY = st.sampled_from(
    [0, 50000, 600000, 999999.99, 1000000, 1500000, 3000000, 9999999, 10000000, 50000001, 500000000]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "legal_form": st.sampled_from(get_args(LegalForm)),
    "sector": st.sampled_from(get_args(Sector)),
    "region": st.sampled_from(get_args(Region)),
    "province": st.sampled_from(["Azilal", "Fès", "Casablanca", "Tarfaya"]),
    "staff": st.sampled_from([1, 9, 250, 251]),
    "turnover_mad": MONEY,
    "firm_age_years": st.sampled_from([0, 0.5, 1, 1.9, 2, 5, 5.1, 20]),
    "owner_gender": st.sampled_from(get_args(Gender)),
    "owner_age": st.sampled_from([17, 18, 35, 36]),
    "project.kind": st.sampled_from(get_args(ProjectKind)),
    "project.amount_mad": MONEY,
    "project.own_funds_mad": MONEY,
    "project.stable_jobs": st.sampled_from([0, 1, 1.5, 3, 20]),
}
flat_profiles = st.fixed_dictionaries({}, optional={field: VALUES.get(field, BOOLEANS) for field in FIELDS})


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    profile = {field: value for field, value in flat.items() if not field.startswith("project.")}
    project = {field.removeprefix("project."): flat[field] for field in flat if field.startswith("project.")}
    return {**profile, "project": project} if project else profile


def verdicts(flat: dict[str, Any]) -> dict[str, str]:
    return {entry["id"]: entry["verdict"] for entry in SERVICE.check(nested(flat))["programmes"]}


@settings(max_examples=150, deadline=None)
@given(known=flat_profiles, more=flat_profiles)
def test_more_knowledge_never_takes_a_no_back(known: dict[str, Any], more: dict[str, Any]) -> None:
    before, after = verdicts(known), verdicts({**more, **known})
    assert {name for name, verdict in before.items() if verdict == "no"} <= {
        name for name, verdict in after.items() if verdict == "no"
    }


@settings(max_examples=100, deadline=None)
@given(known=flat_profiles, low=MONEY, width=st.sampled_from([1, 400000, 2000000]), part=st.floats(0, 0.99))
def test_a_number_of_a_bracket_never_takes_its_verdict_back(
    known: dict[str, Any], low: float, width: int, part: float
) -> None:
    wide = verdicts({**known, "turnover_mad": {"min": low, "max": low + width}})
    exact = verdicts({**known, "turnover_mad": low + int(part * width)})
    assert {name: exact[name] for name in wide if wide[name] != "unknown"} == {
        name: verdict for name, verdict in wide.items() if verdict != "unknown"
    }


@settings(max_examples=100, deadline=None)
@given(flat=flat_profiles)
def test_every_document_keeps_its_promises(flat: dict[str, Any]) -> None:
    document = SERVICE.check(nested(flat))
    for found in document["programmes"]:
        assert (found["verdict"] == "no") == (found["deciding"] is not None) == bool(found["failing"])
        assert (found["verdict"] == "unknown") == bool(found["missing"])
        low, high = found["estimate_mad"], found["estimate_max_mad"]
        assert low is None or (0 <= low <= flat["project.amount_mad"] and found["verdict"] != "no")
        assert high is None or (low is not None and high > low)
    question = document["next_question"]
    open_fields = {field for found in document["programmes"] for field in found["missing"]}
    assert question is None or (question["field"] in open_fields and question["field"] not in flat)
    assert json.loads(json.dumps(document)) == document == SERVICE.check(nested(flat))


def test_a_firm_of_which_nothing_is_known_is_refused_nothing() -> None:
    assert set(verdicts({}).values()) == {"unknown"}


def test_answering_what_is_asked_decides_all_but_what_only_an_office_knows() -> None:
    answers = {
        "legal_form": "company", "sector": "tourism", "turnover_mad": 3000000, "firm_age_years": 3, "staff": 6,
        "region": "MA-03", "moroccan_private": True, "owned_by_large_firm": False, "public_majority": False,
        "owner_gender": "m", "owner_age": 40, "rural": False, "innovative_startup": False, "exports_to_africa": False,
        "project.kind": "investment", "project.amount_mad": 2000000, "project.own_funds_mad": 200000,
        "project.stable_jobs": 3,
    }  # fmt: skip
    flat: dict[str, Any] = {}
    for _ in FIELDS:
        question = SERVICE.check(nested(flat))["next_question"]
        if question is None:
            break
        assert question["field"] not in flat
        flat[question["field"]] = answers[question["field"]]
    left = [found for found in SERVICE.check(nested(flat))["programmes"] if found["verdict"] == "unknown"]
    assert left
    assert all(found["undocumented"] for found in left)


def test_a_historic_programme_is_told_only_when_it_is_named() -> None:
    assert not {"moussanada", "rawaj"} & set(verdicts({}))
    document = SERVICE.check({}, ["rawaj", "no-such-programme"])
    rawaj = entry(document, "rawaj")
    assert (rawaj["verdict"], rawaj["status"], rawaj["as_of"]) == ("no", "historic", "2015")
    assert rawaj["deciding"]["field"] == "status"
    assert "moussanada" not in [found["id"] for found in document["programmes"]]


def test_a_verdict_has_the_fields_of_the_specification_and_its_words() -> None:
    document = SERVICE.check({"legal_form": "informal"})
    assert set(document) == {"checked_on", "programmes", "next_question"}
    assert document["checked_on"] == "2026-11-22"
    charter = entry(document, "charte-tpme")
    assert charter["benefit"] == {"kind": "grant", "max_rate": 0.3, "max_mad": None}
    assert (charter["status"], charter["as_of"], charter["confidence"]) == ("in force", "2025-11", "high")
    assert all(isinstance(source, str) for source in charter["sources"])
    for found in document["programmes"]:
        for words in ("summary", "contact", "status_text"):
            assert set(found[words]) == set(VARIETIES)
        assert found["name"]["fr"]
        assert found["benefit"]["kind"] in ("grant", "loan", "guarantee", "equity", "advice")


@pytest.mark.parametrize(
    ("today", "old"), [(date(2026, 1, 15), False), (date(2026, 5, 31), False), (date(2026, 6, 1), True)]
)
def test_information_older_than_six_months_is_to_be_verified(today: date, old: bool) -> None:
    document = LocalFunding(SERVICE.programmes, lambda: today).check({})
    assert entry(document, "charte-tpme")["to_verify"] is old


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        ({"legal_form": "sarl"}, "profile.legal_form: unexpected value"),
        ({"region": "MA-13"}, "profile.region: unexpected value"),
        ({"turnover_mad": "600000"}, "profile.turnover_mad: a number is needed"),
        ({"turnover_mad": True}, "profile.turnover_mad: a number is needed"),
        ({"turnover_mad": float("nan")}, "profile.turnover_mad: a number is needed"),
        ({"turnover_mad": -1}, "profile.turnover_mad: a negative number"),
        ({"turnover_mad": {"min": 5, "max": 5}}, "profile.turnover_mad: max must be above min"),
        ({"turnover_mad": {"min": "a"}}, "profile.turnover_mad.min: a number is needed"),
        ({"staff": 0}, "profile.staff: at least 1"),
        ({"staff": 2.5}, "profile.staff: value is not a valid integer"),
        ({"rural": "yes"}, "profile.rural: value is not a valid boolean"),
        ({"project": {"amount_mad": "a"}}, "profile.project.amount_mad: a number is needed"),
        ({"project": 3}, "profile.project: value is not a valid dict"),
        ([], "profile: an object is needed"),
    ],
)
def test_a_wrong_profile_is_refused_by_name(profile: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SERVICE.check(profile)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        SERVICE.check({"legal_form": "x", "staff": 0})
    assert "profile.legal_form" in str(caught.value)
    assert "profile.staff" in str(caught.value)


@pytest.mark.parametrize("unknown", [{"staff": None}, {"project": None}, {"turnover_mad": {}}, {"goal": "sell"}])
def test_null_is_not_known_yet_and_other_fields_are_left_aside(unknown: dict[str, Any]) -> None:
    assert SERVICE.check(unknown) == SERVICE.check({})


def test_an_institution_is_answered_only_when_it_is_named() -> None:
    assert not {"cri", "anapec"} & {programme["id"] for programme in SERVICE.check({})["programmes"]}
    cri = entry(SERVICE.check({}, ["cri"]), "cri")
    assert (cri["verdict"], cri["deciding"], cri["missing"], cri["as_of"]) == ("unknown", None, [], "2025-11")
