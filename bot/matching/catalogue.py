"""A provider catalogue: imported from a file in one step, written back, and read by whoever matches."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.knowledge.places import folded
from bot.matching.catalogue_files import Numbered, WrongFile, read_sheet, write_csv, write_xlsx
from bot.matching.catalogue_rows import (
    COLUMN_NAMES,
    Cells,
    Rows,
    Terms,
    WrongHeader,
    WrongRow,
    columns_of,
    entry_of,
    known_names,
    read_header,
)
from bot.matching.records import Entry
from bot.storage.catalogue import Kept, current_import, read_catalogue, replace_catalogue

LOG = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""Seconds between two looks for a newer import."""


class CatalogueError(Exception):
    """Why nothing was imported, as `file:row: reason`."""


@dataclass(frozen=True)
class Reading:
    """What a file holds: rows to keep, and a line for each refused one."""

    kept: tuple[Kept, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_file(
    path: Path,
    terms: Terms,
    today: date,
    encoding: str | None = None,
    expect: Callable[[int], None] = lambda _rows: None,
    advance: Callable[[int], None] = lambda _row: None,
) -> Reading:
    """Read and check a whole file; raise CatalogueError where it cannot be read as a catalogue.

    `expect` hears about how many rows there are, `advance` the number of each row that was read.
    """
    columns = columns_of(terms)
    titles = known_names(columns)
    try:
        sheet = read_sheet(path, lambda header: sum(folded(title) in titles for title in header), encoding)
        expect(sheet.expected)
        number, header = next(sheet.rows, (1, ()))
        try:
            rows = Rows(terms, read_header(header, columns), today)
        except WrongHeader as error:
            raise WrongFile(str(error), number) from None
        kept, refused = _read_rows(sheet.rows, rows, path.name, advance)
    except WrongFile as error:
        raise CatalogueError(f"{path.name}:{error.row}: {error}") from None
    if not kept and not refused:
        raise CatalogueError(f"{path.name}:{number}: there is no row below the header")
    return Reading(tuple(kept), tuple(refused), sheet.notes)


def _read_rows(
    found: Iterable[Numbered], rows: Rows, name: str, advance: Callable[[int], None]
) -> tuple[list[Kept], list[str]]:
    kept: list[Kept] = []
    refused: list[str] = []
    for number, row in found:
        try:
            cells = rows.read(number, row)
            kept.append(Kept(number, cells["id"], cells))
        except WrongRow as error:
            refused.append(f"{name}:{number}: {error}")
        advance(number)
    return kept, refused


def keep(session: Session, path: Path, reading: Reading) -> Mapping[str, Any]:
    """Put what was read in the place of the catalogue before, in one transaction; return what was done."""
    made = replace_catalogue(session, path.name, reading.kept, len(reading.refused))
    session.commit()
    return {"import": made.id, "file": made.file, "entries": made.entries, "refused": made.refused}


def as_rows(session: Session) -> list[list[str]]:
    """Return the catalogue in use as an import takes it: the header, then a row for each entry."""
    kept = (kept for _, kept in read_catalogue(session))
    return [list(COLUMN_NAMES), *([entry.document.get(name, "") for name in COLUMN_NAMES] for entry in kept)]


def write_file(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows to a CSV or XLSX file, all of them or nothing."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix.casefold() == ".xlsx":
            write_xlsx(draft, rows)
        else:
            write_csv(draft, rows)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True)
class Provenance:
    """Where an imported entry comes from."""

    file: str
    row: int
    imported_at: float


@dataclass(frozen=True)
class Imported:
    """The entries of one import."""

    number: int
    entries: tuple[Entry, ...] = ()
    provenance: Mapping[str, Provenance] | None = None


class ImportedCatalogue:
    """The catalogue of the database: a newer import is noticed without a restart, about a second after it is there."""

    def __init__(self, engine: Engine, terms: Terms, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine = engine
        self.terms = terms
        self.clock = clock
        self._current = Imported(0)
        self._looked_at: float | None = None
        self._lock = threading.Lock()

    def current(self) -> Imported:
        """Return the import in use; the one before while somebody else is reading a newer one, or none can be read."""
        if self._looked_at is not None and self.clock() - self._looked_at < LOOK_EVERY:
            return self._current
        if self._lock.acquire(blocking=self._looked_at is None):
            try:
                self._look()
            finally:
                self._looked_at = self.clock()
                self._lock.release()
        return self._current

    def _look(self) -> None:
        if not _exists(self.engine):
            return
        try:
            with Session(self.engine) as session:
                newest = current_import(session)
                if newest is not None and newest.id != self._current.number:
                    self._current = _read(session, self.terms)
        except DBAPIError as error:
            LOG.warning("the imported catalogue could not be read: %s", type(error.orig).__name__)


def _exists(engine: Engine) -> bool:
    """Say whether there is a database: looking into a missing SQLite file would make one."""
    file = engine.url.database
    return not engine.url.drivername.startswith("sqlite") or (file is not None and os.path.exists(file))


def _read(session: Session, terms: Terms) -> Imported:
    number = 0
    entries: list[Entry] = []
    provenance: dict[str, Provenance] = {}
    for imported, kept in read_catalogue(session):
        number = imported.id
        if kept.entry_id in terms.taken_ids:
            continue  # it came into knowledge/ after the import
        entries.append(_entry(kept.document, terms))
        provenance[kept.entry_id] = Provenance(imported.file, kept.row, imported.imported_at)
    return Imported(number, tuple(entries), provenance)


def _entry(document: Mapping[str, Any], terms: Terms) -> Entry:
    cells: Cells = dict(document)
    return entry_of(cells, terms, checked=True)
