"""A firm's profile as the matching and funding services take it (services.md, "A firm's profile")."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from pydantic import BaseModel, StrictBool, StrictInt, StrictStr, ValidationError, root_validator, validator
from pydantic.fields import ModelField

LegalForm = Literal["informal", "auto_entrepreneur", "individual", "company", "cooperative", "association"]
Sector = Literal[
    "grocery", "wholesale", "ecommerce", "crafts", "agriculture", "food_processing", "fishing", "tourism",
    "restaurant", "construction", "textile_leather", "industry", "transport", "repair_services", "beauty",
    "health", "education", "professional_services", "it", "culture", "real_estate_development",
    "financial_services", "other",
]  # fmt: skip
Region = Literal[
    "MA-01", "MA-02", "MA-03", "MA-04", "MA-05", "MA-06", "MA-07", "MA-08", "MA-09", "MA-10", "MA-11", "MA-12",
]  # fmt: skip
ProjectKind = Literal[
    "investment", "working_capital", "advice", "training", "creation", "digital", "green", "equity",
]  # fmt: skip
Gender = Literal["f", "m"]


MOST_MAD = 10**12
"""More money than any firm has: nearly what the country makes in a year."""
MOST = {
    "staff": 1_000_000,
    "firm_age_years": 1_000,
    "owner_age": 130,
    "stable_jobs": 1_000_000,
    **dict.fromkeys(("turnover_mad", "amount_mad", "own_funds_mad"), MOST_MAD),
}
"""Numbers that no firm passes, by field: what is above was misread or mistyped."""


class WrongFields(ValueError):
    """What was sent is not valid; `reasons` names each wrong field and says why, without its value."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons))


class Exact(Fraction):
    """A number kept exactly as it is written: 0.1 is one tenth. Strings, booleans and infinities are refused."""

    @classmethod
    def __get_validators__(cls) -> Iterator[Callable[[Any], Fraction]]:
        yield cls.read

    @classmethod
    def __modify_schema__(cls, field_schema: dict[str, Any]) -> None:
        field_schema.update(type="number", minimum=0)

    @classmethod
    def read(cls, value: Any) -> Fraction:
        """Return the number; raise ValueError."""
        if isinstance(value, Fraction):
            return value
        if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not math.isfinite(value):
            raise ValueError("a number is needed")
        return Fraction(str(value))


class _Known(BaseModel):
    """Immutable; a field that is absent or null is not known yet; other fields are left aside."""

    class Config:
        frozen = True
        extra = "ignore"

    @validator("*")
    def _not_negative(cls, value: Any) -> Any:
        if isinstance(value, (int, Fraction)) and value < 0:
            raise ValueError("a negative number is not possible")
        return value

    @validator("*")
    def _not_absurd(cls, value: Any, field: ModelField) -> Any:
        most = MOST.get(field.name)
        if most is not None and isinstance(value, (int, Fraction)) and value > most:
            raise ValueError(f"more than {most} is not possible")
        return value


class Bracket(_Known):
    """At least `min`, below `max`, in MAD; without `max` there is no upper end."""

    min: Exact | None = None
    max: Exact | None = None

    @root_validator(skip_on_failure=True)
    def _not_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values["max"] is not None and values["max"] <= (values["min"] or 0):
            raise ValueError("max must be above min")
        return values


class Project(_Known):
    """What the owner wants to do, and with what money."""

    kind: ProjectKind | None = None
    amount_mad: Exact | None = None
    own_funds_mad: Exact | None = None
    stable_jobs: Exact | None = None


class Firm(_Known):
    """A firm, as far as it is known."""

    legal_form: LegalForm | None = None
    sector: Sector | None = None
    region: Region | None = None
    province: StrictStr | None = None
    rural: StrictBool | None = None
    staff: StrictInt | None = None
    turnover_mad: Exact | Bracket | None = None
    firm_age_years: Exact | Bracket | None = None
    owner_gender: Gender | None = None
    owner_age: StrictInt | Bracket | None = None
    moroccan_private: StrictBool | None = None
    owned_by_large_firm: StrictBool | None = None
    public_majority: StrictBool | None = None
    innovative_startup: StrictBool | None = None
    exports: StrictBool | None = None
    exports_to_africa: StrictBool | None = None
    farm_modernisation: StrictBool | None = None
    deep_sea_fishing: StrictBool | None = None
    project: Project = Project()

    @validator("staff")
    def _owner_included(cls, value: int | None) -> int | None:
        if value == 0:
            raise ValueError("at least 1, the owner included")
        return value

    @validator("project", pre=True)
    def _no_project(cls, value: Any) -> Any:
        return {} if value is None else value

    @validator("owner_age", pre=True)
    def _age_or_bracket(cls, value: Any) -> Any:
        return Bracket(**value) if isinstance(value, Mapping) else value

    @validator("turnover_mad", "firm_age_years", pre=True)
    def _number_or_bracket(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return Bracket(**value)
        return value if value is None or isinstance(value, Bracket) else Exact.read(value)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Firm:
        """Take a profile as JSON gives it; raise WrongFields."""
        if not isinstance(data, Mapping):
            raise WrongFields(["profile: an object is needed"])
        try:
            return cls(**data)
        except ValidationError as failure:
            raise WrongFields(_reasons(failure)) from None


def _reasons(failure: ValidationError) -> Iterator[str]:
    for error in failure.errors():
        place = ".".join(str(part) for part in error["loc"] if part != "__root__")
        yield f"profile{'.' + place if place else ''}: {error['msg']}"


def for_others(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile as services.md has it: only of the turnover may others expect a bracket."""
    return {
        name: value
        for name, value in profile.items()
        if name in ("turnover_mad", "project") or not isinstance(value, Mapping)
    }
