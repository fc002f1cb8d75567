"""The old account, of which can only be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from jibble_async.api.base_client import session_of
from jibble_async.core.operation import Operation, Params, Safety
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import ConfigurationError, NotFoundError
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.limits.slots import Counting, RateLimiter
from jibble_legacy.client import LegacyClient
from jibble_legacy.migration.reading.old_rows import read_page
from jibble_legacy.migration.reading.walk import Place, parameters
from jibble_legacy.migration.states import Kind
from jibble_legacy.session import SERVICE

__all__ = ["OldPage", "Source"]

T = TypeVar("T")


class OldPage(msgspec.Struct, frozen=True):
    """An answer of the old account.

    Attributes:
        kind: What it holds.
        request: What was asked, without the origin.
        body: Its bytes.
        rows: Its rows, as bytes.
        received: When it came, by the client's clock.
        date: When it was given, by the server's clock; by the client's where it does not tell.
    """

    kind: Kind
    request: str
    body: bytes
    rows: list[msgspec.Raw]
    received: datetime
    date: datetime


class Source:
    """An old account, of which can only be read: it has no way to send anything but a GET.

    Its requests wait for as long as the limit asks, let interactive ones go first, and outlast a
    quarter of an hour without an answer.

    Args:
        client: A client of the old API; not closed here.
        base: What the account's address is called where it is written down; by default the URL.

    Attributes:
        base: As given.
        size: Rows to ask for at a time.
        limiter: Counts the client's requests.
    """

    def __init__(self, client: LegacyClient, *, base: str | None = None) -> None:
        session = session_of(patient(client, GIVE_UP_AFTER))
        self.base: str = base or session.base(SERVICE).rstrip("/")
        self.size: int = session.page_size
        self.limiter: RateLimiter = session.stats.limiters[SERVICE]
        self.now: Callable[[], datetime] = session.caller.config.clock.now
        self._paths = {kind: f"/api/v1/{kind}" for kind in Kind}
        self._paths[Kind.ACTIVITY] = f"/api/v1/{session.activities_path}"

        async def get(
            path: str, params: Params, path_id: str | None, read: Callable[[Reply], T]
        ) -> tuple[str, T]:
            operation = Operation(SERVICE, "GET", path, Safety.READ, name="migration.read")
            request = session.build(operation, params=params, path_id=path_id)
            return request.url.raw_path_qs, await session.call(request, read)

        self._get = get

    async def page(self, kind: Kind, place: Place, field: str | None = None) -> OldPage:
        """The rows of a list at a place.

        Args:
            kind: Which list.
            place: Where; see `reading/walk.py`.
            field: The field that rows come in the order of; None for no order.

        Raises:
            JibbleError: The call failed for good.
        """
        return await self._page(kind, parameters(place, field, self.size))

    async def has(self, skip: int) -> bool:
        """Whether there is a time entry after so many others.

        Args:
            skip: How many.
        """
        params = [("filter[limit]", "1"), ("filter[skip]", str(skip))]
        return bool((await self._page(Kind.ENTRY, params)).rows)

    async def one(self, kind: Kind, id: str) -> OldPage | None:
        """The row of an id; None if the old account says that there is none.

        Args:
            kind: What it is.
            id: Its id.

        Raises:
            JibbleError: The call failed for good.
        """
        try:
            asked, reply = await self._get(f"{self._paths[kind]}/{{id}}", (), id, _object)
        except NotFoundError:
            return None
        except ConfigurationError:
            # It can't stand in a path, so no such row was ever made.
            return None
        return self._read(kind, asked, reply, [msgspec.Raw(reply.body)])

    async def entry_with_person(self, person: str) -> OldPage:
        """A time entry of a person, with the person in it as far as the old account still knows.

        Args:
            person: The id.
        """
        params = [
            ("filter[where][person]", person),
            ("filter[include]", "person"),
            ("filter[limit]", "1"),
        ]
        return await self._page(Kind.ENTRY, params)

    @property
    def quota(self) -> tuple[int, float, int] | None:
        """Requests in a period, its seconds, and how many count now; None if nobody counts."""
        limiter = self.limiter
        if not isinstance(limiter, Counting):
            return None
        return limiter.limit, limiter.per, limiter.used or 0

    async def _page(self, kind: Kind, params: Params) -> OldPage:
        asked, (reply, rows) = await self._get(
            self._paths[kind], params, None, lambda reply: (reply, read_page(reply))
        )
        return self._read(kind, asked, reply, rows)

    def _read(self, kind: Kind, asked: str, reply: Reply, rows: list[msgspec.Raw]) -> OldPage:
        now = self.now()
        try:
            date = parsedate_to_datetime(reply.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError, OverflowError):
            # The clock of this machine is all there is, and it may be wrong.
            date = now - timedelta(days=1)
        return OldPage(kind, asked, reply.body, rows, now, date)


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _object(reply: Reply) -> Reply:
    decode_json(reply, _OBJECT.decode)
    return reply
