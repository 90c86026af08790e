"""Whole conversations with the trained model, over HTTP, on both databases and in each variety."""

import json
import re

import pytest

from tests.e2e.bot_process import CLIENT, RunningBot, Talk

VARIETIES = ("fr", "ary-Arab", "ary-Latn")
EXPRESS = ["P1", "C1", "V1", "G1", "E1", "D1", "S1"]
ARABIC = re.compile(r"[\u0600-\u06ff]")


def express_test(talk: Talk, values=(1, 1, 2, 0, 0, 1, 0)) -> None:
    for item, value in zip(EXPRESS, values, strict=True):
        assert talk.open_item == item, "\n".join(talk.transcript[-12:])
        talk.answer(value)


@pytest.mark.parametrize("language", VARIETIES)
def test_an_owner_takes_the_express_test_and_leaves_with_a_next_step(talk, language):
    talk.begin(language)
    express_test(talk)
    pictures = [message["image"] for message in talk.messages if message["image"]]
    assert len(pictures) == 1
    picture = CLIENT.get(talk.address + pictures[0])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert len(picture.content) < 100_000
    step = next(m for m in talk.messages if any(b["choice"].startswith("choose_step:") for b in m["buttons"]))
    # S1 = 0 and no backup: the guard-rail makes the first step a security one.
    assert any(b["choice"] == "choose_step:S1-1" for b in step["buttons"])
    assert all(message["language"] == language for message in talk.messages)
    assert bool(ARABIC.search(talk.text)) == (language == "ary-Arab")


@pytest.mark.parametrize("language", VARIETIES)
def test_the_full_test_stops_after_each_block_and_ends_with_plan_and_page(talk, language):
    talk.begin(language)
    express_test(talk, (2, 2, 2, 2, 2, 2, 2))
    talk.press("start_diagnosis:full")
    asked = []
    while talk.open_item:
        asked.append(talk.open_item)
        talk.answer(2)
        if any(b["choice"] == "resume_diagnosis:checkpoint" for b in talk.buttons):
            assert len(asked) == 7
            talk.press("resume_diagnosis:checkpoint")
    assert len(asked) == 14
    assert "67" in talk.text  # 21 answers of 2 out of 3
    talk.press("show_plan")
    assert re.findall(r"^(\d)\. ", talk.text, re.MULTILINE) == ["1", "2", "3"]
    talk.press("show_page")
    document = next(message["document"] for message in talk.messages if message["document"])
    assert CLIENT.get(talk.address + document).content.startswith(b"%PDF-")


def test_the_profile_comes_from_one_free_sentence(talk):
    talk.send(choice="greet")
    talk.press("change_language:ary-Latn")
    talk.press("affirm:consent")
    talk.say("3ndi restaurant f Agadir m3a 5 dyal nas")
    assert any(b["choice"].startswith("set_profile:goal:") for b in talk.buttons), talk.text
    talk.press("set_profile:goal:sell")
    assert talk.open_item == "P1"


@pytest.mark.parametrize(
    ("language", "interruption"),
    [
        ("fr", "c'est quoi le cloud ?"),
        ("fr", "c'est gratuit ?"),
        ("ary-Latn", "wach fabor?"),
        ("ary-Arab", "ما فهمتش"),
        ("ary-Latn", "chkoun kaychouf les réponses dyali?"),
        ("fr", "vous êtes un robot ?"),
        ("ary-Arab", "شكرا"),
    ],
)
def test_an_interruption_is_served_and_the_question_comes_back(talk, language, interruption):
    talk.begin(language)
    talk.answer(1)
    assert talk.open_item == "C1"
    talk.say(interruption)
    assert len(talk.messages) >= 2
    assert talk.open_item == "C1"
    talk.answer(2)
    assert talk.open_item == "V1"


def test_the_question_before_comes_back_and_its_answer_is_replaced(talk):
    talk.begin("ary-Latn")
    talk.answer(0)
    talk.answer(0)
    talk.say("rje3 lsou2al li 9bel")
    assert talk.open_item == "C1"
    talk.answer(3)
    assert talk.open_item == "V1"
    assert given(talk) == {"P1": 0, "C1": 3}


def test_a_pause_keeps_the_place(talk):
    talk.begin("ary-Latn")
    talk.answer(0)
    talk.say("safi daba")
    assert talk.open_item is None
    talk.say("nkmlo")
    assert talk.open_item == "C1"


