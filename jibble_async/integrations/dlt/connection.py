"""The one client of a run: all resources share it, its token and its quota."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias, get_args

from jibble_async.api.base_client import BaseClient
from jibble_async.checks import unseen
from jibble_async.client import JibbleClient
from jibble_async.config import Service, endpoints_from
from jibble_async.core.credentials import ClientCredentials
from jibble_async.core.cursor import short_hash
from jibble_async.errors import ConfigurationError
from jibble_async.export.ahead import Ahead, Give
from jibble_async.export.loop_thread import LoopThread
from jibble_async.integrations.dlt.destination import Warehouse, running_pipeline
from jibble_async.integrations.pacing import SharedLimiter, limiter_at

__all__ = ["Connect", "Connection", "connects"]

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[BaseClient[Any]]]

# Tables that wait while dlt writes the one before.
_AHEAD = 2


class Connection:
    """A client in a thread, from the first reading that begins to the last one that ends.

    Args:
        connect: Makes the client, in that thread.

    Attributes:
        warehouse: The destination, meanwhile; None if it can't be asked.
        home: Where the pipeline keeps what it works at; None if there is no pipeline.
        loaded: What is known of the sets that were read, of the last run only.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._readings = 0
        self._items: weakref.WeakSet[Ahead[Any]] = weakref.WeakSet()
        self._loop: LoopThread | None = None
        self._opened: tuple[AsyncExitStack, BaseClient[Any]] | None = None
        self.warehouse: Warehouse | None = None
        self.home: Path | None = None
        self.loaded: list[dict[str, Any]] = []

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being read."""
        return self._readings == 0

    @contextlib.contextmanager
    def used(self) -> Generator[None]:
        """Have the client, until the end of the block.

        Raises:
            JibbleError: It could not be made.
        """
        self._begin()
        try:
            yield
        finally:
            self._end()

    def read(self, read: Callable[[BaseClient[Any], Give[Any]], Awaitable[None]]) -> Ahead[Any]:
        """What a coroutine gives, which gets the client; to be closed before the client is."""
        assert self._opened is not None
        _, client = self._opened

        async def produce(give: Give[Any]) -> None:
            await read(client, give)

        items: Ahead[Any] = Ahead(produce, _AHEAD, self._loop)
        self._items.add(items)
        return items

    def cancel(self) -> None:
        """Have all that is read cancelled, so that nobody waits for one after the other."""
        for each in [*self._items]:
            each.cancel()

    def _begin(self) -> None:
        with self._lock:
            if self._loop is None:
                loop = LoopThread()
                try:
                    self._opened = loop.start(self._open).result()
                except BaseException:
                    loop.close()
                    raise
                self._loop = loop
                self._look_around()
            self._readings += 1

    def _end(self) -> None:
        with self._lock:
            self._readings -= 1
            if self._readings or self._loop is None or self._opened is None:
                return
            loop, (stack, _) = self._loop, self._opened
            self._loop = self._opened = self.warehouse = None
            try:
                loop.start(stack.aclose).result()
            finally:
                loop.close()

    def _look_around(self) -> None:
        self.loaded = []
        pipeline = running_pipeline()
        self.home = None if pipeline is None else Path(pipeline.working_dir)
        self.warehouse = None if pipeline is None else Warehouse.of_pipeline(pipeline)

    async def _open(self) -> tuple[AsyncExitStack, BaseClient[Any]]:
        stack = AsyncExitStack()
        return stack, await stack.enter_async_context(self._connect())


@unseen
def connects(
    client_id: str | None,
    client_secret: str | None,
    limiter: str | None,
    limit: int | None,
    per: float | None,
    workers: int,
) -> Connect:
    """What makes a client of dlt's settings; services are where the environment says.

    Raises:
        ConfigurationError: A credential is missing.
    """
    if not client_id or not client_secret:
        raise ConfigurationError(
            "no credentials: set sources.jibble.client_id and sources.jibble.client_secret in "
            "dlt's secrets.toml, or SOURCES__JIBBLE__CLIENT_ID and SOURCES__JIBBLE__CLIENT_SECRET "
            "in the environment; they are the id and secret of an API key from Jibble's settings"
        )
    auth = ClientCredentials(client_id, client_secret)
    paces = None if limiter is None else _Paces(limiter, limit, per, workers)

    @contextlib.asynccontextmanager
    async def connect() -> AsyncGenerator[BaseClient[Any]]:
        async with AsyncExitStack() as stack:
            limiters: dict[Service, SharedLimiter] = {}
            if paces is not None:
                for each in get_args(Service):
                    if each != "identity":
                        limiters[each] = await stack.enter_async_context(paces.limiter(each, auth))
            client = JibbleClient.from_env(auth=auth, limiter=limiters or None)
            yield await stack.enter_async_context(client)

    return connect


class _Paces:
    """Limiters of services; the place may hold a password, which no variable is to show."""

    def __init__(self, where: str, limit: int | None, per: float | None, workers: int) -> None:
        self._where = where
        self._given: dict[str, Any] = {"limit": limit, "per": per, "workers": workers}

    def limiter(self, service: Service, auth: ClientCredentials) -> SharedLimiter:
        """That of a service: one for each pair of credentials and host."""
        owner = f"{endpoints_from(os.environ).base(service)} {auth.client_id}"
        return limiter_at(self._where, f"{service}-{short_hash(owner)}", **self._given)
