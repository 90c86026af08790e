"""Which readings a message that was not understood gets: choosable, sensible at this point, likelier than chance."""

import time

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions.content import get_content
from actions.misunderstood import chance, readings
from actions.turn import Turn
from bot.diagnosis import sitting
from bot.knowledge.text import VARIETIES
from bot.storage.models import Answer, Conversation, Firm, Result
from bot.storage.prompt import Prompt, set_prompt

NEVER = (
    "greet",
    "goodbye",
    "thank",
    "affirm",
    "deny",
    "dont_know",
    "inform",
    "out_of_scope",
    "answer",
    "answer_unsure",
)


def turn(*ranking, prompt=None, entities=(), firm=None, language="fr") -> Turn:
    conversation = Conversation(id="c", state={}, firm=firm)
    set_prompt(conversation, prompt)
    rows = [{"name": name, "confidence": confidence} for name, confidence in ranking]
    latest = {"text": "bla", "intent_ranking": rows, "entities": list(entities)}
    return Turn(None, conversation, get_content(), CollectingDispatcher(), latest, language)


def choices(*ranking, human=False, **where) -> list[str]:
    return [button.choice for button in readings(turn(*ranking, **where), human)]


def tested(answers=0, done=False) -> Firm:
    firm = Firm(id="f", profile={})
    content = get_content()
    current = sitting.start(firm, content.diagnosis, content.rules, 1)
    for position in range(answers):
        current.answers.append(
            Answer(item=f"P{position + 1}", position=position, status="answered", value=1, source="x")
        )
    if done:
        current.status, current.completed_at = "done", time.time()
        current.results.append(Result(id="r", document={}, items=[], score=0.0, level=1))
    return firm


@pytest.mark.parametrize("name", NEVER)
def test_politeness_and_answers_are_never_readings(name):
    assert choices((name, 0.29), ("find_training", 0.2), ("help", 0.1)) == ["find_training", "help"]


def test_the_likeliest_come_first():
    assert choices(("ask_cost", 0.2), ("inform", 0.19), ("complain", 0.1), ("help", 0.09)) == ["ask_cost", "complain"]


def test_what_is_no_likelier_than_chance_gives_way_to_what_is_usual_here():
    weak = chance(turn()) - 0.001
    assert choices(("ask_cost", 0.2), ("opt_out", weak), ("delete_my_data", weak)) == ["ask_cost", "start_diagnosis"]


@pytest.mark.parametrize(
    ("prompt", "firm", "usual"),
    [
        (None, None, ["start_diagnosis", "help"]),
        (Prompt("consent"), None, ["explain_question", "start_diagnosis"]),
        (Prompt("profile", "size:0"), Firm(id="f", profile={}), ["start_diagnosis", "help"]),
        (Prompt("question", "P1"), "open", ["explain_question", "help"]),
        (Prompt("checkpoint", "1"), "open", ["resume_diagnosis", "help"]),
        (None, "open", ["resume_diagnosis", "help"]),
        (Prompt("menu"), "done", ["start_diagnosis", "help"]),
    ],
)
def test_there_are_always_two_readings_that_make_sense_here(prompt, firm, usual):
    firm = tested() if firm == "open" else tested(done=True) if firm == "done" else firm
    assert choices(prompt=prompt, firm=firm) == usual


def test_a_test_under_way_is_not_started_again_nor_resumed_at_its_question():
    ranking = (("start_diagnosis", 0.2), ("resume_diagnosis", 0.19), ("find_funding", 0.1), ("go_back", 0.09))
    at_question = choices(*ranking, prompt=Prompt("question", "P2"), firm=tested(answers=1))
    assert at_question == ["find_funding", "go_back"]
    assert choices(*ranking, firm=tested(answers=1)) == ["resume_diagnosis", "find_funding"]
    assert choices(*ranking) == ["start_diagnosis", "find_funding"]


def test_a_result_is_offered_when_there_is_one():
    ranking = (("ask_result", 0.2), ("ask_cost", 0.1), ("help", 0.09))
    assert choices(*ranking) == ["ask_cost", "help"]
    assert choices(*ranking, firm=tested(done=True)) == ["ask_result", "ask_cost"]


def test_a_word_or_programme_is_a_reading_only_when_it_is_named_and_its_button_carries_it():
    ranking = (("ask_definition", 0.2), ("ask_programme", 0.2), ("help", 0.1), ("ask_cost", 0.09))
    concept = {"entity": "concept", "value": "cloud", "start": 0, "end": 3}
    assert choices(*ranking) == ["help", "ask_cost"]
    assert choices(*ranking, entities=[concept]) == ["ask_definition:cloud", "help"]


def test_the_human_is_not_offered_twice():
    ranking = (("talk_to_adviser", 0.2), ("help", 0.1), ("ask_cost", 0.09))
    assert choices(*ranking, human=True) == ["help", "ask_cost"]


@pytest.mark.parametrize("language", VARIETIES)
def test_readings_have_readable_names_in_each_variety(language):
    (first, second) = readings(turn(("find_funding", 0.2), ("find_training", 0.1), language=language))
    labels = get_content().words.labels
    assert (first.title, second.title) == (
        labels["reading_find_funding"][language],
        labels["reading_find_training"][language],
    )
