"""What the clients of both APIs have in common, so that one program runs on either.

Here is what both understand: reading, and clocking in and out. What only one of them can do is
left out, and so is deleting: where one keeps what it archives, the other knows only destroying.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Protocol, Self, TypeVar

from jibble_async.api.base_client import Ping
from jibble_async.core.call_options import Timeouts
from jibble_async.core.cursor import Cursor
from jibble_async.core.pager import Pager
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.retry import RetryPolicy
from jibble_async.core.stats import Stats
from jibble_async.entities import Activity, Client, Entity, Organization, Person, TimeEntry
from jibble_async.limits.slots import Priority
from jibble_async.query.clauses import Expandable, Sortable
from jibble_async.query.expressions import Expression

__all__ = ["TimeTracker", "TrackedEntries", "TrackedResource"]

E_co = TypeVar("E_co", bound=Entity, covariant=True)


class TrackedResource(Protocol[E_co]):
    """A kind of thing that both APIs know."""

    def list(
        self,
        *,
        where: Expression | None = None,
        expand: Iterable[Expandable] = (),
        order_by: Sortable | Iterable[Sortable] = (),
        page_size: int = ...,
        limit: int | None = None,
        concurrency: int = 1,
        resume_from: Cursor | str | None = None,
        verify: bool = False,
        on_bad_row: BadRowHandler | None = None,
    ) -> Pager[E_co]:
        """The members, without those that were archived or removed.

        Each argument is as `ListOptions` has it. An API that lacks the words for a condition, for
        an order or for what is to come along refuses before it sends anything. The old API gives
        100 rows at a time at most, and its pages come one after the other.

        Raises:
            ConfigurationError: An argument that can't be used.
            NotSupportedError: Something that this API can't be asked.
        """
        ...

    async def get(self, id: str) -> E_co:
        """The entity with this id.

        Args:
            id: As this API has it.

        Raises:
            ConfigurationError: It is an id of the other API, or none at all.
            NotFoundError: There is no such entity.
        """
        ...


class TrackedEntries(TrackedResource[TimeEntry], Protocol):
    """The punches, as both APIs know them."""

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        expand: Iterable[Expandable] = (),
        order_by: Sortable | Iterable[Sortable] = (),
        page_size: int = ...,
        limit: int | None = None,
        concurrency: int = 1,
        resume_from: Cursor | str | None = None,
        verify: bool = False,
        on_bad_row: BadRowHandler | None = None,
    ) -> Pager[TimeEntry]:
        """The time entries of a span of working days; the rest is as in `TrackedResource.list`.

        The old API knows no working days: its client finds them if it is given `timezone=`.
        They are chosen by `belongs_to_date`, which is the working day and not the UTC date; the
        first and the last are included.

        Raises:
            ConfigurationError: An argument that can't be used; days, but no time zones.
            NotSupportedError: Something that this API can't be asked.
        """
        ...

    async def latest(self, person_id: str) -> TimeEntry | None:
        """A person's latest entry, which says whether they are at work; None if there is none.

        Args:
            person_id: The person's, as this API has it.

        Raises:
            ConfigurationError: It is an id of the other API, or none at all.
        """
        ...

    async def clock_in(
        self,
        person_id: str,
        *,
        activity_id: str | None = None,
        note: str | None = None,
        at: datetime | None = None,
    ) -> TimeEntry:
        """The entry with which a person begins work; sent once, and looked up if need be.

        Args:
            person_id: Who.
            activity_id: The kind of work.
            note: A note.
            at: The moment, in any time zone; by default the server's now. The old API keeps it to
                the millisecond.

        Raises:
            ConfigurationError: An id of the other API, a moment without a time zone.
            AmbiguousWriteError: The answer was lost, and so is what became of it.
        """
        ...

    async def clock_out(
        self,
        person_id: str,
        *,
        activity_id: str | None = None,
        note: str | None = None,
        at: datetime | None = None,
    ) -> TimeEntry:
        """The entry with which a person ends work; arguments and errors as of `clock_in`."""
        ...


class TimeTracker(Protocol):
    """A client of either API: a `JibbleClient`, or a `LegacyClient` of `jibble_legacy`.

    A function that takes this runs on both, and a program that moves from the old API to the
    current one changes the line that makes its client. Ids are those of the API that is asked.

    Example:
        >>> async def hours(tracker: TimeTracker, since: date, until: date) -> WorkSessions:
        ...     entries = tracker.time_entries.list(since=since, until=until)
        ...     return work_sessions(await entries.collect())
    """

    @property
    def organizations(self) -> TrackedResource[Organization]:
        """The companies."""
        ...

    @property
    def people(self) -> TrackedResource[Person]:
        """Who works there."""
        ...

    @property
    def activities(self) -> TrackedResource[Activity]:
        """The kinds of work that time is booked on."""
        ...

    @property
    def clients(self) -> TrackedResource[Client]:
        """The clients that work is done for."""
        ...

    @property
    def time_entries(self) -> TrackedEntries:
        """The punches."""
        ...

    @property
    def stats(self) -> Stats:
        """What was done so far: requests, retries, seconds waited, rows."""
        ...

    def with_options(
        self,
        *,
        timeout: Timeouts | float | None = ...,
        max_wait: float | None = ...,
        priority: Priority = ...,
        retry: RetryPolicy = ...,
        headers: Mapping[str, str] | None = ...,
    ) -> Self:
        """This client with other options for its calls; see `BaseClient.with_options`."""
        ...

    async def ping(self) -> Ping:
        """Whether calls can be made, found out by making one; see `BaseClient.ping`."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def aclose(self) -> None:
        """Close the connections; calls made later are errors."""
        ...
