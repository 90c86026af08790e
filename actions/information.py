"""Questions about words and about the bot itself; what was open comes back afterwards."""

from __future__ import annotations

from actions import journey, prompts
from actions.results import offer_menu
from actions.tries import try_again
from actions.turn import RafiqAction, Turn
from bot.legal import LegalFact, about


class Information(RafiqAction):
    """Say one response, then bring the open prompt back."""

    response = ""

    def reply(self, turn: Turn) -> None:
        journey.introduce(turn)
        self.tell(turn)
        if turn.prompt is None:
            offer_menu(turn)
        else:
            prompts.ask_again(turn)

    def tell(self, turn: Turn) -> None:
        """Say what was asked for."""
        turn.say(self.response)


class ActionAskCost(Information):
    """It is free."""

    action_name = "action_ask_cost"
    response = "utter_free"


class ActionAskPrivacy(Information):
    """Who sees the answers."""

    action_name = "action_ask_privacy"

    def tell(self, turn: Turn) -> None:
        turn.say("utter_privacy", operator=turn.content.words.operator.presentation[turn.language])


class ActionHelp(Information):
    """What this can do."""

    action_name = "action_help"
    response = "utter_help"


class ActionBotChallenge(Information):
    """It is a program."""

    action_name = "action_bot_challenge"
    response = "utter_bot"


class ActionComplain(Information):
    """Be sorry, and offer a human."""

    action_name = "action_complain"

    def tell(self, turn: Turn) -> None:
        turn.say("utter_sorry", [turn.button("talk_to_adviser", "adviser")])


class ActionTalkToAdviser(Information):
    """Name the humans an owner can reach."""

    action_name = "action_talk_to_adviser"

    def tell(self, turn: Turn) -> None:
        turn.say("utter_adviser", contact=turn.content.words.operator.contact[turn.language])


class ActionAskDefinition(Information):
    """Explain a word plainly, and what the law says of it: with its date and whom to ask."""

    action_name = "action_ask_definition"

    def tell(self, turn: Turn) -> None:
        concepts = turn.content.words.concepts
        # A reading's button carries the concept that the message before named.
        named = [turn.choice] if turn.choice else turn.entities("concept")
        asked = [concept for concept in named if concept in concepts]
        if not asked:
            turn.say("utter_definition_unknown")
        for concept in asked[:2]:
            turn.say("utter_definition", text=concepts[concept][turn.language])
            fact = about(turn.content.legal, concept)
            if fact:
                turn.say("utter_legal", **legal_words(turn, fact))


def legal_words(turn: Turn, fact: LegalFact) -> dict[str, str]:
    """Return what `utter_legal` says of a rule; a date reads 11/2025, in that order also from right to left."""
    arabic = turn.language == "ary-Arab" and fact.name.ar
    return {
        "text": fact.text[turn.language],
        "name": arabic or fact.name.fr,
        "as_of": "/".join(reversed(fact.status.as_of.split("-"))),
        "contact": fact.check_with[turn.language],
    }


class ActionThank(Information):
    """Be polite; ask again only in the middle of something."""

    action_name = "action_thank"

    def reply(self, turn: Turn) -> None:
        turn.say("utter_you_are_welcome")
        prompts.ask_again(turn)


class ActionGoodbye(RafiqAction):
    """Say goodbye; what is open stays open for the next time."""

    action_name = "action_goodbye"

    def reply(self, turn: Turn) -> None:
        turn.say("utter_goodbye")


class ActionMedia(Information):
    """A picture or a voice note: kindly ask for words."""

    action_name = "action_media"
    response = "utter_media"

    def reply(self, turn: Turn) -> None:
        if turn.by_sms or turn.state.get("greeted"):
            super().reply(turn)
            return
        # Who speaks first by voice may not read French: all three varieties, and the choice.
        turn.say("utter_hello")
        turn.say("utter_media_from_newcomer")
        prompts.ask_language(turn)


class ActionNothing(Information):
    """A message without a word."""

    action_name = "action_nothing"
    response = "utter_empty"

    def reply(self, turn: Turn) -> None:
        if not try_again(turn):
            super().reply(turn)


class ActionOutOfScope(Information):
    """Say what this is for."""

    action_name = "action_out_of_scope"
    response = "utter_out_of_scope"

    def reply(self, turn: Turn) -> None:
        if not try_again(turn):
            super().reply(turn)
