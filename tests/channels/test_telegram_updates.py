"""Updates as the Bot API documents them, and what each says."""

import json
from pathlib import Path

import pytest

from bot.channels.telegram_updates import Unreadable, hear

PAYLOADS = Path(__file__).parent.parent / "payloads" / "telegram"
COMMANDS = {"start": "greet", "test": "start_diagnosis"}


def heard(name):
    return hear(json.loads((PAYLOADS / f"{name}.json").read_text()), COMMANDS)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("start_with_payload", [("restarted", ""), ("choice", "greet")]),
        ("forwarded", [("text", "salam")]),
        ("reply_to_another", [("text", "wahed")]),
        ("edited", []),
        ("photo_with_caption", [("text", "ma boutique")]),
        ("voice", [("media", "audio/ogg")]),
        ("venue", [("location", "33.589886,-7.603869")]),
        ("contact", [("media", "text/vcard")]),
        ("callback_query_inline", []),
        ("blocked", [("blocked", "")]),
        ("unblocked", [("unblocked", "")]),
        ("first_contact", []),
        ("of_a_later_api", [("text", "salam")]),
    ],
)
def test_a_message_says(name, said):
    messages = heard(name).messages
    assert [(message.kind, message.body) for message in messages] == said
    assert {message.address for message in messages} <= {"1111111"}


def test_ids_are_the_updates_and_differ_within_one():
    ids = [message.provider_id for message in heard("start_with_payload").messages]
    assert ids == ["update-10000-restart", "update-10000"]


@pytest.mark.parametrize(("name", "message_id"), [("callback_query", 1334), ("callback_query_old_message", 7)])
def test_a_press_names_its_message_also_one_that_is_too_old_to_see(name, message_id):
    press = heard(name).press
    assert (press.chat, press.message_id, press.phone_language) == ("1111111", message_id, "fr")


def test_a_group_is_left_when_we_are_put_in_not_when_we_are_put_out():
    assert heard("added_to_group").group == -1001234567890
    assert heard("removed_from_group").group is None


@pytest.mark.parametrize("raw", [None, [], {}, {"update_id": "1"}, {"update_id": True}, {"update_id": -1}])
def test_what_is_no_update_is_unreadable(raw):
    with pytest.raises(Unreadable):
        hear(raw, {})
