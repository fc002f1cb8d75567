"""Tokens: where they come from, how long they are used, and what replaces a refused one."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

import msgspec

from jibble_async.core.clock import Clock
from jibble_async.core.credentials import StaticToken, clean_token
from jibble_async.core.opaque import Opaque
from jibble_async.core.operation import Request
from jibble_async.core.single_flight import SingleFlight
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import DecodeError

__all__ = [
    "Bearer",
    "Exchange",
    "Grant",
    "Token",
    "Tokens",
    "given_grant",
    "read_token",
]

_PAUSE = 30.0
"""Seconds between two requests for a token to a host that may have none that is better."""


class Token(Opaque):
    """An answer of the token host (documented: token); lifetimes from 3600 up (observed: token)."""

    access_token: str
    expires_in: float | str | None = None
    token_type: str = "Bearer"  # noqa: S105 - a kind of token, not a token

    @property
    def lifetime(self) -> float | None:
        """Seconds the token is said to last; None if it is not said, or unreadable."""
        try:
            return None if self.expires_in is None else float(self.expires_in)
        except ValueError:
            return None


AnyToken = TypeVar("AnyToken", bound=Token)
Exchange: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""Sends a request without a token and gives the answer."""


class Grant(msgspec.Struct, frozen=True):
    """A way to get tokens.

    Attributes:
        fetch: Gets one, with what sends a request to a token host.
        longest: Seconds after which even a token that lasts longer is replaced; by default each is
            used until it is refused.
        renewable: Whether asking again can give another token.
    """

    fetch: Callable[[Exchange], Awaitable[Token]]
    longest: float = math.inf
    renewable: bool = True

    def lifetime(self, token: Token) -> float:
        """Seconds to use a token for."""
        if self.longest == math.inf:
            return math.inf
        lifetime = token.lifetime
        if lifetime is None or math.isnan(lifetime):
            return 3600.0
        # A lifetime that is no use as one: the token is used until it is refused.
        return 30.0 if lifetime <= 0 else min(lifetime, self.longest)


class Bearer(Opaque):
    """A token in use.

    Attributes:
        token: What the grant gave.
        generation: Which token this is; a refusal names the one that was refused.
        authorization: The value of the header.
        refresh_at: When to replace it, on the monotonic clock.
        expires_at: When it ends, as far as is known.
        accepted: Whether the server has taken it at least once.
    """

    token: Token
    generation: int
    authorization: str
    refresh_at: float
    expires_at: float
    accepted: bool = False

    def __repr__(self) -> str:
        return f"<Bearer generation {self.generation}>"


class Tokens:
    """The token of one client.

    A refresh is keyed by the generation that failed, not by the clock: who comes late with an old
    refusal gets the new token without asking again.

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
        self._refresh = SingleFlight(self._fetch, "jibble token refresh")
        self._generation = 0
        self._no_refresh_before = 0.0

    def current(self) -> Bearer | None:
        """The token to use, if there is one that is still good.

        One that is due for replacement is used on, and another fetched behind it: whatever the
        token host does meanwhile, no call waits for it before the old token has ended.
        """
        bearer = self._bearer
        now = self._clock.monotonic()
        if bearer is None or now >= bearer.expires_at:
            return None
        if now >= bearer.refresh_at:
            bearer.refresh_at = now + _PAUSE
            self._refresh.begin()
        return bearer

    async def get(self) -> Bearer:
        """The token to use, fetched if need be."""
        return self.current() or await self._refresh.result()

    async def replace(self, refused: Bearer) -> Bearer | None:
        """Another token in place of one that was refused; None if there can't be a better one.

        Where one that was never accepted was replaced, the next is at most 30 seconds later, so
        that a server that refuses everything is not flooded with requests for tokens.
        """
        bearer = self._bearer
        # Of many calls that were refused with one token only the first finds it still in use.
        if bearer is not None and bearer.generation != refused.generation:
            return bearer
        if not self._grant.renewable:
            return None
        now = self._clock.monotonic()
        if not self._refresh.under_way and not refused.accepted and now < self._no_refresh_before:
            return None
        another = await self._refresh.result()
        # Counted from a token that came: if the token host was in trouble, who asks next may ask.
        if not refused.accepted:
            self._no_refresh_before = self._clock.monotonic() + _PAUSE
        return another

    async def aclose(self) -> None:
        """Stop a refresh that is under way."""
        await self._refresh.aclose()

    async def _fetch(self) -> Bearer:
        token = await self._grant.fetch(self._exchange)
        self._generation += 1
        now = self._clock.monotonic()
        lifetime = self._grant.lifetime(token)
        # Early, so that no call is caught by the end, and not all processes at the same moment.
        margin = min(60.0 + 30.0 * self._clock.random(), 0.5 * lifetime)
        authorization, ends = f"Bearer {token.access_token}", now + lifetime
        self._bearer = Bearer(token, self._generation, authorization, ends - margin, ends)
        if self._grant.renewable:
            self._on_refresh(token.lifetime)
        return self._bearer


def given_grant(auth: StaticToken | Callable[[], Awaitable[str]]) -> Grant:
    """The way to get tokens from a caller who has one, or a function that gives them."""

    async def fetch(_: Exchange) -> Token:
        if isinstance(auth, StaticToken):
            return Token(auth.token)
        return Token(clean_token("the token from auth=", await auth()))

    return Grant(fetch, renewable=not isinstance(auth, StaticToken))


def read_token(reply: Reply, request: Request, kind: type[AnyToken]) -> AnyToken:
    """The token in a token host's answer.

    Args:
        reply: The answer.
        request: What it answers, for the error.
        kind: The form that it has.

    Raises:
        DecodeError: It holds no bearer token that a header could carry.
    """
    try:
        # Without its headers, which an error of decoding quotes.
        token = decode_json(Reply(reply.status, {}, reply.body), msgspec.json.Decoder(kind).decode)
        _check(token)
    except DecodeError as error:
        # Said of the call for the token, not of the call that waits for it.
        error.request, error.attempts = request.line, 1
        raise
    return token


def _check(token: Token) -> None:
    if not token.access_token or not token.access_token.isascii():
        raise DecodeError("the token host's answer holds no usable token")
    if not token.access_token.isprintable() or " " in token.access_token:
        raise DecodeError("the token host's answer holds a token with characters it can't have")
    if token.token_type.lower() != "bearer":
        raise DecodeError("the token host's answer is not a bearer token")
