"""SMS through an SMSC: SMPP 3.4, bound as a transceiver, bound again whenever the connection ends."""

from __future__ import annotations

import asyncio
import logging
import random
import re
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from smpplib import consts

from bot import metrics
from bot.channels.channel import Permanent, Reader, Received, Retryable, Sent, TakeIn
from bot.channels.pace import Pace
from bot.channels.smpp_journal import Entry, Journal
from bot.channels.smpp_link import Link, LinkLost, Pdu
from bot.channels.smpp_message import UDH, Message, is_receipt, message, receipt, submission, text_of
from bot.channels.sms import NAME, sms_address
from bot.channels.web import storable
from bot.faults import name_of, place_of
from bot.settings import Settings, SettingsError
from bot.storage.inbox import Incoming

logger = logging.getLogger(__name__)

LONGEST_NUMBER = 20
LONGEST_SYSTEM_ID = 15
LONGEST_PASSWORD = 8
# Binaries have no text; the dialogue says so kindly.
BINARY = "application/octet-stream"
RECENT_IDS = 10_000

_PERMANENT = {
    consts.SMPP_ESME_RINVMSGLEN,
    consts.SMPP_ESME_RINVDSTADR,
    consts.SMPP_ESME_RINVDSTTON,
    consts.SMPP_ESME_RINVDSTNPI,
    consts.SMPP_ESME_RINVNUMDESTS,
    consts.SMPP_ESME_RX_P_APPN,
    consts.SMPP_ESME_RX_R_APPN,
}
"""What the SMSC says of this one message; all else may pass: a full queue, or our own settings, which can be mended."""
_NAMES = {value: name.removeprefix("SMPP_") for name, value in vars(consts).items() if name.startswith("SMPP_ESME_R")}


@dataclass(frozen=True)
class Timing:
    """How long to wait for what, in seconds."""

    response: float = 8.0
    enquire: float = 30.0
    prove: float = 0.1
    """After a message was answered, an enquire_link tells whether the SMSC has read the answer."""
    parts: float = 4.0
    """For the other parts of a long message; an SMSC that sends one at a time does not send them before an answer."""
    first_retry: float = 1.0
    longest_retry: float = 60.0
    draining: float = 5.0


@dataclass(frozen=True)
class Account:
    """Where and as whom to bind, and what is particular about this SMSC."""

    host: str
    port: int
    system_id: str
    password: str
    sender: str
    system_type: str = ""
    alphabet: str = "gsm"
    long_messages: str = "udh"
    receipt_ids: str = "auto"
    sender_ton: int | None = None
    sender_npi: int | None = None
    max_per_second: float | None = None


def make_smpp(settings: Settings) -> SmppProvider | None:
    """Make the provider from the settings; None without SMPP_HOST."""
    if not settings.smpp_host:
        return None
    password = settings.smpp_password.get_secret_value()
    for name, value, longest in (
        ("SMPP_SYSTEM_ID", settings.smpp_system_id, LONGEST_SYSTEM_ID),
        ("SMPP_PASSWORD", password, LONGEST_PASSWORD),
        ("SMPP_FROM", settings.smpp_from, LONGEST_NUMBER),
    ):
        if len(value) > longest or not value.isascii():
            raise SettingsError(f"{name}: at most {longest} plain letters and digits (SMPP 3.4)")
        if not value and name != "SMPP_PASSWORD":
            raise SettingsError(f"{name}: missing, since SMPP_HOST is set")
    account = Account(
        host=settings.smpp_host,
        port=settings.smpp_port,
        system_id=settings.smpp_system_id,
        password=password,
        sender=settings.smpp_from,
        system_type=settings.smpp_system_type,
        alphabet=settings.smpp_alphabet,
        long_messages=settings.smpp_long_messages,
        receipt_ids=settings.smpp_receipt_ids,
        sender_ton=settings.smpp_from_ton,
        sender_npi=settings.smpp_from_npi,
        max_per_second=settings.smpp_max_per_second,
    )
    # A file for each gateway of this machine.
    journal = Journal(settings.data_dir / f"smpp-{settings.port}.json", settings.derived_key("sms-message-ids"))
    return SmppProvider(account, journal, Timing(enquire=settings.smpp_enquire_seconds))


