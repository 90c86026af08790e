"""Firms worked out by hand from the sources: verdict, deciding field, amount to the dirham."""

from __future__ import annotations

from typing import Any

import pytest

from bot.funding.service import LocalFunding
from tests.funding.conftest import entry

Expected = dict[str, tuple[Any, ...]]
"""By programme: verdict, then the failing fields, the missing fields, or the estimate and its upper end."""

GROCER = {
    "legal_form": "individual", "sector": "grocery", "region": "MA-03", "province": "Fès", "staff": 2,
    "turnover_mad": 600000, "firm_age_years": 8, "exports": False, "owner_age": 51,
    "project": {"kind": "working_capital", "amount_mad": 80000},
}  # fmt: skip
WEAVERS = {
    "legal_form": "cooperative", "sector": "crafts", "region": "MA-05", "province": "Azilal", "rural": True,
    "turnover_mad": 400000, "firm_age_years": 1.5, "owner_gender": "f", "owner_age": 35,
    "project": {"kind": "investment", "amount_mad": 200000, "own_funds_mad": 50000},
}  # fmt: skip
MILL = {
    "legal_form": "company", "sector": "food_processing", "region": "MA-05", "province": "Azilal", "staff": 1,
    "turnover_mad": 0, "firm_age_years": 0, "owned_by_large_firm": False, "public_majority": False,
    "project": {"kind": "creation", "amount_mad": 2000000, "own_funds_mad": 200000, "stable_jobs": 3},
}  # fmt: skip
WORKSHOP = {
    "legal_form": "company", "sector": "textile_leather", "region": "MA-06", "province": "Casablanca", "staff": 40,
    "turnover_mad": 12000000, "firm_age_years": 6, "exports": True, "exports_to_africa": False,
    "owned_by_large_firm": False, "public_majority": False, "moroccan_private": True, "innovative_startup": False,
    "project": {"kind": "investment", "amount_mad": 4000000, "own_funds_mad": 1000000, "stable_jobs": 12},
}  # fmt: skip
RIAD = {
    "legal_form": "company", "sector": "tourism", "region": "MA-07", "province": "Essaouira", "staff": 6,
    "turnover_mad": 1500000, "firm_age_years": 4, "moroccan_private": True,
    "project": {"kind": "investment", "amount_mad": 9999999},
}  # fmt: skip
MECHANIC = {
    "legal_form": "informal", "sector": "repair_services", "region": "MA-04", "province": "Salé", "staff": 1,
    "turnover_mad": 120000, "firm_age_years": 3, "owner_age": 29,
    "project": {"kind": "investment", "amount_mad": 70000},
}  # fmt: skip
STARTUP = {
    "legal_form": "company", "sector": "it", "firm_age_years": 1, "innovative_startup": True,
    "project": {"kind": "equity", "amount_mad": 2000000},
}  # fmt: skip
ADVISED = {
    "legal_form": "company", "sector": "industry", "turnover_mad": 2000000, "firm_age_years": 2, "staff": 250,
    "moroccan_private": True, "region": "MA-03", "project": {"kind": "advice", "amount_mad": 100000},
}  # fmt: skip


