"""What a resource of the old API gets of its client."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Self, TypeVar

from jibble_async.api.session import Backend, Session
from jibble_async.core.operation import Operation, Request, Safety, build
from jibble_async.core.options import CallOptions
from jibble_async.core.wire import Reply
from jibble_legacy.days import WorkingDays
from jibble_legacy.refusals import BareForbiddenError
from jibble_legacy.settlement import Question, Settlement

__all__ = ["SERVICE", "LegacySession"]

T = TypeVar("T")

SERVICE = "legacy"

# Needs no particular right.
_PROBE = Operation(SERVICE, "GET", "/api/v1/teams", Safety.READ)


class LegacySession(Session):
    """What a resource of the old API gets of its client.

    Args:
        backend: What stands behind the client.
        options: What holds for the calls of this session.
        activities_path: How the path of activities is spelt.
        days: The time zones in which people work, if they are known.
        question: What a 403 may mean, asked once for all calls.
    """

    def __init__(
        self,
        backend: Backend,
        options: CallOptions,
        activities_path: str,
        days: WorkingDays | None,
        question: Question | None = None,
    ) -> None:
        super().__init__(backend, options)
        self.activities_path: str = activities_path
        self.days: WorkingDays | None = days
        self._question = Question() if question is None else question

    def with_options(self, options: CallOptions) -> Self:
        """A session with other options, which shares everything else.

        Args:
            options: What holds for its calls.
        """
        return type(self)(self.backend, options, self.activities_path, self.days, self._question)

    def call(self, request: Request, read: Callable[[Reply], T]) -> Coroutine[None, None, T]:
        """Send a request that was built, and give what `read` finds in the answer."""
        return self._call(request, read)

    async def _call(self, request: Request, read: Callable[[Reply], T]) -> T:
        caller, clock, options = self.backend.caller(), self.backend.config.clock, self.options
        total = options.timeouts.total
        ends = None if total is None else clock.monotonic() + total
        try:
            return await caller.call(request, read, options)
        except BareForbiddenError as error:
            refusal = error
        probe = build(_PROBE, self.base(SERVICE), params=(("filter[limit]", "1"),))
        limiter = self.stats.limiters[SERVICE]
        settlement = Settlement(caller, limiter, probe, self._question, clock)
        return await settlement.settle(request, read, options, ends, refusal)
