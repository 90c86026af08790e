"""A reply becomes WhatsApp messages that WhatsApp takes, and that say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.channel import Button, Reply
from bot.channels.twilio_content import shape, template, variables
from bot.channels.whatsapp_parts import Approved, Attachment, Choices, Words, cut, parts, split
from tests.simulators.twilio import check_content


def buttons(*titles, description=""):
    return tuple(Button(f"c:{number}", title, description) for number, title in enumerate(titles))


def reply(text="Bonjour", given=(), **more):
    return Reply(1, text, tuple(given), **more)


def test_a_short_text_is_one_message():
    assert parts(reply()) == [Words("Bonjour")]


def test_nothing_to_say_is_no_message():
    assert parts(reply("  ")) == []


def test_a_long_text_is_cut_between_paragraphs():
    paragraph = "mot " * 225
    pieces = parts(reply("\n\n".join([paragraph.strip()] * 5)))
    assert [len(piece.text) for piece in pieces] == [899] * 5


def test_a_long_paragraph_is_cut_between_words():
    pieces = [piece.text for piece in parts(reply("ouvrir " * 400))]
    assert all(len(piece) <= 1600 for piece in pieces)
    assert " ".join(pieces).split() == ["ouvrir"] * 400


def test_three_buttons_are_quick_replies():
    (part,) = parts(reply("Vous commencez ?", buttons("Oui", "Non", "Plus tard")))
    assert not part.is_list
    assert part.body == "Vous commencez ?"
    assert part.as_text() == "Vous commencez ?\n\n1. Oui\n2. Non\n3. Plus tard"


@pytest.mark.parametrize("count", [4, 10])
def test_four_to_ten_buttons_are_a_list(count):
    (part,) = parts(reply("Quel secteur ?", buttons(*(f"Secteur {n}" for n in range(count)), description="détail")))
    assert part.is_list
    assert len(part.buttons) == count


def test_more_than_ten_are_still_all_offered():
    found = parts(reply("Lequel ?", buttons(*(f"Choix {n}" for n in range(14)))))
    assert found == [Words("Lequel ?\n\n" + "\n".join(f"{n + 1}. Choix {n}" for n in range(14)))]


def test_titles_that_are_too_long_are_cut_at_a_word():
    (part,) = parts(reply("?", buttons("Je veux bien le recevoir", "Non")))
    assert [button.title for button in part.buttons] == ["Je veux bien le…", "Non"]
    assert part.as_text().endswith("1. Je veux bien le recevoir\n2. Non")


def test_a_row_tells_in_its_description_what_its_title_cannot():
    (part,) = parts(reply("?", buttons("Une réponse bien trop longue pour un titre", "b", "c", "d")))
    assert part.buttons[0].title == "Une réponse bien trop…"
    assert part.buttons[0].description == "Une réponse bien trop longue pour un titre"
    assert part.buttons[1].description == ""


def test_titles_that_would_be_the_same_are_numbered():
    (part,) = parts(reply("?", buttons("Voir le programme Forsa", "Voir le programme Intelaka")))
    assert [button.title for button in part.buttons] == ["1. Voir le…", "2. Voir le…"]


@pytest.mark.parametrize(
    "given",
    [
        (Button("x" * 201, "a"),),
        (Button("x", "a"), Button("x", "b")),
        (Button("x", " "),),
        (Button("", "a"),),
    ],
)
def test_what_cannot_be_pressed_is_numbered_text(given):
    (part,) = parts(reply("Lequel ?", given))
    assert isinstance(part, Words)


def test_a_text_too_long_for_an_interactive_message_goes_before_it():
    long = "Un paragraphe. " * 100
    *before, last = parts(reply(f"{long}\n\nVous commencez ?", buttons("Oui", "Non")))
    assert (last.body, [type(part) for part in before]) == ("Vous commencez ?", [Words])


def test_many_lines_go_before_the_question():
    text = "\n".join(f"- étape {n}" for n in range(30)) + "\n\nOn commence ?"
    *before, last = parts(reply(text, buttons("Oui", "Non")))
    assert last.body == "On commence ?"
    assert before[0].text.count("étape") == 30


def test_a_picture_has_the_text_as_its_caption():
    assert parts(reply("Votre score : 42", image="m1")) == [Attachment("m1", "Votre score : 42")]


def test_a_long_text_is_no_caption():
    assert parts(reply("a" * 1025, image="m1")) == [Words("a" * 1025), Attachment("m1")]


def test_a_document_has_no_caption():
    assert parts(reply("Votre plan", document="m2")) == [Words("Votre plan"), Attachment("m2")]


def test_picture_document_and_buttons_come_in_this_order():
    found = parts(reply("Et maintenant ?", buttons("Le plan"), image="m1", document="m2"))
    assert found[:2] == [Attachment("m1"), Attachment("m2")]
    assert isinstance(found[2], Choices)


def test_a_template_is_all_there_is_to_say():
    found = parts(reply("Il reste 3 questions", buttons("Oui"), template="t", variables=("3",), language="ary-Latn"))
    assert found == [Approved("t", "ary-Latn", ("3",))]


@given(st.text(max_size=200), st.integers(2, 80))
def test_a_cut_text_is_one_line_and_short_enough(text, limit):
    shown = cut(text, limit)
    assert len(shown) <= limit
    assert "\n" not in shown


@given(st.text(max_size=6000))
def test_splitting_loses_only_blanks(text):
    pieces = split(text, 1600)
    assert all(0 < len(piece) <= 1600 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


titles = st.text(max_size=90)
offers = st.lists(st.builds(Button, st.text(max_size=210), titles, titles), max_size=14)


@given(st.text(max_size=4000), offers)
def test_whatever_is_said_and_offered_can_be_sent(text, given):
    found = parts(Reply(1, text, tuple(given)))
    for part in found:
        if isinstance(part, Words):
            assert 0 < len(part.text) <= 1600
            continue
        assert 0 < len(part.as_text()) <= 1600
        check_filled(part)


def check_filled(part):
    """Fill the template as Twilio does, and check the result as WhatsApp does."""
    made, values = template(part), variables(part, "Choisir")
    check_content(made)
    assert set(values) == set(made["variables"])
    assert len(shape(part)) <= 80
    assert all(value.strip() and "\n" not in value and "    " not in value for value in values.values())

    def fill(value):
        if isinstance(value, dict):
            return {name: fill(item) for name, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        for number in sorted(values, key=int, reverse=True):
            value = value.replace("{{" + number + "}}", f"\x00{number}\x00")
        for number, text in values.items():
            value = value.replace(f"\x00{number}\x00", text)
        return value

    filled = fill(made["types"])
    check_content({"language": "fr", "types": filled})
    (content,) = filled.values()
    assert content["body"] == part.body
    rows = content.get("actions") or content["items"]
    assert [row["id"] for row in rows] == [button.choice for button in part.buttons]
    assert len({row.get("title") or row["item"] for row in rows}) == len(rows)
