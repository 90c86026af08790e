"""Where a fact was read, and from when it is."""

from __future__ import annotations

from pydantic import StrictStr

from bot.knowledge.loader import Record

AS_OF = r"^\d{4}(-\d{2}(-\d{2})?)?\Z"
"""A year, a month or a day, as much as the source tells: 2025, 2025-11, 2025-11-08."""


class Source(Record):
    """A page, a law or a document that was read."""

    title: StrictStr
    publisher: StrictStr
    date: StrictStr
    where: StrictStr | None = None

    def line(self) -> str:
        """Return the source on one line."""
        return f"{self.title}, {self.publisher}, {self.date}" + (f", {self.where}" if self.where else "")
