"""What every client is, whichever API it speaks to: its life, and the options of its calls."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Self, TypeVar, get_args, get_type_hints

import msgspec

from jibble_async.api.session import Session
from jibble_async.core.call_options import Timeouts
from jibble_async.core.given_headers import given_headers
from jibble_async.core.operation import Request
from jibble_async.core.quoting import metadata_of
from jibble_async.core.retry import RetryPolicy
from jibble_async.core.stats import Stats
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import ConfigurationError
from jibble_async.limits.headers import read_date
from jibble_async.limits.slots import Priority
from jibble_async.response import ResponseMetadata

__all__ = ["BaseClient", "Ping", "resources_of", "session_of"]

S = TypeVar("S", bound=Session)
# Answers are dated in whole seconds, and come some time after.
_WRONG = timedelta(seconds=5)
_KEEP: Any = object()


class Ping(msgspec.Struct, frozen=True):
    """What a client that reaches its API learns of it; see `ping()`."""

    seconds: float
    """How long the call took, waiting for a slot and a token included."""
    response: ResponseMetadata
    """What may be told of the answer, the server's id for it included."""
    server_time: datetime | None
    """The server's clock when it answered, in whole seconds; None if it did not say."""
    clock_offset: timedelta | None
    """How far the server's clock is ahead of this machine's, to a second or so."""

    @property
    def clock_is_off(self) -> bool:
        """Whether this machine's clock is so wrong (5 s) that punches with `at=` are, too."""
        return self.clock_offset is not None and abs(self.clock_offset) > _WRONG


class BaseClient(Generic[S]):
    """A client of either API. Nothing is opened or sent before the first call.

    Args:
        session: Makes its calls.
        probe: The cheapest request that shows whether calls can be made, and its answer read.
    """

    def __init__(self, session: S, probe: Request) -> None:
        self._probe = probe
        self._equip(session)

    def _equip(self, session: S) -> None:
        """Put a session behind the client, and behind all that it offers."""
        self._session: S = session
        # As type[Any] mypy would not take it for a key of a cache.
        kind: Any = type(self)
        for name, resource in resources_of(kind).items():
            setattr(self, name, resource(session))

    def with_options(
        self,
        *,
        timeout: Timeouts | float | None = _KEEP,
        max_wait: float | None = _KEEP,
        priority: Priority = _KEEP,
        retry: RetryPolicy = _KEEP,
        headers: Mapping[str, str] | None = _KEEP,
    ) -> Self:
        """This client with other options for its calls; everything else is shared, `aclose` too.

        Args:
            timeout: All timeouts, or the seconds that a call may take as a whole; None for as
                long as it takes.
            max_wait: Seconds to wait for the limiter at most.
            priority: `bulk` lets others go first, `interactive` does not.
            retry: How often and how patiently to try again.
            headers: Sent with each request to the API (never to the token host), for finding it
                again: `X-…`, `…-Id`, `traceparent` and the like, in place of those given before;
                None for none.

        Raises:
            ConfigurationError: An option that can't be used, such as a header `Authorization`.

        Example:
            >>> patient = client.with_options(timeout=None, priority="bulk")
            >>> traced = client.with_options(headers={"X-Correlation-Id": "invoice-17"})
        """
        options = self._session.options
        if timeout is not _KEEP and not isinstance(timeout, Timeouts):
            timeout = msgspec.structs.replace(options.timeouts, total=timeout)
        if priority is not _KEEP and priority not in get_args(Priority):
            raise ConfigurationError(f"priority={priority!r}: there are interactive and bulk")
        if headers is not _KEEP:
            headers = given_headers(headers or {})
        given = {
            "timeouts": timeout,
            "max_wait": max_wait,
            "priority": priority,
            "retry": retry,
            "headers": headers,
        }
        changes = {name: value for name, value in given.items() if value is not _KEEP}
        other = copy.copy(self)
        other._equip(self._session.with_options(msgspec.structs.replace(options, **changes)))
        return other

    async def ping(self) -> Ping:
        """Whether calls can be made, found out by making the cheapest one.

        It is a call like any other: it waits for a slot, has the client's timeouts and retries, and
        counts against the quota. So a health check that is asked often keeps the answer for a
        while (docs/reliability.md).

        Raises:
            JibbleError: They can't; as any call does.

        Example:
            >>> quick = client.with_options(timeout=5, retry=RetryPolicy(attempts=1))
            >>> answer = await quick.ping()
            >>> answer.seconds, answer.clock_is_off
        """
        clock = self._session.caller.config.clock
        began = clock.monotonic()
        reply = await self._session.call(self._probe, _rows)
        now, date = clock.now(), read_date(reply.headers)
        there = None if date is None else datetime.fromtimestamp(date, UTC)
        offset = None if there is None else there - now
        return Ping(clock.monotonic() - began, metadata_of(reply), there, offset)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.stats.requests} requests so far>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; calls made later are errors."""
        await self._session.caller.aclose()

    @property
    def stats(self) -> Stats:
        """What was done so far: requests, retries, seconds waited, rows."""
        return self._session.stats


class _Rows(msgspec.Struct):
    value: list[msgspec.Raw]


# What each API's lists are like.
_ROWS: msgspec.json.Decoder[list[msgspec.Raw] | _Rows] = msgspec.json.Decoder(
    list[msgspec.Raw] | _Rows
)


def _rows(reply: Reply) -> Reply:
    """The reply, if it holds rows: not the page of a login, or an error that says it is none."""
    decode_json(reply, _ROWS.decode)
    return reply


def session_of(client: BaseClient[S]) -> S:
    """The session behind a client, for what is built on clients in this project.

    Args:
        client: A client of either API.
    """
    return client._session  # pyright: ignore[reportPrivateUsage] - the one door to it


@functools.cache
def resources_of(client: type[BaseClient[Any]]) -> dict[str, type[Any]]:
    """The classes of the resources that a client offers, by the names that it offers them by.

    Args:
        client: Its class; the first one that was made of `BaseClient` declares them, whatever a
            user adds.
    """
    above = client.__mro__.index(BaseClient) - 1
    return get_type_hints(client.__mro__[above])
