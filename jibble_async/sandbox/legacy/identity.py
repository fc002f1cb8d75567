"""The old API's tokens: the password grant, renewal, and which bearers are valid.

Request, answer and the order of its keys are documented. The errors are those of the framework's
OAuth component: a wrong password or a bad refresh token is a 403 `invalid_grant`, and so is an
expired bearer; a wrong client is a 401; a missing parameter or another grant a 400. A refresh token
is issued but its use is not documented: taking it is a switch, and here each is good for one use.
The answer to a bearer that is missing or unknown is unknown; here it is the framework's 401.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.legacy.bodies import read_body
from jibble_async.sandbox.legacy.errors import LegacyRefusal, no_method
from jibble_async.sandbox.legacy.scalars import new_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.legacy.rules import LegacyCredentials, LegacyRules
    from jibble_async.sandbox.quotas import QuotaMeter

_SCOPE = "basic"
_LENGTH = 34


@dataclass(slots=True)
class _Token:
    client_id: str
    expires: datetime


class LegacyIdentity:
    """The old API's token host.

    Args:
        credentials: The only client, and the only user.
        rules: What is unknown of it.
        quotas: What requests for a token may count against.
        clock: The present instant.
        seed: For the tokens.
    """

    def __init__(
        self,
        credentials: LegacyCredentials,
        rules: LegacyRules,
        quotas: QuotaMeter,
        clock: Callable[[], datetime],
        seed: int,
    ) -> None:
        self._credentials = credentials
        self._rules = rules
        self._quotas = quotas
        self._clock = clock
        self._random = Random(f"legacy tokens {seed}")  # noqa: S311
        self._tokens: dict[str, _Token] = {}
        self._refresh: set[str] = set()

    def answer(self, call: Call) -> Reply:
        """The reply to a request for a token."""
        if (call.method, call.path.rstrip("/")) != ("POST", "/oauth/token"):
            return Reply(404, no_method(call.method, call.path).body())
        try:
            body = read_body(call)
        except LegacyRefusal as refusal:
            return Reply(refusal.status, refusal.body())
        grant = body.get("grant_type")
        needed = ["grant_type", "client_id", "client_secret"]
        if grant == "password":
            needed += ["username", "password"]
        elif grant == "refresh_token" and self._rules.refresh:
            needed += ["refresh_token"]
        elif grant:
            return _error(400, "unsupported_grant_type", f"Unsupported grant type: {grant}")
        for name in needed:
            if not isinstance(body.get(name), str):
                return _error(400, "invalid_request", f"Missing required parameter: {name}")
        client = self._credentials[:2]
        if (body["client_id"], body["client_secret"]) != client:
            return _error(401, "invalid_client", "Invalid client")
        if self._rules.tokens_count:
            over, _ = self._quotas.take(client[0], "legacy", self._clock())
            if over is not None:
                return over
        if grant == "refresh_token":
            if body["refresh_token"] not in self._refresh:
                return _error(403, "invalid_grant", "Invalid refresh token")
            self._refresh.remove(body["refresh_token"])
        elif (body["username"], body["password"]) != self._credentials[2:]:
            return _error(403, "invalid_grant", "Invalid resource owner credentials")
        if body.get("scope", _SCOPE) != _SCOPE:
            return _error(403, "access_denied", "The scope is not allowed")
        return self._granted()

    def issue(self) -> str:
        """A new bearer."""
        now = self._clock()
        try:
            expires = now + timedelta(seconds=self._rules.token_lifetime)
        except OverflowError:
            expires = datetime.max.replace(tzinfo=now.tzinfo)
        token = new_id(self._random, _LENGTH)
        self._tokens[token] = _Token(self._credentials.client_id, expires)
        return token

    def credential(self, authorization: str | None) -> str | Reply:
        """The client id behind an `Authorization` header, or the refusal of the bearer."""
        scheme, _, bearer = (authorization or "").partition(" ")
        token = self._tokens.get(bearer) if scheme.lower() == "bearer" else None
        if token is None:
            return authorization_required()
        if self._clock() >= token.expires:
            return _error(403, "invalid_grant", "Access token is expired")
        return token.client_id

    def expire(self) -> None:
        """Ends every bearer issued so far; refresh tokens stay good."""
        for token in self._tokens.values():
            token.expires = self._clock()

    def _granted(self) -> Reply:
        reported = self._rules.reported_lifetime
        refresh = new_id(self._random, _LENGTH)
        self._refresh.add(refresh)
        return Reply(
            200,
            {
                "access_token": self.issue(),
                "expires_in": int(self._rules.token_lifetime) if reported is None else reported,
                "scope": _SCOPE,
                "refresh_token": refresh,
                "token_type": "Bearer",
            },
            {"Cache-Control": "no-store"},
        )


def authorization_required() -> Reply:
    """The answer to a bearer that is missing or unknown."""
    refusal = LegacyRefusal(401, "Authorization Required", "AUTHORIZATION_REQUIRED")
    return Reply(401, refusal.body(), {"WWW-Authenticate": "Bearer"})


def _error(status: int, error: str, description: str) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
