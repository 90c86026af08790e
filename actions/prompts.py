"""What is asked: consent, profile, questions, stopping points; and asking it again after an interruption."""

from __future__ import annotations

import time
from collections.abc import Sequence

from actions.turn import Button, Turn
from bot.diagnosis import sitting
from bot.knowledge.words import Named
from bot.storage.models import Assessment
from bot.storage.prompt import Prompt

PROFILE_FIELDS = ("sector", "size", "region", "goal")
SIZES = ("solo", "s2_9", "s10_49", "s50_plus")
# Prompts that interrupt another one: they are dropped, not repeated, when the owner speaks of something else.
ASIDE = ("delete", "replace", "why_not", "choose_language", "opt_out", "which")
CONSENT_REMINDERS = 2
# A list on WhatsApp has ten rows.
ROWS = 10
# What an invitation by SMS offers from its fourth place on: other letters, another language.
OTHER_LANGUAGES = {"fr": ("ary-Latn",), "ary-Latn": ("ary-Arab", "fr"), "ary-Arab": ("ary-Latn", "fr")}


def ask_language(turn: Turn) -> None:
    """Offer the three varieties, each in its own name."""
    turn.say("utter_ask_language", language_buttons(turn))
    turn.ask("language")


def language_buttons(turn: Turn) -> list[Button]:
    """Return the three varieties, as their own readers call them; by SMS without Arabic letters, which cost more."""
    arabic = turn.label("by_sms_ary-Arab") if turn.by_sms else "الدارجة"
    return [
        Button("change_language:fr", "Français"),
        Button("change_language:ary-Arab", arabic),
        Button("change_language:ary-Latn", "Darija"),
    ]


def ask_consent(turn: Turn, response: str = "utter_ask_consent") -> None:
    """Ask for the consent of law 09-08 before anything personal is kept."""
    buttons = [
        turn.button("affirm:consent", "agree"),
        turn.button("deny:consent", "refuse"),
        turn.button("ask_privacy", "who_sees"),
    ]
    if turn.by_sms:
        _invite(turn, buttons, response)
    else:
        turn.say(response, buttons)
    turn.ask("consent")


def _invite(turn: Turn, buttons: list[Button], response: str) -> None:
    """Say in one SMS who this is, what it costs and what is kept; the text itself names the choices."""
    if response == "utter_ask_consent":
        words, language = turn.content.words, turn.language
        invitation = turn.content.diagnosis.instrument.sms_messages.invite[language]
        turn.show(invitation.format(operator=words.operator.short[language]))
    else:
        turn.say(response)
    # Asked again in fewer words, the numbers of the first SMS still hold.
    others = OTHER_LANGUAGES[turn.language]
    turn.offer([*buttons, *(Button(f"change_language:{other}", turn.label(f"by_sms_{other}")) for other in others)])


def missing_profile_field(turn: Turn) -> str | None:
    """Return the next profile field that is neither known nor skipped; by SMS none is asked."""
    if turn.by_sms:
        return None
    known = turn.firm.profile if turn.firm else {}
    skipped = turn.state.get("skipped", [])
    return next((name for name in PROFILE_FIELDS if known.get(name) is None and name not in skipped), None)


def ask_profile(turn: Turn, name: str, page: int = 0) -> None:
    """Ask one profile field; long lists come in pages."""
    rows = _profile_rows(turn, name)
    turn.say("utter_more_choices" if page else f"utter_ask_{name}", _paged(turn, name, rows, page))
    turn.ask("profile", f"{name}:{page}")


def is_profile_value(turn: Turn, name: str, value: str) -> bool:
    """Say whether a choice names a profile field and one of its values."""
    if name not in PROFILE_FIELDS:
        return False
    return any(row.choice == f"set_profile:{name}:{value}" for row in _profile_rows(turn, name))


