"""What a resource gets of its client: calls, and the settings that a list needs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from jibble_async.core.call_options import CallOptions
from jibble_async.core.caller import Caller
from jibble_async.core.emitter import Emitter
from jibble_async.core.operation import Operation, Request, build
from jibble_async.core.stats import Stats
from jibble_async.core.wire import Reply

__all__ = ["Session"]

T = TypeVar("T")


class Session:
    """What a resource gets of its client: calls, and the settings that a list needs.

    Args:
        caller: Makes the calls of all sessions of the client.
        base: Gives the origin of a service, with its path prefix if there is one.
    """

    def __init__(self, caller: Caller, base: Callable[[str], str]) -> None:
        self.caller: Caller = caller
        self.base: Callable[[str], str] = base
        self.options: CallOptions = CallOptions(caller.config.timeouts, caller.config.retry)

    def with_options(self, options: CallOptions) -> Self:
        """A session with other options, which shares everything else.

        Args:
            options: What holds for its calls.
        """
        other = copy.copy(self)
        other.options = options
        return other

    @property
    def stats(self) -> Stats:
        """The sums of what was done so far."""
        return self.caller.stats

    @property
    def page_size(self) -> int:
        """Rows that a list asks for at a time, unless told."""
        return self.caller.config.page_size

    def build(self, operation: Operation, **parts: Any) -> Request:
        """The request for an operation, of the parts that `jibble_async.core.operation` has."""
        return build(operation, self.base(operation.service), **parts)

    @property
    def emitter(self) -> Emitter:
        """Tells of what is done."""
        return self.caller.emitter

    def call(
        self, request: Request, read: Callable[[Reply], T], walk_id: str | None = None
    ) -> Coroutine[None, None, T]:
        """Send a request that was built, and give what `read` finds in the answer.

        Args:
            request: What to send.
            read: Finds the value in the answer.
            walk_id: The walk that it fetches a page for, if it does.
        """
        return self.caller.call(request, read, self.options, walk_id)
