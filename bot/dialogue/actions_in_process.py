"""Custom actions in the worker's own process, through the SDK's executor, where Rasa expects a server."""

from __future__ import annotations

from typing import Any

from rasa.core.actions.action import RemoteAction
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor


def _made_here(_action: RemoteAction, _result: dict[str, Any]) -> bool:
    """Trust what the SDK's executor made in this process."""
    return True


# Rasa checks each answer of an action server against a schema, and the schema itself each time: four fifths of a turn.
RemoteAction._validate_action_result = _made_here  # type: ignore[method-assign]


class InProcessActions(EndpointConfig):
    """An action endpoint that runs the actions of a package here, and remembers the first one that failed.

    Rasa swallows an action's exception and the owner would get silence; the turn asks `take_failure` and
    rolls everything back instead.
    """

    def __init__(self, package: str) -> None:
        super().__init__(url="in-process", enable_selective_domain=True)
        self._executor = ActionExecutor()
        self._executor.register_package(package)
        self._failure: BaseException | None = None

    async def request(self, method: str = "post", *_: Any, **kwargs: Any) -> Any:
        """Run the action named in the call's JSON and return its events and responses."""
        try:
            return await self._executor.run(kwargs["json"])
        except Exception as error:
            self._failure = self._failure or error
            raise

    @property
    def names(self) -> frozenset[str]:
        """Return the names of the registered actions."""
        return frozenset(self._executor.actions)

    def take_failure(self) -> BaseException | None:
        """Return and forget the exception of the turn."""
        failure, self._failure = self._failure, None
        return failure