def test_a_language_switched_in_mid_test_brings_the_question_in_that_language(talk):
    talk.begin("fr")
    talk.answer(0)
    talk.say("bghit nhder b darija b l7orouf l3arabia")
    assert talk.open_item == "C1" or any("change_language" in b["choice"] for b in talk.buttons)
    talk.send(choice="change_language:ary-Arab")
    assert talk.open_item == "C1"
    assert ARABIC.search(talk.text)


def test_an_owner_who_writes_in_another_variety_is_followed(talk):
    talk.begin("fr")
    talk.say("واش هادشي فابور ولا خاصني نخلص شي حاجة؟")
    assert ARABIC.search(talk.text)
    assert talk.open_item == "P1"


@pytest.mark.parametrize("typed", ["2", "٢", "deux", "jouj", "جوج", "b", "2.", "Cahier / papier"])
def test_an_answer_can_be_typed(talk, typed):
    talk.begin("fr")
    for _ in range(3):
        talk.answer(0)
    assert talk.open_item == "G1"
    talk.say(typed)
    assert talk.open_item == "E1"
    assert given(talk)["G1"] == 1


@pytest.mark.parametrize(
    ("item", "typed", "value"),
    [("V1", "ghir l'facebook", 2), ("G1", "kolchi f rassi", 0), ("E1", "ghir lcash", 0), ("S1", "كلشي غادي يمشي", 0)],
)
def test_a_free_sentence_is_matched_to_an_option_or_asked_back(talk, item, typed, value):
    talk.begin("ary-Latn")
    while talk.open_item != item:
        talk.answer(0)
    talk.say(typed)
    if talk.open_item == item:  # asked back with the closest options, never guessed
        talk.press(f"answer:{talk.buttons[0]['choice'].split(':')[1]}:{item}:{value}")
    assert given(talk)[item] == value


def test_i_dont_know_is_explained_once_then_noted(talk):
    talk.begin("fr")
    talk.press("dont_know")
    assert talk.open_item == "P1"
    talk.press("dont_know")
    assert talk.open_item == "C1"
    answers = export(talk)["tests"][0]["answers"]
    assert [(a["item"], a["status"], a["value"]) for a in answers] == [("P1", "dk", 0)]


@pytest.mark.parametrize(("reply", "value"), [("replace_answer:yes", 3), ("replace_answer:keep", 1)])
def test_a_late_button_never_changes_an_answer_silently(talk, reply, value):
    talk.begin("fr")
    first = [b["choice"] for b in talk.buttons if b["choice"].startswith("answer:")]
    talk.send(choice=first[1])
    assert talk.open_item == "C1"
    talk.send(choice=first[3])
    assert "Des idées" in talk.text
    assert "Un plan suivi" in talk.text
    talk.press(reply)
    assert talk.open_item == "C1"
    assert given(talk) == {"P1": value}


def test_a_late_button_that_nobody_confirms_changes_nothing(talk):
    talk.begin("fr")
    first = [b["choice"] for b in talk.buttons if b["choice"].startswith("answer:")]
    talk.send(choice=first[1])
    talk.send(choice=first[3])
    talk.say("c'est gratuit ?")
    assert talk.open_item == "C1"
    assert given(talk) == {"P1": 1}


def test_the_same_message_twice_counts_once(talk):
    talk.begin("fr")
    choice = talk.buttons[2]["choice"]
    first = talk.send("one-id", choice=choice)
    second = talk.send("one-id", choice=choice)
    assert first == second
    assert given(talk) == {"P1": 2}


def test_without_consent_the_express_test_works_and_nothing_is_kept(talk):
    talk.send(choice="greet")
    talk.press("change_language:fr")
    talk.press("deny:consent")
    talk.press("start_diagnosis")
    for name in ("sector:crafts", "size:solo", "region:MA-03", "goal:manage"):
        talk.press(f"set_profile:{name}")
    express_test(talk)
    assert any(b["choice"].startswith("choose_step:") for b in talk.buttons)
    assert export(talk)["consent_at"] is None


def test_my_data_are_returned_and_erased(talk):
    talk.begin("fr")
    express_test(talk)
    document = export(talk)
    assert document["profile"]["sector"] == "grocery"
    assert len(document["tests"][0]["answers"]) == 7
    assert document["tests"][0]["results"][0]["instrument"] == "1.0"
    talk.say("efface mes données")
    talk.press("affirm:delete")
    assert "7" in talk.text
    after = export(talk)
    assert after["tests"] == []
    assert after["profile"] == {}


def test_stop_is_obeyed_in_any_variety(talk):
    talk.begin("fr")
    talk.say("STOP")
    assert talk.buttons == []


