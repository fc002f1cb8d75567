"""Where tokens come from: what is sent to a token host, and what is read from its answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec.structs import force_setattr

from jibble_async.core.operation import Operation, Request, Safety, build
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import ConfigurationError, DecodeError

__all__ = [
    "DAY",
    "Auth",
    "ClientCredentials",
    "Exchange",
    "Grant",
    "StaticToken",
    "Token",
    "clean_secret",
    "grant_of",
    "read_token",
    "usable_lifetime",
]

DAY = 24 * 3600.0
_TOKEN = Operation("identity", "POST", "/connect/token", Safety.IDEMPOTENT)


def clean_secret(name: str, value: str) -> str:
    """A credential without the white space that pasting leaves around it.

    Raises:
        ConfigurationError: It is empty or can't be a credential; the error does not show it.
    """
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
        force_setattr(self, "client_id", clean_secret("client_id", self.client_id))
        force_setattr(self, "client_secret", clean_secret("client_secret", self.client_secret))

    def __repr__(self) -> str:
        return f"ClientCredentials({self.client_id!r})"

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("client_id", self.client_id)]


class StaticToken(msgspec.Struct, frozen=True):
    """A bearer token that is there already, such as a person's own; it is never renewed."""

    token: str

    def __post_init__(self) -> None:
        force_setattr(self, "token", clean_secret("token", self.token))

    def __repr__(self) -> str:
        return "StaticToken()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


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

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


AnyToken = TypeVar("AnyToken", bound=Token)
Exchange: TypeAlias = Callable[[Request], Awaitable[Reply]]
"""Sends a request without a token and gives the answer."""


class Grant(Protocol):
    """A way to get tokens."""

    @property
    def renewable(self) -> bool:
        """Whether asking again can give another token."""
        ...

    async def fetch(self, exchange: Exchange) -> Token:
        """A token.

        Args:
            exchange: Sends a request to the token host.

        Raises:
            JibbleError: There is none to be had.
        """
        ...

    def lifetime(self, token: Token) -> float:
        """Seconds to use a token for; infinite for one that is used until it is refused."""
        ...


def grant_of(auth: Auth, identity_url: str) -> Grant:
    """The way to get tokens that `auth=` stands for.

    Args:
        auth: What the caller gave.
        identity_url: The token host, for an API key.
    """
    match auth:
        case ClientCredentials():
            return _KeyGrant(auth, identity_url)
        case StaticToken():
            return _FixedGrant(auth)
        case provider:
            return _ProviderGrant(provider)


class _KeyGrant:
    renewable = True

    def __init__(self, credentials: ClientCredentials, identity_url: str) -> None:
        self._credentials = credentials
        self._identity_url = identity_url

    async def fetch(self, exchange: Exchange) -> Token:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        request = build(
            _TOKEN,
            self._identity_url,
            body=urlencode(form).encode(),
            content_type="application/x-www-form-urlencoded",
        )
        return read_token(await exchange(request), request, Token)

    def lifetime(self, token: Token) -> float:
        return usable_lifetime(token, longest=DAY)


class _FixedGrant:
    renewable = False

    def __init__(self, auth: StaticToken) -> None:
        self._auth = auth

    async def fetch(self, exchange: Exchange) -> Token:
        return Token(self._auth.token)

    def lifetime(self, token: Token) -> float:
        return float("inf")


class _ProviderGrant:
    renewable = True

    def __init__(self, provider: Callable[[], Awaitable[str]]) -> None:
        self._provider = provider

    async def fetch(self, exchange: Exchange) -> Token:
        return Token(clean_secret("the token from auth=", await self._provider()))

    def lifetime(self, token: Token) -> float:
        return float("inf")


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
        token = decode_json(reply, msgspec.json.Decoder(kind).decode)
        _check(token)
    except DecodeError as error:
        # Said of the call for the token, not of the call that waits for it.
        error.request, error.attempts = request.line, 1
        raise
    return token


def usable_lifetime(token: Token, *, longest: float) -> float:
    """Seconds to use a token for.

    Args:
        token: What the token host gave.
        longest: Seconds after which even a token that lasts longer is replaced.
    """
    lifetime = token.lifetime
    if lifetime is None or lifetime != lifetime:
        return 3600.0
    # A lifetime that is no use as one: the token is used until it is refused.
    return 30.0 if lifetime <= 0 else min(lifetime, longest)


def _check(token: Token) -> None:
    if not token.access_token or not token.access_token.isascii():
        raise DecodeError("the token host's answer holds no usable token")
    if not token.access_token.isprintable() or " " in token.access_token:
        raise DecodeError("the token host's answer holds a token with characters it can't have")
    if token.token_type.lower() != "bearer":
        raise DecodeError("the token host's answer is not a bearer token")
