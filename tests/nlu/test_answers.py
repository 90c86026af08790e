"""Free answers to the questions of the diagnosis."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.knowledge.loader import KnowledgeErrors
from bot.nlu.answers import GOAL, AnswerModel, Phrasing, load_phrasings
from bot.nlu.lexicon import Lexicon

ANSWERS = {
    "0": ["kolchi f rassi", "de tête, je ne note rien", "ما كنقيد والو", "f rassi safi", "je retiens tout"],
    "1": ["dans un cahier", "3ndi konnach", "كنكتب فالكناش", "f lkarni", "je note à la main sur papier"],
    "2": ["sur excel", "f excel kol simana", "فالإكسيل", "une application sur le téléphone", "tableau excel"],
    "3": ["un logiciel de caisse", "3ndi logiciel dyal gestion", "لوجيسيال ديال التسيير", "odoo", "notre erp"],
}
OTHERS = [
    "c'est quoi un erp",
    "je veux parler à un conseiller",
    "stop",
    "ch7al katkhelles",
    "شكون نتا",
    "salam",
    "merci bien",
]


@pytest.fixture(scope="module")
def model() -> AnswerModel:
    phrasings = [Phrasing("G1", option, "fr", text) for option, texts in ANSWERS.items() for text in texts]
    phrasings += [Phrasing("G1", "none", "fr", text) for text in ("quel cahier ?", "pourquoi cette question")]
    phrasings += [
        Phrasing("E1", str(n % 4), "fr", text) for n, text in enumerate(["espèces", "chèque", "carte", "lien"] * 2)
    ]
    return AnswerModel.fit(phrasings, OTHERS, Lexicon({"paper": "cahier papier konnach"}), nothing=frozenset({"G1"}))


@pytest.mark.parametrize(
    ("text", "value"), [("kolchi frassi", 0), ("f wa7d lkonnach", 1), ("b excel", 2), ("logiciel de gestion", 3)]
)
def test_a_free_sentence_is_matched_to_its_option(model: AnswerModel, text: str, value: int) -> None:
    match = model.match("G1", text, accept=0.2)
    assert match.value == value
    assert match.candidates[0] == (value, match.confidence)
    assert len(match.candidates) == 4


def test_between_the_bounds_the_candidates_come_without_a_value(model: AnswerModel) -> None:
    match = model.match("G1", "dans un cahier", accept=1.1, ask_back=0.0)
    assert match.value is None
    assert match.candidates[0][0] == 1


def test_below_the_lower_bound_it_is_no_answer(model: AnswerModel) -> None:
    assert model.match("G1", "dans un cahier", accept=1.1, ask_back=1.1).candidates == ()


@pytest.mark.parametrize("text", ["je veux parler à un conseiller", "", "😀", "\ud83d"])
def test_a_message_about_something_else_is_refused(model: AnswerModel, text: str) -> None:
    assert model.match("G1", text).value is None


@pytest.mark.parametrize("text", ["walo", "rien", "la", "والو", "non"])
def test_a_bare_no_is_the_first_option_where_that_says_nothing(model: AnswerModel, text: str) -> None:
    assert model.match("G1", text).value == 0
    assert model.match("E1", text).value is None


@pytest.mark.parametrize("text", ["pas de logiciel de caisse", "ma3ndich logiciel dyal gestion", "aucun tableau excel"])
def test_a_negated_sentence_is_never_a_higher_option(model: AnswerModel, text: str) -> None:
    match = model.match("G1", text, accept=0.1)
    assert match.value in (0, None)
    assert 0 in [value for value, _ in match.candidates[:2]]


def test_what_another_clause_says_is_taken(model: AnswerModel) -> None:
    match = model.match("G1", "pas encore de site, mais excel", accept=0.1, ask_back=0.05)
    assert 2 in [match.value, *(value for value, _ in match.candidates[:2])]


def test_things_that_are_missing_are_phrasings_of_the_first_option(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("P1: {}\nABSENCE: {fr: ['pas de {}']}\nABSENT: {P1: {fr: [plan]}}", "utf-8")
    (tmp_path / "q.yml").write_text("items: []", "utf-8")
    assert load_phrasings(tmp_path / "a.yml", tmp_path / "q.yml") == [Phrasing("P1", "0", "fr", "pas de plan")]


def test_an_unknown_question_matches_nothing(model: AnswerModel) -> None:
    assert model.match("X9", "dans un cahier").candidates == ()


def test_a_saved_model_matches_alike(model: AnswerModel) -> None:
    loaded = AnswerModel.from_arrays(model.arrays())
    for texts in ANSWERS.values():
        for text in texts:
            before, after = model.match("G1", text, 0, 0), loaded.match("G1", text, 0, 0)
            assert after.value == before.value
            assert after.confidence == pytest.approx(before.confidence, abs=0.01)


def test_phrasings_of_the_project_cover_every_option_of_every_question(knowledge: Path) -> None:
    phrasings = load_phrasings(knowledge / "answers.yml", knowledge / "questions.yml")
    counts = {(p.item, p.option): 0 for p in phrasings}
    for phrasing in phrasings:
        counts[phrasing.item, phrasing.option] += 1
    questions = {item for item, _ in counts} - {GOAL}
    assert len(questions) == 21
    assert {(item, option) for item in questions for option in "0123"} <= set(counts)
    assert {item for item, option in counts if option == "na"} == {"V2", "G2", "E2", "E3"}
    assert len([item for item, _ in counts if item == GOAL]) == 6 + 1
    assert min(counts.values()) >= 12


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("P1: [a]", "2: P1: options 0 to 3 and none are missing"),
        ("P1:\n  4: {fr: [a]}", "3: P1.4: an option is 0, 1, 2, 3, na or none"),
        ("NOTHING: [X1]", "2: NOTHING.0: there is no such question"),
        ("P1: {}\nABSENT: {X1: {fr: [a]}}", "3: ABSENT.X1: there is no such question"),
        ("P1:\n  0: {en: [a]}", "3: P1.0: the varieties are fr, ary-Arab, ary-Latn"),
        ("P1:\n  0:\n    fr: a", "4: P1.0.fr: a list of lines is needed"),
        ("P1:\n  0:\n    fr: [a, '']", "4: P1.0.fr: a list of lines is needed"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(
    tmp_path: Path, knowledge: Path, content: str, reason: str
) -> None:
    path = tmp_path / "answers.yml"
    path.write_text("# answers\n" + content, "utf-8")
    with pytest.raises(KnowledgeErrors) as failure:
        load_phrasings(path, knowledge / "questions.yml")
    assert str(failure.value) == f"{path}:{reason}"
