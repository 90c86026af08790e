"""Only choices of ours become commands to Rasa; nothing an owner types does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.choices import as_plain_text, parsed_choice

INTENTS = frozenset({"greet", "answer", "change_language"})


@pytest.mark.parametrize(
    ("choice", "intent", "value"),
    [
        ("greet", "greet", None),
        ("answer:ab12cd34:G1:2", "answer", "ab12cd34:G1:2"),
        ("change_language:ary-Arab", "change_language", "ary-Arab"),
    ],
)
def test_a_choice_of_ours_is_its_intent(choice, intent, value):
    parsed = parsed_choice(choice, INTENTS)
    assert parsed["intent"] == {"name": intent, "confidence": 1.0}
    assert [entity["value"] for entity in parsed["entities"]] == ([value] if value else [])


@pytest.mark.parametrize(
    "choice",
    ["restart", "/greet", "greet\n", 'greet{"a":1}', "answer:", "answer:a b", "answer:" + "x" * 65, "a:" * 9, "", "ج"],
)
def test_another_choice_is_not_obeyed(choice):
    assert parsed_choice(choice, INTENTS) is None


@pytest.mark.parametrize("choice", ["clock", "clock:unfinished_test", "send_location", "send_location:33.5"])
def test_what_only_the_program_says_cannot_be_chosen(choice):
    assert parsed_choice(choice, INTENTS | {"clock", "send_location"}) is None


@pytest.mark.parametrize(
    "text", ["/restart", " /restart", "//restart", "\u200f/restart", '/greet{"a":1}', "\ufeff \u2066/ /x"]
)
def test_a_typed_command_is_plain_text(text):
    assert not as_plain_text(text).lstrip().startswith("/")
    assert as_plain_text(text)


@given(st.text())
def test_no_text_starts_with_a_command(text):
    assert not as_plain_text(text).startswith("/")
    assert not as_plain_text(text).strip().startswith("/")


@given(st.text(alphabet="abc /é ع"))
def test_what_follows_is_kept(text):
    assert text.endswith(as_plain_text(text))
