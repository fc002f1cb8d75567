"""Tokens of the old API: a password once, then what came with the token."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec
from msgspec.structs import force_setattr

from jibble_async.checks import unseen
from jibble_async.core.config import service_url
from jibble_async.core.credentials import (
    Auth,
    ClientCredentials,
    Credentials,
    StaticToken,
    clean_secret,
)
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.core.tokens import (
    Exchange,
    Grant,
    Token,
    given_grant,
    read_token,
)
from jibble_async.errors import APIError, ConfigurationError, RateLimitedError, ServerError
from jibble_legacy.error_bodies import BareForbiddenError

__all__ = ["LegacyAuth", "PasswordGrant", "legacy_grant"]

# Its URL is the caller's, path and all.
_TOKEN = Operation("legacy-token", "POST", "", Safety.IDEMPOTENT, name="token")
# A token lasts 1209600 seconds (documented: old-token).
_LONGEST = 14 * 24 * 3600.0


class PasswordGrant(Credentials, frozen=True):
    """What a token of the old API is asked for with.

    There is no token URL by default: the documented host has a name that anybody could claim, and
    is sent a password. Redirects are never followed.

    Raises:
        ConfigurationError: One of them is empty or can't be what it should be.
    """

    shown: ClassVar[tuple[str, ...]] = ("client_id", "token_url")

    client_id: str
    """The app's id."""
    client_secret: str
    """Its secret."""
    username: str
    """The e-mail address of an account."""
    password: str
    """Its password."""
    token_url: str
    """Where tokens are to be had, with its path: https, or this machine."""
    scope: str = "basic"
    """What the token is for; `basic` is the only documented one."""

    @unseen
    def __post_init__(self) -> None:
        for name in ("client_id", "client_secret", "username", "scope"):
            force_setattr(self, name, clean_secret(name, getattr(self, name)))
        # A password may begin or end with a space, and hold any character.
        if not self.password:
            raise ConfigurationError("password is empty")
        force_setattr(self, "token_url", service_url("token", self.token_url))


LegacyAuth: TypeAlias = PasswordGrant | Auth
"""What `auth=` takes; of the common kinds a `StaticToken` or a function, not an API key."""


def legacy_grant(auth: LegacyAuth) -> Grant:
    """The way to get tokens that `auth=` stands for.

    Args:
        auth: What the caller gave.

    Raises:
        ConfigurationError: It is of no use for the old API.
    """
    if isinstance(auth, PasswordGrant):
        return Grant(_PasswordTokens(auth).fetch, longest=_LONGEST)
    if isinstance(auth, ClientCredentials):
        raise ConfigurationError(
            "an API key is for the current API: the old one takes a StaticToken or a PasswordGrant"
        )
    if not isinstance(auth, StaticToken) and not callable(auth):
        raise ConfigurationError(
            "auth= takes a PasswordGrant, a StaticToken or an async function, "
            f"not {type(auth).__name__}"
        )
    return given_grant(auth)


class _Answer(Token):
    refresh_token: str | None = None


class _PasswordTokens:
    """Remembers the refresh token, and the password for when that is refused.

    The refresh token is documented, the call that takes it is not: it is OAuth 2.0's own.
    """

    def __init__(self, auth: PasswordGrant) -> None:
        self._auth = auth
        self._refresh_token: str | None = None

    async def fetch(self, exchange: Exchange) -> Token:
        token = self._refresh_token
        if token is not None:
            try:
                return await self._ask(exchange, grant_type="refresh_token", refresh_token=token)
            except (RateLimitedError, ServerError):
                raise
            except APIError:
                self._refresh_token = None
        auth = self._auth
        return await self._ask(
            exchange,
            grant_type="password",
            username=auth.username,
            password=auth.password,
            scope=auth.scope,
        )

    async def _ask(self, exchange: Exchange, *, grant_type: str, **others: str) -> Token:
        app = {"client_id": self._auth.client_id, "client_secret": self._auth.client_secret}
        body = msgspec.json.encode({"grant_type": grant_type, **app, **others})
        request = build(_TOKEN, self._auth.token_url, body=body, content_type="application/json")
        try:
            reply = await exchange(request)
        except BareForbiddenError as error:
            raise error.undecided("the token host says nothing more") from None
        token = read_token(reply, request, _Answer)
        self._refresh_token = token.refresh_token
        return token
