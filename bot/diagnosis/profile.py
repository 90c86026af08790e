"""What the diagnosis needs to know of a firm (services.md, "A firm's profile"); None: not known yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import (
    BaseModel,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    root_validator,
    validator,
)

from bot.knowledge.loader import Record

Size = Literal["solo", "s2_9", "s10_49", "s50_plus"]
LegalForm = Literal["informal", "auto_entrepreneur", "individual", "company", "cooperative", "association"]
Sector = Literal[
    "grocery", "wholesale", "ecommerce", "crafts", "agriculture", "food_processing", "fishing", "tourism",
    "restaurant", "construction", "textile_leather", "industry", "transport", "repair_services", "beauty",
    "health", "education", "professional_services", "it", "culture", "real_estate_development",
    "financial_services", "other",
]  # fmt: skip


def size_of(staff: int) -> Size:
    """Give the size class of a firm of `staff` people, the owner included."""
    if staff == 1:
        return "solo"
    if staff < 10:
        return "s2_9"
    return "s10_49" if staff < 50 else "s50_plus"


class Profile(BaseModel):
    """A firm, as far as it is known; every field may be None. `staff`, when known, decides `size`."""

    size: Size | None = None
    staff: StrictInt | None = None
    sector: Sector | None = None
    region: str | None = Field(default=None, regex=r"^MA-(0[1-9]|1[0-2])\Z")
    goal: StrictStr | None = None
    legal_form: LegalForm | None = None
    has_stock: StrictBool | None = None
    takes_appointments: StrictBool | None = None
    sells_remotely: StrictBool | None = None
    pays_nobody: StrictBool | None = None
    keeps_customer_data: StrictBool | None = None

    class Config:
        frozen = True
        extra = "ignore"

    @validator("staff")
    def _owner_included(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError("at least 1, the owner included")
        return value

    @root_validator(skip_on_failure=True)
    def _size_follows_staff(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values["staff"] is not None:
            values["size"] = size_of(values["staff"])
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Profile:
        """Take the profile of services.md, ignoring other fields; raise ValueError naming each bad value."""
        try:
            return cls(**data)
        except ValidationError as failure:
            reasons = [f"profile.{error['loc'][0]}: {error['msg']}" for error in failure.errors()]
            raise ValueError("; ".join(reasons)) from None


class When(Record):
    """For which firms a wording variant holds: every list given must contain the firm's value."""

    size: tuple[Size, ...] | None = None
    sector: tuple[Sector, ...] | None = None
    legal_form: tuple[LegalForm, ...] | None = None

    @root_validator(skip_on_failure=True)
    def _not_empty(cls, values: dict[str, Any]) -> dict[str, Any]:
        given = [value for value in values.values() if value is not None]
        if not given or not all(given):
            raise ValueError("name at least one value of size, sector or legal_form")
        return values

    def matches(self, profile: Profile) -> bool:
        """Say whether the firm is one of those named; what is not known of it does not match."""
        pairs = (
            (self.size, profile.size),
            (self.sector, profile.sector),
            (self.legal_form, profile.legal_form),
        )
        return all(allowed is None or value in allowed for allowed, value in pairs)
