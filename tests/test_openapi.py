"""The HTTP faces of matching and funding answer as they say they do."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, RefResolver
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.openapi import description, service_routes
from bot.settings import Settings

DESCRIPTION = description("https://rafiq.example")
GROCER = {"legal_form": "individual", "sector": "grocery", "region": "MA-03", "staff": 2, "turnover_mad": 600000}
NEED = {"axis": "G", "item": "G1", "rung": 2, "goal": "manage", "language": "ary-Arab", "budget_mad": 0}


@pytest.fixture(scope="module")
def client():
    with TestClient(Starlette(routes=service_routes(Settings()))) as client:
        yield client


def assert_as_described(path, answer):
    described = DESCRIPTION["paths"][path]["post"]["responses"][str(answer.status_code)]
    media_type = answer.headers["content-type"].partition(";")[0]
    schema = described["content"][media_type]["schema"]
    validator = Draft7Validator(schema, resolver=RefResolver("", DESCRIPTION))
    errors = [error.message for error in validator.iter_errors(_without_numbers_of_null(answer.json()))]
    assert not errors, errors[:3]


def _without_numbers_of_null(document):
    """Leave out null fields: pydantic describes an optional field without saying that it may be null."""
    if isinstance(document, dict):
        return {name: _without_numbers_of_null(value) for name, value in document.items() if value is not None}
    if isinstance(document, list):
        return [_without_numbers_of_null(value) for value in document]
    return document


def test_the_description_is_served(client):
    served = client.get("/api/openapi.json").json()
    assert set(served["paths"]) == {"/api/funding/check", "/api/matching"}
    assert served["openapi"].startswith("3.")


def test_a_firm_is_checked_as_on_the_command_line(client):
    answer = client.post("/api/funding/check", json=GROCER)
    assert answer.status_code == 200
    verdicts = {row["id"]: row for row in answer.json()["programmes"]}
    assert verdicts["charte-tpme"]["verdict"] == "no"
    assert verdicts["charte-tpme"]["deciding"]["field"] == "legal_form"


def test_a_historic_programme_is_answered_when_it_is_named(client):
    named = client.post("/api/funding/check", params={"named": "moussanada"}, json={}).json()["programmes"]
    unnamed = client.post("/api/funding/check", json={}).json()["programmes"]
    assert {row["id"] for row in named} - {row["id"] for row in unnamed} == {"moussanada"}


def test_a_need_is_matched(client):
    answer = client.post("/api/matching", json={"profile": GROCER, "need": NEED, "limit": 2})
    assert answer.status_code == 200
    assert 1 <= len(answer.json()["training"]) <= 2
    assert_as_described("/api/matching", answer)


@pytest.mark.parametrize("path", ["/api/funding/check", "/api/matching"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"\xff", 400), (b"[" * 100_000, 400), (b"NaN", 400), (b"[]", 422), (b'"x"', 422), (b"null", 422)],
)
def test_what_cannot_be_read_is_told(client, path, body, status):
    answer = client.post(path, content=body)
    assert answer.status_code == status
    assert_as_described(path, answer)


def test_a_wrong_field_is_named_and_not_repeated(client):
    answer = client.post("/api/funding/check", json={"staff": "many, call 0612345678", "region": "MA-99"})
    assert answer.status_code == 422
    assert {reason.partition(":")[0] for reason in answer.json()["reasons"]} == {"profile.staff", "profile.region"}
    assert "0612345678" not in answer.text


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8),
    st.sampled_from(["grocery", "company", "MA-06", "f", "digital"]), st.just({"min": 1, "max": None}), st.just({}),
)  # fmt: skip
profiles = st.dictionaries(st.sampled_from(sorted(DESCRIPTION["components"]["schemas"]["Firm"]["properties"])), values)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(profiles)
def test_any_profile_is_answered_as_described(client, profile):
    for path, body in (("/api/funding/check", profile), ("/api/matching", {"profile": profile})):
        answer = client.post(path, content=json.dumps(body))
        assert answer.status_code in (200, 422)
        assert_as_described(path, answer)
