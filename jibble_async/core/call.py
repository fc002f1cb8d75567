"""A call under way: its arguments, its time, and what became of its attempts so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.operation import Request, Safety
from jibble_async.core.options import CallOptions
from jibble_async.core.retry import may_have_been_processed
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError

__all__ = ["Call"]

T = TypeVar("T")


class Call(msgspec.Struct, Generic[T], eq=False):
    """A call under way: what is sent, what holds for it, and how far it got.

    Attributes:
        request: What is sent.
        read: Finds the value in the answer.
        options: What holds for it.
        ends: When it must have ended, on the monotonic clock; None if it may take its time.
        authorised: Whether it carries a token.
        memory: What the API's recovery has found out about it.
        attempts: The number of the attempt that is under way, or was the last.
        maybe_processed: Whether the server may have done it in an attempt that failed.
    """

    request: Request
    read: Callable[[Reply], T]
    options: CallOptions
    ends: float | None
    authorised: bool = True
    memory: Any = None
    attempts: int = 1
    maybe_processed: bool = False

    def left(self, now: float, longest: float | None = None) -> float | None:
        """Seconds until it must have ended, or `longest` if that is less; None without bounds."""
        if self.ends is None:
            return longest
        left = max(0.0, self.ends - now)
        return left if longest is None else min(left, longest)

    def failed(self, error: JibbleError) -> None:
        """Note what an attempt failed with."""
        # One that knows its request is that of a call for a token: this one was not sent then.
        if self.authorised and error.request is None:
            doubt = self.request.operation.safety is not Safety.READ
            self.maybe_processed |= doubt and may_have_been_processed(error)

    def ended(self, error: JibbleError, attempts: int) -> None:
        """Note on the error that ends the call what call it ended, and after how many attempts."""
        self.failed(error)
        error.maybe_processed = error.maybe_processed or self.maybe_processed
        if error.request is None:
            error.request = self.request.line
            error.attempts = attempts
