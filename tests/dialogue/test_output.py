"""By SMS the replies of a turn go out as one, and the numbers it shows are those the open prompt understands."""

from bot.dialogue.output import in_one
from bot.storage.prompt import Offer, Prompt

YES = {"choice": "affirm", "title": "Oui"}
NO = {"choice": "deny", "title": "Non"}
HELP = {"choice": "help", "title": "Aide"}
ASKED = Prompt("start", "", (Offer("affirm", "Oui"), Offer("deny", "Non")))


def test_texts_are_joined_and_media_left_out():
    payloads = [{"text": "Merci.", "language": "fr"}, {"text": "rafiq.pdf", "document": "d", "image": "i"}]
    assert in_one(payloads, None, media=False) == [{"text": "Merci.\nrafiq.pdf", "language": "fr"}]


def test_the_buttons_of_the_open_prompt_stay_and_others_go():
    sorry, start = {"text": "Désolé.", "buttons": [HELP]}, {"text": "On commence ?", "buttons": [YES, NO]}
    (one,) = in_one([sorry, start], ASKED, media=False)
    assert one["buttons"] == [YES, NO]
    (one,) = in_one([start, sorry], ASKED, media=False)
    assert "buttons" not in one


def test_a_reminder_keeps_its_template_and_what_fills_it():
    reminder = {"text": "Rafiq", "template": "test_reminder_first", "variables": ["3"]}
    (one,) = in_one([reminder, {"text": "5/7", "buttons": [YES, NO], "image": "i"}], ASKED, media=True)
    assert (one["template"], one["variables"], one["image"]) == ("test_reminder_first", ["3"], "i")
    assert one["text"] == "Rafiq\n5/7"


def test_nothing_stays_nothing():
    assert in_one([], None, media=False) == []