def changed(firm: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the firm with other fields; `project` is merged, a field set to None is forgotten."""
    project = {**firm.get("project", {}), **fields.pop("project", {})}
    return {name: value for name, value in {**firm, **fields, "project": project}.items() if value is not None}


CASES: dict[str, tuple[dict[str, Any], Expected]] = {
    "an old corner shop of 600 000 MAD": (GROCER, {
        "charte-tpme": ("no", "legal_form", "turnover_mad", "project.kind", "project.amount_mad"),
        "intelaka": ("no", "firm_age_years"), "go-siyaha": ("no", "sector", "project.kind"),
        "ebrd-asb": ("no", "project.kind"),
        "microfinance-association": ("yes", 80000, None), "microfinance-company": ("yes", 80000, None),
        "forsa": ("yes", 80000, None), "digitpme": ("no", "project.kind"),
    }),
    "a young rural weavers' cooperative": (WEAVERS, {
        "charte-tpme": ("no", "turnover_mad", "project.amount_mad"), "intelaka": ("yes", 200000, None),
        "intelaka-rural": ("yes", 200000, None), "microfinance-association": ("yes", 150000, None),
        "indh-cooperative": ("unknown", "province"), "ilayki": ("yes", 120000, None),
        "damane-express": ("unknown", "legal_form"), "forsa": ("yes", 100000, None),
        "ebrd-asb": ("no", "firm_age_years", "project.kind"),
    }),
    "a firm being created, at every lower limit": (MILL, {
        # no job premium at 1.5 jobs for each million, 15 % in Azilal, 0 to 10 % for priority activities
        "charte-tpme": ("yes", 300000, 500000),
        "damane-istitmar": ("yes", 1260000, None),  # 70 % of 1 800 000 below three years
        "istitmar": ("yes", 700000, None),  # 30 % and 5 points outside the Atlantic axis
        "intelaka": ("yes", 1200000, None), "nawat": ("yes", None, None),
        "microfinance-company": ("yes", 1200000, None),
    }),
    "own funds one dirham short of 10 %": (
        changed(MILL, project={"own_funds_mad": 199999}), {"charte-tpme": ("no", "project.own_funds_mad")},
    ),
    "2.9 jobs for two millions": (
        changed(MILL, project={"stable_jobs": 2.9}), {"charte-tpme": ("no", "project.stable_jobs")},
    ),
    "eleven months old with a small turnover": (
        changed(MILL, firm_age_years=0.9, turnover_mad=200000), {"charte-tpme": ("yes", 300000, 500000)},
    ),
    "one year old is not new": (
        changed(MILL, firm_age_years=1, turnover_mad=200000), {"charte-tpme": ("no", "turnover_mad")},
    ),
    "an exporting workshop in Casablanca": (WORKSHOP, {
        # 3 jobs for each million: 5 %; Casablanca: none; priority 0 to 10 %
        "charte-tpme": ("yes", 200000, 600000), "intelaka": ("no", "turnover_mad", "firm_age_years"),
        "damane-istitmar": ("yes", 1800000, 2100000), "damane-express": ("no", "project.amount_mad"),
        "istitmar": ("yes", 1200000, 1400000), "nawat": ("no", "project.amount_mad"),
        "212-founders": ("no", "innovative_startup"), "ana-moukawil": ("no", "turnover_mad", "project.kind"),
    }),
    "a workshop whose jobs and province give more than 30 %": (
        changed(WORKSHOP, province="Azilal", project={"stable_jobs": 41}), {"charte-tpme": ("yes", 1000000, 1200000)},
    ),
    "turnover exactly 1 000 000": (
        changed(WORKSHOP, turnover_mad=1000000), {"charte-tpme": ("yes", 200000, 600000)},
    ),
    "turnover one centime below 1 000 000": (
        changed(WORKSHOP, turnover_mad=999999.99), {"charte-tpme": ("no", "turnover_mad")},
    ),
    "turnover exactly 200 000 000": (
        changed(WORKSHOP, turnover_mad=200000000), {"charte-tpme": ("no", "turnover_mad")},
    ),
    "a bracket that ends at the limit": (
        changed(WORKSHOP, turnover_mad={"min": 500000, "max": 1000000}), {"charte-tpme": ("no", "turnover_mad")},
    ),
    "a bracket across the limit": (
        changed(WORKSHOP, turnover_mad={"min": 500000, "max": 1500000}), {"charte-tpme": ("unknown", "turnover_mad")},
    ),
    "a bracket that starts at the limit": (
        changed(WORKSHOP, turnover_mad={"min": 1000000, "max": 3000000}),
        {"charte-tpme": ("yes", 200000, 600000), "damane-istitmar": ("yes", 1800000, 2100000)},
    ),
    "a bracket from 10 000 000 holds 10 000 000 itself": (
        changed(GROCER, firm_age_years=2, turnover_mad={"min": 10000000, "max": None}),
        {"intelaka": ("unknown", "turnover_mad")},
    ),
    "a bracket up to 10 000 000": (
        changed(GROCER, firm_age_years=2, turnover_mad={"min": 3000000, "max": 10000000}),
        {"intelaka": ("yes", 80000, None), "damane-express": ("unknown", "turnover_mad")},
    ),
    "exactly five years": (changed(GROCER, firm_age_years=5), {"intelaka": ("yes", 80000, None)}),
    "five years and a half": (changed(GROCER, firm_age_years=5.5), {"intelaka": ("no", "firm_age_years")}),
    "an old exporter to Africa": (
        changed(GROCER, exports=True, exports_to_africa=True), {"intelaka": ("yes", 80000, None)},
    ),
    "an old firm that may export to Africa": (
        changed(GROCER, exports=None), {"intelaka": ("unknown", "exports_to_africa")},
    ),
    "an old farm that modernises": (
        changed(GROCER, sector="agriculture", farm_modernisation=True, rural=True),
        {"intelaka": ("yes", 80000, None), "intelaka-rural": ("yes", 80000, None)},
    ),
    "a grocer cannot modernise a farm": (
        changed(GROCER, farm_modernisation=True), {"intelaka": ("no", "firm_age_years")},
    ),
    "a company of 600 000 MAD that may be new": (
        changed(WORKSHOP, turnover_mad=600000, firm_age_years=None), {"charte-tpme": ("unknown", "firm_age_years")},
    ),
    "a cooperative with an investment of the charter": (
        changed(WORKSHOP, legal_form="cooperative"), {"charte-tpme": ("unknown", "legal_form")},
    ),
    "an auto-entrepreneur": (changed(GROCER, legal_form="auto_entrepreneur"), {
        "ebrd-asb": ("no", "legal_form", "project.kind"), "microfinance-association": ("yes", 80000, None),
        "ana-moukawil": ("no", "project.kind"),
    }),
    "an informal mechanic in Salé": (MECHANIC, {
        "charte-tpme": ("no", "legal_form", "turnover_mad", "project.amount_mad"),
        "intelaka": ("yes", 70000, None), "ana-moukawil": ("yes", None, None),
        "ebrd-asb": ("no", "legal_form", "project.kind"), "microfinance-association": ("yes", 50000, None),
        "indh-youth": ("unknown", "province"),
        "damane-express": ("unknown", "legal_form"), "forsa": ("yes", 70000, None),
    }),
    "an informal farm may borrow more": (
        changed(MECHANIC, sector="agriculture", project={"amount_mad": 400000}),
        {"microfinance-association": ("yes", 150000, None)},
    ),
    "an owner of seventeen": (changed(MECHANIC, owner_age=17), {"forsa": ("no", "owner_age")}),
    "a riad just below 10 000 000": (RIAD, {"go-siyaha": ("yes", 2999999, 3499999)}),
    "a riad at 10 000 000": (
        changed(RIAD, project={"amount_mad": 10000000}), {"go-siyaha": ("no", "project.amount_mad")},
    ),
    "a riad that goes green": (
        changed(RIAD, project={"kind": "green", "amount_mad": 1000000}), {"go-siyaha": ("yes", 400000, None)},
    ),
    "a riad that asks for advice": (changed(RIAD, project={"kind": "advice", "amount_mad": 100000}), {
        "go-siyaha": ("yes", 90000, None), "ebrd-asb": ("yes", 55000, 80000), "mowakaba": ("yes", None, None),
        "ana-moukawil": ("yes", None, None),
    }),
    "a restaurant may be tourist animation": (
        changed(RIAD, sector="restaurant"), {"go-siyaha": ("unknown", "sector")},
    ),
    "an innovative start-up": (STARTUP, {
        "212-founders": ("yes", None, None), "innov-invest": ("yes", None, None),
        "ebrd-asb": ("no", "firm_age_years", "project.kind"),
    }),
    "advice at every limit": (ADVISED, {
        "ebrd-asb": ("yes", 55000, 80000), "tatwir-green": ("yes", 80000, 90000),
        "digitpme": ("unknown", "turnover_mad"),
    }),
    "one person too many": (changed(ADVISED, staff=251), {"ebrd-asb": ("no", "staff")}),
    "not yet two years": (changed(ADVISED, firm_age_years=1.9), {"ebrd-asb": ("no", "firm_age_years")}),
    "turnover at 500 000 000": (
        changed(ADVISED, turnover_mad=500000000), {"ebrd-asb": ("no", "turnover_mad")},
    ),
    "a bank": (changed(ADVISED, sector="financial_services"), {"ebrd-asb": ("no", "sector")}),
    "foreign owners": (changed(ADVISED, moroccan_private=False), {"ebrd-asb": ("no", "moroccan_private")}),
    "outside the pilot regions": (changed(ADVISED, region="MA-06"), {"digitpme": ("no", "region")}),
    "own funds bring the credit below 1 000 000": (
        changed(GROCER, project={"amount_mad": 1500000, "own_funds_mad": 600000}),
        {"damane-express": ("yes", 450000, 720000), "damane-istitmar": ("no", "project.kind", "project.amount_mad")},
    ),
    "a credit of exactly 1 000 000": (
        changed(WORKSHOP, turnover_mad=3000000, project={"amount_mad": 1500000, "own_funds_mad": 500000}),
        {"damane-express": ("yes", 500000, 800000), "damane-istitmar": ("no", "project.amount_mad")},
    ),
    "own funds not known yet": (
        changed(GROCER, project={"amount_mad": 1500000}), {"damane-express": ("unknown", "project.own_funds_mad")},
    ),
    "deep-sea fishing": (
        changed(GROCER, sector="fishing", firm_age_years=2, deep_sea_fishing=True),
        {"intelaka": ("no", "deep_sea_fishing")},
    ),
    "fishing of a kind not told": (
        changed(GROCER, sector="fishing", firm_age_years=2), {"intelaka": ("unknown", "deep_sea_fishing")},
    ),
    "property development": (
        changed(GROCER, sector="real_estate_development", firm_age_years=2),
        {"intelaka": ("no", "sector"), "ilayki": ("no", "sector")},
    ),
    "a third of it owned by a large firm": (
        changed(WORKSHOP, owned_by_large_firm=True), {"charte-tpme": ("no", "owned_by_large_firm")},
    ),
    "a public majority": (changed(WORKSHOP, public_majority=True), {"charte-tpme": ("no", "public_majority")}),
    "more than 50 000 000": (
        changed(WORKSHOP, project={"amount_mad": 50000001, "own_funds_mad": 20000000, "stable_jobs": 90}),
        {"charte-tpme": ("no", "project.amount_mad")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_firm_worked_out_by_hand_gets_its_verdicts(service: LocalFunding, case: str) -> None:
    firm, expected = CASES[case]
    document = service.check(firm)
    for programme, (verdict, *rest) in expected.items():
        found = entry(document, programme)
        assert found["verdict"] == verdict, (programme, found)
        if verdict == "yes":
            assert [found["estimate_mad"], found["estimate_max_mad"]] == rest, programme
        elif verdict == "no":
            assert [failing["field"] for failing in found["failing"]] == rest, programme
            assert found["deciding"] == found["failing"][0]
            assert (found["estimate_mad"], found["missing"]) == (None, [])
        else:
            assert found["missing"] == rest, programme
            assert found["deciding"] is None


@pytest.mark.parametrize(
    ("jobs", "province", "low", "high"),
    [
        (1.5, "Rabat", 0, 100000),
        (2, "Rabat", 50000, 150000),
        (5, "Rabat", 50000, 150000),
        (5.01, "Rabat", 70000, 170000),
        (10, "Rabat", 70000, 170000),
        (10.1, "Rabat", 100000, 200000),
        (2, "FES", 150000, 250000),
        (2, "Aousserd", 50000, 300000),  # in no list that was read: may be 15 %
        (11, "al hoceïma", 250000, 300000),
    ],
)
def test_the_premiums_of_the_charter_add_up_to_30_percent_at_most(
    service: LocalFunding, jobs: float, province: str, low: int, high: int
) -> None:
    project = {"amount_mad": 1000000, "own_funds_mad": 100000, "stable_jobs": jobs}
    found = entry(service.check(changed(WORKSHOP, province=province, project=project)), "charte-tpme")
    assert (found["verdict"], found["estimate_mad"], found["estimate_max_mad"]) == ("yes", low, high)


def test_an_undecided_verdict_has_an_amount_only_where_no_answer_changes_it(service: LocalFunding) -> None:
    fixed = entry(service.check(WEAVERS), "indh-cooperative")
    assert (fixed["verdict"], fixed["estimate_mad"]) == ("unknown", 120000)
    open_place = changed(WORKSHOP, province=None, owned_by_large_firm=None)
    assert entry(service.check(open_place), "charte-tpme")["estimate_mad"] is None
    open_amount = changed(WEAVERS, project={"amount_mad": None})
    assert entry(service.check(open_amount), "indh-cooperative")["estimate_mad"] is None


def test_what_no_source_documents_is_told_with_its_reason(service: LocalFunding) -> None:
    charter = entry(service.check(changed(WORKSHOP, legal_form="cooperative")), "charte-tpme")
    [silence] = charter["undocumented"]
    assert silence["field"] == "legal_form"
    assert "ask the CRI" in silence["reason"]
    assert entry(service.check(WORKSHOP), "charte-tpme")["undocumented"] == []


def test_the_value_that_decides_is_shown_as_it_was_told(service: LocalFunding) -> None:
    bracket = changed(WORKSHOP, turnover_mad={"min": 500000, "max": 1000000})
    assert entry(service.check(bracket), "charte-tpme")["deciding"] == {
        "field": "turnover_mad", "rule": "turnover at least 1 000 000 MAD", "value": {"min": 500000, "max": 1000000},
    }  # fmt: skip
    assert entry(service.check(GROCER), "intelaka")["deciding"]["value"] == 8
