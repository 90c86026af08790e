"""What the web chat accepts, and what it refuses with a reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.channels.web import WebMessage, storable

GOOD = {"conversation": "c-1", "message_id": "m-1"}


def test_a_text_becomes_an_incoming_message():
    incoming = WebMessage.parse_obj(GOOD | {"text": "salam"}).incoming()
    assert (incoming.channel, incoming.address, incoming.kind, incoming.body) == ("web", "c-1", "text", "salam")


def test_the_same_message_id_in_two_conversations_is_two_messages():
    first = WebMessage.parse_obj(GOOD | {"text": "a"}).incoming()
    second = WebMessage.parse_obj(GOOD | {"conversation": "c-2", "text": "a"}).incoming()
    assert first.provider_id != second.provider_id


def test_the_inbox_key_does_not_hold_the_address():
    address = "session-0123456789abcdef"
    incoming = WebMessage.parse_obj(GOOD | {"conversation": address, "text": "a"}).incoming()
    assert address not in incoming.provider_id


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"text": "a", "choice": "greet"},
        {"text": None},
        {"text": "a" * 20_001},
        {"choice": ""},
        {"choice": "x" * 201},
        {"media": "../../etc/passwd"},
        {"text": "a", "conversation": ""},
        {"text": "a", "conversation": "a" * 129},
        {"text": "a", "conversation": "<script>"},
        {"text": "a", "conversation": "a\n"},
        {"text": "a", "message_id": "a b"},
        {"text": "a", "admin": True},
        {"text": {"a": 1}},
    ],
)
def test_anything_else_is_refused(content):
    with pytest.raises(ValidationError):
        WebMessage.parse_obj(GOOD | content)


def test_an_empty_text_is_a_message_too():
    assert WebMessage.parse_obj(GOOD | {"text": ""}).incoming().body == ""


@given(st.text(alphabet=st.characters(), max_size=50) | st.just("\ud800 \0"))
def test_every_accepted_text_can_be_stored(text):
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode("utf-8").decode("utf-8") == stored
