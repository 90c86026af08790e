from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge import KnowledgeError, KnowledgeErrors, Record, Text, read


class Shop(Record):
    name: str
    staff: int
    title: Text


class Book(Record):
    shops: tuple[Shop, ...]
    prices: dict[str, int] | None = None


GOOD = """\
shops:
  - name: Hanout
    staff: 2
    title: {fr: Épicerie, ary-Arab: حانوت, ary-Latn: 7anout}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.yml"


def errors(path: Path, content: str | bytes, model: type = Book) -> list[tuple[int, str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(KnowledgeErrors) as caught:
        read(path, model)
    assert all(error.path == str(path) for error in caught.value.errors)
    return [(error.line, error.reason) for error in caught.value.errors]


def test_a_good_file_becomes_a_record(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    book = read(path, Book)
    assert book.shops[0].staff == 2
    assert book.shops[0].title["ary-Arab"] == "حانوت"


def test_a_list_at_the_root_is_read_as_records(path: Path) -> None:
    path.write_text("- {name: a, staff: 1, title: {fr: a, ary-Arab: b, ary-Latn: c}}\n", encoding="utf-8")
    assert [shop.name for shop in read(path, list[Shop])] == ["a"]


def test_a_problem_in_a_list_at_the_root_has_its_line(path: Path) -> None:
    content = "- name: a\n  staff: many\n  title: {fr: a, ary-Arab: b, ary-Latn: c}\n"
    assert errors(path, content, list[Shop]) == [(2, "0.staff: value is not a valid integer")]


def test_a_wrong_value_is_told_with_its_line(path: Path) -> None:
    assert errors(path, GOOD.replace("staff: 2", "staff: two")) == [(3, "shops.0.staff: value is not a valid integer")]


def test_a_missing_field_is_told_with_the_line_of_its_record(path: Path) -> None:
    assert errors(path, GOOD.replace("    staff: 2\n", "")) == [(2, "shops.0.staff: field required")]


def test_a_missing_variety_is_told_with_the_line_of_its_text(path: Path) -> None:
    content = """\
shops:
  - name: Hanout
    staff: 2
    title:
      fr: Épicerie
      ary-Arab: حانوت
"""
    assert errors(path, content) == [(4, "shops.0.title.ary-Latn: field required")]


def test_an_unknown_field_is_told_with_its_own_line(path: Path) -> None:
    assert errors(path, GOOD + "    colour: red\n") == [(5, "shops.0.colour: extra fields not permitted")]


def test_all_problems_of_a_file_are_told_at_once_in_the_order_of_lines(path: Path) -> None:
    content = GOOD.replace("staff: 2", "staff: two") + "prices:\n  bread: dear\nother: 1\n"
    assert [line for line, _ in errors(path, content)] == [3, 6, 7]


def test_bad_syntax_is_told_with_its_line(path: Path) -> None:
    [(line, reason)] = errors(path, "shops:\n  - name: 'Hanout\n    staff: 2\n")
    assert line == 4
    assert reason == "found unexpected end of stream (while scanning a quoted scalar from line 2)"


def test_a_key_given_twice_is_refused(path: Path) -> None:
    assert errors(path, GOOD + "    staff: 3\n") == [(5, "the key 'staff' is given twice")]


def test_an_alias_is_refused(path: Path) -> None:
    [(line, reason)] = errors(path, "shops: &all []\nprices: *all\n")
    assert line == 2
    assert "aliases are not allowed" in reason


def test_an_alias_that_holds_itself_is_refused(path: Path) -> None:
    [(_, reason)] = errors(path, "shops: &all\n  - *all\n")
    assert "aliases are not allowed" in reason


@pytest.mark.parametrize("value", ["!!python/object/apply:os.getcwd []", "!!set {a}", "!!python/name:os.x"])
def test_a_tag_is_refused(path: Path, value: str) -> None:
    [(line, _)] = errors(path, f"prices: {{}}\nshops: {value}\n")
    assert line == 2


def test_an_impossible_date_is_told_with_its_line(path: Path) -> None:
    [(line, reason)] = errors(path, "prices:\n  bread: 2026-13-01\nshops: []\n")
    assert line == 2
    assert "month" in reason


def test_a_list_as_key_is_refused(path: Path) -> None:
    assert errors(path, "shops: []\n[a, b]: 1\n") == [(2, "a key must be a plain word")]


@pytest.mark.parametrize("content", ["", "# only a comment\n"])
def test_an_empty_file_is_refused(path: Path, content: str) -> None:
    assert errors(path, content) == [(1, "the file is empty")]


def test_a_file_that_is_not_utf8_is_told_with_the_line(path: Path) -> None:
    assert errors(path, "shops: []\n# Épicerie\n".encode("latin-1")) == [(2, "not UTF-8 text")]


def test_a_control_character_is_told_with_the_line(path: Path) -> None:
    [(line, _)] = errors(path, "shops: []\n# é\nname: \x00\n")
    assert line == 3


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(KnowledgeErrors, match=r"book.yml:1: cannot be read"):
        read(path, Book)


def test_an_error_reads_path_line_reason() -> None:
    assert str(KnowledgeError("knowledge/x.yml", 7, "too long")) == "knowledge/x.yml:7: too long"


def test_several_errors_read_one_a_line() -> None:
    both = KnowledgeErrors([KnowledgeError("x.yml", 9, "b"), KnowledgeError("x.yml", 2, "a")])
    assert str(both) == "x.yml:2: a\nx.yml:9: b"
