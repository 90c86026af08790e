"""Nothing that tells who somebody is survives; amounts, places and trades stay readable."""

import re
import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.storage.masking import LONGEST, TOKENS, has_mask, mask

ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")

# An oracle of its own: no code of the module, only what counts as an amount with its unit.
LONG_RUN = re.compile(r"\d{6,}")
UNIT_AFTER = re.compile(
    r"[.,]?\d{0,2} ?(?:d|de|dyal|ديال|د)? ?(?:dh|dhs|dirhams?|derhams?|mad|درهم|دراهم|€|\$|euros?|k|kdh|mille|alf|alaf"
    r"|الف|ألف|millions?|mlyoun|mlyon|milyoun|مليون|milliards?|mlyar|مليار|ryal|rial|ريال|centimes?|سنتيم)(?!\w)",
    re.IGNORECASE,
)
UNIT_BEFORE = re.compile(r"(?:mad|dhs?|€|\$|درهم) ?$", re.IGNORECASE)


def stray_runs(text: str) -> list[str]:
    """Return the runs of six digits or more that are no amount with its unit, accents aside (`100000Ḱ`)."""
    text = "".join(
        sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) not in ("Mn", "Me")
    )
    return [
        run.group()
        for run in LONG_RUN.finditer(text)
        if not UNIT_AFTER.match(text, run.end()) and not UNIT_BEFORE.search(text[: run.start()])
    ]


PHONES = [
    "0612345678",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "06-12-34-56-78",
    "06/12/34/56/78",
    "06,12,34,56,78",
    "06_12_34_56_78",
    "0 6 1 2 3 4 5 6 7 8",
    "0612 345 678",
    "06 1234 5678",
    "(06) 12 34 56 78",
    "O612345678",
    "o6 12 34 56 78",
    "0522 34 56 78",
    "0808123456",
    "+212612345678",
    "+212 6 12 34 56 78",
    "+212 (0) 6 12 34 56 78",
    "(+212) 06 12 34 56 78",
    "+212-612-345-678",
    "00212612345678",
    "00 212 6 12 34 56 78",
    "212612345678",
    "212 6 12 34 56 78",
    "612345678",
    "6 12 34 56 78",
    "612-34-56-78",
    "+33 6 12 34 56 78",
    "0033612345678",
    "0\u200b6\u200b1\u200b2\u200b3\u200b4\u200b5\u200b6\u200b7\u200b8",
    "0️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣",
    "zero six douze trente quatre cinquante six soixante dix huit",
]


@pytest.mark.parametrize("script", [None, ARABIC_INDIC, PERSIAN, FULL_WIDTH], ids=["0-9", "٠-٩", "۰-۹", "wide"])
@pytest.mark.parametrize("phone", PHONES)
def test_a_phone_number_is_masked_in_every_spelling(phone, script):
    written = phone.translate(script) if script else phone
    assert mask(f"3ayto liya {written} chokran") == "3ayto liya <phone> chokran"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ecrivez moi karim.alaoui@gmail.com svp", "ecrivez moi <email> svp"),
        ("karim(at)menara.ma", "<email>"),
        ("karim arobase gmail.com", "<email>"),
        ("https://www.facebook.com/karim?x=1 hahowa", "<url> hahowa"),
        ("www.hanoti.ma", "<url>"),
        ("wa.me/212612345678", "<url>"),
        ("t.me/karim", "<url>"),
        ("lsite dyali hanoti.ma/fes", "lsite dyali <url>"),
        ("chofo @karim_shop", "chofo <handle>"),
        ("karim_shop", "<handle>"),
        ("insta: karimshop", "insta: <handle>"),
        ("insta dyali howa karimshop", "insta dyali howa <handle>"),
        ("mon insta c'est karimshop", "mon insta c'est <handle>"),
        ("AB123456", "<cin>"),
        ("ma cin est BK 12345", "ma cin est <cin>"),
        ("البطاقة الوطنية رقم BE٨٥٤٢١٧", "البطاقة الوطنية رقم <cin>"),
        ("k512345", "<cin>"),
        ("ICE 001234567000089", "ICE <id>"),
        ("ice: 001 234 567 000 089", "ice: <id>"),
        ("IF 4512", "IF <id>"),
        ("RC n° 2043 casa", "RC n° <id> casa"),
        ("CNSS 1234567", "CNSS <id>"),
        ("patente numero 3456", "patente numero <id>"),
        ("السجل التجاري رقم ٢٠٤٣", "السجل التجاري رقم <id>"),
        ("rib 230 450 1234567890123456 78", "rib <bank>"),
        ("230450123456789012345678", "<bank>"),
        ("MA64 0111 1100 0000 1234 5678 9012", "<bank>"),
        ("4512 3456 7890 1234", "<bank>"),
        ("compte 123456789", "compte <bank>"),
        ("نزاد 12/03/1980", "نزاد <date>"),
        ("commande 4500123", "commande <number>"),
    ],
)
def test_numbers_and_addresses_are_masked_by_their_kind(text, kept):
    assert mask(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("je m'appelle Karim Alaoui et je cherche un pret", "je m'appelle <name> et je cherche un pret"),
        ("jmappelle karim", "jmappelle <name>"),
        ("MON NOM EST KARIM ALAOUI", "MON NOM EST <name>"),
        ("smiti fatima zahra 3ndi 7anout f Fes", "smiti <name> 3ndi 7anout f Fes"),
        ("Smiyti 3bd l7a9 ben 3li, 3ndi garage", "Smiyti <name> , 3ndi garage"),
        ("سميتي فاطمة الزهراء عندي حانوت ف فاس", "سميتي <name> عندي حانوت ف فاس"),
        ("إسمي يوسف و بغيت نتعلم", "إسمي <name> و بغيت نتعلم"),
        ("ana karim bghit credit", "ana <name> bghit credit"),
        ("ana Zouhir mn Tanger", "ana <name> mn Tanger"),
        ("أنا يوسف من طنجة", "أنا <name> من طنجة"),
        ("bonjour, moi c'est sanae", "bonjour, moi c'est <name>"),
        ("Mme Bennani", "Mme <name>"),
        ("m3ak si Hassan", "m3ak si <name>"),
    ],
)
def test_a_name_that_is_introduced_is_masked(text, kept):
    assert mask(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "bghit 200 000 dh bach nchri lfour",
        "bghit 200000dh",
        "j'ai besoin de 1 500 000 dhs",
        "1.500.000,00 MAD",
        "٢٠٠٠٠٠ درهم",
        "200 alf, 20 mlyoun, 1 mlyar",
        "b20000dh f 3am",
        "CNSS 3000 dh kol chher",
        "ana khddam f Agadir",
        "أنا خدام فالحانوت ديالي",
        "je suis coiffeuse a Sidi Slimane",
        "3ndi 5 dyal nas w 2 camions",
        "ana 3ndi restaurant f Essaouira",
        "je suis gérant depuis 2019",
        "bonjour.je veux un pret",
        "si possible 24/7 a 100%",
        "المعرض ديال 2024 ف مكناس",
        "P1 w V2 ma fhmtch",
        "pas 2019, 2009",
        "facebook c'est pour quoi",
        "bghit smiyti tzowel, b smiyti 3endkom",
        "غاتكتبو على سميتي فشي جورنال",
        "avec mon nom, enlevez tout",
        "Madame, Monsieur, je souhaite un pret",
    ],
)
def test_amounts_places_and_trades_stay_readable(text):
    assert mask(text) == text


