"""A call under way: its arguments, its time, and what became of its attempts so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.call_options import CallOptions
from jibble_async.core.deadlines import Deadline
from jibble_async.core.operation import Request, Safety
from jibble_async.core.retry import may_have_been_processed
from jibble_async.core.wire import Reply
from jibble_async.errors import ConfigurationError, ConnectionLostError, JibbleError, TransportError

__all__ = ["NOT_DONE", "Call", "begun"]

T = TypeVar("T")

NOT_DONE = "the server surely did not do this write: nothing of it had left"
"""The note on the cancellation of a write of which that is so."""


class Call(msgspec.Struct, Generic[T], eq=False):
    """A call under way: what is sent, what holds for it, and how far it got.

    Attributes:
        request: What is sent.
        read: Finds the value in the answer.
        options: What holds for it.
        ends: When it must have ended, on the monotonic clock; None if it may take its time.
        started: When it began, on the same clock.
        authorised: Whether it carries a token.
        walk_id: The walk that it fetches a page for, if it does, and if anybody wants to know.
        id: What it is told as; empty as long as nobody was told of it.
        told: Whether its beginning was told, so that its end must be.
        deadline: For what it is doing.
        memory: What the API's recovery has found out about it.
        attempts: The number of the attempt that is under way, or was the last.
        sends: How many requests were sent, those included that another token needed.
        spared: How many of them are not the server's fault, and don't count.
        failed_at: When the first attempt failed, on the monotonic clock.
        sent: Whether a byte of the attempt under way may have left.
        on_kept: Whether it left on a connection that was kept, and nothing came back so far.
        alone: Whether attempts have a connection that nobody used before or uses after.
        maybe_processed: Whether the server may have done it in an attempt that failed.
    """

    request: Request
    read: Callable[[Reply], T]
    options: CallOptions
    ends: float | None
    started: float = 0.0
    authorised: bool = True
    walk_id: str | None = None
    id: str = ""
    told: bool = False
    deadline: Deadline | None = None
    memory: Any = None
    attempts: int = 1
    sends: int = 0
    spared: int = 0
    failed_at: float | None = None
    sent: bool = False
    on_kept: bool = False
    alone: bool = False
    maybe_processed: bool = False

    def left(self, now: float, longest: float | None = None) -> float | None:
        """Seconds until it must have ended, or `longest` if that is less; None without bounds."""
        if self.ends is None:
            return longest
        left = max(0.0, self.ends - now)
        return left if longest is None else min(left, longest)

    def leaves(self, *, on_kept: bool) -> None:
        """A connection is there, and the first byte is about to leave: the attempt begins."""
        self.sent = True
        self.on_kept = on_kept
        if self.deadline is not None:
            self.deadline.sooner(self.options.timeouts.attempt)

    def failed(self, error: JibbleError) -> bool:
        """Note what an attempt failed with; whether it was only a stale connection's doing.

        One that was kept too long: the other end had closed it, or a proxy had forgotten it.
        """
        # One that knows its request is that of a call for a token: this one was not sent then.
        if error.request is not None:
            return False
        if self.authorised and self.request.operation.safety is not Safety.READ:
            self.maybe_processed |= may_have_been_processed(error)
        if not self.on_kept or not isinstance(error, TransportError):
            return False
        # There may be more like it; so at most one attempt of a call is lost in this way.
        self.on_kept, self.alone = False, True
        return isinstance(error, ConnectionLostError)

    def ended(self, error: JibbleError, attempts: int) -> None:
        """Note on the error that ends the call what call it ended, and after how many attempts."""
        self.failed(error)
        error.maybe_processed = error.maybe_processed or self.maybe_processed
        if error.request is None:
            error.request = self.request.line
            error.attempts = attempts

    def cancelled(self, cancelled: asyncio.CancelledError) -> None:
        """Note on the cancellation of a write that the server surely has not done it, if so."""
        write = self.authorised and self.request.operation.safety is not Safety.READ
        if write and not self.sent and not self.maybe_processed:
            cancelled.add_note(NOT_DONE)

    def closed(self) -> ConfigurationError:
        """The error of a call that is under way when its client is closed."""
        error = ConfigurationError("this client was closed while a call was under way")
        doubt = self.authorised and self.request.operation.safety is not Safety.READ
        error.maybe_processed = doubt and self.sent
        self.ended(error, self.attempts)
        return error


def begun(
    request: Request,
    read: Callable[[Reply], T],
    options: CallOptions,
    now: float,
    walk_id: str | None = None,
) -> Call[T]:
    """A call that begins now.

    Args:
        request: What is sent.
        read: Finds the value in the answer.
        options: What holds for it.
        now: The monotonic clock.
        walk_id: The walk that it fetches a page for, if it does.
    """
    total = options.timeouts.total
    ends = None if total is None else now + total
    return Call(request, read, options, ends, now, walk_id=walk_id)
