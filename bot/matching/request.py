"""What the matching service is asked (services.md, "A match")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, StrictInt, ValidationError, validator

from bot.knowledge.firm import MOST_MAD, Exact, Firm, WrongFields
from bot.knowledge.places import places
from bot.matching.records import Axis, ProviderCategory, TrainingTopic

LIMIT = 3
MOST = 50

Goal = Literal["sell", "collect", "manage", "protect", "learn", "finance"]


class Need(BaseModel):
    """What the owner needs; every field may be absent. `rung` is the one to reach, `language` how the owner writes."""

    axis: Axis | None = None
    item: str | None = Field(default=None, regex=r"^[PCVGEDS][1-3]\Z")
    rung: StrictInt | None = Field(default=None)
    goal: Goal | None = None
    language: Literal["fr", "ary-Arab", "ary-Latn"] | None = None
    budget_mad: Exact | None = None
    training_topic: TrainingTopic | None = None
    provider_category: ProviderCategory | None = None

    class Config:
        frozen = True
        extra = "ignore"

    @validator("rung")
    def _is_rung(cls, value: int | None) -> int | None:
        if value is not None and not 0 <= value <= 3:
            raise ValueError("a rung is a number from 0 to 3")
        return value

    @validator("budget_mad")
    def _is_possible(cls, value: Any) -> Any:
        if value is not None and value < 0:
            raise ValueError("a negative number is not possible")
        if value is not None and value > MOST_MAD:
            raise ValueError(f"more than {MOST_MAD} is not possible")
        return value

    @validator("provider_category", pre=True)
    def _none_is_no_category(cls, value: Any) -> Any:
        return None if value == "none" else value

    @property
    def wanted_axis(self) -> str | None:
        """Return the axis, also where only the item says it."""
        return self.axis or (self.item[0] if self.item else None)

    @property
    def asks(self) -> bool:
        """Say whether the need names anything an entry could serve."""
        return any((self.wanted_axis, self.goal, self.training_topic, self.provider_category))


class Request(BaseModel):
    """A firm, its need, and how many entries of each kind to return at most."""

    firm: Firm
    need: Need = Need()
    limit: StrictInt = LIMIT

    class Config:
        frozen = True

    @validator("limit")
    def _is_short(cls, value: int) -> int:
        if not 1 <= value <= MOST:
            raise ValueError(f"a number from 1 to {MOST}")
        return value

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Request:
        """Take a request as JSON gives it; raise WrongFields."""
        if not isinstance(data, Mapping):
            raise WrongFields(["an object is needed"])
        firm = Firm.from_dict(data.get("profile") or {})
        _refuse_contradictions(firm)
        given = {name: data[name] for name in ("need", "limit") if data.get(name) is not None}
        try:
            return cls(firm=firm, **given)
        except ValidationError as failure:
            raise WrongFields(_reasons(failure)) from None


def _refuse_contradictions(firm: Firm) -> None:
    """Raise WrongFields for a province that lies in another region than the one told."""
    province = places().province(firm.province or "")
    if province is not None and firm.region not in (None, province.region):
        raise WrongFields([f"profile.province: it lies in {province.region}, not in {firm.region}"])


def _reasons(failure: ValidationError) -> Iterator[str]:
    for error in failure.errors():
        yield f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
