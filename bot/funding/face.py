"""The funding service over HTTP: POST /api/funding/check, as services.md has it. The gateway mounts these routes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.funding.service import FundingService
from bot.knowledge.firm import Firm, WrongFields
from bot.problem_details import NotJson, problem, read_json
from bot.service import ServiceUnavailable

PATH = "/api/funding/check"
MOST_NAMED = 50


class Deciding(BaseModel):
    """The rule that decides, with the firm's value."""

    field: str
    rule: str
    value: Any = None


class Verdict(BaseModel):
    """What one programme says to this firm; texts in fr, ary-Arab and ary-Latn."""

    id: str
    verdict: Literal["yes", "no", "unknown"]
    deciding: Deciding | None
    failing: list[Deciding]
    missing: list[str]
    undocumented: list[dict[str, Any]]
    benefit: dict[str, Any]
    estimate_mad: int | None
    estimate_max_mad: int | None
    name: dict[str, str | None]
    summary: dict[str, str]
    contact: dict[str, str]
    status: str
    status_text: dict[str, str]
    as_of: str
    to_verify: bool
    to_check: list[Any]
    operator: str
    sources: list[str]
    confidence: str


class NextQuestion(BaseModel):
    """The unknown field that leaves the fewest programmes undecided, and how many it decides at least."""

    field: str
    decides: int


class FundingAnswer(BaseModel):
    """One verdict for each programme."""

    checked_on: str
    programmes: list[Verdict]
    next_question: NextQuestion | None


REQUEST, ANSWER = Firm, FundingAnswer
SUMMARY = "Check a firm against every programme; `named` adds historic programmes by their ids"


def routes(service: FundingService) -> list[Route]:
    """Return the route of the service."""

    async def check(request: Request) -> Response:
        named = request.query_params.getlist("named")
        if len(named) > MOST_NAMED:
            return problem(422, "too many programmes are named")
        try:
            profile = await read_json(request)
            return JSONResponse(await run_in_threadpool(service.check, profile, named))
        except NotJson as error:
            return problem(400, str(error))
        except WrongFields as error:
            return problem(422, "the profile is not valid", error.reasons)
        except ServiceUnavailable:
            return problem(503, "the service behind this one does not answer")

    return [Route(PATH, check, methods=["POST"])]
