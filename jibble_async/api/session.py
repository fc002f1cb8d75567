"""What a resource gets of its client, and what stands behind all sessions of a client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Self, TypeVar

from jibble_async.api.config import BaseConfig
from jibble_async.core.caller import Caller, Recovery
from jibble_async.core.events import Event, Stats
from jibble_async.core.operation import Request
from jibble_async.core.options import CallOptions
from jibble_async.core.retry import RetryBudget
from jibble_async.core.tokens import Grant
from jibble_async.core.transport import Network, Transport
from jibble_async.core.wire import ErrorReader, Reply
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import RateLimiter

__all__ = ["Backend", "Session"]

T = TypeVar("T")


class Backend:
    """What all sessions of a client share; its connections are opened at the first call.

    Args:
        config: The settings.
        grant: Where tokens come from.
        limiters: A limiter for each service.
        network: How to reach the network.
        read_error: How the API says that something went wrong.
        recovery: What the API does about failures that its answers leave open.
    """

    def __init__(
        self,
        config: BaseConfig,
        grant: Grant,
        limiters: Mapping[str, RateLimiter],
        network: Network,
        read_error: ErrorReader,
        recovery: Recovery | None = None,
    ) -> None:
        self.config: BaseConfig = config
        self.stats: Stats = Stats(limiters=limiters)
        self._grant = grant
        self._read_error = read_error
        self._recovery = recovery
        self._limiters = limiters
        self._network = network
        self._budget = RetryBudget()
        self._caller: Caller | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def caller(self) -> Caller:
        """The caller, opened at the first call in the loop that is running then.

        Raises:
            ConfigurationError: The client is closed, or belongs to another loop.
        """
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
            self._recovery,
        )
        return self._caller

    async def aclose(self) -> None:
        """Close the connections; `caller()` is an error from then on."""
        caller, self._caller = self._caller, None
        self._closed = True
        if caller is not None:
            await caller.aclose()


class Session:
    """What a resource gets of its client: calls, and the settings that a list needs.

    Args:
        backend: What stands behind the client.
        options: What holds for the calls of this session.
    """

    def __init__(self, backend: Backend, options: CallOptions) -> None:
        self.backend: Backend = backend
        self.options: CallOptions = options

    def with_options(self, options: CallOptions) -> Self:
        """A session with other options, which shares everything else.

        Args:
            options: What holds for its calls.
        """
        return type(self)(self.backend, options)

    @property
    def stats(self) -> Stats:
        """The sums of what was done so far."""
        return self.backend.stats

    @property
    def page_size(self) -> int:
        """Rows that a list asks for at a time, unless told."""
        return self.backend.config.page_size

    def base(self, service: str) -> str:
        """The origin of a service, with its path prefix if there is one."""
        return self.backend.config.base(service)

    def call(self, request: Request, read: Callable[[Reply], T]) -> Coroutine[None, None, T]:
        """Send a request that was built, and give what `read` finds in the answer."""
        return self.backend.caller().call(request, read, self.options)

    def emit(self, event: Event) -> None:
        """Tell the hooks of an event."""
        for hook in self.backend.config.hooks:
            hook(event)
