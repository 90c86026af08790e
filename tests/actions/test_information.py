"""A word of the law is explained, then told with its date and whom to ask."""

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions.content import get_content
from actions.information import ActionAskDefinition
from actions.turn import Turn
from bot.knowledge.text import VARIETIES
from bot.storage.models import Conversation


def told(concept: str, language: str) -> list[dict]:
    dispatcher = CollectingDispatcher()
    latest = {"text": "?", "entities": [{"entity": "concept", "value": concept}]}
    ActionAskDefinition().tell(Turn(None, Conversation(id="c", state={}), get_content(), dispatcher, latest, language))
    return dispatcher.messages


@pytest.mark.parametrize("language", VARIETIES)
@pytest.mark.parametrize(("concept", "as_of"), [("ice", "07/2016"), ("e_invoice", "03/2026"), ("cndp", "10/2020")])
def test_a_rule_has_its_date_and_whom_to_ask(concept, as_of, language):
    definition, rule = told(concept, language)
    assert (definition["response"], rule["response"]) == ("utter_definition", "utter_legal")
    assert rule["as_of"] == as_of
    assert all(rule[part] for part in ("text", "name", "contact"))


def test_a_word_without_a_rule_has_its_definition_only():
    assert [message["response"] for message in told("crm", "fr")] == ["utter_definition"]


def test_every_word_the_bot_understands_has_a_definition():
    from bot.knowledge.loader import load
    from bot.settings import ROOT

    assert set(load(ROOT / "knowledge" / "concept_names.yml").data) <= set(get_content().words.concepts)
