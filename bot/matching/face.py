"""The matching service over HTTP: POST /api/matching, as services.md has it. The gateway mounts these routes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.knowledge.firm import Firm, WrongFields
from bot.matching.request import LIMIT, Need
from bot.matching.service import MatchingService
from bot.problem_details import NotJson, problem, read_json
from bot.service import ServiceUnavailable

PATH = "/api/matching"


class MatchRequest(BaseModel):
    """A firm, its need, and how many entries of each kind to return at most (1 to 50)."""

    profile: Firm | None = None
    need: Need | None = None
    limit: int | None = LIMIT


class Ranked(BaseModel):
    """An entry that fits, with the reasons that gave it its score; texts in fr, ary-Arab and ary-Latn."""

    id: str
    score: int
    reasons: list[dict[str, Any]]
    name: dict[str, str]
    summary: dict[str, str]
    contact: dict[str, str]
    category: str | None
    cost: dict[str, Any]
    status: str
    as_of: str | None
    sources: list[str]
    confidence: Literal["high", "medium"] | None
    review_by: str
    imported: dict[str, Any] | None


class MatchAnswer(BaseModel):
    """The ranked entries of each kind, the best first; the same request gives the same order."""

    training: list[Ranked]
    tool: list[Ranked]
    provider: list[Ranked]
    platform: list[Ranked]


REQUEST, ANSWER = MatchRequest, MatchAnswer
SUMMARY = "Rank trainings, tools, providers and platforms for a firm and a need"


def routes(service: MatchingService) -> list[Route]:
    """Return the route of the service."""

    async def match(request: Request) -> Response:
        try:
            return JSONResponse(await run_in_threadpool(service.match, await read_json(request)))
        except NotJson as error:
            return problem(400, str(error))
        except WrongFields as error:
            return problem(422, "the request is not valid", error.reasons)
        except ServiceUnavailable:
            return problem(503, "the service behind this one does not answer")

    return [Route(PATH, match, methods=["POST"])]
