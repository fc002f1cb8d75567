"""The slot protocol: what a call asks of a limiter, and tells it afterwards.

A slot is the right to send one request. It is taken before the request and given back with what
became of it, because that decides when the server stops counting it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias, runtime_checkable

__all__ = [
    "FREE_SLOT",
    "CountedSlot",
    "Counting",
    "Outcome",
    "Paced",
    "Priority",
    "Queued",
    "RateLimiter",
    "Slot",
    "SlotOwner",
    "Unlimited",
]

Priority: TypeAlias = Literal["interactive", "bulk"]
"""`interactive` goes before `bulk`; within each, first come first served."""


class Outcome(enum.Enum):
    """What became of a request that held a slot."""

    NOT_SENT = "not sent"
    """The server surely did not see it: it need not count."""
    ANSWERED = "answered"
    """The server answered, whatever it said."""
    THROTTLED = "throttled"
    """The server refused it for going too fast."""
    ABANDONED = "abandoned"
    """Cancelled, timed out or lost: it may still arrive."""


class Slot(Protocol):
    """The right to send one request."""

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        """Give the slot back.

        Args:
            outcome: What became of the request.
            headers: The headers of the answer, if there was one.
        """
        ...


@runtime_checkable
class RateLimiter(Protocol):
    """Anything that hands out slots at a rate the server accepts."""

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot.

        Args:
            priority: Whom to serve first when several wait.
            max_wait: The longest wait in seconds; None waits as long as it takes.

        Raises:
            RateLimitedError: `max_wait` can't be met. Raised at once where that is known ahead.
        """
        ...


@runtime_checkable
class Paced(Protocol):
    """A limiter that can tell how fast it lets requests go."""

    @property
    def rate(self) -> float:
        """Requests per second that the server is believed to accept."""
        ...


@runtime_checkable
class Queued(Protocol):
    """A limiter that can tell how many calls wait for it."""

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot at this moment, by priority."""
        ...


@runtime_checkable
class Counting(Protocol):
    """A limiter that counts what was sent, as the server does.

    Attributes:
        limit: Requests that the server accepts in a period.
        per: The period in seconds.
    """

    limit: int
    per: float

    @property
    def used(self) -> int | None:
        """Requests that count at present, those under way included; None if it is not known."""
        ...

    def hold(self, wait: float | None = None) -> float:
        """Hand out nothing until the oldest request no longer counts; the seconds until then.

        For when the server refuses what should be within its limit. By then it has room, whoever
        else uses the credentials.

        Args:
            wait: Seconds for which the server asked to be left alone, if it did: what is free is
                free again after these.
        """
        ...


class SlotOwner(Protocol):
    """A limiter that counts a slot until it hears what became of it."""

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Count on, or not, according to `outcome`."""
        ...

    def lose(self, key: str, taken_at: float) -> None:
        """Take note of a slot that nobody can release any more; may come from any thread."""
        ...


class CountedSlot:
    """A slot whose owner wants to hear what became of it.

    Dropping it without a release is the same as `Outcome.ABANDONED`.

    Args:
        owner: The limiter that gave it.
        key: The owner's name for it.
        taken_at: When it was handed out, on the owner's clock.
    """

    __slots__ = ("_key", "_owner", "_taken_at")

    def __init__(self, owner: SlotOwner, key: str, taken_at: float) -> None:
        self._owner: SlotOwner | None = owner
        self._key = key
        self._taken_at = taken_at

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        """Give the slot back; only the first release counts."""
        owner = self._owner
        if owner is not None:
            self._owner = None
            owner.take_back(self._key, outcome, self._taken_at)

    def __del__(self) -> None:
        if self._owner is not None:
            self._owner.lose(self._key, self._taken_at)


class _FreeSlot:
    """A slot that nobody counts."""

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        """Do nothing."""


FREE_SLOT: Slot = _FreeSlot()
"""The slot of limiters that count when they hand out, and need not hear what became of it."""


class Unlimited:
    """A limiter that never waits, for servers without a limit such as one's own sandbox."""

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Hand out a slot at once."""
        return FREE_SLOT
