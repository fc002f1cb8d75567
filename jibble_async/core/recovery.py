"""A hook of the retry loop: what an API does about failures that its answers leave open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from jibble_async.core.call import Call
from jibble_async.core.retry import Decision
from jibble_async.errors import JibbleError

if TYPE_CHECKING:
    from jibble_async.core.caller import Caller

__all__ = ["Recovery"]


class Recovery(Protocol):
    """What an API does about failures that its answers leave open: a hook of the retry loop."""

    @property
    def errors(self) -> tuple[type[JibbleError], ...]:
        """The failures that it is asked about."""
        ...

    async def next_step(self, error: JibbleError, call: Call[Any], caller: Caller) -> Decision:
        """When to make the next attempt of a call; `caller` makes others within its time.

        Raises:
            JibbleError: There is to be none; this is what the call ends with.
        """
        ...
