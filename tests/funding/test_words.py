"""What the funding check says: every rule of every programme in plain words, in three varieties."""

from __future__ import annotations

import pytest

from bot.funding.facts import FIELDS
from bot.funding.records import load_programmes
from bot.funding.words import holding, load_funding_words
from bot.knowledge.firm import Firm, for_others
from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.text import VARIETIES
from bot.settings import ROOT

KNOWLEDGE = ROOT / "knowledge"


@pytest.fixture(scope="module")
def words():
    return load_funding_words(KNOWLEDGE)


@pytest.mark.parametrize("variety", VARIETIES)
def test_every_rule_of_every_programme_has_words(words, variety):
    for programme in load_programmes(KNOWLEDGE):
        for rule in programme.rules:
            said = words.rule_text(rule, rule.told_field, variety, lambda _field, code: code)
            assert said
            assert rule.text not in said
            assert "{" not in said


def test_every_field_can_be_asked(words):
    unasked = [field for field in FIELDS if words.ask_for(field, {}) is None]
    assert unasked == ["province"]


def test_what_an_answer_tells_is_a_valid_profile(words):
    for ask in words.asks:
        for option in ask.options:
            told = option.told()
            project = {k.removeprefix("project."): v for k, v in told.items() if k.startswith("project.")}
            Firm.from_dict({k: v for k, v in told.items() if "." not in k} | {"project": project})


def test_a_question_that_opens_more_comes_first_while_nothing_of_it_is_known(words):
    assert words.ask_for("innovative_startup", {}).id == "project.kind"
    assert words.ask_for("innovative_startup", {"project.kind": "digital"}).id == "innovative_startup"


def test_others_get_a_bracket_for_the_turnover_only():
    profile = {"turnover_mad": {"min": 0, "max": 5}, "owner_age": {"min": 18}, "project": {"kind": "digital"}}
    assert for_others(profile) == {"turnover_mad": {"min": 0, "max": 5}, "project": {"kind": "digital"}}


def test_the_reasons_are_rules_that_hold():
    programme = next(p for p in load_programmes(KNOWLEDGE) if p.id == "ilayki")
    assert holding(programme, {"owner_gender": "f"}) == ["owner_gender"]
    assert holding(programme, {"owner_gender": "m"}) == []


def test_an_answer_outside_its_question_is_refused_with_its_line(tmp_path):
    text = (KNOWLEDGE / "funding.yml").read_text()
    (tmp_path / "funding.yml").write_text(text.replace("tells: {rural: true}", "tells: {exports: true}"))
    with pytest.raises(KnowledgeErrors) as wrong:
        load_funding_words(tmp_path)
    assert "exports is not one of the question's fields" in str(wrong.value)