def test_a_trade_or_place_that_was_recognised_is_no_name():
    assert mask("smiti karim coiffeur Sale", ["coiffeur", "Salé"]) == "smiti <name> coiffeur Sale"
    assert mask("Je suis Boulanger", ["Boulanger"]) == "Je suis Boulanger"


def test_a_phone_beside_an_amount_is_told_from_it():
    assert mask("0612345678 200 000 dh") == "<phone> 200 000 dh"
    assert mask("200 000 dh 0612345678") == "200 000 dh <phone>"
    assert mask("0612345678 dh") == "<phone> dh"
    assert mask("AB123456 dh") == "<cin> dh"


def test_the_text_is_one_line_that_any_database_and_file_can_hold():
    kept = mask("salam\n\n\x00 bghit \ud83d\t n3ref\u202e \ud800")
    assert kept == "salam bghit n3ref"
    kept.encode("utf-8")


def test_a_mask_is_seen():
    assert has_mask("3ayto <phone>")
    assert not has_mask("bghit 200 000 dh < 5")


ANY = st.text(max_size=300)
NUMERIC = st.text("0123456789٠١٢٣٤٥٦٧٨٩۰۵۶ .,-/_()+oO\u200b\u0301:'dhkDHalfmًـ\n", max_size=120)


@given(ANY | NUMERIC)
@example("100000Ḱ")
def test_no_run_of_six_digits_survives_unless_it_is_an_amount_with_its_unit(text):
    assert stray_runs(mask(text)) == []


@given(NUMERIC)
def test_separators_do_not_hide_a_long_number(text):
    kept = mask(text)
    joined = re.sub(r"(?<=\d)[ .\-/_()]{1,3}(?=\d)", "", kept)
    assert [run for run in stray_runs(joined) if len(run) > 12] == []


@given(st.text(max_size=80), st.sampled_from(PHONES[:-1]), st.text(max_size=80))
def test_a_phone_number_never_survives_in_any_text(before, phone, after):
    kept = mask(f"{before} {phone} {after}")
    digits = "".join(str(unicodedata.digit(sign)) for sign in kept if unicodedata.digit(sign, None) is not None)
    around = mask(before) + mask(after)
    assert "12345678" not in digits or "12345678" in around


LOCAL = st.text(string.ascii_lowercase + string.digits + "._-", min_size=1, max_size=20)


@given(st.text(max_size=60), LOCAL, LOCAL)
def test_an_address_with_an_at_sign_never_survives(before, name, host):
    assert f"{name}@" not in mask(f"{before} {name}@{host}.ma")


@given(ANY)
def test_masking_is_bounded_printable_and_settled(text):
    kept = mask(text)
    assert len(kept) <= 4 * LONGEST
    assert not any(unicodedata.category(sign) in ("Cc", "Cs") for sign in kept)
    kept.encode("utf-8")


@pytest.mark.parametrize(
    "unit", ["0612345678", "1 ", "a@", "smiti ", "a.", "_a", "rib ", "ana Ab ", "(+", "x/", "-", "و "]
)
def test_a_hostile_message_takes_no_time(unit):
    assert len(mask(unit * 5000)) <= LONGEST * 8


def test_every_token_is_a_word_in_angles_without_digits():
    assert all(re.fullmatch(r"<[a-z]+>", token) for token in TOKENS)
