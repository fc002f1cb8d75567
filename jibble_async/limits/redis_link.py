"""The way to a Redis that workers share: its address, its words, and what no wait will mend."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jibble_async.errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["PROBE", "RedisLink", "StoreAwayError"]

PROBE = 1.0
"""Seconds between attempts to reach a store that is away."""

PASSES = ("BUSY ", "MISCONF ", "NOREPLICAS ", "UNKILLABLE ")
"""How refusals begin that end by themselves, of those that redis-py has no class for."""

Script = Callable[..., Any]


class StoreAwayError(Exception):
    """The store can't be reached, or is too slow; the words say why."""


class RedisLink:
    """Runs a script at a Redis server.

    Args:
        owner: The class whose link it is, for errors.
        url: As for redis-py: `redis://`, `rediss://` or `unix://`.
        script: The script, in Lua.
        timeout: Seconds that the store may take for an answer.

    Raises:
        ConfigurationError: The address is wrong, or the extra `redis` is not installed.
    """

    def __init__(self, owner: str, url: str, script: str, timeout: float) -> None:
        try:
            from redis.asyncio.connection import parse_url
        except ImportError as error:
            raise MissingExtraError(
                f'{owner} needs redis: pip install "jibble-async[redis]"'
            ) from error
        parts: Mapping[str, Any] | None = None
        with contextlib.suppress(ValueError):
            parts = parse_url(url)
        if parts is None:
            # Without redis-py's words, not even as the context: they may quote a password.
            raise ConfigurationError(
                f"{owner} can't use its url: it is redis://, rediss:// or unix://, then "
                "[user][:password@]host[:port][/number of the database], with special characters "
                "in a password as %2F"
            )
        self._owner = owner
        self._url = url
        self._password = str(parts.get("password") or "")
        tls = url.startswith("rediss://")
        self._plain = (parts.get("host", "localhost"), parts.get("port", 6379)) if tls else None
        self._source = script
        self._timeout = timeout
        self._redis: Redis | None = None
        self._script: Script | None = None
        self.heard_of: bool = False

    def open(self) -> None:
        """Get ready for the running loop, without I/O."""
        self._script = self._connect()

    async def close(self) -> None:
        """Close the connection; `open` may come again."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def run(self, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """What the script replies.

        Raises:
            StoreAwayError: The store can't be reached, or takes longer than the time-out.
            ConfigurationError: It says no, or is none.
        """
        from redis.exceptions import RedisError

        assert self._script is not None
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._script(keys=keys, args=args)
        except (RedisError, OSError) as error:
            words = self._words(error)
            if _stays(error):
                raise ConfigurationError(
                    f"{self._owner} can't count there, check address and credentials: {words}"
                ) from None
            if await self._is_plain():
                raise ConfigurationError(
                    f"{self._owner} can't count there: Redis speaks no TLS at that port, which "
                    "rediss:// asks for and redis:// does not"
                ) from None
            raise StoreAwayError(words) from None
        self.heard_of = True
        return reply

    def _connect(self) -> Script:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            self._url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=self._timeout,
        )
        script: Script = self._redis.register_script(self._source)
        return script

    def _words(self, error: BaseException) -> str:
        """What the store, or the way to it, says; a server may quote what it was sent."""
        words = str(error)
        if self._password:
            words = words.replace(self._password, "***")
        return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__

    async def _is_plain(self) -> bool:
        """Whether a store to be reached by TLS, and never heard of, answers without.

        To the beginning of a TLS connection Redis would say nothing, as if it were slow.
        """
        if self._plain is None or self.heard_of:
            return False
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_connection(*self._plain)
                try:
                    writer.write(b"PING\r\n")
                    return await reader.read(1) in {b"+", b"-"}
                finally:
                    writer.close()
        except OSError:
            return False


def _stays(error: BaseException) -> bool:
    """Whether no wait will mend it: what the store says no to, or what is no such store."""
    from redis import exceptions as of

    passing = (
        of.ReadOnlyError,
        of.OutOfMemoryError,
        of.TryAgainError,
        of.ClusterDownError,
        of.NoScriptError,
    )
    if isinstance(error, passing) or str(error).startswith(PASSES):
        return False
    broken_off = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    if isinstance(error, (of.ResponseError, of.AuthenticationError, of.InvalidResponse)) or (
        isinstance(error, ssl.SSLError) and not isinstance(error, broken_off)
    ):
        return True
    # redis-py wraps what it meets while it connects in a lost connection.
    reason = error.__cause__ or error.__context__
    return reason is not None and _stays(reason)
