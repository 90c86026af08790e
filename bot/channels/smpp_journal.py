"""Which messages an SMSC may deliver again.

SMPP gives a message of an owner no id: deliver_sm has none, and a message that is delivered again, because our response
was lost, comes with another sequence number. Its content is no id either: an owner who answers `1` to two questions in
a row sends the same PDU twice. What tells the two apart is whether the SMSC can have missed a response. So each message
gets an id of ours when it first comes, and stands in this journal until the SMSC is known to have our response: until
it has answered a request that was written after it on the same connection. The same content is taken for the same
message, with the same id, only while it stands here and
- it has not been answered yet, or was answered so late that the SMSC may have given up waiting, or
- its connection has ended since, so that the answer may have been lost on the way, and nothing has been sent to its
  sender on the new one: an SMSC delivers again at once when it is bound to, an owner answers when asked.
The journal is a file: it outlives the process. When the process is killed, what it had written to the socket is still
sent, so only messages that were not answered count as open then. Not recognised is what comes again after the whole
machine failed, since nobody waits for the disk here, or to another gateway's bind than the one that took the message.
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
# How soon after a new bind, or after a late answer, a message comes again whose answer was lost.
AGAIN_SECONDS = 60.0
LONGEST_SECONDS = 86400.0


@dataclass
class Entry:
    """A message that may come again: its content as a keyed hash, its id, and whether it is in the inbox.

    `mark` counts what had been written to the connection when its answer was.
    """

    content: str
    message_id: str
    at: float
    taken: bool = False
    connection: int = 0
    sequence: int = 0
    sender: str = ""
    mark: int | None = None
    answered_at: float = 0.0
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
            rows = json.loads(path.read_text("utf-8"))
            self._entries = [Entry(*row) for *row, settled in rows if not settled]

    def connected(self) -> None:
        """Note a new bind: what was not answered for certain before may come again."""
        self._connection += 1
        self._connected_at = self._now()

    def expect(self, content: bytes, sequence: int, arrived_at: float, sender: str = "") -> Entry:
        """Return the entry of a message that came: the one it had before, or a new one."""
        self._forget()
        hashed = blake2b(content, key=self._key, digest_size=16).hexdigest()
        entry = next(
            (entry for entry in self._entries if entry.content == hashed and self._again(entry, sequence)), None
        )
        if entry is None:
            entry = Entry(hashed, new_id(), arrived_at)
            self._entries.append(entry)
        entry.connection, entry.sequence, entry.mark, entry.late = self._connection, sequence, None, False
        entry.at, entry.sender = arrived_at, sender
        self._save()
        return entry

    def take(self, entry: Entry) -> None:
        """Note that the message is in the inbox."""
        entry.taken = True
        self._save()

    def answer(self, entry: Entry, mark: int) -> None:
        """Note that our response was written."""
        entry.mark, entry.answered_at = mark, self._now()
        entry.late = entry.answered_at - entry.at > PATIENCE_SECONDS
        self._save()

    def is_unsure(self, mark: int) -> bool:
        """Say whether there is an answer on this connection that the SMSC is not known to have, read up to the mark."""
        return any(
            entry.mark is not None and entry.mark > mark and entry.connection == self._connection
            for entry in self._entries
        )

    def prove(self, mark: int) -> None:
        """Forget what was answered up to the mark on this connection: the SMSC has it."""
        self._entries = [
            entry
            for entry in self._entries
            if entry.late or entry.mark is None or entry.mark > mark or entry.connection != self._connection
        ]

    def wrote_to(self, sender: str) -> None:
        """Note that a text went to somebody: what comes now is an answer, no repetition of what had been answered."""
        self._entries = [
            entry
            for entry in self._entries
            if entry.sender != sender or entry.mark is None or entry.late or entry.connection == self._connection
        ]

    def _again(self, entry: Entry, sequence: int) -> bool:
        if entry.connection != self._connection:
            return True
        return entry.mark is None or entry.late or entry.sequence == sequence

    def _forget(self) -> None:
        now = self._now()
        settled = now - self._connected_at > AGAIN_SECONDS
        self._entries = [
            entry
            for entry in self._entries
            if now - entry.at < LONGEST_SECONDS
            and not (entry.taken and entry.connection != self._connection and settled)
            and not (entry.late and entry.mark is not None and now - entry.answered_at > AGAIN_SECONDS)
        ]

    def _save(self) -> None:
        """Write the file anew; it is small, and a process that is killed leaves the old one or the new one."""
        draft = self._path.with_name(f"{self._path.name}.new")
        rows = [[e.content, e.message_id, e.at, e.taken, e.mark is not None and not e.late] for e in self._entries]
        draft.write_text(json.dumps(rows), "utf-8")
        os.replace(draft, self._path)