BAD = [
    {"text": ""},
    {"text": "   \n\t"},
    {"text": "a" * 10_000},
    {"text": "😀😀😀"},
    {"text": "/restart"},
    {"text": '/answer{"choice": "x:P1:3"}'},
    {"text": '/delete_my_data{"a": 1}'},
    {"text": "'; DROP TABLE firms; --"},
    {"text": "<script>alert(1)</script>"},
    {"text": "{0.__class__} {language} %s"},
    {"text": "\u202e\u200f\u0000"},
    {"choice": "restart"},
    {"choice": "answer:00000000:P1:3"},
    {"choice": "answer:zz:XX:9"},
    {"choice": "set_profile:sector:nonsense"},
    {"choice": "set_profile:admin:yes"},
    {"choice": "set_profile:region:page.99"},
    {"choice": "set_profile"},
    {"choice": "choose_step:ZZ"},
    {"choice": "refuse_step:S1-1:nonsense"},
    {"choice": "change_language:klingon"},
    {"choice": "nlu_fallback"},
    {"choice": "answer_unsure"},
    {"media": "audio/ogg"},
    {"media": "image/jpeg"},
]


def test_what_was_not_understood_is_kept_masked_and_labelled_by_the_reading_that_is_pressed(bot, talk):
    talk.send(choice="greet")
    talk.press("change_language:fr")
    talk.press("affirm:consent")
    talk.press("set_profile:sector:grocery")
    message = "🤷 0612345678"
    talk.say(message)
    readings = [button["choice"] for button in talk.messages[0]["buttons"]]
    assert readings == ["start_diagnosis", "help"]
    # The question that was open is asked again.
    assert any(button["choice"] == "set_profile:size:s2_9" for button in talk.messages[-1]["buttons"])
    talk.press("help")
    talk.say("mes données")
    document = next(message["document"] for message in talk.messages if message["document"])
    (kept,) = CLIENT.get(talk.address + document).json()["misunderstood"]
    assert kept["text"].startswith("🤷 <phone>")
    assert kept["intent"] == "help"
    assert message not in bot.log.read_text()


@pytest.mark.parametrize("content", BAD, ids=[json.dumps(content)[:40] for content in BAD])
def test_bad_input_gets_a_sensible_reply_and_costs_no_answer(talk, content):
    talk.begin("fr")
    talk.answer(1)
    replies = talk.send(**content)
    assert replies, "no reply"
    assert "Traceback" not in talk.text
    assert "utter_" not in talk.text
    assert given(talk) == {"P1": 1}
    talk.say("continuer")
    if talk.open_item is None:
        talk.say("continuer le test")
    assert talk.open_item == "C1", "\n".join(talk.transcript[-10:])


def test_malformed_requests_get_a_clear_4xx(bot: RunningBot):
    def status(body: bytes) -> int:
        return CLIENT.post(f"{bot.address}/api/chat/messages", content=body).status_code

    assert status(b"{}") == 422
    assert status(b"not json") == 422
    assert status(b"\xff\xfe") == 422
    assert status(b'{"conversation": "a", "message_id": "1", "text": "' + b"a" * 30_000 + b'"}') == 422
    assert status(b"[" * 100_000) == 422
    assert status(b"a" * 300_000) == 413
    assert CLIENT.get(f"{bot.address}/api/chat/messages?conversation=nobody-knows-me").status_code == 404
    assert CLIENT.get(f"{bot.address}/media/forged-1-1").status_code == 404


def test_no_personal_data_and_no_trace_in_the_log(bot: RunningBot, talk: Talk):
    talk.begin("fr")
    talk.say("je m'appelle Zoubida Qwerty et mon numero est 0612345678")
    log = bot.log.read_text()
    assert "Zoubida" not in log
    assert "0612345678" not in log
    assert talk.conversation not in log
    assert "Traceback" not in log


def given(talk: Talk) -> dict[str, int]:
    """Return the answers as the owner's own export shows them; the conversation goes on where it was."""
    messages, transcript = talk.messages, list(talk.transcript)
    answers = {a["item"]: a["value"] for test in export(talk)["tests"] for a in test["answers"]}
    talk.messages, talk.transcript = messages, transcript
    return answers


def export(talk: Talk) -> dict:
    """Return the file that the owner's right of access gives."""
    replies = talk.send(choice="export_my_data")
    document = next(message["document"] for message in replies if message["document"])
    return CLIENT.get(talk.address + document).json()
