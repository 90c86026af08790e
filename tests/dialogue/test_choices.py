"""Only choices of ours become commands to Rasa; nothing an owner types does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue.choices import as_plain_text, as_rasa_message

INTENTS = frozenset({"greet", "answer", "change_language"})


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("greet", "/greet"),
        ("answer:ab12cd34:G1:2", '/answer{"choice": "ab12cd34:G1:2"}'),
        ("change_language:ary-Arab", '/change_language{"choice": "ary-Arab"}'),
    ],
)
def test_a_choice_of_ours_becomes_its_intent(choice, message):
    assert as_rasa_message(choice, INTENTS) == message


@pytest.mark.parametrize(
    "choice",
    [
        "restart",
        "/greet",
        "greet\n",
        'greet{"choice":"x"}',
        "answer:",
        "answer:a b",
        "answer:" + "x" * 65,
        "a:" * 9,
        "",
        "جواب",
    ],
)
def test_another_choice_is_not_obeyed(choice):
    assert as_rasa_message(choice, INTENTS) is None


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
