"""The figures of a folder are counted rightly."""

import json

from bot.nlu.measure import measure_folder


class Scripted:
    """A parser that says what the test wrote down."""

    def __init__(self, read, answers):
        self.read, self.answers = read, answers

    def parse(self, text, prompt=None):
        return {"intent": None, "language": "fr", "entities": [], "intents": []} | self.read.get(text, {})

    def match_answer(self, item, text):
        return {"value": self.answers[text]}


def write(folder, name, *rows):
    (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def test_intents_answers_and_entities_are_counted(tmp_path):
    write(
        tmp_path,
        "fr",
        {"text": "salut", "intent": "greet", "variety": "fr"},
        {"text": "vous vendez des tomates", "intent": "out_of_scope", "variety": "fr"},
        {"text": "le match de ce soir", "intent": "out_of_scope", "variety": "fr"},
    )
    write(
        tmp_path,
        "answers-fr",
        {"question": "P1", "text": "a", "value": 0},
        {"question": "P1", "text": "b", "value": 1},
        {"question": "P1", "text": "c", "value": 2},
        {"question": "P1", "text": "d", "value": None},
    )
    place = {"entity": "commune", "value": "Béni Mellal"}
    write(
        tmp_path,
        "entities-fr",
        {"text": "20 mlyoun f beni mellal", "entities": [place, {"entity": "amount", "value": 200000}]},
    )
    parser = Scripted(
        {
            "salut": {"intent": "greet"},
            "vous vendez des tomates": {"intent": "find_provider", "language": "ary-Latn"},
            "20 mlyoun f beni mellal": {
                "entities": [{"entity": "commune", "value": "Beni-Mellal"}, {"entity": "amount", "value": 5.0}]
            },
        },
        {"a": 0, "b": 3, "c": None, "d": None},
    )
    figures = measure_folder(tmp_path, parser)
    assert figures["intents"]["fr"]["out_of_scope_accepted"] == 1
    assert (figures["intents"]["fr"]["variety_right"], figures["intents"]["fr"]["variety_known"]) == (1, 2)
    assert figures["intents"]["fr"]["accuracy"] == round(2 / 3, 4)
    assert figures["answers"]["answers-fr"] == {"right": 1, "wrong": 1, "asked_back": 1, "non_answers": 1, "refused": 1}
    assert figures["entities"]["entities-fr"] == {"wanted": 2, "found": 1, "extra": 1}
