from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.diagnosis.profile import Profile, When


@pytest.mark.parametrize(
    ("staff", "size"),
    [(1, "solo"), (2, "s2_9"), (9, "s2_9"), (10, "s10_49"), (49, "s10_49"), (50, "s50_plus")],
)
def test_staff_decides_the_size(staff: int, size: str) -> None:
    assert Profile.from_dict({"staff": staff}).size == size


def test_staff_goes_before_a_size_that_was_tapped() -> None:
    assert Profile.from_dict({"staff": 12, "size": "solo"}).size == "s10_49"


def test_a_size_stands_alone_and_nothing_known_is_none() -> None:
    assert Profile.from_dict({"size": "s2_9"}).staff is None
    assert set(Profile.from_dict({}).dict().values()) == {None}


def test_fields_of_other_services_are_ignored() -> None:
    profile = Profile.from_dict(
        {"sector": "crafts", "region": "MA-05", "turnover_mad": 1, "project": {"kind": "digital"}}
    )
    assert (profile.sector, profile.region) == ("crafts", "MA-05")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("staff", 0), ("staff", True), ("staff", "3"), ("staff", 2.5), ("sector", "pub"), ("region", "MA-13"),
        ("region", "MA-01\n"), ("legal_form", "sarl"), ("has_stock", "no"), ("goal", 3),
    ],
)  # fmt: skip
def test_a_bad_value_is_named(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^profile\.{field}: "):
        Profile.from_dict({field: value})


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        Profile().sector = "crafts"


@pytest.mark.parametrize(
    ("when", "firm", "expected"),
    [
        ({"size": ["solo"]}, {"staff": 1}, True),
        ({"size": ["solo"]}, {"staff": 2}, False),
        ({"size": ["solo"]}, {}, False),
        ({"sector": ["crafts", "it"]}, {"sector": "it"}, True),
        ({"sector": ["crafts"], "legal_form": ["cooperative"]}, {"sector": "crafts"}, False),
        (
            {"sector": ["crafts"], "legal_form": ["cooperative"]},
            {"sector": "crafts", "legal_form": "cooperative"},
            True,
        ),
    ],
)
def test_every_key_of_a_condition_must_match(when: Any, firm: Any, expected: bool) -> None:
    assert When(**when).matches(Profile.from_dict(firm)) is expected


@pytest.mark.parametrize("when", [{}, {"size": []}, {"size": ["tiny"]}, {"region": ["MA-01"]}])
def test_a_condition_must_name_known_values(when: Any) -> None:
    with pytest.raises(ValidationError):
        When(**when)
