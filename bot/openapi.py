"""The HTTP faces of our services and their description (OpenAPI 3.1), for the gateway to mount."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from pydantic.schema import schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.funding import face as funding
from bot.funding.service import make_funding
from bot.matching import face as matching
from bot.matching.service import make_matching
from bot.settings import Settings

FACES: tuple[ModuleType, ...] = (funding, matching)
_REF = "#/components/schemas/"
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "required": ["type", "title", "status", "reasons"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "reasons": {"type": "array", "items": {"type": "string"}},
    },
}
REFUSALS = {
    "400": "the body is not JSON",
    "413": "the body is too large",
    "422": "a field is wrong; reasons name it",
    "503": "a service behind this one does not answer",
}


def service_routes(settings: Settings) -> list[Route]:
    """Return the routes of both services and of their description; raise KnowledgeErrors for a broken file."""
    described = description(settings.address)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(described)

    return [
        *funding.routes(make_funding(settings.funding_url, settings.knowledge_dir)),
        *matching.routes(make_matching(settings.matching_url, settings.knowledge_dir, settings.database)),
        Route("/api/openapi.json", openapi),
    ]


def description(address: str) -> dict[str, Any]:
    """Return the OpenAPI document."""
    models = [model for face in FACES for model in (face.REQUEST, face.ANSWER)]
    schemas = schema(models, ref_prefix=_REF)["definitions"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Rafiq: matching and funding",
            "version": "1",
            "description": "A field that is absent or null is not known yet, never no. Amounts are dirhams (MAD).",
        },
        "servers": [{"url": address}],
        "paths": {face.PATH: {"post": _operation(face)} for face in FACES},
        "components": {"schemas": schemas | {"Problem": PROBLEM}},
    }


def _operation(face: ModuleType) -> dict[str, Any]:
    responses = {"200": {"description": "the answer", "content": _content(face.ANSWER.__name__)}}
    responses |= {
        status: {"description": text, "content": _content("Problem", "application/problem+json")}
        for status, text in REFUSALS.items()
    }
    operation = {
        "summary": face.SUMMARY,
        "requestBody": {"required": True, "content": _content(face.REQUEST.__name__)},
        "responses": responses,
    }
    if face is funding:
        many = {"type": "array", "items": {"type": "string"}, "maxItems": funding.MOST_NAMED}
        operation["parameters"] = [{"name": "named", "in": "query", "schema": many}]
    return operation


def _content(name: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _REF + name}}}
