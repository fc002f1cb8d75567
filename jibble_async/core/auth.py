"""Tokens: where they come from, how long they last, and one refresh for any number of callers."""

from __future__ import annotations

import asyncio
import base64
import binascii
import copy
from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec.structs import force_setattr

from jibble_async.core.clock import Clock
from jibble_async.core.operation import Operation, Request, Safety, build
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import ConfigurationError, DecodeError, JibbleError

__all__ = ["Auth", "Bearer", "ClientCredentials", "StaticToken", "Token", "Tokens"]

_TOKEN = Operation("identity", "POST", "/connect/token", Safety.IDEMPOTENT)
_DAY = 24 * 3600.0


def _clean(name: str, value: str) -> str:
    value = value.strip()
    if not value:
        raise ConfigurationError(f"{name} is empty")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"{name} holds characters that can't be part of it")
    return value


class ClientCredentials(msgspec.Struct, frozen=True):
    """The id and secret of an API key, made in Jibble's settings.

    White space around them, a common result of pasting, is removed.

    Raises:
        ConfigurationError: One of them is empty or holds control characters.
    """

    client_id: str
    client_secret: str

    def __post_init__(self) -> None:
        force_setattr(self, "client_id", _clean("client_id", self.client_id))
        force_setattr(self, "client_secret", _clean("client_secret", self.client_secret))

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id!r})"


class StaticToken(msgspec.Struct, frozen=True):
    """A bearer token that is there already, such as a person's own; it is never renewed."""

    token: str

    def __post_init__(self) -> None:
        force_setattr(self, "token", _clean("token", self.token))

    def __repr__(self) -> str:
        return "StaticToken()"


Auth: TypeAlias = ClientCredentials | StaticToken | Callable[[], Awaitable[str]]
"""What `auth=` takes; a function is asked for a bearer token, and again when one is refused."""


class Token(msgspec.Struct, frozen=True):
    """An answer of the token host. Source: documentation; lifetimes from 3600 up were observed."""

    access_token: str
    expires_in: float | str | None = None
    token_type: str = "Bearer"  # noqa: S105 - a kind of token, not a token
    organization_id: str | None = msgspec.field(name="organizationId", default=None)
    person_id: str | None = msgspec.field(name="personId", default=None)

    @property
    def lifetime(self) -> float | None:
        """Seconds the token is said to last; None if it is not said, or unreadable."""
        try:
            return None if self.expires_in is None else float(self.expires_in)
        except ValueError:
            return None


_TOKEN_DECODER = msgspec.json.Decoder(Token)


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
        auth: Where tokens come from.
        identity_url: The token host.
        exchange: Sends a request without a token and gives the answer.
        clock: For time and jitter.
        on_refresh: Told of each new token's lifetime.
    """

    def __init__(
        self,
        auth: Auth,
        identity_url: str,
        exchange: Callable[[Request], Awaitable[Reply]],
        clock: Clock,
        on_refresh: Callable[[float | None], None],
    ) -> None:
        self._auth = auth
        self._identity_url = identity_url
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
        if isinstance(self._auth, StaticToken):
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
        match self._auth:
            case ClientCredentials():
                request = _token_request(self._auth, self._identity_url)
                token = _read_token(await self._exchange(request), request)
            case StaticToken(text):
                token = Token(text)
            case provider:
                token = Token(_clean("the token from auth=", await provider()))
        self._generation += 1
        now = self._clock.monotonic()
        refresh_in, lifetime = _lifetimes(self._auth, token, self._clock.random())
        self._bearer = Bearer(token, self._generation, now + refresh_in, now + lifetime)
        if not isinstance(self._auth, StaticToken):
            self._on_refresh(token.lifetime)
        return self._bearer


def _token_request(credentials: ClientCredentials, identity_url: str) -> Request:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    body = urlencode(form).encode()
    return build(_TOKEN, identity_url, body=body, content_type="application/x-www-form-urlencoded")


def _read_token(reply: Reply, request: Request) -> Token:
    try:
        token = decode_json(reply, _TOKEN_DECODER.decode)
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


def _lifetimes(auth: Auth, token: Token, chance: float) -> tuple[float, float]:
    """Seconds until the token is to be replaced, and until it ends."""
    if not isinstance(auth, ClientCredentials):
        return float("inf"), float("inf")
    lifetime = token.lifetime
    if lifetime is None or lifetime != lifetime:
        lifetime = 3600.0
    # A lifetime that is no use as one: the token is used until it is refused.
    lifetime = 30.0 if lifetime <= 0 else min(lifetime, _DAY)
    # Early, so that no call is caught by the end, and not all processes at the same moment.
    margin = min(60.0 + 30.0 * chance, 0.5 * lifetime)
    return lifetime - margin, lifetime


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
