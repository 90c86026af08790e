from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.matching.remote import RemoteMatching
from bot.matching.service import LocalMatching, make_matching
from bot.service import ServiceUnavailable
from tests.fake_service import FakeService, serving
from tests.matching.conftest import KNOWLEDGE

REQUEST = {"profile": {"sector": "grocery"}, "need": {"axis": "G"}, "limit": 3}


@pytest.fixture
def fake() -> Iterator[FakeService]:
    with serving() as running:
        yield running


def test_the_answer_of_the_service_is_returned(fake: FakeService, real: LocalMatching) -> None:
    fake.answers = [(200, real.match(REQUEST))]
    assert make_matching(fake.url, KNOWLEDGE).match(REQUEST) == real.match(REQUEST)
    assert fake.asked == [("/api/matching", [], REQUEST)]


def test_an_error_of_the_server_is_tried_once_more(fake: FakeService, real: LocalMatching) -> None:
    fake.answers = [(500, "oops"), (200, real.match(REQUEST))]
    assert RemoteMatching(fake.url).match(REQUEST) == real.match(REQUEST)


def test_a_service_that_never_answers_is_given_up(fake: FakeService) -> None:
    fake.answers = [(0, "")]
    with pytest.raises(ServiceUnavailable, match="no answer in time"):
        RemoteMatching(fake.url, limit=0.3).match(REQUEST)


def test_a_kind_that_is_left_out_is_empty(fake: FakeService) -> None:
    fake.answers = [(200, {"training": []})]
    assert RemoteMatching(fake.url).match(REQUEST) == {"training": [], "tool": [], "provider": [], "platform": []}


@pytest.mark.parametrize(
    "garbage", ["<html>", "[]", "null", {}, {"tool": 3}, {"tool": [3]}, {"tool": [{"id": "a", "score": 3}]}]
)
def test_an_answer_that_cannot_be_used_is_refused(fake: FakeService, garbage: Any) -> None:
    fake.answers = [(200, garbage)]
    with pytest.raises(ServiceUnavailable, match="the answer"):
        RemoteMatching(fake.url).match(REQUEST)


def test_an_entry_without_its_date_is_refused(fake: FakeService, real: LocalMatching) -> None:
    document = real.match(REQUEST)
    del document["training"][0]["as_of"]
    fake.answers = [(200, document)]
    with pytest.raises(ServiceUnavailable, match="as_of"):
        RemoteMatching(fake.url).match(REQUEST)
