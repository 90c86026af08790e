"""A turn as the actions see it: who wrote what, in which variety, and how to reply."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session, sessionmaker

from actions.content import Content, get_content
from bot.diagnosis.profile import Profile
from bot.settings import get_settings
from bot.storage.database import current_session, make_engine, make_sessions
from bot.storage.misunderstood import learn
from bot.storage.models import Conversation, Firm, new_id
from bot.storage.prompt import Offer, Prompt, open_prompt, set_prompt

DEFAULT_LANGUAGE = "fr"
# An owner who wrote this many words in another variety, clearly, is followed without being asked.
FOLLOWED_WORDS = 3
FOLLOWED_CONFIDENCE = 0.8
# The prompt of the two readings of a message that was not understood: open for one turn, numbers and titles count.
READING = "reading"
ADVISER = "talk_to_adviser"
SMS, CLOCK = "sms", "clock"
# The certainty of a number or a button: of a sentence, however clear, the owner is told what was understood.
EXACT = 1.0


@dataclass(frozen=True)
class Button:
    """A choice offered to the owner; the description is for lists."""

    choice: str
    title: str
    description: str = ""
    label: str = ""

    def as_document(self) -> dict[str, str]:
        """Return the JSON form; `payload` is what Rasa's own channels (`rasa shell`) send back."""
        intent, _, value = self.choice.partition(":")
        payload = f"/{intent}" + (json.dumps({"choice": value}) if value else "")
        document = {"choice": self.choice, "payload": payload, "title": self.title}
        return document | {"description": self.description} if self.description else document


@dataclass
class Turn:
    """One message under way; replies go out through `say`, state is written into `conversation`."""

    session: Session
    conversation: Conversation
    content: Content
    dispatcher: CollectingDispatcher
    latest: dict[str, Any]
    language: str
    shown: list[Offer] = field(default_factory=list)
    stumbles: int = 0
    """How many messages in a row were not understood before this one."""

    @property
    def intent(self) -> str:
        """Return the intent's name; empty when there is none."""
        return (self.latest.get("intent") or {}).get("name") or ""

    @property
    def text(self) -> str:
        """Return what was typed; a button's own form when one was pressed."""
        return str(self.latest.get("text") or "")

    @property
    def choice(self) -> str | None:
        """Return what was chosen, without the intent's name; None for a free message."""
        return next(iter(self.entities("choice")), None)

    @property
    def pressed(self) -> bool:
        """Say whether the owner pressed a button instead of typing."""
        return (self.latest.get("metadata") or {}).get("kind") == "choice"

    @property
    def by_sms(self) -> bool:
        """Say whether every segment is paid for: short words, no media, one message a turn."""
        return bool(self.conversation.channel == SMS)

    @property
    def by_clock(self) -> bool:
        """Say whether nobody wrote: a reminder came due."""
        return (self.latest.get("metadata") or {}).get("kind") == CLOCK

    @property
    def exact(self) -> bool:
        """Say whether the message was a number or a button, so that nothing was guessed."""
        return float((self.latest.get("intent") or {}).get("confidence") or 0) >= EXACT

    @property
    def received_at(self) -> float:
        """Return when the message was accepted, in epoch seconds."""
        return float((self.latest.get("metadata") or {}).get("received_at") or time.time())

    @property
    def has_spoken(self) -> bool:
        """Say whether the turn has a reply already."""
        return bool(self.dispatcher.messages)

    def entities(self, name: str) -> list[Any]:
        """Return the values of an entity in the order of the message."""
        return [entity["value"] for entity in self.latest.get("entities") or () if entity["entity"] == name]

    @property
    def prompt(self) -> Prompt | None:
        """Return what is open."""
        return open_prompt(self.conversation)

    @property
    def state(self) -> dict[str, Any]:
        """Return the dialogue's own memory of the conversation."""
        return self.conversation.state

    @property
    def firm(self) -> Firm | None:
        """Return the firm, when one was made."""
        return self.conversation.firm

    def make_firm(self) -> Firm:
        """Return the firm; without consent it is a guest's and goes when the session ends."""
        if self.conversation.firm is None:
            self.conversation.firm = Firm(id=new_id(), profile={})
            self.session.add(self.conversation.firm)
        return self.conversation.firm

    @property
    def profile(self) -> Profile:
        """Return what the diagnosis may know of the firm."""
        return Profile.from_dict(self.firm.profile) if self.firm else Profile()

    def label(self, key: str) -> str:
        """Return a word of labels.yml in the owner's variety."""
        return self.content.words.label(key, self.language)

    def listed(self, parts: Iterable[str]) -> str:
        """Return the parts as a list in a sentence, with the comma of the variety."""
        return self.label("list_separator").join(parts)

    def button(self, choice: str, label: str) -> Button:
        """Return a button with a title of labels.yml."""
        return Button(choice, self.label(label), label=label)

    def say(self, response: str, buttons: Sequence[Button] = (), /, **values: Any) -> None:
        """Utter a response of domain.yml in the owner's variety."""
        self.shown = [Offer(button.choice, button.title, button.label) for button in buttons] or self.shown
        self.dispatcher.utter_message(
            response=response,
            buttons=[button.as_document() for button in buttons],
            language=self.language,
            **values,
        )

    def show(self, text: str, **media: Any) -> None:
        """Send a text of knowledge/, or a picture or document with the text that says the same."""
        self.dispatcher.utter_message(json_message={"text": text, "language": self.language} | media)

    def offer(self, buttons: Sequence[Button]) -> None:
        """Make the next prompt's numbered offers those that the text itself names."""
        self.shown = [Offer(button.choice, button.title, button.label) for button in buttons]

    def ask(self, kind: str, about: str = "") -> None:
        """Leave a prompt open, with the buttons shown last as its numbered offers."""
        self.state.pop("below", None)
        set_prompt(self.conversation, Prompt(kind, about, tuple(self.shown)))

    def ask_aside(self, kind: str, about: str = "") -> None:
        """Leave a prompt open that interrupts another one, which comes back when this one is done or dropped."""
        below = self.state.get("below") or self.state.get("prompt")
        self.ask(kind, about)
        self.state["below"] = below

    def leave_aside(self) -> None:
        """Make the prompt that was interrupted the open one again, or leave nothing open."""
        set_prompt(self.conversation, Prompt.from_document(self.state.pop("below", None)))

    def close_prompt(self) -> None:
        """Leave nothing open."""
        self.state.pop("below", None)
        set_prompt(self.conversation, None)

    def switch_to(self, language: str) -> None:
        """Reply in this variety from here on."""
        self.language = self.conversation.language = language


