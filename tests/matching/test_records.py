from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from bot.knowledge import KnowledgeErrors
from bot.matching.records import Entry, ProviderCategory, load_catalogue
from tests.matching.conftest import KNOWLEDGE, dated, plain_entry


def written(folder: Path, trainings: list[dict[str, Any]], providers: list[dict[str, Any]]) -> None:
    for name, entries in (("trainings", trainings), ("providers", providers)):
        (folder / f"{name}.yml").write_text(yaml.safe_dump(entries, sort_keys=False), "utf-8")


def training(name: str, **fields: Any) -> dict[str, Any]:
    return plain_entry(name, **{"kind": "training", **fields})


def test_every_category_of_the_cards_has_an_entry() -> None:
    assert {entry.category for entry in load_catalogue(KNOWLEDGE)} >= set(get_args(ProviderCategory))


def test_a_name_stands_with_a_source_and_a_category_without() -> None:
    for entry in load_catalogue(KNOWLEDGE):
        assert entry.sources or entry.category, entry.id
        assert bool(entry.sources) == (entry.confidence is not None), entry.id


def test_trainings_come_first(tmp_path: Path) -> None:
    written(tmp_path, [training("a")], [plain_entry("b")])
    assert [entry.id for entry in load_catalogue(tmp_path)] == ["a", "b"]
    assert isinstance(load_catalogue(tmp_path)[0], Entry)


BAD_DATE = dated("2025") | {"as_of": "soon"}


@pytest.mark.parametrize(
    ("file", "trained", "provided", "where", "reason"),
    [
        ("providers", {}, {"id": "t"}, "- id: t", "0.id: the id 't' is given twice"),
        ("trainings", {"kind": "tool"}, {}, "  kind: tool", "0.kind: tool does not belong in trainings.yml"),
        ("providers", {}, {"kind": "training"}, "  kind: training", "0.kind: training does not belong in providers"),
        ("providers", {}, {"topics": ["stock"]}, "  topics:", "0.topics: only a training"),
        ("trainings", {"category": "bank"}, {}, "  category: bank", "0.category: a training has no category"),
        ("providers", {}, {"axes": []}, "  axes: []", "0.axes: at least one axis"),
        ("providers", {}, {"as_of": "2025"}, "  as_of: '2025'", "0.as_of: a date stands with a source"),
        ("trainings", BAD_DATE, {}, "  as_of: soon", "0.as_of: string does not match"),
        ("trainings", {"cost": {"kind": "free", "mad": 3}}, {}, "  cost:", "0.cost: a price stands"),
        ("trainings", {"limits": {"sector": ["x"]}}, {}, "    - x", "0.limits.sector.0: unexpected value"),
        ("trainings", {"limits": {"sector": []}}, {}, "  limits:", "0.limits: an empty list"),
        ("trainings", {"topics": ["magic"]}, {}, "  - magic", "0.topics.0: unexpected value"),
    ],
)
def test_a_broken_file_is_refused_with_file_line_and_reason(
    tmp_path: Path, file: str, trained: dict[str, Any], provided: dict[str, Any], where: str, reason: str
) -> None:
    written(tmp_path, [training("t", **trained)], [plain_entry("p", **provided)])
    with pytest.raises(KnowledgeErrors) as caught:
        load_catalogue(tmp_path)
    [error] = [error for error in caught.value.errors if error.reason.startswith(reason)]
    path = tmp_path / f"{file}.yml"
    assert str(error).startswith(f"{path}:{error.line}: ")
    assert path.read_text("utf-8").splitlines()[error.line - 1] == where
