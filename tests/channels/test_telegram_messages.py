"""Rendering for Telegram: within its limits, nothing left out, buttons that prove whose they are."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.channels.bidi import ISOLATE, ISOLATE_END, RIGHT_TO_LEFT, for_reading
from bot.channels.channel import Button, Reply
from bot.channels.telegram_messages import LONGEST_CAPTION, Part, Signer, keyboard, parts, split, units

SIGNER = Signer(b"k" * 32)


def reply(text="Bonjour", *titles, **more):
    return Reply(7, text, tuple(Button(f"c{number}", title) for number, title in enumerate(titles)), **more)


def rows(*titles):
    markup = keyboard(parts(reply("?", *titles))[-1], "77", SIGNER)
    return [[key.text for key in row] for row in markup.inline_keyboard]


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=300), st.integers(4, 40))
def test_pieces_fit_and_hold_every_letter_in_order(text, limit):
    pieces = list(split(text, limit))
    assert all(0 < units(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_text_is_cut_between_lines_else_words_else_anywhere():
    assert list(split("un deux trois\nquatre", 16)) == ["un deux trois", "quatre"]
    assert list(split("un deux trois quatre", 14)) == ["un deux trois", "quatre"]
    assert list(split("un deux", 2)) == ["un", "de", "ux"]
    assert list(split("🙂🙂🙂", 5)) == ["🙂🙂", "🙂"]


def test_short_titles_stand_in_two_columns_and_longer_ones_in_one():
    assert rows("Oui", "Non", "Plus tard") == [["Oui", "Non"], ["Plus tard"]]
    assert rows("Oui", "Je ne sais pas encore") == [["Oui"], ["Je ne sais pas encore"]]
    assert rows("Continuer") == [["Continuer"]]


def test_what_a_title_is_too_short_to_say_stands_in_the_text():
    buttons = (Button("a", "Cahier", "Je note tout dans un cahier"), Button("b", "Autre"))
    (part,) = parts(Reply(1, "Comment ?", buttons))
    assert part.text == "Comment ?\n\n1. Cahier : Je note tout dans un cahier"
    assert part.titles == ("Cahier", "Autre")


def test_the_words_and_the_keyboard_come_last_whatever_comes_before():
    assert parts(reply("")) == []
    assert [(part.text, part.titles) for part in parts(reply(" ", "Oui"))] == [("…", ("Oui",))]
    both = parts(reply("Voici", "Oui", image="i", document="d"))
    assert [(part.image, part.document, part.text, part.titles) for part in both] == [
        (None, "d", "", ()),
        ("i", None, "Voici", ("Oui",)),
    ]
    long = parts(reply("x" * (LONGEST_CAPTION + 1), "Oui", document="d"))
    assert [(part.document, units(part.text), part.titles) for part in long] == [
        ("d", 0, ()),
        (None, LONGEST_CAPTION + 1, ("Oui",)),
    ]


def test_rendering_twice_gives_the_same_parts():
    made = reply("mot " * 3000, "Oui", image="i")
    assert parts(made) == parts(made)


@given(st.integers(0, 2**63 - 1), st.integers(0, 99), st.integers(-(2**52), 2**52))
def test_button_data_is_short_and_good_for_its_chat_only(outbox_id, index, chat):
    data = SIGNER.data(str(chat), outbox_id, index)
    assert 1 <= len(data.encode()) <= 64
    assert SIGNER.read(str(chat), data) == (outbox_id, index)
    assert SIGNER.read(str(chat + 1), data) is None
    assert Signer(b"other").read(str(chat), data) is None


@given(st.text(max_size=70))
def test_no_made_up_data_is_read(data):
    assert SIGNER.read("77", data) is None


def test_numbers_and_latin_words_keep_their_place_in_arabic_lines():
    assert for_reading("Votre score : 12 000") == "Votre score : 12 000"
    assert for_reading("1. الدفتر : كنكتب") == "1. الدفتر : كنكتب"
    assert for_reading("WhatsApp هو الأول\nعيطو على +212 5 22 00") == (
        f"{RIGHT_TO_LEFT}WhatsApp هو الأول\nعيطو على {ISOLATE}+212 5 22 00{ISOLATE_END}"
    )
    assert for_reading("حتى 50 000 درهم") == f"حتى {ISOLATE}50 000{ISOLATE_END} درهم"
    assert for_reading("من 10 حتى 20 في 2026") == "من 10 حتى 20 في 2026"
    (arabic,) = parts(Reply(1, "PDF ديالكم", language="ary-Arab"))
    (french,) = parts(Reply(1, "PDF (ورقة)", language="fr"))
    assert (arabic.text[0], french.text[0]) == (RIGHT_TO_LEFT, "P")


@given(st.text(st.sampled_from("ab سلام12+0 -\n"), max_size=60))
def test_reading_order_adds_marks_only(text):
    marked = for_reading(text)
    assert "".join(char for char in marked if unicodedata.category(char) != "Cf") == text


def test_a_part_without_buttons_has_no_keyboard():
    assert keyboard(Part(1, "a"), "77", SIGNER) is None