class RafiqAction(Action):
    """An action that replies through a Turn; its name is `action_…`."""

    action_name = ""

    def name(self) -> str:
        """Return the name used in the rules."""
        return self.action_name

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Any) -> list[EventType]:
        """Reply, and hand the variety to Rasa's slot."""
        with _session() as session:
            conversation = _conversation(session, tracker.sender_id)
            latest = tracker.latest_message
            turn = Turn(session, conversation, get_content(), dispatcher, latest, DEFAULT_LANGUAGE)
            if not turn.by_clock:
                conversation.erase_at = None  # somebody who writes again after an erasure starts anew
            turn.switch_to(_language_of(conversation, latest))
            self._settle_stumble(turn)
            self.reply(turn)
            return [SlotSet("language", turn.language)]

    def _settle_stumble(self, turn: Turn) -> None:
        """Close the question about the message before; the reading its owner picked is what it meant."""
        turn.stumbles = turn.state.pop("misunderstood", 0)
        if self.action_name == "action_out_of_scope":
            turn.state["misunderstood"] = turn.stumbles
        asked = turn.prompt is not None and turn.prompt.kind == READING
        offered = turn.state.pop("readings", ())
        # Who goes to a human may have meant anything.
        if turn.intent in offered and turn.intent != ADVISER and (turn.pressed or asked):
            learn(turn.session, turn.conversation, turn.intent)
        if asked:
            turn.leave_aside()

    def reply(self, turn: Turn) -> None:
        """Say what there is to say."""
        raise NotImplementedError(f"{type(self).__name__} has no reply")


def _conversation(session: Session, sender_id: str) -> Conversation:
    """Return the conversation of the turn; under Rasa's own tools, which accept no message first, make one."""
    conversation = session.get(Conversation, sender_id)
    if conversation is not None:
        return conversation
    if current_session.get(None) is not None:
        raise LookupError("the conversation is not in the database")
    conversation = Conversation(
        id=sender_id, channel="developer", address_hash=sender_id, address_encrypted=b"", state={}
    )
    session.add(conversation)
    return conversation


def _language_of(conversation: Conversation, latest: dict[str, Any]) -> str:
    """Return the variety to reply in: the one written now when it is clear, else the one used so far."""
    heard = latest.get("language") or {}
    code, so_far = heard.get("code"), conversation.language
    if conversation.channel == SMS and code == "ary-Arab" and not conversation.state.get("arabic_letters"):
        code = "ary-Latn"  # Arabic letters make an SMS three times as dear: only for those who ask for them
    if code and not so_far and heard.get("confidence", 0) >= 0.5:
        return str(code)
    clear = heard.get("words", 0) >= FOLLOWED_WORDS and heard.get("confidence", 0) >= FOLLOWED_CONFIDENCE
    if code and clear and not heard.get("mixed"):
        return str(code)
    return str(so_far or DEFAULT_LANGUAGE)


@contextmanager
def _session() -> Iterator[Session]:
    """Yield the session of the turn; under stock `rasa run actions`, which knows no turn, one of its own."""
    under_way = current_session.get(None)
    if under_way is not None:
        yield under_way
        return
    with _own_sessions()() as session:
        yield session
        session.commit()


@lru_cache(maxsize=1)
def _own_sessions() -> sessionmaker[Session]:
    return make_sessions(make_engine(get_settings().database))
