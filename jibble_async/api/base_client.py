"""What every client is, whichever API it speaks to: its life, and the options of its calls."""

from __future__ import annotations

import copy
import functools
from typing import Any, Generic, Self, TypeVar, get_args, get_type_hints

import msgspec

from jibble_async.api.session import Session
from jibble_async.core.call_options import Timeouts
from jibble_async.core.events import Stats
from jibble_async.core.retry import RetryPolicy
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Priority

__all__ = ["BaseClient", "resources_of", "session_of"]

S = TypeVar("S", bound=Session)
_KEEP: Any = object()


class BaseClient(Generic[S]):
    """A client of either API. Nothing is opened or sent before the first call.

    Args:
        session: Makes its calls.
    """

    def __init__(self, session: S) -> None:
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
    ) -> Self:
        """This client with other options for its calls; everything else is shared, `aclose` too.

        Args:
            timeout: All timeouts, or the seconds that a call may take as a whole; None for as
                long as it takes.
            max_wait: Seconds to wait for the limiter at most.
            priority: `bulk` lets others go first, `interactive` does not.
            retry: How often and how patiently to try again.

        Example:
            >>> patient = client.with_options(timeout=None, priority="bulk")
        """
        options = self._session.options
        if timeout is not _KEEP and not isinstance(timeout, Timeouts):
            timeout = msgspec.structs.replace(options.timeouts, total=timeout)
        if priority is not _KEEP and priority not in get_args(Priority):
            raise ConfigurationError(f"priority={priority!r}: there are interactive and bulk")
        given = {"timeouts": timeout, "max_wait": max_wait, "priority": priority, "retry": retry}
        changes = {name: value for name, value in given.items() if value is not _KEEP}
        other = copy.copy(self)
        other._equip(self._session.with_options(msgspec.structs.replace(options, **changes)))
        return other

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
