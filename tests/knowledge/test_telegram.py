"""The menu of Telegram as content: what an officer gets wrong is told with its line."""

import pytest

from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.telegram import load_menu
from bot.settings import ROOT

TEXT = "{{fr: {0}, ary-Arab: {0}, ary-Latn: {0}}}"


def menu(tmp_path, *commands, says="a"):
    rows = "".join(
        f"  - {{name: {n}, choice: {c}, says: {TEXT.format(says)}, also: {also}}}\n" for n, c, also in commands
    )
    (tmp_path / "telegram.yml").write_text(f"commands:\n{rows}notices:\n  old_button: {TEXT.format('b')}\n")
    return load_menu(tmp_path, frozenset({"greet", "help"}))


def test_every_name_of_a_command_stands_for_its_choice(tmp_path):
    assert menu(tmp_path, ("start", "greet", "[salam]"), ("aide", '"help"', "[]")).choices() == {
        "start": "greet",
        "salam": "greet",
        "aide": "help",
    }


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("start", "greet", "[]"), "given twice"),
        (("aide", "helq", "[]"), "no intent"),
        (("Aide", "help", "[]"), "does not match"),
        (("a-b", "help", "[]"), "does not match"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path, command, reason):
    with pytest.raises(KnowledgeErrors) as caught:
        menu(tmp_path, ("start", "greet", "[]"), command)
    assert reason in str(caught.value)
    assert "telegram.yml:3" in str(caught.value)


def test_a_description_fits_the_menu_also_beside_another(tmp_path):
    with pytest.raises(KnowledgeErrors):
        menu(tmp_path, ("start", "greet", "[]"), says="a" * 129)


def test_the_menu_that_is_shipped_is_right():
    assert "opt_out:yes" in load_menu(ROOT / "knowledge").choices().values()
