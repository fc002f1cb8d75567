"""What stands behind a client: opened at its first call, shared by all that is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from jibble_async.core.call import Caller
from jibble_async.core.clock import Clock
from jibble_async.core.events import Hook, Stats
from jibble_async.core.grants import Grant
from jibble_async.core.options import CallOptions, Timeouts
from jibble_async.core.retry import RetryBudget, RetryPolicy
from jibble_async.core.transport import Network, Transport
from jibble_async.core.wire import ErrorReader
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import RateLimiter

__all__ = ["Settings", "Shared"]


class Settings(Protocol):
    """What the settings of any client say."""

    @property
    def timeouts(self) -> Timeouts:
        """How long things may take."""
        ...

    @property
    def retry(self) -> RetryPolicy:
        """How often and how patiently a failed call is tried again."""
        ...

    @property
    def max_body_bytes(self) -> int:
        """The largest answer, counted after decompression."""
        ...

    @property
    def hooks(self) -> tuple[Hook, ...]:
        """Told of each event."""
        ...

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""
        ...

    @property
    def clock(self) -> Clock:
        """Time, sleep and chance."""
        ...


S = TypeVar("S", bound=Settings)


class Shared(Generic[S]):
    """What a client shares with those that `with_options` made of it.

    Args:
        grant: Where tokens come from.
        config: The settings.
        limiters: A limiter for each service.
        network: How to reach the network.
        read_error: How the API says that something went wrong.
    """

    def __init__(
        self,
        grant: Grant,
        config: S,
        limiters: Mapping[str, RateLimiter],
        network: Network,
        read_error: ErrorReader,
    ) -> None:
        self.config: S = config
        self.stats: Stats = Stats(limiters=limiters)
        self._grant = grant
        self._read_error = read_error
        self._limiters = limiters
        self._network = network
        self._budget = RetryBudget()
        self._caller: Caller | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def caller(self) -> Caller:
        """The caller, opened at the first call in the loop that is running then."""
        caller = self._caller
        loop = asyncio.get_running_loop()
        if caller is not None and self._loop is loop:
            return caller
        if self._closed:
            raise ConfigurationError("this client is closed: make another one")
        if caller is not None:
            raise ConfigurationError(
                "this client is in use in another event loop: make one client for each loop, "
                "and in notebooks await it directly instead of calling asyncio.run() again"
            )
        config = self.config
        transport = Transport(
            self._network,
            connect_timeout=config.timeouts.connect,
            max_body_bytes=config.max_body_bytes,
        )
        self._loop = loop
        self._caller = Caller(
            transport,
            self._grant,
            self._limiters,
            self._read_error,
            CallOptions(config.timeouts, config.retry),
            config.clock,
            self.stats,
            self._budget,
            config.hooks,
            config.user_agent,
        )
        return self._caller

    async def aclose(self) -> None:
        """Close the connections; `caller()` is an error from then on."""
        caller, self._caller = self._caller, None
        self._closed = True
        if caller is not None:
            await caller.aclose()
