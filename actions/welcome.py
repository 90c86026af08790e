"""Welcome, language, consent, yes and no."""

from __future__ import annotations

import time

from actions import journey, prompts, test
from actions.results import accept_step, offer_menu, refuse_step
from actions.rights import delete_now, opt_out_now
from actions.tries import try_again
from actions.turn import RafiqAction, Turn
from bot.diagnosis import sitting
from bot.followup import unfinished
from bot.knowledge.text import VARIETIES


class ActionGreet(RafiqAction):
    """Welcome a newcomer, or bring somebody back to where they stopped."""

    action_name = "action_greet"

    def reply(self, turn: Turn) -> None:
        if turn.state.get("greeted"):
            self._welcome_back(turn)
            return
        heard = turn.latest.get("language") or {}
        if (
            not turn.by_sms
            and not turn.state.get("language_chosen")
            and (turn.pressed or heard.get("confidence", 0) < 0.5)
        ):
            turn.say("utter_hello")
            prompts.ask_language(turn)
            return
        journey.introduce(turn)
        journey.advance(turn)

    @staticmethod
    def _welcome_back(turn: Turn) -> None:
        turn.say("utter_welcome_back")
        current = prompts.open_test(turn)
        if turn.prompt is not None:
            prompts.ask_again(turn)
        elif current is not None:
            journey.go_on(turn, current)
        elif turn.firm is not None and sitting.last_done(turn.firm) is not None:
            offer_menu(turn)
        else:
            prompts.ask_start(turn)


class ActionChangeLanguage(RafiqAction):
    """Speak the variety that was chosen or named, else offer the three."""

    action_name = "action_change_language"

    def reply(self, turn: Turn) -> None:
        wanted = turn.choice or turn.content.words.named_language(turn.text)
        if wanted not in VARIETIES:
            turn.say("utter_ask_language", prompts.language_buttons(turn))
            turn.ask_aside("choose_language")
            return
        newcomer = not turn.state.get("greeted") or (turn.by_sms and turn.state.get("consent") is None)
        turn.switch_to(wanted)
        turn.state["language_chosen"] = True
        turn.state["arabic_letters"] = wanted == "ary-Arab"
        if newcomer:
            journey.introduce(turn)
            journey.advance(turn)
            return
        turn.say("utter_language_changed")
        if turn.prompt is not None and turn.prompt.kind in prompts.ASIDE:
            turn.leave_aside()
        if turn.prompt is None:
            offer_menu(turn)
        else:
            prompts.ask_again(turn)


class ActionAffirm(RafiqAction):
    """Yes, to what was asked."""

    action_name = "action_affirm"

    def reply(self, turn: Turn) -> None:
        prompt = turn.prompt
        kind = prompt.kind if prompt else ""
        if turn.choice is not None and turn.choice != kind:
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif kind == "consent":
            give_consent(turn)
        elif kind == "start":
            journey.advance(turn)
        elif kind == "checkpoint":
            current = prompts.open_test(turn)
            journey.pass_checkpoint(turn, current) if current else journey.advance(turn)
        elif kind == "next_step":
            accept_step(turn)
        elif kind == "replace":
            test.replace_answer(turn, keep=False)
        elif kind == "delete":
            delete_now(turn)
        elif kind == "opt_out":
            opt_out_now(turn)
        elif kind == "question" and unfinished.was_reminded(turn.conversation):
            prompts.ask_again(turn)
        elif prompt is None:
            journey.advance(turn)
        elif not try_again(turn):
            turn.say("utter_choose_one")
            prompts.ask_again(turn)


class ActionDeny(RafiqAction):
    """No, to what was asked."""

    action_name = "action_deny"

    def reply(self, turn: Turn) -> None:
        prompt = turn.prompt
        kind = prompt.kind if prompt else ""
        if turn.choice is not None and turn.choice != kind:
            turn.say("utter_old_button")
            prompts.ask_again(turn)
        elif kind == "consent":
            refuse_consent(turn)
        elif kind in ("start", "checkpoint"):
            turn.close_prompt()
            turn.say("utter_paused_no_test")
        elif kind == "next_step":
            refuse_step(turn)
        elif kind == "replace":
            test.replace_answer(turn, keep=True)
        elif kind == "delete":
            turn.say("utter_delete_cancelled")
            prompts.ask_again(turn)
        elif kind in prompts.ASIDE:
            prompts.ask_again(turn)
        elif kind == "profile":
            journey.skip_profile_field(turn)
        elif kind == "question" and unfinished.was_reminded(turn.conversation):
            test.pause(turn)
        elif prompt is None:
            turn.say("utter_paused_no_test")
        elif not try_again(turn):
            turn.say("utter_choose_one")
            prompts.ask_again(turn)


def give_consent(turn: Turn) -> None:
    """Keep the firm from now on."""
    firm = turn.make_firm()
    firm.consent_at = time.time()
    firm.consent_version = turn.content.words.operator.consent_version
    turn.state["consent"] = "given"
    if turn.by_sms:
        turn.show(turn.content.diagnosis.instrument.sms_messages.thanks[turn.language])
    else:
        turn.say("utter_consent_given")
    if turn.state.get("blocks") == journey.FULL:
        del turn.state["blocks"]
        journey.want_full(turn)
    else:
        journey.advance(turn)


def refuse_consent(turn: Turn) -> None:
    """Go on without keeping anything after the session."""
    turn.state["consent"] = "refused"
    turn.state.pop("blocks", None)
    turn.close_prompt()
    turn.say(
        "utter_consent_refused", [turn.button("start_diagnosis", "start_express"), turn.button("help", "ask_question")]
    )
    turn.ask("start")
