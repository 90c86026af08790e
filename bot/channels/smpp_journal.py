"""Which messages an SMSC may deliver again.

SMPP gives a message of an owner no id: deliver_sm has none, and a message that is delivered again, because our response
was lost, comes with another sequence number. Its content is no id either: an owner who answers `1` to two questions in
a row sends the same PDU twice. What tells the two apart is whether the SMSC can have missed a response. So each message
gets an id of ours when it first comes, and stands in this journal until it is certain that the SMSC has our response:
until it answers an enquire_link that was sent after it on the same connection. The same content is taken for the same
message, with the same id, only while it stands here and
- its connection has ended since, or
- it has not been answered yet, or it was answered so late that the SMSC may have given up waiting.
The journal is a file: it outlives the process. What it loses is a power cut, since nobody waits for the disk; and an
SMSC that delivers again to another gateway's bind than the one that took the message is not recognised.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from bot.storage.models import new_id

# How long an SMSC waits for a response, at least.
PATIENCE_SECONDS = 5.0
# How soon after a new bind, or after a late answer, a message that the SMSC had not been answered comes again.
AGAIN_SECONDS = 300.0
LONGEST_SECONDS = 86400.0


@dataclass
class Entry:
    """A message that may come again: its content as a keyed hash, its id, and whether it is in the inbox."""

    content: str
    message_id: str
    at: float
    taken: bool = False
    connection: int = 0
    sequence: int = 0
    answered_at: float | None = None
    late: bool = False


class Journal:
    """The messages of the SMSC that are not certain to be answered."""

    def __init__(self, path: Path, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._key = key[:64]
        self._now = now
        self._entries: list[Entry] = []
        self._connection = 0
        self._connected_at = 0.0
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError, ValueError, TypeError):
            self._entries = [Entry(*row) for row in json.loads(path.read_text("utf-8"))]

    def connected(self) -> None:
        """Note a new bind: what was not answered for certain before may come again."""
        self._connection += 1
        self._connected_at = self._now()

    def expect(self, content: bytes, sequence: int, arrived_at: float) -> Entry:
        """Return the entry of a message that came: the one it had before, or a new one."""
        self._forget()
        hashed = blake2b(content, key=self._key, digest_size=16).hexdigest()
        entry = next(
            (entry for entry in self._entries if entry.content == hashed and self._again(entry, sequence)), None
        )
        if entry is None:
            entry = Entry(hashed, new_id(), arrived_at)
            self._entries.append(entry)
        entry.connection, entry.sequence, entry.answered_at, entry.late = self._connection, sequence, None, False
        entry.at = arrived_at
        self._save()
        return entry

    def take(self, entry: Entry) -> None:
        """Note that the message is in the inbox."""
        entry.taken = True
        self._save()

    def answer(self, entry: Entry) -> None:
        """Note that our response left."""
        entry.answered_at = self._now()
        entry.late = entry.answered_at - entry.at > PATIENCE_SECONDS

    def prove(self, before: float) -> None:
        """Forget what was answered on this connection before that moment: the SMSC has read it all."""
        kept = [entry for entry in self._entries if not self._proven(entry, before)]
        if len(kept) < len(self._entries):
            self._entries = kept
            self._save()

    def _proven(self, entry: Entry, before: float) -> bool:
        at = entry.answered_at
        return at is not None and at <= before and entry.connection == self._connection and not entry.late

    def _again(self, entry: Entry, sequence: int) -> bool:
        if entry.connection != self._connection:
            return True
        return entry.answered_at is None or entry.late or entry.sequence == sequence

    def _forget(self) -> None:
        now = self._now()
        settled = now - self._connected_at > AGAIN_SECONDS
        self._entries = [
            entry
            for entry in self._entries
            if now - entry.at < LONGEST_SECONDS
            and not (entry.taken and entry.connection != self._connection and settled)
            and not (entry.late and entry.answered_at is not None and now - entry.answered_at > AGAIN_SECONDS)
        ]

    def _save(self) -> None:
        """Write the file anew; it is small, and a process that is killed leaves the old one or the new one."""
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.write_text(json.dumps([[e.content, e.message_id, e.at, e.taken] for e in self._entries]), "utf-8")
        os.replace(draft, self._path)
