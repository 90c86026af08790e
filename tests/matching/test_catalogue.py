"""A provider catalogue comes in as a whole or not at all, and goes out as it came in."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.bench.made_catalogue import made_rows
from bot.matching.catalogue import CatalogueError, ImportedCatalogue, Reading, as_rows, keep, read_file, write_file
from bot.matching.catalogue_rows import COLUMN_NAMES, entry_of, terms_of
from bot.matching.service import LocalMatching
from tests.matching.conftest import KNOWLEDGE, load_catalogue

TERMS = terms_of(KNOWLEDGE, load_catalogue(KNOWLEDGE))
TODAY = date(2026, 11, 22)
ROW = {
    "id": "p-1", "kind": "provider", "name": "Société Été", "summary": "Fait des sites.", "category": "web_agency",
    "phone": "0528223344", "as_of": "2026-10", "source_title": "Annuaire", "source_publisher": "Chambre",
}  # fmt: skip


def table(*rows: dict[str, Any]) -> list[list[Any]]:
    header = list(dict.fromkeys(name for row in rows for name in row))
    return [header, *([row.get(name, "") for name in header] for row in rows)]


def csv_file(folder: Path, rows: Sequence[Sequence[Any]], separator: str = ";", encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    return path


def xlsx_file(folder: Path, rows: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    book.save(folder / "list.xlsx")
    return folder / "list.xlsx"


def read(path: Path, **options: Any) -> Reading:
    return read_file(path, TERMS, TODAY, **options)


def refusal(folder: Path, **cells: Any) -> str:
    """Return why a row with these cells is refused, from a workbook."""
    reading = read(xlsx_file(folder, table(ROW | cells)))
    assert not reading.kept
    [line] = reading.refused
    assert line.startswith("list.xlsx:2: ")
    return line.removeprefix("list.xlsx:2: ")


def test_the_example_of_the_documentation_is_taken() -> None:
    reading = read(KNOWLEDGE.parent / "docs" / "catalogue-example.csv")
    assert not reading.refused
    first, second, third = (dict(kept.document) for kept in reading.kept)
    assert first["phone"] == "05 28 00 00 00"
    assert first["provinces"] == "Agadir-Ida-Ou-Tanane; Taroudannt"
    assert (first["languages"], first["sectors"], first["price_mad"]) == ("ary; fr", "crafts; tourism", "3500")
    assert (first["axes"], first["review_by"]) == ("V", "2027-09-30")
    assert "regions" not in second and second["as_of"] == "2026-10"
    assert (third["kind"], third["regions"], third["cost"]) == ("training", "MA-03", "free")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_separators_and_encodings_are_recognised(tmp_path: Path, separator: str, encoding: str) -> None:
    reading = read(
        csv_file(tmp_path, table(ROW | {"summary": "À l'été, des sites; et plus, vraiment"}), separator, encoding)
    )
    assert reading.kept[0].document["summary"] == "À l'été, des sites; et plus, vraiment"
    assert bool(reading.notes) == (encoding == "windows-1252")
    assert all("read as Windows-1252" in note and "Été" in note for note in reading.notes)


def test_arabic_in_an_unknown_encoding_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, table(ROW | {"name": "شركة الرفيق للخدمات", "summary": "تصميم المواقع"}), ",", "windows-1256"
    )
    with pytest.raises(CatalogueError, match=r"list\.csv:2: neither UTF-8 .* --encoding windows-1256"):
        read(path)
    assert read(path, encoding="windows-1256").kept[0].document["name"] == "شركة الرفيق للخدمات"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "list.csv:1: the file is empty"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel file"),
        (b"PK\x03\x04rubbish", "not an Excel workbook"),
        (b"id;name;nmae\np;x;y\n", "column 3: 'nmae' is not known: is name meant?; missing: kind"),
        (b"id;kind;nom;name\n", "column 4: name stands in column 3 already"),
        ("société;r\u00e9gion bidon;\n".encode("latin-1"), "the header is wrong: column 1: 'société' is not known"),
        (b"p-1;provider;x\n", "the header is wrong"),
        (";".join(ROW).encode() + b"\n", "list.csv:1: there is no row below the header"),
        (";".join(ROW).encode() + b'\np-1;provider;"x\np-2;provider;y\n', "list.csv:2: quotation marks"),
        (b"id;kind\n" + "p-1;Été;é\n".encode() * 9 + b"p;\xe9\n", "list.csv:11: UTF-8 that is broken"),
        (";".join(ROW).encode() + b"\np-1;\x00\n", "list.csv:2: not a text file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_for_sure_is_refused_whole(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(CatalogueError) as caught:
        read(path)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"name": ""}, "name: empty"),
        ({"name": "x" * 61}, "name: 61 characters, at most 60 are allowed"),
        ({"summary": "x" * 30_000}, "summary: 30000 characters, at most 2000 are read"),
        ({"name": "SociÃ©tÃ©"}, "name: garbled letters"),
        ({"name": "@SUM(A1)"}, "name: a text cannot begin with @"),
        ({"id": "Deux mots"}, "id: small letters"),
        ({"id": "web-agency"}, "id: 'web-agency' is an entry of knowledge/ already"),
        ({"kind": "shop"}, "kind: 'shop' is not one of platform, provider, tool, training"),
        ({"regions": "MA-13"}, "regions: 'MA-13' is no region of Morocco"),
        ({"regions": "Souss-Massa; Andalousie"}, "regions: 'Andalousie' is no region"),
        ({"provinces": "Séville"}, "provinces: 'Séville' is no province or prefecture of Morocco"),
        ({"sectors": "chaussures"}, "sectors: 'chaussures' is not one of"),
        ({"price_mad": "deux mille"}, "price_mad: 'deux mille': a whole number in digits is needed"),
        ({"price_mad": "1.200"}, "price_mad: '1.200' can be read in two ways"),
        ({"price_mad": -5}, "price_mad: -5 is not between 1 and"),
        ({"price_mad": 500, "cost": "free"}, "price_mad: a price stands with paid only"),
        ({"staff_min": 0}, "staff_min: 0 is not between 1 and"),
        ({"staff_min": 9, "staff_max": 2}, "staff_min is above staff_max"),
        ({"phone": "123"}, None),
        ({"phone": "06 12"}, "phone: '06 12' is no phone number"),
        ({"phone": "2.12613E+11"}, "phone: '2.12613E+11': the spreadsheet shortened the number"),
        ({"phone": ""}, "contact: a phone, an e-mail address, a website or a contact is needed"),
        ({"website": "javascript:alert(1)"}, "website: 'javascript:alert(1)' is no web address"),
        ({"as_of": "2027-01"}, "as_of: 2027-01 is in the future"),
        ({"as_of": "31/02/2026"}, "as_of: there is no such date"),
        ({"review_by": "2025-01-01"}, "review_by: 2025-01-01 is before as_of"),
        ({"rungs": "4"}, "rungs: '4' is not one of 1, 2, 3"),
        ({"topics": "stock"}, "topics: only a training has topics"),
        ({"online": "peut-être"}, "online: 'peut etre': yes or no is needed"),
        ({"staff_max": datetime(2026, 1, 10)}, "staff_max: the spreadsheet made a date"),
        ({"price_mad": "=2*600"}, "price_mad: a formula without a value"),
        ({"name": "#N/A"}, "name: the spreadsheet shows #N/A"),
    ],
)
def test_a_wrong_row_is_refused_with_its_column_and_reason(
    tmp_path: Path, cells: dict[str, Any], reason: str | None
) -> None:
    if reason is None:
        assert read(xlsx_file(tmp_path, table(ROW | cells))).kept
    else:
        assert reason in refusal(tmp_path, **cells)


def test_all_that_is_wrong_with_a_row_is_told_at_once(tmp_path: Path) -> None:
    assert refusal(tmp_path, kind="shop", phone="1", as_of="").count("; ") >= 2


@pytest.mark.parametrize(
    ("cells", "column", "value"),
    [
        ({"as_of": datetime(2026, 3, 4)}, "as_of", "2026-03-04"),
        ({"as_of": 2026}, "as_of", "2026"),
        ({"as_of": "04/03/2026"}, "as_of", "2026-03-04"),
        ({"phone": 612345678}, "phone", "06 12 34 56 78"),
        ({"phone": "+212 (0)6-12 34 56 78 / ٠٥٢٨٢٢٣٣٤٤"}, "phone", "06 12 34 56 78 / 05 28 22 33 44"),
        ({"price_mad": 1200.0}, "price_mad", "1200"),
        ({"price_mad": "1 200,00 DH"}, "price_mad", "1200"),
        ({"price_mad": "١٢٠٠ درهم"}, "price_mad", "1200"),
        ({"regions": "جهة سوس-ماسة, l'Oriental"}, "regions", "MA-09; MA-02"),
        (
            {"sectors": "Artisanat; حانوت، بقال، محل; it; Restaurant, café, snack"},
            "sectors",
            "crafts; grocery; it; restaurant",
        ),
        ({"name": "\u200fشركة\u00a0\nالرفيق "}, "name", "شركة الرفيق"),
        ({"online": True}, "online", "yes"),
        ({"id": 12}, "id", "12"),
    ],
)
def test_what_people_and_spreadsheets_write_is_understood(
    tmp_path: Path, cells: dict[str, Any], column: str, value: str
) -> None:
    reading = read(xlsx_file(tmp_path, table(ROW | cells)))
    assert not reading.refused
    assert reading.kept[0].document[column] == value


def test_row_numbers_are_those_a_spreadsheet_shows_and_empty_rows_count(tmp_path: Path) -> None:
    rows = [*table(ROW), [], [""] * 9, [*table(ROW)[1]]]
    for path in (csv_file(tmp_path, rows), xlsx_file(tmp_path, rows)):
        reading = read(path)
        assert [kept.row for kept in reading.kept] == [2]
        assert reading.refused == (f"{path.name}:5: id: 'p-1' stands in row 2 already",)


def test_merged_cells_are_refused_where_they_hold_something(tmp_path: Path) -> None:
    path = xlsx_file(tmp_path, table(ROW, ROW | {"id": "p-2"}, ROW | {"id": "p-3"}))
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("C2:C3")
    book.active.merge_cells("A6:D8")
    book.save(path)
    reading = read(path)
    assert [kept.entry_id for kept in reading.kept] == ["p-3"]
    assert all("merged cells C2:C3" in line for line in reading.refused)


def test_a_formula_counts_with_the_value_the_spreadsheet_kept(tmp_path: Path) -> None:
    import zipfile

    path = xlsx_file(tmp_path, table(ROW | {"price_mad": "=2*600"}))
    with zipfile.ZipFile(path) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = (
        members[sheet]
        .replace(b"<f>2*600</f><v></v>", b"<f>2*600</f><v>1200</v>")
        .replace(b"<f>2*600</f><v />", b"<f>2*600</f><v>1200</v>")
    )
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    assert read(path).kept[0].document["price_mad"] == "1200"


# No CSV file can hold NUL: Python 3.10's writer refuses it.
WRITABLE = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 150), suffix=st.sampled_from([".csv", ".xlsx"]), name=WRITABLE)
def test_what_is_written_is_read_back_as_it_was(tmp_path: Path, start: int, suffix: str, name: str) -> None:
    rows = [cells | {"name_latn": name} for cells in list(made_rows(160))[start : start + 10]]
    first = read(csv_file(tmp_path, table(*rows)))
    assume(first.kept)
    out = tmp_path / f"out{suffix}"
    write_file(out, [COLUMN_NAMES, *([kept.document.get(c, "") for c in COLUMN_NAMES] for kept in first.kept)])
    again = read(out)
    assert not again.refused
    assert [kept.document for kept in again.kept] == [kept.document for kept in first.kept]


def test_an_entry_read_without_checking_is_the_checked_one() -> None:
    for cells in read(KNOWLEDGE.parent / "docs" / "catalogue-example.csv").kept:
        assert entry_of(cells.document, TERMS, checked=True) == entry_of(cells.document, TERMS)


def tools(service: LocalMatching) -> list[str]:
    found = service.match({"need": {"provider_category": "web_agency"}, "limit": 50})
    return [entry["id"] for entry in found["provider"]]


def test_a_running_service_takes_a_new_import_within_a_second_and_keeps_it_without_a_database(
    tmp_path: Path, engine: Any, sessions: Any
) -> None:
    now = [0.0]
    service = LocalMatching((), ImportedCatalogue(engine, TERMS, lambda: now[0]))
    assert tools(service) == []
    for number, ids in enumerate((["p-1", "p-2"], ["p-3"]), 1):
        path = csv_file(tmp_path, table(*(ROW | {"id": name} for name in ids)))
        with sessions() as session:
            done = keep(session, path, read(path))
            assert (done["entries"], done["refused"]) == (len(ids), 0)
        now[0] = number * 1.5
        assert tools(service) == ids
    [entry] = service.match({"need": {"axis": "V"}})["provider"]
    assert (entry["imported"]["file"], entry["imported"]["row"], entry["review_by"]) == ("list.csv", 2, "2027-10-28")
    assert entry["contact"]["ary-Arab"] == "05 28 22 33 44"
    assert entry["summary"]["ary-Arab"] == TERMS.categories["web_agency"].name["ary-Arab"]
    with sessions() as session:
        assert [row[0] for row in as_rows(session)] == ["id", "p-3"]
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE catalogue_entries")
        connection.exec_driver_sql("DROP TABLE catalogue_imports")
    now[0] = 9.0
    assert tools(service) == ["p-3"]
