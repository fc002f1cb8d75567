"""What every client is, whichever API it speaks to: its life, its options, and one call."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, get_args

import msgspec

from jibble_async.core.events import Event, Stats
from jibble_async.core.operation import Request
from jibble_async.core.options import CallOptions, Timeouts
from jibble_async.core.retry import RetryPolicy
from jibble_async.core.wire import Reply
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Priority
from jibble_async.shared import Shared

__all__ = ["BaseClient"]

S = TypeVar("S", bound=Shared[Any])
T = TypeVar("T")
_KEEP: Any = object()


class BaseClient(Generic[S]):
    """A client of either API. Nothing is opened or sent before the first call.

    Args:
        shared: What stands behind it.
        options: What holds for its calls.
    """

    def __init__(self, shared: S, options: CallOptions) -> None:
        self._shared = shared
        self._options = options

    def with_options(
        self,
        *,
        timeout: Timeouts | float | None = _KEEP,
        max_wait: float | None = _KEEP,
        priority: Priority = _KEEP,
        retry: RetryPolicy = _KEEP,
    ) -> Self:
        """This client with other options for its calls; everything else is shared, `aclose` too.

        Args:
            timeout: All timeouts, or the seconds that a call may take as a whole; None for as
                long as it takes.
            max_wait: Seconds to wait for the limiter at most.
            priority: `bulk` lets others go first, `interactive` does not.
            retry: How often and how patiently to try again.

        Example:
            >>> patient = client.with_options(timeout=None, priority="bulk")
        """
        options = self._options
        if timeout is not _KEEP:
            timeouts = (
                timeout
                if isinstance(timeout, Timeouts)
                else msgspec.structs.replace(options.timeouts, total=timeout)
            )
            options = msgspec.structs.replace(options, timeouts=timeouts)
        if max_wait is not _KEEP:
            options = msgspec.structs.replace(options, max_wait=max_wait)
        if priority is not _KEEP:
            if priority not in get_args(Priority):
                raise ConfigurationError(f"priority={priority!r}: there are interactive and bulk")
            options = msgspec.structs.replace(options, priority=priority)
        if retry is not _KEEP:
            options = msgspec.structs.replace(options, retry=retry)
        other = object.__new__(type(self))
        other._shared = self._shared
        other._options = options
        return other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; calls made later are errors."""
        await self._shared.aclose()

    @property
    def stats(self) -> Stats:
        """What was done so far: requests, retries, seconds waited, rows."""
        return self._shared.stats

    def call(self, request: Request, read: Callable[[Reply], T]) -> Coroutine[Any, Any, T]:
        """Send a request that was built, and give what `read` finds in the answer."""
        return self._shared.caller().call(request, read, self._options)

    def emit(self, event: Event) -> None:
        """Tell the hooks of an event."""
        for hook in self._shared.config.hooks:
            hook(event)
