from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.knowledge.text import VARIETIES, Text, too_long

WORDS: dict[str, Any] = {"fr": "oui", "ary-Arab": "إييه", "ary-Latn": "iyeh"}


def test_a_text_gives_each_variety() -> None:
    text = Text(**WORDS)
    assert [text[variety] for variety in VARIETIES] == ["oui", "إييه", "iyeh"]


@pytest.mark.parametrize("code", ["ar", "ary_arab", "copy"])
def test_another_code_is_a_key_error(code: str) -> None:
    with pytest.raises(KeyError):
        Text(**WORDS)[code]


@pytest.mark.parametrize("variety", VARIETIES)
@pytest.mark.parametrize("value", ["", " \n", None, False, 12])
def test_each_variety_must_be_a_text_that_says_something(variety: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Text(**{**WORDS, variety: value})


@pytest.mark.parametrize("variety", VARIETIES)
def test_no_variety_may_be_missing(variety: str) -> None:
    with pytest.raises(ValidationError):
        Text(**{code: word for code, word in WORDS.items() if code != variety})


def test_a_text_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Text(**WORDS).fr = "non"


def test_a_long_text_is_named_by_variety() -> None:
    assert [loc for loc, _ in too_long(Text(**WORDS), 3, ("title",))] == [
        ("title", "ary-Arab"),
        ("title", "ary-Latn"),
    ]
    assert not list(too_long(Text(**WORDS), 4, ("title",)))
