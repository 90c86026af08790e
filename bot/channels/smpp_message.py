"""What a deliver_sm says: a text of an owner, a part of one, or a receipt of ours; and what a submit_sm holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot import gsm7
from bot.channels.channel import Permanent, Report

UDH = 0x40
"""Bit of esm_class: the message begins with a header."""
_KINDS = 0x3C
"""Bits of esm_class that tell a receipt from a message."""
GSM, ASCII, LATIN1, UCS2 = 0x00, 0x01, 0x03, 0x08
"""Values of data_coding; 0 is what the SMSC takes for its default alphabet."""
_LINKED_8, _LINKED_16 = 0x00, 0x08

STATUSES = {
    "ENROUTE": "sent",
    "SCHEDULED": "accepted",
    "ACCEPTD": "sent",
    "UNKNOWN": "sent",
    "DELIVRD": "delivered",
    "READ": "read",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "UNDELIV": "failed",
    "REJECTD": "failed",
    "SKIPPED": "failed",
}
"""What the stat of a receipt means; the network has tried long enough by itself: a failure is final."""
_STATES = (
    *("SCHEDULED", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED"),
    *("UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD", "SKIPPED"),
)
"""The same in the order of message_state."""
_RECEIPT = re.compile(r"(?i)\b(id|stat|err):\s*([^\s:]*)(?=\s|$)")


@dataclass(frozen=True)
class Place:
    """Where a part stands in a longer message of one sender."""

    reference: int
    total: int
    number: int


@dataclass(frozen=True)
class Message:
    """A message of an owner as it came, or a part of one."""

    sender: str
    content: bytes
    coding: int
    place: Place | None


def is_receipt(pdu: Any) -> bool:
    """Say whether a deliver_sm speaks of a message of ours, in whatever form."""
    return bool((pdu.esm_class or 0) & _KINDS) or bool(pdu.receipted_message_id)


def receipt(pdu: Any) -> Report | None:
    """Return what a receipt reports, by its own parameters or its text; None when that is not to be understood."""
    # The first of each counts: the text of the message is quoted last, and may hold such words too.
    said = {name.lower(): value for name, value in reversed(_RECEIPT.findall(_latin(_content(pdu))))}
    message_id = _latin(pdu.receipted_message_id) or said.get("id", "")
    state = pdu.message_state
    stat = _STATES[state] if state is not None and state < len(_STATES) else said.get("stat", "").upper()
    if not message_id or stat not in STATUSES:
        return None
    status, error = STATUSES[stat], said.get("err", "")
    code = f"{stat}:{error}" if re.fullmatch(r"[0-9A-Za-z]{1,8}", error) and error.strip("0") else stat
    return Report(message_id, status, Permanent(code) if status == "failed" else None)


def message(pdu: Any) -> Message:
    """Return the message that a deliver_sm holds, without its header."""
    content, place = _content(pdu), None
    if (pdu.esm_class or 0) & UDH and content:
        header, content = content[1 : content[0] + 1], content[content[0] + 1 :]
        place = _place_of(header)
    elif pdu.sar_total_segments and pdu.sar_segment_seqnum:
        place = _checked(Place(pdu.sar_msg_ref_num or 0, pdu.sar_total_segments, pdu.sar_segment_seqnum))
    return Message(_latin(pdu.source_addr), content, pdu.data_coding or 0, place)


def text_of(parts: Sequence[Message], alphabet: str) -> str | None:
    """Return the text of a message from its parts in order; None when it is none, such as a ring tone.

    Parts are put together before they are decoded: others do cut a character in two.
    """
    texts = [
        _decoded(b"".join(part.content for part in alike), coding, alphabet)
        for coding, alike in groupby(parts, lambda part: part.coding)
    ]
    return None if None in texts else "".join(text or "" for text in texts)


def _content(pdu: Any) -> bytes:
    return pdu.short_message or pdu.message_payload or b""


def _latin(raw: bytes | None) -> str:
    return (raw or b"").decode("latin-1").rstrip("\0")


def _place_of(header: bytes) -> Place | None:
    """Read the elements of a user data header, each with its length, as far as they can be read."""
    while len(header) >= 2:
        kind, length = header[0], header[1]
        element, header = header[2 : 2 + length], header[2 + length :]
        if kind == _LINKED_8 and len(element) == 3:
            return _checked(Place(element[0], element[1], element[2]))
        if kind == _LINKED_16 and len(element) == 4:
            return _checked(Place(int.from_bytes(element[:2], "big"), element[2], element[3]))
    return None


def _checked(place: Place) -> Place | None:
    return place if place.total > 1 and 1 <= place.number <= place.total else None


def _decoded(content: bytes, coding: int, alphabet: str) -> str | None:
    """Decode by data_coding: SMPP's own values, else those of 3GPP TS 23.038; None when it says binary."""
    if coding in (0x02, 0x04) or (coding & 0xF4) == 0xF4 or (0x10 <= coding <= 0x3F and (coding & 0x0C) == 0x04):
        return None
    if (coding & 0xCC) == UCS2 or (coding & 0xF0) == 0xE0:
        return content.decode("utf-16-be", "replace")
    if coding in (ASCII, LATIN1) or alphabet == "latin1":
        return content.decode("latin-1")
    return gsm7.decode(content)


@dataclass(frozen=True)
class Submission:
    """One text as submit_sm takes it: its parts, or all of it as a payload that the SMSC cuts."""

    coding: int
    parts: tuple[bytes, ...]
    linked: bool
    segments: int


def submission(text: str, alphabet: str, reference: int, payload: bool) -> Submission:
    """Encode a text, and cut it unless it leaves as a payload; the parts of one text carry its reference."""
    ucs2 = bool(gsm7.outside(text)) or (alphabet == "latin1" and any(ord(character) > 0xFF for character in text))
    coding, cut = UCS2 if ucs2 else GSM, gsm7.segments(text, ucs2)

    def encoded(part: str) -> bytes:
        if ucs2:
            return part.encode("utf-16-be")
        return part.encode("latin-1") if alphabet == "latin1" else gsm7.encode(part)

    if payload or len(cut) == 1:
        return Submission(coding, (encoded(text),), False, len(cut))
    header = bytes((5, _LINKED_8, 3, reference % 256, len(cut)))
    parts = tuple(header + bytes([number]) + encoded(part) for number, part in enumerate(cut, 1))
    return Submission(coding, parts, True, len(cut))
