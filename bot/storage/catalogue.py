"""The imported catalogue: one import at a time, replaced in one transaction, so that nobody ever reads half of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from bot.storage.models import CatalogueEntry, CatalogueImport

_AT_ONCE = 500


@dataclass(frozen=True)
class Kept:
    """One entry as it is kept: the row of its file, its id, its document."""

    row: int
    entry_id: str
    document: Mapping[str, Any]


def replace_catalogue(session: Session, file: str, entries: Iterable[Kept], refused: int) -> CatalogueImport:
    """Put a catalogue in the place of the one before, in the caller's transaction."""
    made = CatalogueImport(file=file[-200:], entries=0, refused=refused)
    session.add(made)
    session.flush()
    waiting = iter(entries)
    while some := [_columns(made.id, entry) for entry in islice(waiting, _AT_ONCE)]:
        session.execute(insert(CatalogueEntry.__table__), some)
        made.entries += len(some)
    for table, column in ((CatalogueEntry, CatalogueEntry.import_id), (CatalogueImport, CatalogueImport.id)):
        session.execute(delete(table).where(column < made.id).execution_options(synchronize_session=False))
    session.flush()
    return made


def current_import(session: Session) -> CatalogueImport | None:
    """Return the import in use; None when nothing was imported."""
    newest = select(CatalogueImport).order_by(CatalogueImport.id.desc()).limit(1)
    found: CatalogueImport | None = session.execute(newest).scalars().first()
    return found


def read_catalogue(session: Session) -> Iterator[tuple[CatalogueImport, Kept]]:
    """Give each entry in use with its import, in the order of its file; one statement, so of one import only."""
    newest = select(func.max(CatalogueImport.id)).scalar_subquery()
    statement = (
        select(CatalogueImport, CatalogueEntry.row, CatalogueEntry.entry_id, CatalogueEntry.document)
        .join(CatalogueEntry, CatalogueEntry.import_id == CatalogueImport.id)
        .where(CatalogueImport.id == newest)
        .order_by(CatalogueEntry.row)
    )
    return (_kept(found) for found in session.execute(statement))


def _columns(import_id: int, entry: Kept) -> dict[str, Any]:
    return {"import_id": import_id, "row": entry.row, "entry_id": entry.entry_id, "document": dict(entry.document)}


def _kept(found: Row) -> tuple[CatalogueImport, Kept]:
    imported, row, entry_id, document = found
    return imported, Kept(row, entry_id, document)
