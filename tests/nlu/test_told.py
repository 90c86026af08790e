"""Free words as answers to the funding check."""

from __future__ import annotations

from datetime import date

import pytest

from bot.nlu.entities import FirmEntities
from bot.nlu.told import told
from bot.settings import ROOT

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def entities():
    return FirmEntities(ROOT / "knowledge")


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("turnover_mad", "20 mlyoun", "n200000"),
        ("turnover_mad", "50 alf dh f chher", "n600000"),
        ("turnover_mad", "mn 20 l 30 mlyoun", "r200000-300000"),
        ("turnover_mad", "1 200 000", "n1200000"),
        ("project.amount_mad", "50.000", "n50000"),
        ("project.amount_mad", "20", "q20"),
        ("project.amount_mad", "200 ألف درهم", "n200000"),
        ("project.amount_mad", "-5000", None),
        ("project.own_funds_mad", "والو", "n0"),
        ("project.own_funds_mad", "rien du tout", "n0"),
        ("firm_age_years", "3 snin", "n3"),
        ("firm_age_years", "2019", "n7"),
        ("staff", "12", "n12"),
        ("legal_form", "ana auto entrepreneur", "auto_entrepreneur"),
        ("rural", "f lmdina", "no"),
        ("rural", "فالدوار", "yes"),
        ("project.kind", "bghit nchri sel3a", "working_capital"),
        ("owner_gender", "mra", "f"),
    ],
)
def test_free_words_answer_a_question(entities, field, text, value):
    found = [entity.as_document() for entity in entities.find(text, TODAY)]
    said = told(field, text, found, ("inform", 0.9), [], TODAY)
    assert said == (None if value is None else f"{field}:{value}")


@pytest.mark.parametrize(("intent", "option"), [("affirm", "yes"), ("deny", "no"), ("dont_know", "skip")])
def test_yes_no_and_i_do_not_know_are_answers(intent, option):
    offers = ["tell_funding:exports:yes", "tell_funding:exports:no"]
    assert told("exports", "…", [], (intent, 0.9), offers, TODAY) == f"exports:{option}"


def test_sales_are_told_from_the_sum_that_is_needed(entities):
    found = entities.find("kanbi3 b 40 mlyoun f l3am", TODAY)
    assert [entity.role for entity in found if entity.entity == "amount"] == ["turnover"]