@dataclass
class Parts:
    """The parts of a long message that have come so far."""

    since: float
    held: dict[int, tuple[Message, list[Delivery]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """A deliver_sm to be answered, and its place in the journal."""

    sequence: int
    entry: Entry


class SmppProvider:
    """A bind as an SmsProvider: texts leave by submit_sm, texts and receipts come in by deliver_sm."""

    def __init__(self, account: Account, journal: Journal, timing: Timing = Timing()) -> None:
        self._account = account
        self._journal = journal
        self._timing = timing
        self._pace = Pace(account.max_per_second)
        self._ids = ReceiptIds(account.receipt_ids)
        self._closing = asyncio.Event()
        self._link: Link | None = None
        self._state = "starting"
        self._bound: asyncio.Task[None] | None = None

    @property
    def routes(self) -> Mapping[str, Reader]:
        """Return nothing: messages come through the bind."""
        return {}

    def state(self) -> str:
        """Return starting until the first bind was tried, then up or down."""
        return self._state

    async def start(self, take_in: TakeIn) -> None:
        """Begin to bind, and to bind again, until closed."""
        self._bound = asyncio.create_task(self._stay_bound(take_in))

    async def close(self) -> None:
        """Unbind when what came in is answered."""
        self._closing.set()
        if self._bound is not None:
            if self._link is None:
                self._bound.cancel()
            with suppress(asyncio.CancelledError):
                await self._bound

    async def send(self, address: str, text: str, reference: str) -> Sent:
        """Submit a text, in order and one part after the other; the last one's id and receipt stand for all."""
        link, account = self._link, self._account
        if link is None:
            raise Retryable("not bound")
        if not re.fullmatch(rf"\+?[0-9]{{1,{LONGEST_NUMBER}}}", address):
            raise Permanent("not a number")
        # The parts of a repeated try complete those of the first on the telephone, for they carry the same reference.
        cut = submission(text, account.alphabet, zlib.crc32(reference.encode()), account.long_messages == "payload")
        answered = None
        # For all parts at once: a text that is left half-way is sent, and paid for, again from its beginning.
        await self._pace.wait(len(cut.parts))
        for number, part in enumerate(cut.parts, 1):
            if number > 1:
                await self._pace.step()
            fields = self._fields(address, part, cut.segments > 1 and not cut.linked)
            fields |= {"data_coding": cut.coding, "esm_class": UDH if cut.linked else 0}
            fields["registered_delivery"] = int(number == len(cut.parts))
            answered = await self._submit(link, fields)
        self._journal.wrote_to(address)
        provider_id = self._ids.submitted(answered.message_id) if answered else ""
        return Sent((provider_id or f"no-id:{reference}")[:200], "accepted", cut.segments)

    def _fields(self, address: str, content: bytes, payload: bool) -> dict[str, Any]:
        account = self._account
        ton, npi = _numbering(account.sender)
        return {
            "source_addr_ton": ton if account.sender_ton is None else account.sender_ton,
            "source_addr_npi": npi if account.sender_npi is None else account.sender_npi,
            "source_addr": account.sender.lstrip("+"),
            "dest_addr_ton": consts.SMPP_TON_INTL if address.startswith("+") else consts.SMPP_TON_UNK,
            "dest_addr_npi": consts.SMPP_NPI_ISDN,
            "destination_addr": address.lstrip("+"),
            "message_payload" if payload else "short_message": content,
        }

    async def _submit(self, link: Link, fields: dict[str, Any]) -> Pdu:
        try:
            answered = await link.request("submit_sm", self._timing.response, **fields)
        except LinkLost:
            raise Retryable("connection lost") from None
        except asyncio.TimeoutError:
            raise Retryable("timeout") from None
        if answered.status == consts.SMPP_ESME_ROK:
            return answered
        code = _named(answered.status)
        raise Permanent(code) if answered.status in _PERMANENT else Retryable(code)

    async def _stay_bound(self, take_in: TakeIn) -> None:
        wait = self._timing.first_retry
        while not self._closing.is_set():
            try:
                if await self._one_bind(take_in):
                    wait = self._timing.first_retry
            except Exception as error:  # a fault of ours must not end the channel
                logger.error("SMPP: %s at %s", name_of(error), place_of(error))
            self._state = "down"
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait * random.uniform(0.7, 1.3))
            wait = min(wait * 2, self._timing.longest_retry)

    async def _one_bind(self, take_in: TakeIn) -> bool:
        """Connect, bind, and stay until the connection ends or we close; say whether the bind was accepted."""
        try:
            link = await Link.open(self._account.host, self._account.port)
        except LinkLost as error:
            logger.warning("SMPP: no connection: %s", error)
            return False
        session = Session(link, self._account, self._journal, self._ids, self._timing, take_in)
        reading = asyncio.create_task(link.run(session.handle))
        try:
            if not await self._bind(link):
                return False
            self._journal.connected()
            self._link, self._state = link, "up"
            logger.info("SMPP: bound to %s:%s", self._account.host, self._account.port)
            await self._until_end(session, reading)
            return True
        finally:
            self._link = None
            self._journal.prove(link.read_up_to)
            link.end("closed")
            reading.cancel()
            with suppress(LinkLost, asyncio.CancelledError):
                await reading

    async def _bind(self, link: Link) -> bool:
        account = self._account
        who = {"system_id": account.system_id, "password": account.password, "system_type": account.system_type}
        try:
            answered = await link.request("bind_transceiver", self._timing.response, **who)
        except (LinkLost, asyncio.TimeoutError) as error:
            logger.warning("SMPP: the bind was not answered: %s", name_of(error))
            return False
        if answered.status != consts.SMPP_ESME_ROK:
            logger.error("SMPP: the bind was refused: %s", _named(answered.status))
        return answered.status == consts.SMPP_ESME_ROK

    async def _until_end(self, session: Session, reading: asyncio.Task[None]) -> None:
        closing = asyncio.create_task(self._closing.wait())
        working = asyncio.create_task(session.work())
        alive = asyncio.create_task(session.keep_alive())
        try:
            await asyncio.wait({closing, reading, working, alive}, return_when=asyncio.FIRST_COMPLETED)
            self._link = None  # nothing more is submitted
            if self._closing.is_set():
                await session.leave()
            elif not reading.done():
                logger.warning("SMPP: the other side no longer answers")
        finally:
            for task in (closing, alive):
                task.cancel()
            # A message on its way into the inbox gets there, and the journal knows it.
            session.stop()
            await working


class Session:
    """What happens on one bound connection."""

    def __init__(
        self, link: Link, account: Account, journal: Journal, ids: ReceiptIds, timing: Timing, take_in: TakeIn
    ) -> None:
        self._link = link
        self._account = account
        self._journal = journal
        self._ids = ids
        self._timing = timing
        self._take_in = take_in
        self._arrived: asyncio.Queue[tuple[Pdu, float] | None] = asyncio.Queue()
        self._parts: dict[tuple[str, int, int], Parts] = {}
        self._given_up: dict[tuple[str, int, int], float] = {}
        self._answered = asyncio.Event()
        self._stopped = False

    def handle(self, pdu: Pdu) -> None:
        """Answer what needs no thought, queue the rest."""
        if pdu.name == "enquire_link":
            self._link.respond("enquire_link_resp", pdu.sequence)
        elif pdu.name == "deliver_sm":
            self._arrived.put_nowait((pdu, time.time()))
        elif pdu.name == "unbind":
            self._link.respond("unbind_resp", pdu.sequence)
            self._link.end("unbound by the other side")
        elif pdu.name not in ("alert_notification", "outbind"):
            self._link.respond("generic_nack", pdu.sequence, consts.SMPP_ESME_RINVCMDID)

    async def work(self) -> None:
        """Take deliveries in, one after the other, until stopped."""
        while not self._stopped:
            try:
                arrived = await asyncio.wait_for(self._arrived.get(), self._until_parts_are_due())
            except asyncio.TimeoutError:
                await self._give_up_waiting()
                continue
            if arrived is not None and not self._stopped:
                await self._delivered(*arrived)
            self._arrived.task_done()

    def stop(self) -> None:
        """End work after the delivery under way."""
        self._stopped = True
        self._arrived.put_nowait(None)

    async def leave(self) -> None:
        """Answer what has come, then unbind; parts of unfinished messages stay unanswered and come again."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._arrived.join(), self._timing.draining)
        with suppress(LinkLost, asyncio.TimeoutError):
            await self._link.request("unbind", self._timing.response)

    async def keep_alive(self) -> None:
        """Ask now and then whether the other side is there, and soon after an answer whether it was read; else end."""
        with suppress(LinkLost, asyncio.TimeoutError):
            while True:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._answered.wait(), self._timing.enquire)
                    await asyncio.sleep(self._timing.prove)
                    self._answered.clear()
                    if not self._journal.is_unsure(self._link.read_up_to):
                        continue  # the answer to a text of ours has shown it already
                await self._link.request("enquire_link", self._timing.response)
                self._journal.prove(self._link.read_up_to)

    async def _delivered(self, pdu: Pdu, arrived_at: float) -> None:
        try:
            fields = pdu.delivered()
        except ValueError as error:
            logger.warning("SMPP: %s", error)
            metrics.refused(NAME, 400)
            self._respond(pdu.sequence, consts.SMPP_ESME_RX_P_APPN)
            return
        if is_receipt(fields):
            await self._receipt(pdu, fields)
            return
        said = message(fields)
        delivery = Delivery(
            pdu.sequence, self._journal.expect(_identity(fields), pdu.sequence, arrived_at, _address(said))
        )
        if delivery.entry.taken:
            metrics.received(NAME, "text", new=False)
            self._answer([delivery])
        elif said.place is None:
            await self._keep([said], [delivery])
        else:
            await self._keep_part(said, delivery)

    async def _receipt(self, pdu: Pdu, fields: Any) -> None:
        report = receipt(fields)
        if report is None:
            logger.warning("SMPP: a receipt could not be understood")
            self._respond(pdu.sequence)
            return
        report = type(report)(self._ids.reported(report.provider_id)[:200], report.status, report.error)
        if await self._taken(Received(reports=(report,))):
            self._respond(pdu.sequence)
        else:
            self._respond(pdu.sequence, consts.SMPP_ESME_RX_T_APPN)

    async def _keep_part(self, said: Message, delivery: Delivery) -> None:
        """Hold a part unanswered until the message is whole: until then the SMSC has it."""
        place = said.place
        assert place is not None
        key = (said.sender, place.reference, place.total)
        if key in self._given_up:
            await self._keep([said], [delivery])
            return
        parts = self._parts.setdefault(key, Parts(time.monotonic()))
        deliveries = parts.held[place.number][1] if place.number in parts.held else []
        parts.held[place.number] = (said, [*deliveries, delivery])
        if len(parts.held) == place.total:
            del self._parts[key]
            await self._keep_held(parts)

    async def _keep_held(self, parts: Parts) -> None:
        in_order = [parts.held[number] for number in sorted(parts.held)]
        await self._keep([said for said, _ in in_order], [one for _, deliveries in in_order for one in deliveries])

    def _until_parts_are_due(self) -> float | None:
        if not self._parts:
            return None
        oldest = min(parts.since for parts in self._parts.values())
        return max(oldest + self._timing.parts - time.monotonic(), 0.001)

    async def _give_up_waiting(self) -> None:
        """Take in what there is of messages whose other parts do not come: they may never, and their sender waits."""
        now = time.monotonic()
        self._given_up = {key: at for key, at in self._given_up.items() if now - at < 600}
        for key, parts in list(self._parts.items()):
            if now - parts.since >= self._timing.parts:
                del self._parts[key]
                self._given_up[key] = now
                await self._keep_held(parts)

    async def _keep(self, parts: list[Message], deliveries: list[Delivery]) -> None:
        """Put a message into the inbox, and only then answer its deliveries."""
        address = _address(parts[0])
        if not address:
            logger.info("a deliver_sm without a sender was dropped")
            metrics.refused(NAME, 400)
            self._answer(deliveries)
            return
        text = text_of(parts, self._account.alphabet)
        kind, body = ("media", BINARY) if text is None else ("text", storable(text))
        incoming = Incoming(NAME, address, f"smpp:{deliveries[0].entry.message_id}", kind, body)
        if await self._taken(Received((incoming,))):
            for delivery in deliveries:
                self._journal.take(delivery.entry)
            self._answer(deliveries)
        else:
            for delivery in deliveries:
                self._respond(delivery.sequence, consts.SMPP_ESME_RX_T_APPN)

    async def _taken(self, received: Received) -> bool:
        """Say whether it is safe; when it is not, the SMSC is told to try again later."""
        try:
            await self._take_in(received)
            return True
        except Exception as error:  # the database may be away
            logger.error("SMPP: %s at %s", name_of(error), place_of(error))
            return False

    def _answer(self, deliveries: list[Delivery]) -> None:
        self._journal.prove(self._link.read_up_to)
        for delivery in deliveries:
            if self._respond(delivery.sequence):
                self._journal.answer(delivery.entry, self._link.written)
        self._answered.set()

    def _respond(self, sequence: int, status: int = consts.SMPP_ESME_ROK) -> bool:
        """Write an answer; say whether the connection was still there."""
        try:
            self._link.respond("deliver_sm_resp", sequence, status)
            return True
        except LinkLost:
            return False


class ReceiptIds:
    """Finds the id that a response gave in the form of a receipt: some SMSCs write one in hexadecimal, one in decimal.

    The form is `same`, `decimal` (receipts are, responses are hexadecimal), `hex` (the other way round) or `auto`:
    learnt from the first receipt of a message that was submitted lately.
    """

    def __init__(self, form: str) -> None:
        self._form = form
        self._recent: dict[str, None] = {}

    def submitted(self, raw: str) -> str:
        """Return the id of a response as it is kept."""
        message_id = _canonical(raw)
        if message_id and self._form == "auto":
            self._recent[message_id] = None
            if len(self._recent) > RECENT_IDS:
                del self._recent[next(iter(self._recent))]
        return message_id

    def reported(self, raw: str) -> str:
        """Return the id that a response gave for the message of this receipt."""
        read = {form: found for form in ("same", "decimal", "hex") if (found := _in_form(raw, form))}
        if self._form == "auto":
            self._form = next((form for form, message_id in read.items() if message_id in self._recent), "auto")
            if self._form != "auto":
                logger.info("SMPP: the ids of receipts are read as SMPP_RECEIPT_IDS=%s", self._form)
                self._recent.clear()
        return read.get(self._form) or read["same"]


def _in_form(raw: str, form: str) -> str:
    message_id = _canonical(raw)
    if form == "decimal" and re.fullmatch(r"[0-9]{1,30}", message_id):
        return f"{int(message_id):x}"
    if form == "hex" and re.fullmatch(r"[0-9a-f]{1,30}", message_id):
        return str(int(message_id, 16))
    return message_id if form == "same" else ""


def _canonical(raw: str) -> str:
    message_id = storable(raw).strip().lower()
    return message_id.lstrip("0") or message_id[:1]


def _address(said: Message) -> str:
    """Return the sender as the inbox knows it; empty when there is none."""
    try:
        return storable(sms_address(said.sender))
    except ValueError:
        return ""


def _identity(fields: Any) -> bytes:
    """Return what a deliver_sm says, which is the same when it comes again."""
    content = [fields.source_addr, fields.destination_addr, fields.short_message, fields.message_payload]
    numbers = [fields.esm_class, fields.data_coding, fields.sar_msg_ref_num, fields.sar_segment_seqnum]
    return repr((content, numbers)).encode()


def _numbering(sender: str) -> tuple[int, int]:
    """Return type of number and plan of our own sender: a name, an international number, or a short code."""
    if not sender.lstrip("+").isdigit():
        return consts.SMPP_TON_ALNUM, consts.SMPP_NPI_UNK
    if len(sender.lstrip("+")) > 8:
        return consts.SMPP_TON_INTL, consts.SMPP_NPI_ISDN
    return consts.SMPP_TON_UNK, consts.SMPP_NPI_ISDN


def _named(status: int) -> str:
    return _NAMES.get(status, f"0x{status:08X}")
