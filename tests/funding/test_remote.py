from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.funding.remote import RemoteFunding
from bot.funding.service import LocalFunding, make_funding
from bot.service import ServiceUnavailable
from tests.fake_service import FakeService, serving
from tests.funding.conftest import KNOWLEDGE

PROFILE = {"legal_form": "company", "turnover_mad": 600000}


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with serving() as running:
        yield running


@pytest.fixture
def document(service: LocalFunding) -> dict[str, Any]:
    return service.check(PROFILE)


def test_the_answer_of_the_service_is_returned(fake: FakeService, document: dict[str, Any]) -> None:
    fake.answers = [(200, document)]
    assert RemoteFunding(fake.url).check(PROFILE, ["rawaj"]) == document
    assert fake.asked == [("/api/funding/check", ["rawaj"], PROFILE)]


def test_the_address_may_be_the_endpoint_itself(fake: FakeService, document: dict[str, Any]) -> None:
    fake.answers = [(200, document)]
    RemoteFunding(f"{fake.url}/api/funding/check").check(PROFILE)
    assert fake.asked[0][0] == "/api/funding/check"


def test_an_error_of_the_server_is_tried_once_more(fake: FakeService, document: dict[str, Any]) -> None:
    fake.answers = [(500, "oops"), (200, document)]
    assert RemoteFunding(fake.url).check(PROFILE) == document
    assert len(fake.asked) == 2


def test_two_errors_of_the_server_are_enough(fake: FakeService) -> None:
    fake.answers = [(503, "oops")]
    with pytest.raises(ServiceUnavailable, match="status 503"):
        RemoteFunding(fake.url).check(PROFILE)
    assert len(fake.asked) == 2


def test_a_refusal_is_not_tried_again(fake: FakeService) -> None:
    fake.answers = [(422, {"error": "no"})]
    with pytest.raises(ServiceUnavailable, match="status 422"):
        RemoteFunding(fake.url).check(PROFILE)
    assert len(fake.asked) == 1


def test_a_service_that_never_answers_is_given_up(fake: FakeService) -> None:
    fake.answers = [(0, "")]
    with pytest.raises(ServiceUnavailable, match="no answer in time"):
        RemoteFunding(fake.url, limit=0.3).check(PROFILE)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServiceUnavailable, match="no connection"):
        RemoteFunding(f"http://127.0.0.1:{port}").check(PROFILE)


@pytest.mark.parametrize(
    "garbage",
    [
        "<html>not JSON</html>", "[" * 50000, "[]", "null", "{}", {"programmes": 3}, {"programmes": [3]},
        {"programmes": [{"id": 7, "verdict": "yes"}]}, {"programmes": [{"id": "forsa"}]},
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_used_is_refused(fake: FakeService, garbage: Any) -> None:
    fake.answers = [(200, garbage)]
    with pytest.raises(ServiceUnavailable, match="the answer"):
        RemoteFunding(fake.url).check(PROFILE)


@pytest.mark.parametrize(
    ("field", "value"), [("verdict", "maybe"), ("benefit", {"kind": "lottery"}), ("name", "Forsa"), ("as_of", 2025)]
)
def test_a_verdict_the_chat_could_not_tell_is_refused(
    fake: FakeService, document: dict[str, Any], field: str, value: Any
) -> None:
    document["programmes"][0][field] = value
    fake.answers = [(200, document)]
    with pytest.raises(ServiceUnavailable, match=f"verdict.*{field}"):
        RemoteFunding(fake.url).check(PROFILE)


def test_words_that_another_house_leaves_out_are_ours(fake: FakeService, document: dict[str, Any]) -> None:
    bare = {"id": "forsa", "verdict": "unknown", "benefit": {"kind": "loan"}}
    strange = {"id": "their-own", "verdict": "yes", "benefit": {"kind": "loan"}}
    fake.answers = [(200, {"programmes": [bare, strange]})]
    [found] = make_funding(fake.url, KNOWLEDGE).check(PROFILE)["programmes"]
    [ours] = [programme for programme in document["programmes"] if programme["id"] == "forsa"]
    assert (found["id"], found["summary"], found["name"]) == ("forsa", ours["summary"], ours["name"])


def test_without_an_address_the_service_is_ours() -> None:
    assert isinstance(make_funding("", KNOWLEDGE), LocalFunding)
    assert isinstance(make_funding("http://127.0.0.1:9", Path(KNOWLEDGE)), RemoteFunding)
