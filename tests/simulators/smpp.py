"""A small SMSC (SMPP 3.4) on a real TCP port, written from the standard and on purpose not with smpplib.

For E (simulators, `rafiq run --simulate`, bench): run it in an event loop (`async with Smsc() as smsc`), or through
`serving.Background`. It checks what it is sent as a real one would (bind first, lengths, alphabets, headers) and gives:
- bind:        `system_id`, `password`, `refuse_binds` (a status), `binds` (how many so far), `bound` (wait for one);
- submit:      `submitted`, `texts()` (long messages put together), `answers` (what becomes of the next submit_sm: a
               status, "silent", "drop" before or "lost" after it was taken), `per_second` for throttling;
- receipts:    `receipt(message_id, stat)`, ids in hexadecimal by `hex_ids` while receipts are decimal;
- MO:          `write(number, text)` and `deliver(...)`; what is not answered comes again at the next bind, with a
               new sequence number, as real ones do; `one_at_a_time` sends nothing before the last one is answered;
- disconnects: `disconnect()`, `unbind()`, `mute` (keeps the connection, answers nothing);
- `ledger`:     what was taken, long messages put together, as the phone page and the bench read it; `dice` draws faults
               where `answers` says nothing; `receipt_delay` reports what was taken and asked for a receipt.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.faults import Dice
from tests.simulators.gsm import BASIC, EXTENSION
from tests.simulators.ledger import Accepted, Ledger

BIND_TRANSCEIVER, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, GENERIC_NACK = 9, 4, 5, 6, 0x15, 0x80000000
RESPONSE = 0x80000000
OK, INVALID_LENGTH, INVALID_COMMAND, NOT_BOUND, INVALID_DESTINATION = 0, 1, 3, 4, 0x0B
WRONG_PASSWORD, WRONG_SYSTEM_ID, QUEUE_FULL, THROTTLED = 0x0E, 0x0F, 0x14, 0x58
SYSTEM_ERROR = 8
# A connection that carries SMPP knows no HTML; a queue that is full comes nearest to a page instead of an answer.
_FAULTS: dict[str, int | str] = {
    "throttled": THROTTLED,
    "failing": SYSTEM_ERROR,
    "silent": "silent",
    "reset": "drop",
    "html": QUEUE_FULL,
    "lost": "lost",
}
_CODES = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" + BASIC[BASIC.index(" ") :]
_ESCAPED = dict(zip((0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65), "\f^{}\\[~]|€", strict=True))


def from_gsm(codes: bytes) -> str:
    """Read septets, one in each byte."""
    text, position = "", 0
    while position < len(codes):
        if codes[position] == 0x1B and position + 1 < len(codes):
            text += _ESCAPED[codes[position + 1]]
            position += 2
        else:
            text += _CODES[codes[position]]
            position += 1
    return text


def to_gsm(text: str) -> bytes:
    """Write septets, one in each byte; raise ValueError for a character outside the alphabet."""
    escapes = {character: code for code, character in _ESCAPED.items()}
    assert set(escapes) == set(EXTENSION)
    return b"".join(bytes((0x1B, escapes[c])) if c in escapes else bytes((_CODES.index(c),)) for c in text)


@dataclass
class Submitted:
    """A submit_sm that was taken."""

    message_id: str
    source: str
    source_ton: int
    destination: str
    destination_ton: int
    esm_class: int
    coding: int
    registered: int
    content: bytes
    payload: bool = False

    @property
    def header(self) -> bytes:
        """Return the user data header, without its length."""
        return self.content[1 : self.content[0] + 1] if self.esm_class & 0x40 else b""

    @property
    def body(self) -> bytes:
        """Return what follows the header."""
        return self.content[self.content[0] + 1 :] if self.esm_class & 0x40 else self.content

    def decoded(self) -> str:
        """Return the text of this part."""
        return self.body.decode("utf-16-be") if self.coding == 8 else from_gsm(self.body)

    def shown(self) -> str:
        """Return the text of this part as a phone shows it, whatever alphabet the SMSC takes."""
        septets = self.coding == 8 or max(self.body, default=0) < len(_CODES)
        return self.decoded() if septets else self.body.decode("latin-1")


@dataclass
class Outgoing:
    """A deliver_sm on its way to the ESME, until it is answered with success."""

    body: bytes
    answered: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    statuses: list[int] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)


class Smsc:
    """The SMSC; `async with` starts and stops it."""

    channel = "sms"

    def __init__(
        self,
        system_id: str = "rafiq",
        password: str = "secret",
        port: int = 0,
        dice: Dice | None = None,
        first_id: int = 0x1A2B3C,
    ) -> None:
        self.system_id, self.password, self.port = system_id, password, port
        self.dice = dice or Dice()
        self.ledger = Ledger()
        self.receipt_delay: float | None = None
        self.submitted: list[Submitted] = []
        self.answers: deque[int | str] = deque()
        self.per_second: int | None = None
        self.hex_ids = False
        self.mute = False
        self.one_at_a_time = False
        self.refuse_binds: int | None = None
        self.binds = 0
        self.unbinds = 0
        self.enquiries = 0
        self.nacks: list[int] = []
        self.bound = asyncio.Event()
        self._parts: dict[tuple[str, int, int], dict[int, Submitted]] = {}
        self._ids = itertools.count(first_id)
        self._sequences = itertools.count(1)
        self._to_deliver: deque[Outgoing] = deque()
        self._under_way: dict[int, Outgoing] = {}
        self._taken_at: deque[float] = deque()
        self._writers: set[asyncio.StreamWriter] = set()
        self._bound_writer: asyncio.StreamWriter | None = None
        self._server: asyncio.AbstractServer | None = None

    async def __aenter__(self) -> Smsc:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; the port is then in `port`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut everyone off; `start` listens on the same port again."""
        if self._server is not None:
            self._server.close()
            self.disconnect()
            await self._server.wait_closed()

    def disconnect(self) -> None:
        """Reset every connection."""
        for writer in list(self._writers):
            writer.transport.abort()
        self._lost()

    def unbind(self) -> None:
        """Ask the ESME to go."""
        self._send(UNBIND, 0, next(self._sequences), b"")

    def enquire(self) -> None:
        """Ask whether the ESME is there."""
        self._send(ENQUIRE_LINK, 0, next(self._sequences), b"")

    def send_raw(self, data: bytes) -> None:
        """Send anything to the ESME that is bound."""
        assert self._bound_writer is not None
        self._bound_writer.write(data)

    def write(self, number: str, text: str, to: str = "3030") -> asyncio.Future[int]:
        """An owner writes; the text leaves in as many parts as it needs. Return the answer to the last part."""
        try:
            coding, content, single, part = 0, to_gsm(text), 160, 153
        except ValueError:
            coding, content, single, part = 8, text.encode("utf-16-be"), 140, 134
        if len(content) <= single:
            return self.deliver(number, content, coding, to=to)
        pieces = [content[start : start + part] for start in range(0, len(content), part)]
        reference = next(self._ids) % 256
        answered = None
        for position, piece in enumerate(pieces, 1):
            header = bytes((5, 0, 3, reference, len(pieces), position))
            answered = self.deliver(number, header + piece, coding, 0x40, to)
        assert answered is not None
        return answered

    def deliver(
        self, number: str, content: bytes, coding: int = 0, esm_class: int = 0, to: str = "3030", tlvs: bytes = b""
    ) -> asyncio.Future[int]:
        """Deliver one message; return its status once the ESME has answered it with success, or for good."""
        outgoing = Outgoing(
            b"\0" + bytes((1, 1)) + number.encode() + b"\0" + bytes((0, 1)) + to.encode() + b"\0"
            + bytes((esm_class, 0, 0)) + b"\0\0" + bytes((0, 0, coding, 0, len(content))) + content + tlvs
        )  # fmt: skip
        self._to_deliver.append(outgoing)
        self._flush()
        return outgoing.answered

    def receipt(
        self, message_id: str, stat: str = "DELIVRD", err: str = "000", quoted: str = ""
    ) -> asyncio.Future[int]:
        """Report what became of a message, in the usual text."""
        if self.hex_ids:
            message_id = str(int(message_id, 16))
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 "
            f"stat:{stat} err:{err} text:{quoted}"
        )
        return self.deliver("212612345678", text.encode(), esm_class=0x04)

    def texts(self) -> list[tuple[str, str]]:
        """Return (number, text) of what was submitted, long messages put together, each once."""
        found: dict[Any, dict[int, Submitted]] = {}
        for position, part in enumerate(self.submitted):
            if part.header:
                assert part.header[:2] == b"\x00\x03", "a header of another kind"
                _, _, reference, total, number = part.header
                found.setdefault((part.destination, reference, total), {})[number] = part
            else:
                found[position] = {1: part}
        return [
            (parts[1].destination, "".join(parts[number].decoded() for number in sorted(parts)))
            for parts in found.values()
            if 1 in parts
        ]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readexactly(16)
                length, command, status, sequence = struct.unpack(">LLLL", head)
                body = await reader.readexactly(length - 16)
                if not self.mute:
                    self._handle(writer, command, status, sequence, body)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            if writer is self._bound_writer:
                self._lost()

    def _handle(self, writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes) -> None:
        if command == BIND_TRANSCEIVER:
            self._bind(writer, sequence, body)
        elif command == ENQUIRE_LINK:
            self.enquiries += 1
            self._write(writer, RESPONSE | ENQUIRE_LINK, OK, sequence, b"")
        elif command == UNBIND:
            self.unbinds += 1
            self._write(writer, RESPONSE | UNBIND, OK, sequence, b"")
            self._lost()
        elif command == SUBMIT_SM and writer is self._bound_writer:
            self._submit(writer, sequence, body)
        elif command == RESPONSE | DELIVER_SM:
            assert body == b"\0", "deliver_sm_resp has an empty message_id"
            self._answered(sequence, status)
        elif command == GENERIC_NACK:
            self.nacks.append(sequence)
        elif not command & RESPONSE:
            self._write(writer, GENERIC_NACK, INVALID_COMMAND, sequence, b"")

    def _bind(self, writer: asyncio.StreamWriter, sequence: int, body: bytes) -> None:
        system_id, password, _system_type, rest = body.split(b"\0", 3)
        assert rest[0] == 0x34, "interface_version is 3.4"
        status = self.refuse_binds
        if status is None:
            wrong = WRONG_SYSTEM_ID if system_id.decode() != self.system_id else WRONG_PASSWORD
            status = OK if (system_id.decode(), password.decode()) == (self.system_id, self.password) else wrong
        self._write(
            writer, RESPONSE | BIND_TRANSCEIVER, status, sequence, b"SMSC\0" + struct.pack(">HHB", 0x210, 1, 0x34)
        )
        if status == OK:
            self.binds += 1
            self._bound_writer = writer
            self.bound.set()
            self._flush()

    def _submit(self, writer: asyncio.StreamWriter, sequence: int, body: bytes) -> None:
        answer = self.answers.popleft() if self.answers else self._fault()
        if answer == "drop":
            writer.transport.abort()
            return
        if answer == "silent":
            return
        submitted, status = self._read_submission(body)
        if answer == OK:
            status = status or self._throttle()
        elif isinstance(answer, int):
            status = answer
        if status == OK:
            self.submitted.append(submitted)
            self._note(submitted, answer == "lost")
        else:
            self.ledger.refuse(self.channel, f"+{submitted.destination}", f"0x{status:02X}", "")
        if answer == "lost":
            writer.transport.abort()
            return
        message_id = submitted.message_id.encode() + b"\0" if status == OK else b""
        self._write(writer, RESPONSE | SUBMIT_SM, status, sequence, message_id)

    def _fault(self) -> int | str:
        fault = self.dice.draw()
        if not fault:
            return OK
        self.ledger.counts[f"fault {fault}"] += 1
        return _FAULTS[fault]

    def _note(self, part: Submitted, lost: bool) -> None:
        """Note a message once all its parts are there; report each part where that was asked for."""
        parts = {1: part}
        if part.header:
            _, _, reference, total, number = part.header
            parts = self._parts.setdefault((part.destination, reference, total), {})
            parts[number] = part
            if len(parts) == total:
                del self._parts[part.destination, reference, total]
        if not part.header or len(parts) == total:
            whole = [parts[number] for number in sorted(parts)]
            text = "".join(each.shown() for each in whole)
            encoding = "UCS-2" if part.coding == 8 else "GSM-7"
            self.ledger.accept(
                Accepted(
                    part.message_id, self.channel, f"+{part.destination}", text,
                    segments=len(whole), encoding=encoding, lost=lost,
                )
            )  # fmt: skip
        if self.receipt_delay is not None and part.registered & 1:
            asyncio.get_running_loop().call_later(self.receipt_delay, self._receive, part)

    def _receive(self, part: Submitted) -> None:
        """Let a phone have a part."""
        self.ledger.status(self.channel, f"+{part.destination}", part.message_id, "delivered")
        self.receipt(part.message_id)

    def _read_submission(self, body: bytes) -> tuple[Submitted, int]:
        service_type, rest = body.split(b"\0", 1)
        assert service_type == b""
        source_ton, (source, rest) = rest[0], rest[2:].split(b"\0", 1)
        destination_ton, (destination, rest) = rest[0], rest[2:].split(b"\0", 1)
        esm_class, (schedule, rest) = rest[0], rest[3:].split(b"\0", 1)
        validity, rest = rest.split(b"\0", 1)
        assert schedule == validity == b""
        registered, _replace, coding, _default, length = rest[:5]
        content, tlvs = rest[5 : 5 + length], rest[5 + length :]
        payload = b""
        while tlvs:
            tag, size = struct.unpack(">HH", tlvs[:4])
            payload = tlvs[4 : 4 + size] if tag == 0x0424 else payload
            tlvs = tlvs[4 + size :]
        number = next(self._ids)
        submitted = Submitted(
            f"{number:X}" if self.hex_ids else str(number), source.decode(), source_ton, destination.decode(),
            destination_ton, esm_class, coding, registered, payload or content, bool(payload),
        )  # fmt: skip
        return submitted, self._check(submitted)

    def _check(self, submitted: Submitted) -> int:
        if not submitted.destination.isdigit() or len(submitted.destination) > 20:
            return INVALID_DESTINATION
        size = len(submitted.body)
        most = 153 if submitted.header else 160
        if submitted.coding == 8:
            most = 134 if submitted.header else 140
            with suppress(UnicodeDecodeError):
                submitted.body.decode("utf-16-be")  # no pair is cut in two
                return OK if size <= most or submitted.payload else INVALID_LENGTH
            return INVALID_LENGTH
        if max(submitted.body, default=0) > 0x7F or (submitted.body and submitted.body[-1] == 0x1B):
            return INVALID_LENGTH
        return OK if size <= most or submitted.payload else INVALID_LENGTH

    def _throttle(self) -> int:
        now = time.monotonic()
        while self._taken_at and self._taken_at[0] < now - 1:
            self._taken_at.popleft()
        if self.per_second is not None and len(self._taken_at) >= self.per_second:
            return THROTTLED
        self._taken_at.append(now)
        return OK

    def _answered(self, sequence: int, status: int) -> None:
        outgoing = self._under_way.pop(sequence, None)
        if outgoing is None:
            return
        outgoing.statuses.append(status)
        if status in (0x64, QUEUE_FULL, THROTTLED):  # try again later
            asyncio.get_running_loop().call_later(0.05, self._again, outgoing)
        elif not outgoing.answered.done():
            outgoing.answered.set_result(status)
        self._flush()

    def _again(self, outgoing: Outgoing) -> None:
        self._to_deliver.append(outgoing)
        self._flush()

    def deliver_again(self) -> None:
        """Give up waiting for answers: what is under way is delivered once more on the same connection."""
        self._to_deliver.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()
        self._flush()

    def _lost(self) -> None:
        self._bound_writer = None
        self.bound.clear()
        self._to_deliver.extendleft(reversed(self._under_way.values()))
        self._under_way.clear()

    def _flush(self) -> None:
        while self._bound_writer and self._to_deliver and not (self.one_at_a_time and self._under_way):
            outgoing = self._to_deliver.popleft()
            sequence = next(self._sequences)
            outgoing.sequences.append(sequence)
            self._under_way[sequence] = outgoing
            self._send(DELIVER_SM, 0, sequence, outgoing.body)

    def _send(self, command: int, status: int, sequence: int, body: bytes) -> None:
        assert self._bound_writer is not None, "nobody is bound"
        self._write(self._bound_writer, command, status, sequence, body)

    @staticmethod
    def _write(writer: asyncio.StreamWriter, command: int, status: int, sequence: int, body: bytes) -> None:
        writer.write(struct.pack(">LLLL", len(body) + 16, command, status, sequence) + body)
