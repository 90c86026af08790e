"""One cell of a catalogue: from what people and spreadsheets write to its normal form, or the reason against it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Mapping
from datetime import date, datetime
from typing import Any

from bot.knowledge.places import folded, places

Reader = Callable[[Any], str]
"""Takes a cell as a file has it; returns its normal form, "" for nothing; raises WrongCell."""

LONGEST_CELL = 2_000
HIGHEST_PRICE = 10**8
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_SPACES = re.compile(r"[\s\u00a0\u202f\u200b]+")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\u00ad]")
"""Marks that steer the direction of a text, and others that nobody sees."""
_ARABIC_SHAPES = re.compile("[\ufb50-\ufdff\ufe70-\ufefc]")
_GARBLED = re.compile("[\u00c3\u00c2][\u0080-\u00bf]|[\u00d8\u00d9][\u0080-\u00bf]|\ufffd")
_YES = {"yes", "y", "true", "1", "x", "oui", "o", "vrai", "نعم", "اه"}
_NO = {"no", "n", "false", "0", "non", "faux", "لا"}
_EVERYWHERE = {"all", "toutes", "tout le maroc", "maroc", "national", "partout", "كل الجهات", "المغرب"}


class WrongCell(ValueError):
    """Why a cell cannot be taken."""


class Broken:
    """A cell that a spreadsheet could not give a value for."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def plain(cell: Any) -> str:
    """Return the text of a cell on one line, without invisible marks; raise WrongCell for what is no text."""
    if isinstance(cell, Broken):
        raise WrongCell(cell.reason)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (int, float)):
        return str(int(cell)) if float(cell).is_integer() else repr(cell)
    if not isinstance(cell, str):
        raise WrongCell("the spreadsheet made a date or a time of it: format the cell as text and write it again")
    if len(cell) > LONGEST_CELL:
        raise WrongCell(f"{len(cell)} characters, at most {LONGEST_CELL} are read")
    text = _SPACES.sub(" ", _MARKS.sub("", cell)).strip()
    text = unicodedata.normalize("NFKC" if _ARABIC_SHAPES.search(text) else "NFC", text)
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in text):
        raise WrongCell("a character that cannot be shown")
    if _GARBLED.search(text):
        raise WrongCell("garbled letters: the file was saved or opened in a wrong encoding")
    return text


def text(longest: int) -> Reader:
    """Return a reader of words."""

    def read(cell: Any) -> str:
        words = plain(cell)
        if len(words) > longest:
            raise WrongCell(f"{len(words)} characters, at most {longest} are allowed")
        if words.startswith(("=", "@", "+", "-", "|")):
            raise WrongCell(f"a text cannot begin with {words[0]}: a spreadsheet would take it for a formula")
        return words

    return read


def slug(cell: Any) -> str:
    """Read an id: small letters, digits and hyphens."""
    name = plain(cell).casefold()
    if name and (len(name) > 80 or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)):
        raise WrongCell("small letters, digits and single hyphens are needed, 80 at most")
    return name


def code(known: Mapping[str, str]) -> Reader:
    """Return a reader of one code, or of a name for it."""

    def read(cell: Any) -> str:
        given = plain(cell)
        return _known(known, given) if given else ""

    return read


def codes(known: Mapping[str, str]) -> Reader:
    """Return a reader of a list of codes, or of names for them."""

    def read(cell: Any) -> str:
        return _list(_known(known, part) for part in _parts(cell, known))

    return read


def _known(known: Mapping[str, str], given: str) -> str:
    found = known.get(folded(given))
    if found is None:
        some = sorted(set(known.values()))
        raise WrongCell(f"{_quoted(given)} is not one of {', '.join(some)}")
    return found


def regions(cell: Any) -> str:
    """Read regions, by code or official name; "tout le Maroc" is no limit."""
    given = list(_parts(cell))
    if [folded(part) for part in given] and all(folded(part) in _EVERYWHERE for part in given):
        return ""
    return _list(_region(part) for part in given)


def _region(given: str) -> str:
    found = places().region(given)
    if found is None:
        raise WrongCell(f"{_quoted(given)} is no region of Morocco: a code from MA-01 to MA-12 or its official name")
    return found


def provinces(cell: Any) -> str:
    """Read provinces by their official names, French or Arabic."""
    return _list(_province(part) for part in _parts(cell))


def _province(given: str) -> str:
    found = places().province(given)
    if found is None:
        raise WrongCell(f"{_quoted(given)} is no province or prefecture of Morocco: write its official name")
    return found.name


def flag(cell: Any) -> str:
    """Read yes or no; nothing is no."""
    given = folded(plain(cell))
    if given in _YES:
        return "yes"
    if given and given not in _NO:
        raise WrongCell(f"{_quoted(given)}: yes or no is needed")
    return ""


