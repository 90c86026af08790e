"""Signed addresses: served until they expire, never when forged."""

import pytest

from bot.gateway.links import MediaLinks

LINKS = MediaLinks(b"k" * 32)


def token(path: str) -> str:
    return path.removeprefix("/media/")


def test_a_signed_address_gives_its_media():
    assert LINKS.media_id(token(LINKS.path("abc123"))) == "abc123"


def test_an_address_out_of_date_gives_nothing():
    assert LINKS.media_id(token(LINKS.path("abc123", lifetime_seconds=-5))) is None


def test_a_later_date_needs_another_signature():
    media, expires, signature = token(LINKS.path("abc123")).split("-")
    assert LINKS.media_id(f"{media}-{int(expires) + 60}-{signature}") is None


def test_another_media_needs_another_signature():
    _, expires, signature = token(LINKS.path("abc123")).split("-")
    assert LINKS.media_id(f"other-{expires}-{signature}") is None


def test_another_key_signs_differently():
    assert MediaLinks(b"x" * 32).media_id(token(LINKS.path("abc123"))) is None


@pytest.mark.parametrize("forged", ["", "-", "--", "a-b-c", "a-99999999999-", "a-٣٣-x", "é-1-é", "a" * 5000])
def test_rubbish_gives_nothing(forged):
    assert LINKS.media_id(forged) is None
