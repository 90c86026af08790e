"""A reply as SMS, and the address of who writes."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import gsm7
from bot.channels.channel import Button, MediaFile, Reply, Sent
from bot.channels.sms import MOST_SEGMENTS, SmsChannel, sms_address, split


class Carrier:
    """A provider that keeps what it is given."""

    routes: ClassVar[dict] = {}

    def __init__(self):
        self.sent = []

    async def send(self, address, text, reference):
        self.sent.append((address, text, reference))
        return Sent(reference, segments=len(gsm7.segments(text)))


def texts(**reply):
    return [part.text for part in SmsChannel(Carrier()).render(Reply(7, **reply))]


def test_choices_are_numbered_lines_without_their_descriptions():
    buttons = (Button("size:solo", "Je suis seul"), Button("size:2", "2 à 9", "Avec les saisonniers"))
    assert texts(text="Vous êtes combien ?", buttons=buttons) == ["Vous etes combien ?\n1 Je suis seul\n2 2 à 9"]


def test_the_wording_made_for_sms_is_sent_instead_with_its_own_choices():
    buttons = (Button("answer:0", "Papier"),)
    assert texts(text="Vos documents ?", buttons=buttons, sms="6/7 Vos documents: 1)papier") == [
        "6/7 Vos documents: 1)papier"
    ]


def test_french_and_latin_darija_go_in_the_gsm_alphabet_and_arabic_as_it_is():
    assert texts(text="« Ça y est » : c’est prêt… ✅") == ['"Ça y est" : c\'est pret...']
    assert texts(text="خدمتكم: «مزيان» 👍") == ["خدمتكم: «مزيان» 👍"]


def test_a_picture_is_not_sent_for_the_text_says_the_same():
    (part,) = SmsChannel(Carrier()).render(Reply(7, "Ventes 2/3", image="m1"))
    assert (part.text, part.document) == ("Ventes 2/3", None)


async def media(_media_id):
    return MediaFile("application/pdf", "rafiq.pdf", b"%PDF", "https://rafiq.example/media/abc")


async def expired(_media_id):
    return None


async def test_a_document_follows_as_a_link_and_only_with_the_last_text():
    carrier = Carrier()
    channel = SmsChannel(carrier)
    parts = channel.render(Reply(7, "Votre plan. " * 200, document="m1"))
    assert len(parts) == 2
    for part in parts:
        await channel.send("+212612345678", part, media)
    assert [text.endswith("\nhttps://rafiq.example/media/abc") for _, text, _ in carrier.sent] == [False, True]
    assert [reference for _, _, reference in carrier.sent] == ["7-0", "7-1"]


async def test_a_document_that_has_expired_leaves_the_text():
    carrier = Carrier()
    channel = SmsChannel(carrier)
    (part,) = channel.render(Reply(7, "rafiq.pdf", document="m1"))
    await channel.send("+212612345678", part, expired)
    assert carrier.sent == [("+212612345678", "rafiq.pdf", "7-0")]


async def test_a_document_without_a_text_is_a_link_alone():
    carrier = Carrier()
    channel = SmsChannel(carrier)
    (part,) = channel.render(Reply(7, "", document="m1"))
    await channel.send("+212612345678", part, media)
    assert carrier.sent[0][1] == "https://rafiq.example/media/abc"


def test_a_reply_that_says_nothing_on_sms_has_no_part():
    assert texts(text="", image="m1") == []


def test_a_long_text_is_cut_at_a_paragraph_rather_than_at_a_word():
    first, second = "mot " * 300, "autre " * 200
    assert split(f"{first.strip()}\n\n{second.strip()}") == [first.strip(), second.strip()]


def test_a_word_that_is_too_long_is_cut_but_keeps_its_accents():
    assert split("a" * 1600, 1) == ["a" * 160] * 10
    fathas = "سَ" * 60
    assert "".join(split(fathas, 1)) == fathas
    assert all(text.startswith("س") for text in split(fathas, 1))


@given(
    st.text(st.sampled_from("aé€ سص😀\u064e\u200d.\n1)"), max_size=4000),
    st.integers(1, MOST_SEGMENTS),
)
def test_parts_say_all_words_in_order_within_the_limits(text, most):
    parts = split(text, most)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part and part == part.strip() for part in parts)
    assert all(len(gsm7.segments(part)) <= most and len(part) <= 1600 for part in parts)


@given(st.text(max_size=3000), st.integers(1, MOST_SEGMENTS))
def test_words_that_fit_are_never_cut(text, most):
    words = [word[:30] for word in gsm7.for_sms(text).split()]
    assert " ".join(split(" ".join(words), most)).split() == words


@given(st.text(max_size=2000), st.lists(st.text(min_size=1, max_size=24), max_size=10))
def test_the_same_reply_gives_the_same_parts(text, titles):
    reply = Reply(7, text, tuple(Button(f"a:{title}", title) for title in titles))
    channel = SmsChannel(Carrier())
    assert channel.render(reply) == channel.render(reply)


@pytest.mark.parametrize(
    "raw",
    [
        *("0612345678", "612345678", "06 12 34 56 78", "06.12.34.56.78", "06-12-34-56-78", "+212612345678"),
        *("212612345678", "00212612345678", "+212 (0)6 12 34 56 78", "2120612345678", " +212\u00a0612\u202f345678 "),
        *("٠٦١٢٣٤٥٦٧٨", "\u202a+212612345678\u202c", "00212 0612345678"),
    ],
)
def test_a_moroccan_number_is_one_address_however_it_is_written(raw):
    assert sms_address(raw) == "+212612345678"


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("0522123456", "+212522123456"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("7777", "7777"),
        ("2121", "2121"),
        ("111222", "111222"),
        ("INWI", "INWI"),
        ("Maroc Telecom", "Maroc Telecom"),
        ("Rafiq-2", "Rafiq-2"),
        ("MA.13491208655302741918", "MA.13491208655302741918"),
        ("0800004747", "+212800004747"),
    ],
)
def test_other_addresses_keep_what_names_them(raw, address):
    assert sms_address(raw) == address


@pytest.mark.parametrize("raw", ["", "  ", "+", "\u200e", "-", "1" * 41])
def test_a_sender_that_is_no_address_is_refused(raw):
    with pytest.raises(ValueError, match="the sender is"):
        sms_address(raw)


@given(st.text(max_size=60))
def test_an_address_is_stable(raw):
    try:
        address = sms_address(raw)
    except ValueError:
        return
    assert address and sms_address(address) == address
