"""`rafiq check` on domain.yml: every response in each variety, also where a channel has its own wording."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from bot.check import check_domain
from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.text import VARIETIES


def response(text: str, channel: str | None = None, **changed: str) -> list[dict[str, object]]:
    return [
        {"condition": [{"type": "slot", "name": "language", "value": variety}], "text": changed.get(variety, text)}
        | ({"channel": channel} if channel else {})
        for variety in VARIETIES
        if changed.get(variety) != ""
    ]


def reasons(path: Path, variations: list[dict[str, object]]) -> list[str]:
    domain = path / "domain.yml"
    domain.write_text(yaml.safe_dump({"responses": {"utter_x": variations}}, allow_unicode=True), "utf-8")
    try:
        check_domain(domain)
    except KnowledgeErrors as errors:
        return [error.reason for error in errors.errors]
    return []


def test_a_wording_for_a_channel_may_leave_values_out(tmp_path: Path) -> None:
    assert not reasons(tmp_path, response("{a} et {b}") + response("{a}", "sms"))


@pytest.mark.parametrize(
    ("variations", "reason"),
    [
        (response("a", **{"ary-Latn": ""}), "there is no text in ary-Latn"),
        (response("a") + response("b", "sms", **{"ary-Arab": ""}), "there is no text in ary-Arab on sms"),
        (response("a") + response("{b}", "sms"), "a value in braces is only used on sms: b"),
        (response("{a}") + response("{a}", "sms", fr="x"), "the values in braces differ between fr and"),
        (response("a") + response("x" * 161, "sms", **{"ary-Arab": "س"}), "an SMS of 2 segments in fr, at most 1"),
        (response("a") + response("α ж", "sms"), "not in the GSM 7-bit alphabet in fr"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, variations: list[dict[str, object]], reason: str) -> None:
    assert any(reason in told for told in reasons(tmp_path, variations))
