"""Tokens: how long they are used, and one refresh for any number of callers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import copy
from collections.abc import Callable

import msgspec

from jibble_async.core.clock import Clock
from jibble_async.core.grants import Exchange, Grant, Token
from jibble_async.errors import ConfigurationError, JibbleError

__all__ = ["Bearer", "Tokens"]


class Bearer:
    """A token in use.

    Attributes:
        generation: Which token this is; a refusal names the one that was refused.
        authorization: The value of the header.
        refresh_at: When to replace it, on the monotonic clock.
        expires_at: When it ends, as far as is known.
        accepted: Whether the server has taken it at least once.
        organization_id: Whom it acts for.
        person_id: Whom it acts as.
    """

    __slots__ = (
        "accepted",
        "authorization",
        "expires_at",
        "generation",
        "organization_id",
        "person_id",
        "refresh_at",
    )

    def __init__(self, token: Token, generation: int, refresh_at: float, expires_at: float) -> None:
        self.generation: int = generation
        self.authorization: str = f"Bearer {token.access_token}"
        self.refresh_at: float = refresh_at
        self.expires_at: float = expires_at
        self.accepted: bool = False
        claims = _claims(token.access_token)
        self.organization_id: str | None = token.organization_id or claims.organization_id
        self.person_id: str | None = token.person_id or claims.person_id

    def __repr__(self) -> str:
        return f"<Bearer generation {self.generation}>"


class Tokens:
    """The token of one client.

    A refresh is one task however many wait for it. It is keyed by the generation that failed,
    not by the clock: who comes late with an old refusal gets the new token without asking again.
    Cancelling one waiter harms no other; cancelling the last cancels the refresh.

    Args:
        grant: Where tokens come from.
        exchange: Sends a request without a token and gives the answer.
        clock: For time and jitter.
        on_refresh: Told of each new token's lifetime.
    """

    def __init__(
        self,
        grant: Grant,
        exchange: Exchange,
        clock: Clock,
        on_refresh: Callable[[float | None], None],
    ) -> None:
        self._grant = grant
        self._exchange = exchange
        self._clock = clock
        self._on_refresh = on_refresh
        self._bearer: Bearer | None = None
        self._refresh: asyncio.Task[Bearer] | None = None
        self._waiters = 0
        self._generation = 0
        self._no_refresh_before = 0.0

    def current(self) -> Bearer | None:
        """The token to use, if there is one that need not be replaced yet."""
        bearer = self._bearer
        if bearer is not None and self._clock.monotonic() < bearer.refresh_at:
            return bearer
        return None

    async def get(self) -> Bearer:
        """The token to use, fetched if need be.

        A token that is due for replacement but still good is used on if the refresh fails.
        """
        bearer = self.current()
        if bearer is not None:
            return bearer
        old = self._bearer
        try:
            return await self._shared_refresh()
        except JibbleError:
            now = self._clock.monotonic()
            if old is None or old is not self._bearer or now >= old.expires_at:
                raise
            old.refresh_at = min(old.expires_at, now + 30.0)
            return old

    async def replace(self, refused: Bearer) -> Bearer | None:
        """Another token in place of one that was refused; None if there can't be a better one.

        A token that was never accepted is replaced at most once in 30 seconds, so that a server
        that refuses everything is not flooded with requests for tokens.
        """
        bearer = self._bearer
        if bearer is not None and bearer.generation != refused.generation:
            return bearer
        if not self._grant.renewable:
            return None
        now = self._clock.monotonic()
        if self._refresh is None and not refused.accepted:
            if now < self._no_refresh_before:
                return None
            self._no_refresh_before = now + 30.0
        return await self._shared_refresh()

    async def aclose(self) -> None:
        """Stop a refresh that is under way."""
        task = self._refresh
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _shared_refresh(self) -> Bearer:
        task = self._refresh
        if task is None:
            task = self._refresh = asyncio.create_task(self._fetch(), name="jibble token refresh")
            task.add_done_callback(self._refreshed)
        self._waiters += 1
        try:
            return await asyncio.shield(task)
        except JibbleError as error:
            # To each who waited one of its own, to note on it what call it ended.
            failure = copy.copy(error)
        except asyncio.CancelledError:
            waiter = asyncio.current_task()
            if not task.cancelled() or (waiter is not None and waiter.cancelling()):
                raise
            failure = ConfigurationError("this client was closed while a call was under way")
        finally:
            self._waiters -= 1
            if not self._waiters and not task.done():
                self._refresh = None
                task.cancel()
        raise failure

    def _refreshed(self, task: asyncio.Task[Bearer]) -> None:
        if self._refresh is task:
            self._refresh = None
        if not task.cancelled():
            # Everybody who waited may be gone; then nobody else asks for the outcome.
            task.exception()

    async def _fetch(self) -> Bearer:
        token = await self._grant.fetch(self._exchange)
        self._generation += 1
        now = self._clock.monotonic()
        lifetime = self._grant.lifetime(token)
        # Early, so that no call is caught by the end, and not all processes at the same moment.
        margin = min(60.0 + 30.0 * self._clock.random(), 0.5 * lifetime)
        self._bearer = Bearer(token, self._generation, now + lifetime - margin, now + lifetime)
        if self._grant.renewable:
            self._on_refresh(token.lifetime)
        return self._bearer


class _Claims(msgspec.Struct, frozen=True):
    organization_id: str | None = msgspec.field(name="orgid", default=None)
    person_id: str | None = msgspec.field(name="prsid", default=None)


def _claims(token: str) -> _Claims:
    """What a token says of itself (claims as observed); nothing is verified or relied upon."""
    parts = token.split(".")
    if len(parts) != 3:
        return _Claims()
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=_Claims)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return _Claims()
