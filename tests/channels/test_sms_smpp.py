"""The SMPP provider against an SMSC on a real port, written from the standard."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import gsm7
from bot.channels.channel import Permanent, Retryable
from bot.channels.smpp_journal import Journal
from bot.channels.smpp_message import Message, Place, submission, text_of
from bot.channels.sms_smpp import Account, ReceiptIds, SmppProvider, Timing, make_smpp
from bot.settings import Settings, SettingsError
from tests.simulators.smpp import QUEUE_FULL, THROTTLED, Smsc, from_gsm

TO = "+212612345678"
QUICK = Timing(response=0.5, enquire=0.3, prove=0.02, parts=0.3, first_retry=0.02, longest_retry=0.1, draining=1.0)


class Inbox:
    """What was taken in, each message id once as the inbox does it; `failing` says how often it cannot be reached."""

    def __init__(self):
        self.messages = {}
        self.reports = []
        self.calls = 0
        self.failing = 0
        self.slow = 0.0

    async def take_in(self, received):
        self.calls += 1
        await asyncio.sleep(self.slow)
        if self.failing:
            self.failing -= 1
            raise ConnectionError("the database is away")
        for message in received.messages:
            assert message.channel == "sms" and len(message.provider_id) <= 200
            self.messages.setdefault(message.provider_id, message)
        self.reports += received.reports

    @property
    def texts(self):
        return [message.body for message in self.messages.values()]


def account(smsc, **more):
    return Account("127.0.0.1", smsc.port, "rafiq", "secret", "3030", **more)


@asynccontextmanager
async def bound(smsc, tmp_path, inbox=None, timing=QUICK, **more):
    provider = SmppProvider(account(smsc, **more), Journal(tmp_path / "journal.json", b"k" * 32), timing)
    inbox = inbox or Inbox()
    await provider.start(inbox.take_in)
    await asyncio.wait_for(smsc.bound.wait(), 5)
    await until(lambda: provider.state() == "up")
    try:
        yield provider, inbox
    finally:
        await provider.close()


async def until(condition):
    async def wait():
        while not condition():
            await asyncio.sleep(0.005)

    await asyncio.wait_for(wait(), 10)


async def answered(future):
    return await asyncio.wait_for(future, 5)


@pytest.fixture
async def smsc():
    async with Smsc() as smsc:
        yield smsc


async def test_a_short_text_leaves_in_the_default_alphabet_with_a_receipt_asked_for(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, _):
        sent = await provider.send(TO, "Salut [€] à Fès?", "7-0")
    (one,) = smsc.submitted
    assert (one.destination, one.destination_ton, one.source, one.source_ton) == ("212612345678", 1, "3030", 0)
    assert (one.coding, one.esm_class, one.registered, one.decoded()) == (0, 0, 1, "Salut [€] à Fès?")
    assert one.content == gsm7.encode("Salut [€] à Fès?")
    assert (sent.provider_id, sent.status, sent.segments) == (one.message_id, "accepted", 1)


async def test_arabic_leaves_as_ucs2(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, _):
        sent = await provider.send(TO, "سلام", "7-0")
    assert (smsc.submitted[0].coding, smsc.submitted[0].decoded(), sent.segments) == (8, "سلام", 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("é" * 152 + "€" + "a" * 152, 3), ("س" * 66 + "😀" + "س" * 66, 3), ("mot " * 300, 8), ("a" * 161, 2)],
)
async def test_a_long_text_leaves_in_linked_parts_and_one_receipt_is_asked_for(smsc, tmp_path, text, parts):
    async with bound(smsc, tmp_path) as (provider, _):
        sent = await provider.send(TO, text, "7-0")
    assert smsc.texts() == [("212612345678", text)]
    assert (len(smsc.submitted), sent.segments) == (parts, parts)
    assert [one.registered for one in smsc.submitted] == [0] * (parts - 1) + [1]
    assert sent.provider_id == smsc.submitted[-1].message_id


async def test_a_repeated_try_completes_the_parts_of_the_first_on_the_telephone(smsc, tmp_path):
    text = "a" * 400
    smsc.answers.extend([0, THROTTLED])
    async with bound(smsc, tmp_path) as (provider, _):
        with pytest.raises(Retryable, match="ESME_RTHROTTLED"):
            await provider.send(TO, text, "7-0")
        await provider.send(TO, text, "7-0")
        await provider.send(TO, "b" * 200, "8-0")
    assert smsc.texts() == [("212612345678", text), ("212612345678", "b" * 200)]


async def test_a_long_text_may_leave_as_one_payload(smsc, tmp_path):
    text = "سلام " * 100
    async with bound(smsc, tmp_path, long_messages="payload") as (provider, _):
        sent = await provider.send(TO, text, "7-0")
        await provider.send(TO, "court", "8-0")
    assert [(one.payload, one.decoded()) for one in smsc.submitted] == [(True, text), (False, "court")]
    assert sent.segments == 8


async def test_an_smsc_that_takes_latin1_for_its_alphabet_gets_that(smsc, tmp_path):
    async with bound(smsc, tmp_path, alphabet="latin1") as (provider, inbox):
        smsc._check = lambda submitted: 0
        await provider.send(TO, "payé à 5 £", "7-0")
        await provider.send(TO, "5 €", "8-0")
        await answered(smsc.deliver("212612345678", "prêt".encode("latin-1")))
    assert [(one.coding, one.content) for one in smsc.submitted] == [
        (0, "payé à 5 £".encode("latin-1")),
        (8, "5 €".encode("utf-16-be")),
    ]
    assert inbox.texts == ["prêt"]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (THROTTLED, Retryable, "ESME_RTHROTTLED"),
        (QUEUE_FULL, Retryable, "ESME_RMSGQFUL"),
        (0x08, Retryable, "ESME_RSYSERR"),
        (0x0A, Retryable, "ESME_RINVSRCADR"),
        (0x0B, Permanent, "ESME_RINVDSTADR"),
        (0x01, Permanent, "ESME_RINVMSGLEN"),
        (0x0410, Retryable, "0x00000410"),
        ("silent", Retryable, "timeout"),
        ("drop", Retryable, "connection lost"),
        ("lost", Retryable, "connection lost"),
    ],
)
async def test_a_refusal_says_whether_trying_again_may_help(smsc, tmp_path, answer, kind, code):
    smsc.answers.append(answer)
    async with bound(smsc, tmp_path) as (provider, _):
        with pytest.raises(kind) as caught:
            await provider.send(TO, "a", "7-0")
        assert caught.value.code == code
        await until(lambda: smsc.bound.is_set() and provider.state() == "up")
        await provider.send(TO, "a", "7-0")


@pytest.mark.parametrize("address", ["INWI", "+2126123456781234567890", "", "+"])
async def test_what_is_no_number_is_not_submitted(smsc, tmp_path, address):
    async with bound(smsc, tmp_path) as (provider, _):
        with pytest.raises(Permanent, match="not a number"):
            await provider.send(address, "a", "7-0")


async def test_a_short_code_can_be_answered(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, _):
        await provider.send("7777", "a", "7-0")
    assert (smsc.submitted[0].destination, smsc.submitted[0].destination_ton) == ("7777", 0)


async def test_without_a_bind_a_message_waits(tmp_path):
    async with Smsc() as gone:
        port = gone.port
    account = Account("127.0.0.1", port, "rafiq", "secret", "3030")
    provider = SmppProvider(account, Journal(tmp_path / "j.json", b"k"), QUICK)
    assert provider.state() == "starting"
    await provider.start(Inbox().take_in)
    await until(lambda: provider.state() == "down")
    with pytest.raises(Retryable, match="not bound"):
        await provider.send(TO, "a", "7-0")
    async with Smsc(port=port) as back:
        await asyncio.wait_for(back.bound.wait(), 5)
        await until(lambda: provider.state() == "up")
        await provider.send(TO, "a", "7-0")
        await provider.close()
        assert back.unbinds == 1


async def test_a_refused_bind_is_tried_again(smsc, tmp_path, caplog):
    smsc.refuse_binds = 0x0E
    provider = SmppProvider(account(smsc), Journal(tmp_path / "j.json", b"k"), QUICK)
    await provider.start(Inbox().take_in)
    await until(lambda: provider.state() == "down")
    assert "the bind was refused: ESME_RINVPASWD" in caplog.text
    assert "secret" not in caplog.text
    smsc.refuse_binds = None
    await until(lambda: provider.state() == "up")
    await provider.close()


@pytest.mark.parametrize("how", ["disconnect", "unbind", "mute", "garbage"])
async def test_whatever_ends_the_connection_it_is_bound_again(smsc, tmp_path, how):
    async with bound(smsc, tmp_path) as (provider, _):
        if how == "mute":
            smsc.mute = True
            await until(lambda: provider.state() == "down")
            smsc.mute = False
        elif how == "garbage":
            smsc.send_raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        else:
            getattr(smsc, how)()
        await until(lambda: smsc.binds == 2 and provider.state() == "up")
        await provider.send(TO, "a", "7-0")
    assert len(smsc.submitted) == 1


async def test_the_link_is_asked_after_and_answers_when_asked(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, _):
        smsc.enquire()
        await until(lambda: smsc.enquiries >= 2)
        assert provider.state() == "up"
    assert smsc.binds == 1


async def test_an_unknown_command_is_refused_and_the_bind_goes_on(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, _):
        smsc.send_raw(struct.pack(">LLLL", 16, 0x00010203, 0, 77))
        smsc.send_raw(struct.pack(">LLLL", 16, 0x00000103, 0, 78))
        await until(lambda: smsc.nacks == [77, 78])
        await provider.send(TO, "a", "7-0")
    assert smsc.binds == 1


@pytest.mark.parametrize(
    ("coding", "content", "text"),
    [
        (0, gsm7.encode("Rép: 2 [€]"), "Rép: 2 [€]"),
        (0, b"", ""),
        (1, b"oui", "oui"),
        (3, "prêt".encode("latin-1"), "prêt"),
        (8, "واحد 😀".encode("utf-16-be"), "واحد 😀"),
        (0x18, "سلام".encode("utf-16-be"), "سلام"),
        (0xE0, "سلام".encode("utf-16-be"), "سلام"),
        (0xF0, gsm7.encode("é"), "é"),
        (8, "سل".encode("utf-16-be") + b"\x06", "سل\ufffd"),
    ],
)
async def test_an_owners_text_is_read_by_its_data_coding(smsc, tmp_path, coding, content, text):
    async with bound(smsc, tmp_path) as (_, inbox):
        assert await answered(smsc.deliver("0612345678", content, coding)) == 0
    (message,) = inbox.messages.values()
    assert (message.address, message.kind, message.body) == (TO, "text", text)


@pytest.mark.parametrize("coding", [0x02, 0x04, 0xF5, 0x14])
async def test_a_binary_message_is_received_as_media(smsc, tmp_path, coding):
    async with bound(smsc, tmp_path) as (_, inbox):
        assert await answered(smsc.deliver("0612345678", b"\x00\xff\x06", coding)) == 0
    assert [(message.kind, message.body) for message in inbox.messages.values()] == [
        ("media", "application/octet-stream")
    ]


async def test_a_payload_and_parameters_of_the_smscs_own_are_read(smsc, tmp_path):
    payload = gsm7.encode("a" * 500)
    tlvs = (
        struct.pack(">HH", 0x1403, 3) + b"604" + struct.pack(">HHB", 0x0019, 1, 0) + struct.pack(">HHB", 0x0501, 1, 2)
    )
    tlvs += struct.pack(">HH", 0x0424, len(payload)) + payload + struct.pack(">HH", 0x130C, 0)
    async with bound(smsc, tmp_path) as (_, inbox):
        assert await answered(smsc.deliver("0612345678", b"", tlvs=tlvs)) == 0
    assert inbox.texts == ["a" * 500]


async def test_a_broken_delivery_or_sender_does_not_come_again_and_again(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        broken = asyncio.get_running_loop().create_future()
        smsc._answered = lambda sequence, status: broken.set_result((sequence, status))
        smsc.send_raw(struct.pack(">LLLL", 20, 5, 0, 99) + b"\0\1\1a")
        assert await answered(broken) == (99, 0x65)
        broken = asyncio.get_running_loop().create_future()
        whole = b"\0\1\0010612345678\0\0\0013030\0\0\0\0\0\0\0\0\0\0"
        smsc.send_raw(struct.pack(">LLLL", 16 + len(whole) + 4, 5, 0, 100) + whole + b"\x09abc")
        assert await answered(broken) == (100, 0x65)
        del smsc._answered
        assert await answered(smsc.deliver("", b"a")) == 0
    assert inbox.messages == {}


async def test_the_answer_waits_until_the_message_is_in_the_inbox(smsc, tmp_path):
    inbox = Inbox()
    inbox.failing = 2
    async with bound(smsc, tmp_path, inbox):
        outgoing = smsc.write("0612345678", "salam")
        assert await answered(outgoing) == 0
    assert (inbox.texts, inbox.calls) == (["salam"], 3)


async def test_messages_keep_their_order_and_equal_ones_are_all_counted(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        futures = [smsc.write("0612345678", text) for text in ("1", "2", "1", "3")]
        await asyncio.gather(*map(answered, futures))
        # The same answer to the next question, on the same connection, is another message.
        await answered(smsc.write("0612345678", "3"))
    assert inbox.texts == ["1", "2", "1", "3", "3"]


async def test_a_message_whose_answer_was_lost_with_the_connection_counts_once(smsc, tmp_path):
    inbox = Inbox()
    inbox.slow = 0.1
    async with bound(smsc, tmp_path, inbox):
        future = smsc.write("0612345678", "1")
        await until(lambda: inbox.calls == 1)
        smsc.disconnect()  # while it is on its way into the inbox
        assert await answered(future) == 0
        assert (inbox.texts, inbox.calls) == (["1"], 1)
        inbox.slow = 0.0
        await answered(smsc.write("0612345678", "1"))
        assert inbox.texts == ["1", "1"]


async def test_a_message_that_the_process_took_and_never_answered_counts_once(smsc, tmp_path):
    inbox = Inbox()
    killed = asyncio.Event()

    async def take_in_and_be_killed(received):
        await inbox.take_in(received)
        killed.set()
        await asyncio.Event().wait()

    journal = Journal(tmp_path / "journal.json", b"k" * 32)
    first = SmppProvider(account(smsc), journal, Timing(**{**QUICK.__dict__, "enquire": 60.0}))
    await first.start(take_in_and_be_killed)
    await asyncio.wait_for(smsc.bound.wait(), 5)
    future = smsc.write("0612345678", "1")
    await asyncio.wait_for(killed.wait(), 5)
    smsc.refuse_binds = 0x08  # the dead process does not come back
    smsc.disconnect()
    first._bound.cancel()
    smsc.refuse_binds = None
    async with bound(smsc, tmp_path, inbox):
        assert await answered(future) == 0
        assert inbox.texts == ["1"]
        await answered(smsc.write("0612345678", "1"))
    assert inbox.texts == ["1", "1"]


async def test_owners_who_always_answer_the_same_are_counted_exactly_through_broken_connections(smsc, tmp_path):
    """All messages have the same words; a reply is read only after it was surely sent, for people are slow."""
    inbox, questions, owners = Inbox(), 12, [f"06000000{number:02d}" for number in range(10)]

    async with bound(smsc, tmp_path, inbox) as (provider, _):

        async def worker():
            while True:
                for message in [one for one in inbox.messages.values() if one.provider_id not in replied]:
                    with suppress(Retryable):
                        await provider.send(message.address, "suite", message.provider_id)
                        replied[message.provider_id] = message.address
                await asyncio.sleep(0.001)

        async def owner(number):
            for count in range(1, questions + 1):
                smsc.write(number, "1")
                await until(lambda: Counter(replied.values())[f"+212{number[1:]}"] >= count)  # noqa: B023

        async def weather():
            while True:
                await asyncio.sleep(random.uniform(0.01, 0.1))
                smsc.disconnect()

        replied = {}
        beside = [asyncio.create_task(worker()), asyncio.create_task(weather())]
        await asyncio.gather(*map(owner, owners))
        beside[1].cancel()
        await until(lambda: smsc.bound.is_set() and not smsc._under_way and not smsc._to_deliver)
        beside[0].cancel()
    assert smsc.binds > 5
    counts = Counter(message.address for message in inbox.messages.values())
    assert counts == {f"+212{owner[1:]}": questions for owner in owners}


async def test_what_the_smsc_has_certainly_read_is_not_taken_for_a_repetition_after_a_new_bind(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, inbox):
        await answered(smsc.write("0612345678", "1"))
        await until(lambda: not provider._journal._entries)
        smsc.disconnect()
        await until(lambda: smsc.binds == 2)
        await answered(smsc.write("0612345678", "1"))
    assert inbox.texts == ["1", "1"]


LONG = "اعطيوني معلومات على البرنامج 😀 " * 8


async def test_the_parts_of_a_long_text_are_put_together_and_answered_together(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        assert await answered(smsc.write("0612345678", LONG)) == 0
        assert await answered(smsc.write("0612345678", "a" * 152 + "€" + "b" * 30)) == 0
        await until(lambda: not smsc._under_way)
    assert inbox.texts == [LONG, "a" * 152 + "€" + "b" * 30]


def part(reference, total, number, text, wide=False):
    head = bytes((6, 8, 4, 0, reference, total, number)) if wide else bytes((5, 0, 3, reference, total, number))
    return head + gsm7.encode(text)


async def test_parts_come_in_any_order_twice_and_mixed_with_other_senders(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        futures = [
            smsc.deliver("0612345678", part(9, 3, 3, "c"), esm_class=0x40),
            smsc.deliver("0699999999", part(9, 2, 1, "x"), esm_class=0x40),
            smsc.deliver("0612345678", part(9, 3, 1, "a"), esm_class=0x40),
            smsc.deliver("0612345678", part(9, 3, 1, "a"), esm_class=0x40),
            smsc.deliver("0612345678", b"seul"),
            smsc.deliver("0612345678", part(9, 3, 2, "b"), esm_class=0x40),
            smsc.deliver("0699999999", part(9, 2, 2, "y", wide=True), esm_class=0x40),
        ]
        await asyncio.gather(*map(answered, futures))
    assert sorted(inbox.texts) == ["abc", "seul", "xy"]


async def test_parts_may_be_told_by_parameters(smsc, tmp_path):
    def sar(number):
        return struct.pack(">HHH", 0x020C, 2, 700) + struct.pack(">HHBHHB", 0x020E, 1, 2, 0x020F, 1, number)

    async with bound(smsc, tmp_path) as (_, inbox):
        futures = [smsc.deliver("0612345678", text, tlvs=sar(number)) for number, text in ((2, b"b"), (1, b"a"))]
        await asyncio.gather(*map(answered, futures))
    assert inbox.texts == ["ab"]


async def test_when_a_part_does_not_come_the_others_are_taken_in_and_a_late_one_follows(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (_, inbox):
        futures = [smsc.deliver("0612345678", part(9, 3, n, text), esm_class=0x40) for n, text in ((1, "a"), (3, "c"))]
        await asyncio.gather(*map(answered, futures))
        assert inbox.texts == ["ac"]
        started = time.monotonic()
        await answered(smsc.deliver("0612345678", part(9, 3, 2, "b"), esm_class=0x40))
        assert time.monotonic() - started < QUICK.parts
    assert inbox.texts == ["ac", "b"]


async def test_an_smsc_that_delivers_one_at_a_time_gets_on(smsc, tmp_path):
    smsc.one_at_a_time = True
    async with bound(smsc, tmp_path) as (_, inbox):
        assert await answered(smsc.write("0612345678", "a" * 153 + "b" * 153)) == 0
        assert await answered(smsc.write("0612345678", "ok")) == 0
    assert "".join(inbox.texts) == "a" * 153 + "b" * 153 + "ok"


async def test_parts_of_an_unfinished_message_come_again_after_the_connection_ended(smsc, tmp_path):
    timing = Timing(**{**QUICK.__dict__, "parts": 30.0})
    async with bound(smsc, tmp_path, timing=timing) as (_, inbox):
        first = smsc.deliver("0612345678", part(9, 2, 1, "a"), esm_class=0x40)
        await answered(smsc.deliver("0699999999", b"x"))  # deliveries are worked through in order
        assert not first.done()
        smsc.disconnect()
        await until(lambda: smsc.binds == 2)
        second = smsc.deliver("0612345678", part(9, 2, 2, "b"), esm_class=0x40)
        await asyncio.gather(answered(first), answered(second))
    assert inbox.texts == ["x", "ab"]


async def test_a_receipt_moves_the_message_it_speaks_of(smsc, tmp_path):
    async with bound(smsc, tmp_path) as (provider, inbox):
        sent = await provider.send(TO, "a", "7-0")
        await answered(smsc.receipt(sent.provider_id, "ENROUTE"))
        await answered(smsc.receipt(sent.provider_id, "DELIVRD", quoted="id:1 stat:UNDELIV"))
        await answered(smsc.receipt(sent.provider_id, "UNDELIV", "04B"))
        await answered(smsc.receipt(sent.provider_id, "EXPIRED", "000"))
        await answered(smsc.receipt(sent.provider_id, "BANANA"))
    assert [(report.provider_id, report.status) for report in inbox.reports] == [
        (sent.provider_id, "sent"),
        (sent.provider_id, "delivered"),
        (sent.provider_id, "failed"),
        (sent.provider_id, "failed"),
    ]
    assert [report.error.code for report in inbox.reports if report.error] == ["UNDELIV:04B", "EXPIRED"]
    assert all(type(report.error) is Permanent for report in inbox.reports if report.error)
    assert inbox.messages == {}


async def test_a_receipt_may_be_told_by_parameters_alone(smsc, tmp_path):
    tlvs = struct.pack(">HH", 0x001E, 5) + b"9911\0" + struct.pack(">HHB", 0x0427, 1, 2)
    async with bound(smsc, tmp_path) as (_, inbox):
        await answered(smsc.deliver("212612345678", b"", esm_class=0x04, tlvs=tlvs))
        await answered(smsc.deliver("212612345678", b"", tlvs=tlvs))
    assert [(report.provider_id, report.status) for report in inbox.reports] == [("9911", "delivered")] * 2


async def test_a_receipt_that_could_not_be_kept_comes_again(smsc, tmp_path):
    inbox = Inbox()
    inbox.failing = 1
    async with bound(smsc, tmp_path, inbox):
        assert await answered(smsc.receipt("12", "DELIVRD")) == 0
    assert len(inbox.reports) == 1


@pytest.mark.parametrize("form", ["auto", "decimal"])
async def test_ids_given_in_hexadecimal_are_found_by_decimal_receipts(smsc, tmp_path, form):
    smsc.hex_ids = True
    async with bound(smsc, tmp_path, receipt_ids=form) as (provider, inbox):
        sent = await provider.send(TO, "a", "7-0")
        await answered(smsc.receipt(smsc.submitted[0].message_id, "DELIVRD"))
    assert [report.provider_id for report in inbox.reports] == [sent.provider_id]


def test_ids_are_compared_without_leading_zeros_and_case():
    ids = ReceiptIds("same")
    assert ids.submitted("00A1B2") == ids.reported("a1b2") == "a1b2"
    assert ids.submitted("000") == ids.reported("0") == "0"
    assert ids.reported("0118Z-0122I") == "118z-0122i"
    hexed = ReceiptIds("hex")
    assert hexed.submitted("255") == hexed.reported("00FF")
    learnt = ReceiptIds("auto")
    assert learnt.reported("99") == "99"  # nothing submitted yet
    assert learnt.submitted("0000255") == learnt.reported("FF") == "255"
    assert learnt.reported("100") == "256"


async def test_closing_answers_what_has_come_and_unbinds(smsc, tmp_path):
    inbox = Inbox()
    inbox.slow = 0.1
    async with bound(smsc, tmp_path, inbox) as (provider, _):
        futures = [smsc.write("0612345678", text) for text in ("1", "2", "3")]
        await until(lambda: inbox.calls == 1)
        await provider.close()
        assert [future.done() and future.result() for future in futures] == [0, 0, 0]
        with pytest.raises(Retryable, match="not bound"):
            await provider.send(TO, "a", "7-0")
    assert (inbox.texts, smsc.unbinds) == (["1", "2", "3"], 1)


def test_the_journal_outlives_the_process_and_holds_no_words(tmp_path):
    path = tmp_path / "journal.json"
    first = Journal(path, b"k" * 32)
    first.connected()
    entry = first.expect(b"+212612345678 salam", 1, time.time())
    first.take(entry)
    assert b"612345678" not in path.read_bytes() and b"salam" not in path.read_bytes()
    second = Journal(path, b"k" * 32)
    second.connected()
    again = second.expect(b"+212612345678 salam", 9, time.time())
    assert (again.message_id, again.taken) == (entry.message_id, True)
    second.answer(again, 5)
    second.prove(4)
    assert second.is_unsure(4)
    second.prove(5)
    assert second.expect(b"+212612345678 salam", 10, time.time()).message_id != entry.message_id


def test_what_was_written_before_the_process_was_killed_is_answered(tmp_path):
    path = tmp_path / "journal.json"
    first = Journal(path, b"k")
    first.connected()
    entry = first.expect(b"1", 1, time.time())
    first.take(entry)
    first.answer(entry, 1)
    second = Journal(path, b"k")
    second.connected()
    assert second.expect(b"1", 2, time.time()).message_id != entry.message_id


def test_what_was_written_before_the_connection_ended_may_be_lost(tmp_path):
    journal = Journal(tmp_path / "j.json", b"k")
    journal.connected()
    entry = journal.expect(b"1", 1, time.time())
    journal.answer(entry, 1)
    journal.connected()
    assert journal.expect(b"1", 2, time.time()) is entry


def test_a_late_answer_may_be_missed_even_though_it_was_read(tmp_path):
    clock = [1000.0]
    journal = Journal(tmp_path / "j.json", b"k", lambda: clock[0])
    journal.connected()
    entry = journal.expect(b"1", 1, clock[0])
    clock[0] += 20
    journal.take(entry)
    journal.answer(entry, 1)
    journal.prove(1)
    assert journal.expect(b"1", 2, clock[0]) is entry
    journal.answer(entry, 2)
    journal.prove(2)
    assert journal.expect(b"1", 3, clock[0]) is not entry


def test_what_does_not_come_again_soon_after_a_new_bind_is_forgotten(tmp_path):
    clock = [1000.0]
    journal = Journal(tmp_path / "j.json", b"k", lambda: clock[0])
    journal.connected()
    taken, open_ = journal.expect(b"1", 1, clock[0]), journal.expect(b"2", 2, clock[0])
    journal.take(taken)
    journal.connected()
    clock[0] += 61
    assert journal.expect(b"1", 3, clock[0]) is not taken
    assert journal.expect(b"2", 4, clock[0]) is open_
    clock[0] += 86_401
    assert journal.expect(b"2", 6, clock[0]) is not open_


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"[[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]"])
def test_a_broken_journal_does_not_keep_from_starting(tmp_path, content):
    (tmp_path / "j.json").write_bytes(content)
    journal = Journal(tmp_path / "j.json", b"k")
    journal.connected()
    assert journal.expect(b"1", 1, 0.0).message_id


@given(st.text(st.sampled_from("aé€[سص😀\n "), min_size=1, max_size=2000), st.integers(0, 2**32), st.booleans())
def test_what_is_submitted_is_read_back_as_an_owners_message_would_be(text, reference, latin1):
    alphabet = "latin1" if latin1 else "gsm"
    cut = submission(text, alphabet, reference, payload=False)
    assert all(len(part) <= 254 for part in cut.parts)
    if cut.linked:
        assert {part[:5] for part in cut.parts} == {bytes((5, 0, 3, reference % 256, len(cut.parts)))}
    bodies = [part[6:] if cut.linked else part for part in cut.parts]
    messages = [Message("", body, cut.coding, None) for body in bodies]
    assert text_of(messages, alphabet) == text
    for body in bodies:
        assert len(body) <= (140 if cut.coding == 8 else 160)
        if cut.coding == 8:
            body.decode("utf-16-be")
        elif not latin1:
            from_gsm(body)


@given(st.binary(max_size=140))
def test_any_header_is_read_without_failing(header):
    from bot.channels.smpp_message import _place_of

    place = _place_of(header)
    assert place is None or isinstance(place, Place)


def test_settings_that_cannot_work_are_named(tmp_path):
    assert make_smpp(Settings(data_dir=tmp_path)) is None
    good = {"smpp_host": "127.0.0.1", "smpp_system_id": "rafiq", "smpp_from": "3030", "smpp_password": "secret"}
    for name, value in (("smpp_password", "123456789"), ("smpp_system_id", ""), ("smpp_from", ""), ("smpp_from", "é")):
        with pytest.raises(SettingsError, match=name.upper()):
            make_smpp(Settings(data_dir=tmp_path, secret_key="k" * 40, **good | {name: value}))
    assert make_smpp(Settings(data_dir=tmp_path, secret_key="k" * 40, **good)).state() == "starting"
    with pytest.raises(ValueError, match="must be one of gsm, latin1"):
        Settings(smpp_alphabet="ebcdic")


async def test_the_gateway_takes_in_and_answers_over_smpp(smsc, settings, engine, session):
    from sqlalchemy import select
    from starlette.testclient import TestClient

    from bot.gateway.app import make_app
    from bot.storage import outbox
    from bot.storage.models import Delivery, InboxMessage

    more = {"smpp_host": "127.0.0.1", "smpp_port": smsc.port, "smpp_system_id": "rafiq", "smpp_from": "3030"}
    with_smpp = Settings(**{**settings.dict(), **more, "smpp_password": "secret"})
    loop = asyncio.get_running_loop()

    def live():
        with TestClient(make_app(with_smpp)) as client:
            deadline = time.monotonic() + 10
            while client.get("/health").json()["channels"]["sms"] != "up":
                assert time.monotonic() < deadline
                time.sleep(0.02)
            asyncio.run_coroutine_threadsafe(written(), loop).result(10)
            message = session.execute(select(InboxMessage)).scalar_one()
            assert (message.channel, message.body) == ("sms", "salam")
            outbox.put(session, message.conversation_id, "sms", message.id, [{"text": "C’est prêt"}])
            session.commit()
            while not smsc.submitted:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            asyncio.run_coroutine_threadsafe(reported(), loop).result(10)
            while session.execute(select(Delivery.status)).scalars().all() != ["delivered"]:
                session.rollback()
                assert time.monotonic() < deadline
                time.sleep(0.02)

    async def written():
        assert await smsc.write("0612345678", "salam") == 0

    async def reported():
        assert await smsc.receipt(smsc.submitted[0].message_id) == 0

    await asyncio.to_thread(live)
    assert smsc.texts() == [("212612345678", "C'est pret")]
    assert smsc.unbinds == 1
