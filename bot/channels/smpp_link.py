"""One connection to an SMSC (SMPP 3.4): requests out, responses matched to them, the other side's requests handed on.

PDUs are built and read with smpplib; its own client is not used: it blocks, and loses its place in the stream when a
PDU arrives in pieces.
"""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smpplib import command, command_codes, consts, smpp
from smpplib.client import SimpleSequenceGenerator
from smpplib.exceptions import UnknownCommandError

logger = logging.getLogger(__name__)
# Its lines of the debug level would hold messages.
logging.getLogger("smpplib").setLevel(logging.WARNING)

HEADER = struct.Struct(">LLLL")
LARGEST_PDU = 70_000
RESPONSE = 0x80000000
CONNECT_SECONDS = 10.0


class LinkLost(Exception):
    """The connection ended, or the other side no longer answers."""


@dataclass(frozen=True)
class Pdu:
    """A PDU as it came in, not yet understood beyond its header."""

    name: str
    status: int
    sequence: int
    raw: bytes

    @property
    def message_id(self) -> str:
        """Return the first field of a response's body."""
        return self.raw[HEADER.size :].split(b"\0", 1)[0].decode("latin-1")

    def delivered(self) -> Any:
        """Return the fields of a deliver_sm; raise ValueError when it is broken."""
        if not _is_complete(self.raw[HEADER.size :]):
            raise ValueError("a deliver_sm that ends too early")
        message = _DeliverSm("deliver_sm", need_sequence=False, allow_unknown_opt_params=True)
        try:
            message.parse(self.raw)
        except (struct.error, KeyError, TypeError, UnknownCommandError) as error:
            raise ValueError(f"a broken deliver_sm: {type(error).__name__}") from None
        return message


class _DeliverSm(command.DeliverSM):  # type: ignore[misc]
    """Skips optional parameters that deliver_sm does not have: SMSCs add their own, and smpplib stumbles over them."""

    def parse_optional_params(self, data: bytes) -> None:
        known = {consts.OPTIONAL_PARAMS[name] for name in self.params if name in consts.OPTIONAL_PARAMS}
        kept, position = b"", 0
        while position + 4 <= len(data):
            tag, length = struct.unpack(">HH", data[position : position + 4])
            if tag in known:
                kept += data[position : position + 4 + length]
            position += 4 + length
        super().parse_optional_params(kept)


def _is_complete(body: bytes) -> bool:
    """Say whether the fields of a deliver_sm are all there: where they are not, smpplib reads on from somewhere."""
    position = 0
    for fixed in (2, 2, 3, 0, 5):  # octets that follow each of the five strings; the last one is sm_length
        end = body.find(b"\0", position)
        if end < 0:
            return False
        position = end + 1 + fixed
    return len(body) >= position and len(body) >= position + body[position - 1]


class Link:
    """A TCP connection; `run` reads it until it ends, and everything else is refused from then on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sequences = SimpleSequenceGenerator()
        self._waiting: dict[int, tuple[asyncio.Future[Pdu], int]] = {}
        self._ended = False
        self.written = 0
        """How many PDUs were written."""
        self.read_up_to = 0
        """How many of them the other side has read for certain: those before a request that it answered."""

    @classmethod
    async def open(cls, host: str, port: int) -> Link:
        """Connect; raise LinkLost."""
        try:
            return cls(*await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_SECONDS))
        except (OSError, asyncio.TimeoutError) as error:
            raise LinkLost(type(error).__name__) from None

    async def request(self, name: str, timeout: float, **fields: Any) -> Pdu:
        """Send a request and return its response, whatever its status; raise LinkLost or asyncio.TimeoutError."""
        pdu = smpp.make_pdu(name, client=self._sequences, **fields)
        answered: asyncio.Future[Pdu] = asyncio.get_running_loop().create_future()
        self._waiting[pdu.sequence] = answered, self.written
        try:
            self._write(pdu.generate())
            return await asyncio.wait_for(answered, timeout)
        finally:
            del self._waiting[pdu.sequence]

    def respond(self, name: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> None:
        """Answer a request of the other side; raise LinkLost."""
        if name == "generic_nack":  # smpplib cannot build it without a field that it does not have
            self._write(HEADER.pack(HEADER.size, RESPONSE, status, sequence))
            return
        pdu = smpp.make_pdu(name, client=self._sequences, status=status)
        pdu.sequence = sequence
        self._write(pdu.generate())

    async def run(self, handle: Callable[[Pdu], None]) -> None:
        """Read until the connection ends, then raise LinkLost; requests of the other side go to `handle`, in order."""
        reason = "closed"
        try:
            while True:
                pdu = await self._read()
                if pdu is None:
                    continue
                if not pdu.name.endswith("_resp") and pdu.name != "generic_nack":
                    handle(pdu)
                elif pdu.sequence in self._waiting:
                    answered, before = self._waiting[pdu.sequence]
                    self.read_up_to = max(self.read_up_to, before)
                    if not answered.done():
                        answered.set_result(pdu)
        except (asyncio.IncompleteReadError, OSError) as error:
            reason = type(error).__name__
        finally:
            self.end(reason)
        raise LinkLost(reason)

    def end(self, reason: str) -> None:
        """Close the connection; who waits for a response learns it."""
        self._ended = True
        self._writer.close()
        for answered, _ in self._waiting.values():
            if not answered.done():
                answered.set_exception(LinkLost(reason))

    async def _read(self) -> Pdu | None:
        head = await self._reader.readexactly(HEADER.size)
        length, code, status, sequence = HEADER.unpack(head)
        if not HEADER.size <= length <= LARGEST_PDU:
            raise OSError("a PDU of an impossible length")
        raw = head + await self._reader.readexactly(length - HEADER.size)
        try:
            return Pdu(command_codes.get_command_name(code), status, sequence, raw)
        except UnknownCommandError:
            logger.info("an SMPP command 0x%08x is not known", code)
            if not code & RESPONSE:
                self.respond("generic_nack", sequence, consts.SMPP_ESME_RINVCMDID)
            return None

    def _write(self, data: bytes) -> None:
        if self._ended or self._writer.is_closing():
            raise LinkLost("closed")
        self._writer.write(data)
        self.written += 1
