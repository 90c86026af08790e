"""The command menu and the short notices of Telegram: knowledge/telegram.yml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import StrictStr, constr

from bot.knowledge.loader import Document, Problem, Record, load
from bot.knowledge.text import Text, too_long

# Limits of the Bot API.
MOST_COMMANDS = 100
LONGEST_DESCRIPTION = 256
LONGEST_NOTICE = 200

Name = constr(strict=True, regex=r"^[a-z0-9_]{1,32}\Z")


class Command(Record):
    """A command: what it stands for, what the menu says of it, and other names that owners try."""

    name: Name  # type: ignore[valid-type]
    choice: StrictStr
    says: Text
    also: tuple[Name, ...] = ()  # type: ignore[valid-type]


class _Notices(Record):
    old_button: Text


class _File(Record):
    commands: list[Command]
    notices: _Notices


@dataclass(frozen=True)
class Menu:
    """The commands in the order of the menu, and the notice for a button that no longer works."""

    commands: tuple[Command, ...]
    old_button: Text

    def choices(self) -> dict[str, str]:
        """Return the choice of each command, by all its names."""
        return {name: command.choice for command in self.commands for name in (command.name, *command.also)}


def load_menu(folder: Path, intents: frozenset[str] | None = None) -> Menu:
    """Read telegram.yml; raise KnowledgeErrors for a name given twice, a text too long, a choice of no known intent."""
    document = load(folder / "telegram.yml")
    file = document.parse(_File)
    document.refuse(_problems(document, file, intents))
    return Menu(tuple(file.commands), file.notices.old_button)


def _problems(document: Document, file: _File, intents: frozenset[str] | None) -> Iterator[Problem]:
    seen: set[str] = set()
    if not 1 <= len(file.commands) <= MOST_COMMANDS:
        yield ("commands",), f"between 1 and {MOST_COMMANDS} commands are needed"
    for place, command in enumerate(file.commands):
        for name in (command.name, *command.also):
            if name in seen:
                yield ("commands", place), f"the command {name!r} is given twice"
            seen.add(name)
        yield from too_long(command.says, LONGEST_DESCRIPTION // 2, ("commands", place, "says"))
        if intents is not None and command.choice.partition(":")[0] not in intents:
            yield ("commands", place, "choice"), f"{command.choice!r} is no intent of domain.yml"
    yield from too_long(file.notices.old_button, LONGEST_NOTICE, ("notices", "old_button"))
