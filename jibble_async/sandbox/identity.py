"""Tokens: the client-credentials grant, and which bearers are valid.

The answer is the documented one. That a wrong pair is a 400 with `invalid_client` for body and
Basic alike, and that an expired bearer gets an empty 401 with `WWW-Authenticate`, is inferred from
the identity server's defaults.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec

from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.query_options import pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jibble_async.sandbox.dataset import Dataset


@dataclass(slots=True)
class _Token:
    client_id: str
    expires: datetime


class Identity:
    """The identity service.

    Args:
        dataset: Whose organisation and owner the tokens name.
        client_id: The only credential's id.
        client_secret: Its secret.
        clock: The present instant.
        lifetime: Seconds that a token is valid.
        reported_lifetime: Seconds that `expires_in` says; None for the truth.
    """

    def __init__(
        self,
        dataset: Dataset,
        client_id: str,
        client_secret: str,
        clock: Callable[[], datetime],
        lifetime: float,
        reported_lifetime: int | None,
    ) -> None:
        self._dataset = dataset
        self._pair = (client_id, client_secret)
        self._clock = clock
        self._lifetime = lifetime
        self._reported = int(lifetime) if reported_lifetime is None else reported_lifetime
        self._tokens: dict[str, _Token] = {}
        self._issued = 0

    def answer(self, call: Call) -> Reply:
        """The reply to a request for a token."""
        if call.path != "/connect/token":
            return Reply(404)
        if call.method != "POST":
            return Reply(405, headers={"Allow": "POST"})
        form = dict(pairs(call.body.decode("utf-8", "replace")))
        if form.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        if _credentials(call, form) != self._pair:
            return Reply(400, {"error": "invalid_client"})
        return Reply(
            200,
            {
                "access_token": self.issue(),
                "expires_in": self._reported,
                "token_type": "Bearer",
                "scope": "api1",
                "organizationId": self._dataset.organization_id,
                "personId": self._dataset.owner_id,
            },
            {"Cache-Control": "no-store"},
        )

    def issue(self) -> str:
        """A new bearer, in the shape of a JWT; its signature is no signature."""
        self._issued += 1
        now = self._clock()
        try:
            expires = now + timedelta(seconds=self._lifetime)
        except OverflowError:
            expires = datetime.max.replace(tzinfo=now.tzinfo)
        claims = {
            "iss": "https://identity.sandbox.invalid",
            "aud": "api1",
            "client_id": self._pair[0],
            "orgid": self._dataset.organization_id,
            "prsid": self._dataset.owner_id,
            "nbf": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "jti": str(self._issued),
        }
        head = _part({"alg": "none", "typ": "at+jwt"})
        token = f"{head}.{_part(claims)}.{_part({'signature': 'of-the-sandbox'})}"
        self._tokens[token] = _Token(self._pair[0], expires)
        return token

    def credential(self, authorization: str | None) -> str | None:
        """The client id behind an `Authorization` header; None when the bearer is not valid."""
        scheme, _, token = (authorization or "").partition(" ")
        known = self._tokens.get(token) if scheme.lower() == "bearer" else None
        return known.client_id if known is not None and self._clock() < known.expires else None

    def expire(self) -> None:
        """Refuses every token issued so far."""
        self._tokens.clear()


def unauthorized() -> Reply:
    """The answer to a bearer that is missing, unknown or expired."""
    return Reply(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def _credentials(call: Call, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        name, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _part(value: Mapping[str, object]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
