"""A second reader of the sources expects the same verdicts, deciding rules and amounts."""

import json
from pathlib import Path

import pytest

from bot.funding.service import make_funding
from bot.settings import ROOT

PROFILES = [
    json.loads(line) for line in (Path(__file__).parent / "profiles/agreed.jsonl").read_text("utf-8").splitlines()
]
FUNDING = make_funding("", ROOT / "knowledge")


@pytest.mark.parametrize("firm", PROFILES, ids=[firm["name"] for firm in PROFILES])
def test_a_firm_gets_the_verdicts_of_a_second_reader(firm):
    verdicts = {row["id"]: row for row in FUNDING.check(firm["profile"], list(firm["expect"]))["programmes"]}
    for programme, expected in firm["expect"].items():
        got = verdicts[programme]
        assert got["verdict"] == expected["verdict"], programme
        if "field" in expected:
            assert got["deciding"]["field"] == expected["field"], programme
        for amount in ("estimate_mad", "estimate_max_mad"):
            if amount in expected:
                assert got[amount] == expected[amount], programme
        assert set(expected.get("missing", ())) <= set(got["missing"]), programme
