"""Load Rasa as a library, on the transaction of the turn."""

from __future__ import annotations

from pathlib import Path

from rasa.core.agent import Agent

from bot.dialogue.actions_in_process import InProcessActions
from bot.dialogue.responses import VarietyResponses
from bot.dialogue.runner import SequentialRunner
from bot.dialogue.tracker_store import TurnTrackerStore


class ModelMissing(Exception):
    """There is no trained model to load."""


def load_agent(model: Path) -> Agent:
    """Return the agent of a model file; raise ModelMissing when there is none."""
    if not model.exists():
        raise ModelMissing(f"no trained model {model.name}: run `rafiq train`")
    agent = Agent.load(str(model), action_endpoint=InProcessActions("actions"))
    # Agent wraps any store in FailSafeTrackerStore, which restarts conversations silently when the database fails.
    store = TurnTrackerStore(agent.domain)
    agent.tracker_store = store
    responses = VarietyResponses(agent.domain.responses if agent.domain else {})
    agent.nlg = responses
    if agent.processor is not None:
        agent.processor.tracker_store = store
        agent.processor.nlg = responses
        agent.processor.graph_runner = SequentialRunner(agent.processor.graph_runner)  # type: ignore[assignment, arg-type]
    return agent
