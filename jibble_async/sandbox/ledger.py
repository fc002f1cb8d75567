"""What the sandbox received and committed: the oracle of exports and writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, get_args

if TYPE_CHECKING:
    from datetime import date, datetime

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row

Service: TypeAlias = Literal[
    "identity", "workspace", "time-tracking", "time-attendance", "legacy", "legacy-identity"
]
SERVICES: tuple[Service, ...] = get_args(Service)
TOKEN_SERVICES: frozenset[Service] = frozenset({"identity", "legacy-identity"})
Change: TypeAlias = Literal["created", "updated", "deleted"]


@dataclass(slots=True)
class Received:
    """One request as it arrived, and what became of it.

    Args:
        number: Its place among all requests, from 1.
        at: When it arrived, by the sandbox's clock.
        service: The host it was for.
        method: The HTTP method.
        target: The raw request target behind the service's prefix, not decoded.
        path: The decoded path of the target.
        status: The status that was answered; None when the connection was dropped.
        authorized: Whether it carried a bearer that was valid.
        committed: Whether it changed rows.
        fault: The kind of the fault that it met.
    """

    number: int
    at: datetime
    service: Service
    method: str
    target: str
    path: str
    status: int | None = None
    authorized: bool = False
    committed: bool = False
    fault: str | None = None


class Committed(NamedTuple):
    """One change of a row, with the number of the request that made it."""

    number: int
    entity_set: str
    id: str
    change: Change


@dataclass
class Ledger:
    """Requests in the order of their arrival and changes in the order of their commit.

    Args:
        dataset: The current API's rows, for `rows`.
    """

    dataset: Dataset
    requests: list[Received] = field(default_factory=list[Received])
    committed: list[Committed] = field(default_factory=list[Committed])

    @property
    def token_requests(self) -> list[Received]:
        """The requests for a token."""
        return [each for each in self.requests if each.service in TOKEN_SERVICES]

    def select(
        self, service: Service | None = None, method: str | None = None, path: str | None = None
    ) -> list[Received]:
        """The requests that match.

        Args:
            service: The service's name.
            method: The HTTP method.
            path: A part of the decoded path.
        """
        return [
            each
            for each in self.requests
            if service in {None, each.service}
            and method in {None, each.method}
            and (path is None or path in each.path)
        ]

    def count(
        self, service: Service | None = None, method: str | None = None, path: str | None = None
    ) -> int:
        """How many requests match; see `select`."""
        return len(self.select(service, method, path))

    def rows(
        self,
        name: str,
        *,
        since: date | None = None,
        until: date | None = None,
        include_archived: bool = False,
    ) -> list[Row]:
        """The rows that an export should have, as the current API's wire would show them.

        Args:
            name: The entity set.
            since: First `belongsToDate` of time entries; None for no bound.
            until: Last one, inclusive.
            include_archived: Whether archived rows and removed people are among them.
        """
        return [
            dict(row)
            for row in self.dataset.rows(name)
            if (include_archived or row.get("status") not in {"Archived", "Removed"})
            and (since is None or row["belongsToDate"] >= since.isoformat())
            and (until is None or row["belongsToDate"] <= until.isoformat())
        ]

    def commit(self, received: Received, entity_set: str, row_id: str, change: Change) -> None:
        """Notes a change and that its request made one."""
        received.committed = True
        self.committed.append(Committed(received.number, entity_set, row_id, change))
