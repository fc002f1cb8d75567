"""What a client tells as it works: the events that `ClientConfig(hooks=...)` gets.

All that could be a label of a metric has few values: `operation` is a resource and its method,
`path` has `{id}` where an id stands, `error` is the name of a class. No event holds an id, a value
of a query, a body, a header or a text of the server.

What happens in a call is told in its task, in order, and `CallFinished` comes for each
`CallStarted`, whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec

__all__ = [
    "AttemptEvent",
    "AttemptFinished",
    "AttemptStarted",
    "CallEvent",
    "CallFinished",
    "CallStarted",
    "Event",
    "ExportAdvanced",
    "ExportEvent",
    "ExportFinished",
    "ExportReading",
    "ExportSettled",
    "ExportStarted",
    "Hook",
    "PageRead",
    "RetryScheduled",
    "SlotWaited",
    "TokenRefreshed",
    "TracingHook",
    "WalkEvent",
    "WalkFinished",
    "WalkStarted",
    "WindowRead",
]


class CallEvent(msgspec.Struct, frozen=True):
    """What all events of a call have."""

    operation: str
    """Which call: `people.get`; `request` and `paginate` for those of your own, `token`."""
    service: str
    """Which of the API's services."""
    method: str
    """The HTTP method."""
    path: str
    """The path, with `{id}` for each id."""
    call_id: str
    """Tells the call from all others of the client; the same for all of its attempts."""
    attempt: int
    """The attempt under way or the last one, from 1; one with another token is no new one."""


class CallStarted(CallEvent, frozen=True):
    """A call begins; nothing was sent yet."""

    priority: str
    """`interactive` or `bulk`."""
    walk_id: str | None = None
    """The walk that it fetches a page for, if it does."""


class SlotWaited(CallEvent, frozen=True):
    """A call waited for its limiter, and goes on."""

    priority: str
    """`interactive` or `bulk`."""
    seconds: float
    """How long."""


class AttemptEvent(CallEvent, frozen=True):
    """What the events of one request have."""

    resends: int
    """How many requests of this call were sent before it."""
    host: str
    """Where it goes."""
    port: int | None
    """The port there."""


class AttemptStarted(AttemptEvent, frozen=True):
    """A request is about to be sent; slot and token are there."""


class AttemptFinished(AttemptEvent, frozen=True):
    """A request was answered or failed."""

    status: int | None
    """The HTTP status; None if there was no answer."""
    seconds: float
    """From sending to the end of the body."""
    error: str | None = None
    """The class of the error, if there was no answer; `CancelledError` if it was cut off."""


class RetryScheduled(CallEvent, frozen=True):
    """An attempt failed, and there will be another after a while."""

    seconds: float
    """How long it waits before."""
    error: str
    """The class of the error that the attempt ended with."""
    status: int | None = None
    """The HTTP status, if there was an answer."""
    throttled: bool = False
    """Whether the server refused for speed."""


class CallFinished(CallEvent, frozen=True):
    """A call ended."""

    seconds: float
    """From its start, waits and retries included."""
    error: str | None = None
    """The class of the error that it ended with; `CancelledError` if it was cut off."""
    status: int | None = None
    """The HTTP status of that error, if it has one."""


class WalkEvent(msgspec.Struct, frozen=True):
    """What all events of a walk over pages have: one reading of a `list()`."""

    operation: str
    """Which list: `people.list`."""
    service: str
    """Which of the API's services."""
    path: str
    """The path, with `{id}` for each id."""
    walk_id: str | None
    """Tells the walk from others of the client; None for a page that an export asks for."""


class WalkStarted(WalkEvent, frozen=True):
    """A list begins to be read; nothing was sent yet."""


class PageRead(WalkEvent, frozen=True):
    """A page arrived, and was read."""

    rows: int
    """Rows on it."""
    total: int | None
    """Rows of the whole set as the server counts them, if it does."""


class WalkFinished(WalkEvent, frozen=True):
    """A list was read to its end, or left."""

    pages: int
    """Pages that were given to the reader."""
    rows: int
    """Rows on them."""
    seconds: float
    """From its start; what the reader did between two pages is included."""
    error: str | None = None
    """The class of the error that it ended with."""


class TokenRefreshed(msgspec.Struct, frozen=True):
    """A new token was fetched."""

    lifetime: float | None
    """Seconds that it lasts, as far as the server said."""


class ExportEvent(msgspec.Struct, frozen=True):
    """What all events of an export have."""

    operation: str
    """Which: `time_entries.export`."""
    service: str
    """The service that has the rows."""


class ExportStarted(ExportEvent, frozen=True):
    """An export begins to read, or goes on."""

    windows: int
    """Windows that it is read in."""
    resumed_rows: int
    """Rows that are there already, from the run before."""


class ExportReading(ExportEvent, frozen=True):
    """What the events of an export that reads have."""

    done: int
    """Windows that are read."""
    windows: int
    """Windows in all."""
    rows: int
    """Rows so far."""
    total: int | None
    """About how many there will be; None if the server does not count them."""


class WindowRead(ExportReading, frozen=True):
    """A window of an export is on the disk."""


class ExportAdvanced(ExportReading, frozen=True):
    """An export reads on: told every few minutes, however many windows that are."""

    seconds: float
    """Since it began."""


class ExportSettled(ExportEvent, frozen=True):
    """What changed while rows were read was put right, as far as that can be known."""

    outcome: str
    """What is known now; see `jibble_async.export.Outcome`."""
    rounds: int
    """Times that the server was asked what changed."""
    swept: int
    """Rows that had changed, and were read again."""
    dropped: int
    """Rows that were deleted, and left out."""


class ExportFinished(ExportEvent, frozen=True):
    """An export is published, or ended with an error."""

    rows: int
    """Rows that it has."""
    seconds: float
    """Since it began."""
    error: str | None = None
    """The class of the error that it ended with."""


Event: TypeAlias = (
    CallStarted
    | SlotWaited
    | AttemptStarted
    | AttemptFinished
    | RetryScheduled
    | CallFinished
    | WalkStarted
    | PageRead
    | WalkFinished
    | TokenRefreshed
    | ExportStarted
    | WindowRead
    | ExportAdvanced
    | ExportSettled
    | ExportFinished
)
Hook: TypeAlias = Callable[[Event], None]
"""Called synchronously; what it raises is logged, and harms no call."""


@runtime_checkable
class TracingHook(Protocol):
    """A hook that has each request carry where in a trace it belongs."""

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        ...

    def headers(self) -> Mapping[str, str]:
        """What the request that begins is to carry; asked after its `AttemptStarted`.

        Only `traceparent` and `tracestate` are sent, and only to the API, not to the token host.
        """
        ...
