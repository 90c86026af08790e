"""CSV and XLSX files as rows of cells, and back. What cannot be read for sure is refused with file, row and reason."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.matching.catalogue_cells import Broken

SEPARATORS = ",;\t"
MOST_ROWS = 200_000
LARGEST_FILE = 200_000_000
"""Bytes, unpacked."""
_OLE = b"\xd0\xcf\x11\xe0"
Numbered = tuple[int, Sequence[Any]]
"""A row of cells with its number in the file, as a spreadsheet shows it."""


class WrongFile(ValueError):
    """Why a file cannot be read: `row` where it is known."""

    def __init__(self, reason: str, row: int = 1) -> None:
        super().__init__(reason)
        self.row = row


@dataclass(frozen=True)
class Sheet:
    """The rows of a file that have something in them, about how many there are, and what the operator should know."""

    rows: Iterator[Numbered]
    expected: int
    notes: tuple[str, ...] = ()


def read_sheet(path: Path, known_titles: Callable[[Sequence[str]], int], encoding: str | None = None) -> Sheet:
    """Open a catalogue by what it holds, not by its name; raise WrongFile.

    `known_titles` counts the titles of a header that mean something: it decides between the separators.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise WrongFile("the file is too large")
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise WrongFile(f"cannot be read: {error.strerror}") from None
    if start.startswith(b"PK"):
        return _read_xlsx(path)
    if start.startswith(_OLE):
        raise WrongFile("an old Excel file (.xls) or one with a password: save it as .xlsx without a password")
    if not start:
        raise WrongFile("the file is empty")
    return _read_csv(path.read_bytes(), known_titles, encoding)


def _read_csv(raw: bytes, known_titles: Callable[[Sequence[str]], int], encoding: str | None) -> Sheet:
    text, note = decoded(raw, encoding)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(
        SEPARATORS, key=lambda mark: (known_titles(next(csv.reader([first], delimiter=mark), [])), first.count(mark))
    )
    if "\x00" in text:
        raise WrongFile("not a text file", text[: text.index("\x00")].count("\n") + 1)
    return Sheet(_csv_rows(text, separator), text.count("\n"), (note,) if note else ())


