"""The current API's tokens: how an API key asks for one, and what one says of itself."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlencode

import msgspec

from jibble_async.core.credentials import Auth, ClientCredentials
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.core.tokens import (
    Exchange,
    Grant,
    Token,
    given_grant,
    read_token,
)

__all__ = ["Claims", "claims_of", "grant_of"]

_TOKEN = Operation("identity", "POST", "/connect/token", Safety.IDEMPOTENT, name="token")
_LONGEST = 24 * 3600.0


def grant_of(auth: Auth, identity_url: str) -> Grant:
    """The way to get tokens that `auth=` stands for.

    Args:
        auth: What the caller gave.
        identity_url: The token host, for an API key.
    """
    if not isinstance(auth, ClientCredentials):
        return given_grant(auth)
    form = {
        "grant_type": "client_credentials",
        "client_id": auth.client_id,
        "client_secret": auth.client_secret,
    }
    request = build(
        _TOKEN,
        identity_url,
        body=urlencode(form).encode(),
        content_type="application/x-www-form-urlencoded",
    )

    async def fetch(exchange: Exchange) -> Token:
        return read_token(await exchange(request), request, _Answer)

    return Grant(fetch, longest=_LONGEST)


class _Answer(Token):
    organization_id: str | None = msgspec.field(name="organizationId", default=None)
    person_id: str | None = msgspec.field(name="personId", default=None)


class Claims(msgspec.Struct, frozen=True):
    """Whom a token acts for, and as whom."""

    organization_id: str | None = msgspec.field(name="orgid", default=None)
    person_id: str | None = msgspec.field(name="prsid", default=None)


def claims_of(token: Token) -> Claims:
    """What the token host said of a token, or else the token itself."""
    claims = _payload(token.access_token)
    if isinstance(token, _Answer):
        return Claims(
            token.organization_id or claims.organization_id, token.person_id or claims.person_id
        )
    return claims


def _payload(token: str) -> Claims:
    """What a token says of itself (observed: claims); nothing is verified or relied upon."""
    parts = token.split(".")
    if len(parts) != 3:
        return Claims()
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=Claims)
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return Claims()