def page_of(turn: Turn, name: str, value: str) -> int | None:
    """Return the page of a list that a choice asks for; None when it is no page of ours."""
    number = value.removeprefix("page.")
    if name not in PROFILE_FIELDS or not value.startswith("page.") or not number.isdecimal():
        return None
    pages = -(-len(_profile_rows(turn, name)) // (ROWS - 2))
    return int(number) if int(number) < pages else None


def _profile_rows(turn: Turn, name: str) -> list[Button]:
    words = turn.content.words
    if name == "size":
        return [turn.button(f"set_profile:size:{size}", f"size_{size}") for size in SIZES]
    if name == "goal":
        goals = turn.content.diagnosis.instrument.goals
        return [Button(f"set_profile:goal:{goal.id}", goal.title[turn.language]) for goal in goals]
    named: Sequence[Named] = words.sectors if name == "sector" else words.regions
    return [Button(f"set_profile:{name}:{row.id}", row.title[turn.language]) for row in named]


def _paged(turn: Turn, name: str, rows: list[Button], page: int) -> list[Button]:
    """Return one page of rows, with the way to the next page and the way past the question."""
    skip = turn.button(f"set_profile:{name}:skip", "skip")
    if len(rows) < ROWS:
        return [*rows, skip]
    per_page = ROWS - 2
    pages = -(-len(rows) // per_page)
    shown = rows[page * per_page : (page + 1) * per_page]
    if page + 1 < pages:
        shown.append(turn.button(f"set_profile:{name}:page.{page + 1}", "more"))
    return [*shown, skip]


def ask_question(turn: Turn, current: Assessment, item: str, response: str = "utter_question") -> None:
    """Ask one question of the test with its four answers, as a list; by SMS in one segment that names them."""
    if turn.by_sms:
        turn.show(turn.content.diagnosis.instrument.question(item).sms[turn.language])
        turn.offer([button for button in answer_buttons(turn, current, item) if button.choice.startswith("answer:")])
        turn.ask("question", item)
        turn.state["asked_at"] = time.time()
        return
    question = turn.content.diagnosis.instrument.wording(item, turn.profile)
    number, total = sitting.number_of(current, turn.content.diagnosis, item, turn.content.rules)
    again = response == "utter_question_again"
    turn.say(
        response,
        answer_buttons(turn, current, item),
        number=number,
        total=total,
        question=(question.short if again else question.stem)[turn.language],
    )
    turn.ask("question", item)
    turn.state["asked_at"] = time.time()


def answer_buttons(turn: Turn, current: Assessment, item: str, values: Sequence[int] = (0, 1, 2, 3)) -> list[Button]:
    """Return the answers to an item as list rows, then "not concerned" where it is allowed, then "I don't know"."""
    question = turn.content.diagnosis.instrument.wording(item, turn.profile)
    key = f"{current.id[:8]}:{item}"
    rows = [
        Button(f"answer:{key}:{o.value}", o.title[turn.language], o.description[turn.language])
        for o in question.options
        if o.value in values
    ]
    if question.not_applicable is not None and len(values) == len(question.options):
        rows.append(Button(f"answer:{key}:na", question.not_applicable[turn.language]))
    return [*rows, Button(f"dont_know:{key}", turn.label("dont_know"))]


def answer_title(turn: Turn, item: str, status: str, value: int | None) -> str:
    """Return an answer in the owner's words."""
    question = turn.content.diagnosis.instrument.wording(item, turn.profile)
    if status == "answered" and value is not None:
        return question.options[value].title[turn.language]
    if status == "na" and question.not_applicable is not None:
        return question.not_applicable[turn.language]
    return turn.label("dont_know")


def ask_start(turn: Turn) -> None:
    """Offer the short test; by SMS with the invitation, where the consent is still open."""
    if turn.by_sms and turn.state.get("consent") is None:
        ask_consent(turn)
        return
    buttons = [turn.button("start_diagnosis", "start_express"), turn.button("pause", "later")]
    turn.say("utter_ask_start", buttons)
    turn.ask("start")


def ask_again(turn: Turn) -> None:
    """Bring the open prompt back in its short form after an interruption was served; by SMS menus need no repeating."""
    if turn.prompt is not None and turn.prompt.kind in ASIDE:
        turn.leave_aside()
    prompt = turn.prompt
    if prompt is None:
        return
    if prompt.kind == "consent":
        # Twice is enough: it comes back by itself when something would be kept.
        asked = turn.state.get("consent_asked_again", 0)
        if asked < CONSENT_REMINDERS or not turn.has_spoken:
            turn.state["consent_asked_again"] = asked + 1
            ask_consent(turn, "utter_ask_consent_again")
    elif prompt.kind == "profile":
        name, _, page = prompt.about.partition(":")
        ask_profile(turn, name, int(page or 0))
    elif prompt.kind in ("question", "unsure"):
        current = open_test(turn)
        if current is not None:
            ask_question(turn, current, prompt.about, "utter_question_again")
    elif prompt.kind == "funding":
        ask = turn.content.funding.ask(prompt.about)
        below = turn.state.get("below")
        if ask is not None:
            turn.say("utter_funding_question", _offered(turn, prompt), question=ask.text[turn.language])
        turn.ask(prompt.kind, prompt.about)
        turn.state["below"] = below
    elif prompt.kind in ("start", "checkpoint", "next_step", "menu", "cards") and not (turn.by_sms and turn.has_spoken):
        turn.say("utter_what_now", _offered(turn, prompt))
        turn.ask(prompt.kind, prompt.about)


def _offered(turn: Turn, prompt: Prompt) -> list[Button]:
    """Return the buttons of a prompt, in the variety spoken now."""
    return [
        turn.button(offer.choice, offer.label) if offer.label else Button(offer.choice, offer.title)
        for offer in prompt.offers
    ]


def open_item(turn: Turn) -> str | None:
    """Return the item of the open question."""
    prompt = turn.prompt
    return prompt.about if prompt is not None and prompt.kind in ("question", "unsure") else None


def open_test(turn: Turn) -> Assessment | None:
    """Return the test under way."""
    return sitting.open_sitting(turn.firm, turn.content.rules) if turn.firm else None


def is_idle(turn: Turn) -> bool:
    """Say whether nothing waits for an answer: nothing is open, or only the menu."""
    return turn.prompt is None or turn.prompt.kind in ("menu", "cards")
