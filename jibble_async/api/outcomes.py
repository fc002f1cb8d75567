"""Many changes at once: what became of each."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from jibble_async.api.writing import surely_not_done
from jibble_async.errors import (
    AuthenticationError,
    ConfigurationError,
    JibbleError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
    TransportError,
)

__all__ = ["ItemOutcome", "ItemState", "each_of"]

# What would befall the next one too, so that it is left alone.
_OF_ALL = (AuthenticationError, ConfigurationError, RateLimitedError, ServerError, TransportError)


class ItemState(enum.StrEnum):
    """What became of one change of many."""

    DONE = "done"
    REFUSED = "refused"
    """The server said no; `error` says why."""
    UNKNOWN = "unknown"
    """It was sent, perhaps more than once, and may have been done."""
    NOT_TRIED = "not tried"
    """It was not sent, or turned away unread: too fast, no connection, no valid token, a
    closed client."""


class ItemOutcome(msgspec.Struct, frozen=True):
    """One change of many."""

    id: str
    """What was to be changed."""
    state: ItemState
    """What became of it."""
    error: JibbleError | None = None
    """Why it is not done; None if it is, or if it was never its turn."""


async def each_of(
    ids: Sequence[str], change: Callable[[str], Awaitable[None]]
) -> list[ItemOutcome]:
    """What became of a change of each, one after the other and in this order.

    After a failure that is not of the item, such as a server that is away, the rest is not tried.
    A cancellation is told, in a note, what became of them so far.

    Args:
        ids: What to change; one that comes twice is changed once.
        change: Changes one of them.
    """
    outcomes: list[ItemOutcome] = []
    stopped = False
    items = list(dict.fromkeys(ids))
    for item in items:
        if stopped:
            outcomes.append(ItemOutcome(item, ItemState.NOT_TRIED))
            continue
        try:
            await change(item)
        except JibbleError as error:
            outcomes.append(ItemOutcome(item, _state_after(error), error))
            stopped = isinstance(error, _OF_ALL)
        except asyncio.CancelledError as cancelled:
            later = items[len(outcomes) + 1 :]
            unsent = surely_not_done(cancelled)
            state = ItemState.NOT_TRIED if unsent else ItemState.UNKNOWN
            outcomes.append(ItemOutcome(item, state))
            outcomes += [ItemOutcome(each, ItemState.NOT_TRIED) for each in later]
            cancelled.add_note(_told(outcomes))
            raise
        else:
            outcomes.append(ItemOutcome(item, ItemState.DONE))
    return outcomes


def _told(outcomes: Sequence[ItemOutcome]) -> str:
    """The outcomes in a line: each state, and the ids that it holds for."""
    ids = {state: [each.id for each in outcomes if each.state is state] for state in ItemState}
    return "; ".join(f"{state}: {', '.join(each)}" for state, each in ids.items() if each)


def _state_after(error: JibbleError) -> ItemState:
    if error.maybe_processed:
        return ItemState.UNKNOWN
    unread = isinstance(error, _OF_ALL) and not isinstance(error, ThrottledOrForbiddenError)
    return ItemState.NOT_TRIED if unread else ItemState.REFUSED
