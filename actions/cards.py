"""Sets of cards: what was shown last, "more", "not for me" and why, and the way on."""

from __future__ import annotations

from collections.abc import Sequence

from actions import prompts
from actions.results import REASONS, offer_menu
from actions.turn import Button, Turn

REFUSED = "refused_cards"
"""The field of the firm's profile that keeps what is not shown again: `kind:id`, and the reason."""
KINDS = ("training", "provider", "funding")
"""Training first, then tools and providers, then money."""
LONGEST_TITLE = 24


def as_day(as_of: str) -> str:
    """Return an ISO date or month the way it is read: 11/2025 keeps its order also from right to left."""
    return "/".join(reversed(as_of.split("-")))


def set_shown(turn: Turn, kind: str, shown: Sequence[tuple[str, str]]) -> None:
    """Remember the cards shown last, by id and name: "not for me" is said of one of them."""
    turn.state["cards"] = {"kind": kind, "shown": [[card, name] for card, name in shown]}


def shown_last(turn: Turn, kind: str) -> list[tuple[str, str]]:
    """Return the cards shown last, when they are of this kind."""
    last = turn.state.get("cards") or {}
    return [(card, name) for card, name in last.get("shown", [])] if last.get("kind") == kind else []


def refused(turn: Turn, kind: str) -> dict[str, str]:
    """Return the cards of a kind that the owner does not want, with the reason, "" where none was given."""
    known = (turn.firm.profile.get(REFUSED) or {}) if turn.firm else {}
    return {key.partition(":")[2]: reason for key, reason in known.items() if key.startswith(f"{kind}:")}


def refuse(turn: Turn, kind: str, card: str, reason: str) -> None:
    """Keep that a card is not wanted; for a guest until the session ends, like everything else."""
    firm = turn.make_firm()
    firm.profile[REFUSED] = {**(firm.profile.get(REFUSED) or {}), f"{kind}:{card}": reason}


def offer(turn: Turn, kind: str, buttons: Sequence[Button]) -> None:
    """Offer what can be done with the cards, then the next kind of help, then bring back what was open."""
    rest = KINDS[KINDS.index(kind) + 1 :] + KINDS[: KINDS.index(kind)]
    ways = [*buttons, *(turn.button(f"find_{other}", f"find_{other}") for other in rest)]
    ways.append(turn.button("talk_to_adviser", "adviser"))
    if turn.by_sms:
        ways = ways[:4]
    open_before = not prompts.is_idle(turn)
    turn.say("utter_cards_next", ways if not (open_before and turn.by_sms) else [])
    if open_before:
        prompts.ask_again(turn)
    else:
        turn.ask("cards", kind)


def back(turn: Turn) -> None:
    """Bring back what was open, or offer the menu."""
    if turn.prompt is None or turn.prompt.kind == "menu":
        offer_menu(turn)
    else:
        prompts.ask_again(turn)


def ask_which(turn: Turn, kind: str) -> None:
    """Ask which of the cards is not wanted; with one card there is nothing to ask."""
    shown = shown_last(turn, kind)
    if not shown:
        turn.say("utter_old_button")
        prompts.ask_again(turn)
    elif len(shown) == 1:
        ask_why(turn, kind, shown[0][0])
    else:
        turn.say(
            "utter_which_card",
            [Button(f"refuse_card:{kind}:{card}", _short(name)) for card, name in shown],
        )
        turn.ask_aside("why_not", kind)


def ask_why(turn: Turn, kind: str, card: str) -> None:
    """Note at once that a card is not wanted, and ask why: the reason changes what comes next."""
    refuse(turn, kind, card, "")
    turn.say("utter_why_not", [turn.button(f"refuse_card:{kind}:{card}:{r}", f"reason_{r}") for r in REASONS])
    turn.ask_aside("why_not", kind)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_TITLE else f"{name[: LONGEST_TITLE - 1]}…"