def _csv_rows(text: str, separator: str) -> Iterator[Numbered]:
    csv.field_size_limit(1_000_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise WrongFile(f"quotation marks or line ends are broken from here on: {error}", number) from None
        if any(cell.strip() for cell in row):
            yield _counted(number), [_unwrapped(cell) for cell in row]


def _counted(number: int) -> int:
    if number > MOST_ROWS:
        raise WrongFile(f"more than {MOST_ROWS} rows", number)
    return number


def _unwrapped(cell: str) -> Any:
    """Return the text that ="0612345678" protects from a spreadsheet; another formula has no value here."""
    if found := re.fullmatch(r'="([^"]*)"', cell):
        return found[1]
    return Broken("a formula: write its value") if cell.startswith("=") else cell


def decoded(raw: bytes, encoding: str | None = None) -> tuple[str, str | None]:
    """Return the text, and a note where its encoding had to be concluded; raise WrongFile where it cannot be."""
    if encoding is not None:
        return _as_told(raw, encoding), None
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return _as_told(raw, name), None
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
    rest, whole = re.subn(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", b"", raw)
    if whole > 2 * len(re.findall(rb"[\x80-\xff]", rest)):
        raise WrongFile("UTF-8 that is broken here: save the file again as CSV UTF-8", row)
    if len(re.findall(rb"[\xc0-\xff]{3}", raw)) > len(re.findall(rb"(?<![\xc0-\xff])[\xc0-\xff](?![\xc0-\xff])", raw)):
        raise WrongFile(
            "neither UTF-8 nor a Western encoding, perhaps Arabic in Windows-1256: "
            "save the file as CSV UTF-8, or give --encoding windows-1256",
            row,
        )
    try:
        text = raw.decode("windows-1252")
    except UnicodeDecodeError:
        raise WrongFile("neither UTF-8 nor Windows-1252: save the file as CSV UTF-8", row) from None
    line = text.split("\n")[row - 1].strip()
    return text, f"not UTF-8, read as Windows-1252 (Latin-1); check the accents of row {row}: {line[:80]}"


def _as_told(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except LookupError:
        raise WrongFile(f"{encoding} is no encoding that is known here") from None
    except UnicodeDecodeError as error:
        raise WrongFile(f"not {encoding} text", raw[: error.start].count(b"\n") + 1) from None


def _read_xlsx(path: Path) -> Sheet:
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > LARGEST_FILE:
                raise WrongFile("the file is too large when unpacked")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions openpyxl leaves aside
            return _first_sheet(path)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, WrongFile):
            raise
        raise WrongFile("not an Excel workbook, or a broken one: save it again as .xlsx") from None


def _first_sheet(path: Path) -> Sheet:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=False)
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not visible:
        raise WrongFile("the workbook has no sheet to read")
    sheet = next((sheet for sheet in visible if sheet.title.casefold() in ("catalogue", "catalog")), visible[0])
    expected = sheet.max_row or 0
    sheet.reset_dimensions()
    others = len(visible) - 1
    notes = (f"the sheet {sheet.title!r} is read, {others} more left aside",) if others else ()
    return Sheet(_xlsx_rows(path, sheet, _merged_rows(path, sheet)), min(expected, MOST_ROWS), notes)


def _xlsx_rows(path: Path, sheet: Any, merged: dict[int, str]) -> Iterator[Numbered]:
    values: Iterator[Sequence[Any]] | None = None
    passed = 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        cells = [cell.value for cell in row]
        if any(cell.data_type == "f" for cell in row):
            if values is None:
                values = _calculated(path, sheet.title)
            for _ in range(passed, number - 1):
                next(values, None)
            passed = number
            calculated = next(values, ())
            cells = [_worked_out(cell, calculated, place) for place, cell in enumerate(row)]
        cells = [
            Broken(f"the spreadsheet shows {cell.value}") if cell.data_type == "e" else value
            for cell, value in zip(row, cells, strict=True)
        ]
        if any(cell is not None and cell != "" for cell in cells):
            if number in merged:
                cells.append(Broken(f"merged cells {merged[number]}: unmerge them and write the value in each row"))
            yield _counted(number), cells


def _calculated(path: Path, title: str) -> Iterator[Sequence[Any]]:
    """Give the rows again with what the spreadsheet last worked out for each formula."""
    from openpyxl import load_workbook

    sheet = load_workbook(path, read_only=True, data_only=True)[title]
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=True)


def _worked_out(cell: Any, calculated: Sequence[Any], place: int) -> Any:
    if cell.data_type != "f":
        return cell.value
    value = calculated[place] if place < len(calculated) else None
    return Broken("a formula without a value: write its value") if value is None else value


def _merged_rows(path: Path, sheet: Any) -> dict[int, str]:
    """Return the rows that share a merged cell with another row, with its range."""
    from openpyxl.utils.cell import range_boundaries

    with zipfile.ZipFile(path) as packed:
        xml = packed.read(sheet._worksheet_path)
    found: dict[int, str] = {}
    for name in re.findall(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z0-9:]+)"', xml):
        _, top, _, bottom = range_boundaries(name.decode())
        if bottom - top <= MOST_ROWS and bottom > top:
            found |= dict.fromkeys(range(top, bottom + 1), name.decode())
    return found


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as Excel reads them without asking: UTF-8 with its mark, semicolons."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)


def write_xlsx(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as texts, so that no spreadsheet makes numbers of phones or dates of codes."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("catalogue")
    sheet.freeze_panes = "A2"
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value or None)
            cell.number_format = "@"
            if value:
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    book.save(path)
