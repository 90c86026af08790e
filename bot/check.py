"""`rafiq check`: everything that must hold before the start, each problem with file, line and reason."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bot import gsm7
from bot.diagnosis.library import load_library
from bot.diagnosis.sms import MOST_SEGMENTS, segments_of_test, sms_segments
from bot.funding.records import load_programmes
from bot.knowledge.loader import KnowledgeErrors, Loc, Problem, load
from bot.knowledge.telegram import load_menu
from bot.knowledge.text import VARIETIES
from bot.knowledge.words import load_words
from bot.knowledge_check import lasting
from bot.settings import ROOT, Settings, SettingsError

EVERYWHERE = ""
# Segments of the wording of a reply for SMS, before its values are filled in.
LONGEST_SMS = {"fr": 1, "ary-Latn": 1, "ary-Arab": 3}


def problems(settings: Settings) -> list[str]:
    """Return every problem as `file:line: reason`; none when the program may start."""
    knowledge = settings.knowledge_dir
    checks: list[Callable[[], Any]] = [
        lambda: load_menu(knowledge, _intents(ROOT / "domain.yml")),
        lambda: check_sms_cost(knowledge),
        lambda: check_domain(ROOT / "domain.yml"),
    ]
    found = [str(finding) for finding in lasting(knowledge, short)]
    for check in checks:
        try:
            check()
        except KnowledgeErrors as errors:
            found += [f"{short(error.path)}:{error.line}: {error.reason}" for error in errors.errors]
    return list(dict.fromkeys(found + _channel_problems(settings)))


def _channel_problems(settings: Settings) -> list[str]:
    """Return what is wrong with the settings of a channel; nothing is connected to."""
    from bot.channels.registry import Ground, make_channels
    from bot.storage.database import make_engine, make_sessions

    try:
        make_channels(Ground(settings, make_sessions(make_engine(settings.database))))
    except SettingsError as error:
        return str(error).splitlines()
    except KnowledgeErrors as errors:
        return [f"{short(error.path)}:{error.line}: {error.reason}" for error in errors.errors]
    return []


def short(path: str) -> str:
    """Return a path from the repository's root, where it is inside."""
    return str(Path(path).relative_to(ROOT)) if Path(path).is_relative_to(ROOT) else path


def check_sms_cost(knowledge: Path) -> None:
    """Check that a whole test by SMS stays cheap in the varieties it is offered in; raise KnowledgeErrors."""
    library, operator = load_library(knowledge), load_words(knowledge).operator.short
    costs = {variety: segments_of_test(library, operator, variety) for variety in ("fr", "ary-Latn")}
    load(knowledge / "questions.yml").refuse(
        (("sms_messages",), f"a whole test in {variety} takes {cost} segments, at most {MOST_SEGMENTS} are allowed")
        for variety, cost in costs.items()
        if cost > MOST_SEGMENTS
    )


def _intents(path: Path) -> frozenset[str]:
    """Return the names of the domain's intents."""
    return frozenset(name for row in load(path).data["intents"] for name in (row if isinstance(row, dict) else [row]))


def check_domain(path: Path) -> None:
    """Check that every response exists once in each variety, with the same placeholders, also where a channel has its
    own wording; raise KnowledgeErrors."""
    document = load(path)
    responses = document.data.get("responses") if isinstance(document.data, dict) else None
    if not isinstance(responses, dict):
        document.refuse([((), "responses are missing")])
        return
    document.refuse(
        problem for name, variations in responses.items() for problem in _response_problems(name, variations)
    )


def _response_problems(name: str, variations: Any) -> Iterator[Problem]:
    loc: Loc = ("responses", name)
    texts: dict[str, dict[str, str]] = {EVERYWHERE: {}}
    for variation in variations if isinstance(variations, list) else ():
        text = variation.get("text") if isinstance(variation, dict) else None
        for condition in variation.get("condition", ()) if isinstance(variation, dict) else ():
            if isinstance(text, str) and text.strip() and condition.get("name") == "language":
                of_channel = texts.setdefault(str(variation.get("channel") or EVERYWHERE), {})
                of_channel[str(condition.get("value"))] = text
    filled = _placeholders(texts[EVERYWHERE].get("fr", ""))
    for channel, said in texts.items():
        where = f" on {channel}" if channel else ""
        yield from ((loc, f"there is no text in {variety}{where}") for variety in VARIETIES if variety not in said)
        expected = _placeholders(said.get("fr", "")) if channel else filled
        for variety, text in said.items():
            if _placeholders(text) != expected:
                yield loc, f"the values in braces differ between fr and {variety}{where}"
        if not expected <= filled:
            yield loc, f"a value in braces is only used{where}: {', '.join(sorted(expected - filled))}"
    yield from _sms_problems(loc, texts.get("sms", {}))


def _sms_problems(loc: Loc, texts: dict[str, str]) -> Iterator[Problem]:
    """Check the fixed part of the wordings for SMS: letters of the short alphabet, and few segments."""
    for variety, text in texts.items():
        fixed = re.sub(r"\{\w+\}", "", text)
        if variety != "ary-Arab" and (foreign := gsm7.outside(gsm7.for_sms(fixed))):
            yield loc, f"not in the GSM 7-bit alphabet in {variety}: {foreign!r}"
        if (cost := sms_segments(fixed)) > LONGEST_SMS[variety]:
            yield loc, f"an SMS of {cost} segments in {variety}, at most {LONGEST_SMS[variety]} are allowed"


def _placeholders(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}
    except ValueError:
        return {"an unclosed brace"}


def summary(settings: Settings) -> list[str]:
    """Return what an operator wants to know of a good configuration, a line each."""
    library = load_library(settings.knowledge_dir)
    words = load_words(settings.knowledge_dir)
    instrument, operator = library.instrument, words.operator.short
    costs = {variety: segments_of_test(library, operator, variety) for variety in VARIETIES}
    return [
        f"questionnaire {instrument.version}: {len(instrument.items)} questions, {len(library.cards.by_step)} actions",
        f"words: {len(words.labels)} labels, {len(words.concepts)} definitions, {len(words.sectors)} sectors",
        f"programmes: {len(load_programmes(settings.knowledge_dir))}",
        *(f"SMS, a whole test in {variety}: {cost} segments" for variety, cost in costs.items()),
        f"database: {settings.database.partition(':')[0]}",
    ]