def number(least: int, most: int) -> Reader:
    """Return a reader of whole numbers as they are written here: 12 000, 12000, 12 000,00 DH."""

    def read(cell: Any) -> str:
        given = plain(cell).translate(_DIGITS)
        if not given:
            return ""
        bare = re.sub(r"\s*(dhs?|mad|dirhams?|درهم)\.?$", "", given, flags=re.IGNORECASE).replace(" ", "")
        if re.fullmatch(r"-?\d{1,3}[.,]\d{3}", bare):
            raise WrongCell(f"{_quoted(given)} can be read in two ways: write it without dots and commas")
        found = re.fullmatch(r"(-?\d+)([.,]0{1,2})?", bare)
        if found is None:
            raise WrongCell(f"{_quoted(given)}: a whole number in digits is needed")
        value = int(found[1])
        if not least <= value <= most:
            raise WrongCell(f"{value} is not between {least} and {most}")
        return str(value)

    return read


def day(cell: Any) -> str:
    """Read a day: an Excel date, 2026-11-22, or 22/11/2026 (the day first)."""
    found = since(cell)
    if found and len(found) != 10:
        raise WrongCell(f"{_quoted(found)}: a whole date is needed, such as 2026-11-22")
    return found


def since(cell: Any) -> str:
    """Read a date as far as it is known: 2026, 2026-11, 11/2026, or a day."""
    if isinstance(cell, (datetime, date)):
        return _real(cell.year, cell.month, cell.day)
    given = plain(cell).translate(_DIGITS)
    if not given:
        return ""
    if found := re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T]00:00(?::00)?)?)?)?", given):
        return _real(*(int(part) for part in found.groups() if part))
    if found := re.fullmatch(r"(?:(\d{1,2})[/.-])?(\d{1,2})[/.-](\d{4})", given):
        return _real(*(int(part) for part in reversed(found.groups()) if part))
    raise WrongCell(f"{_quoted(given)}: a date is needed, such as 2026-11-22 or 22/11/2026")


def _real(year: int, month: int = 0, in_month: int = 0) -> str:
    try:
        date(year, month or 1, in_month or 1)
    except ValueError:
        raise WrongCell("there is no such date") from None
    if not 1990 <= year <= 2100:
        raise WrongCell(f"the year {year} cannot be right")
    return "-".join([f"{year:04}", *(f"{part:02}" for part in (month, in_month) if part)])


def phones(cell: Any) -> str:
    """Read phone numbers, several with / or ; between them; Moroccan ones as 05 28 22 33 44."""
    return " / ".join(dict.fromkeys(_phone(part) for part in re.split("[/;|]", plain(cell)) if part.strip()))


def _phone(given: str) -> str:
    if re.search(r"\d[eE]\+?\d", given):
        raise WrongCell(f"{_quoted(given)}: the spreadsheet shortened the number: format the cell as text")
    bare = re.sub(r"[\s().\-\u2010-\u2015]", "", given.translate(_DIGITS))
    bare = re.sub(r"^(00|\+)2120?|^212(?=[5-8]\d{8}$)", "0", bare)
    if re.fullmatch(r"[5-8]\d{8}", bare):  # a spreadsheet drops the zero
        bare = "0" + bare
    if re.fullmatch(r"0[5-8]\d{8}", bare):
        return " ".join(bare[start : start + 2] for start in range(0, 10, 2))
    if re.fullmatch(r"\+[1-9]\d{7,14}", bare) or re.fullmatch(r"[1-9]\d{2,3}", bare):
        return bare
    raise WrongCell(f"{_quoted(given)} is no phone number: ten digits from 05 to 08, or + and the country")


def email(cell: Any) -> str:
    """Read an e-mail address."""
    given = plain(cell).removeprefix("mailto:")
    if given and not re.fullmatch(r"[\w.+'-]+@[\w-]+(\.[\w-]+)*\.[a-zA-Z]{2,}", given, re.ASCII):
        raise WrongCell(f"{_quoted(given)} is no e-mail address")
    return given


def website(cell: Any) -> str:
    """Read an address on the web, with or without https."""
    given = plain(cell)
    if given and not re.fullmatch(r"(https?://)?[\w-]+(\.[\w-]+)*\.[a-zA-Z]{2,}(:\d+)?(/[^\s<>\"]*)?", given):
        raise WrongCell(f"{_quoted(given)} is no web address")
    return given


def _parts(cell: Any, known: Container[str] = ()) -> list[str]:
    """Return the parts of a list; a comma parts what is no known name as a whole ("Épicerie, magasin")."""
    groups = [group.strip() for group in re.split("[;|؛]", plain(cell))]
    parts = (part for group in groups for part in ([group] if folded(group) in known else re.split("[,،]", group)))
    return [part.strip() for part in parts if part.strip()]


def _list(parts: Any) -> str:
    return "; ".join(dict.fromkeys(parts))


def _quoted(given: str) -> str:
    return repr(given if len(given) <= 40 else given[:40] + "…")
