"""Which answers are errors, and what may be said of them: the one place for all calls."""

from __future__ import annotations

import math
from typing import Protocol

import msgspec

from jibble_async.core.blanking import blanked
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.quoting import metadata_of
from jibble_async.core.reasons import reason_of
from jibble_async.core.wire import Reply
from jibble_async.errors import (
    APIError,
    JibbleError,
    ProtocolError,
    RateLimitedError,
    ThrottledOrForbiddenError,
)
from jibble_async.limits.headers import read_remaining, read_retry_after

__all__ = ["Answers", "ErrorReader"]

# Those of OAuth (RFC 6749, 5.2, and RFC 6750, 3.1).
_OAUTH_CODES = (
    "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "invalid_token",
    "unauthorized_client", "unsupported_grant_type", "temporarily_unavailable", "access_denied",
)  # fmt: skip


class ErrorReader(Protocol):
    """How one API says that something went wrong."""

    def __call__(self, reply: Reply, *, throttling: bool, wait: float | None) -> APIError:
        """The error that a reply with a status of 300 or more stands for.

        Args:
            reply: What the server answered.
            throttling: Whether there are signs that the server is refusing for speed.
            wait: Seconds the server asked to wait, if it did.
        """
        ...


class Answers:
    """Which answers of an API's services are errors.

    When a service last refused for speed is remembered: evidence of what its next bare 403 means.

    Args:
        read: How the API says that something went wrong.
    """

    def __init__(self, read: ErrorReader) -> None:
        self._read = read
        self._throttled_at: dict[str, float] = {}

    def error(
        self, reply: Reply, request: Request, clock: Clock, *, authorised: bool
    ) -> JibbleError | None:
        """The error that an answer is; None if its status is one of success.

        Args:
            reply: The answer.
            request: What it answers.
            clock: For what the answer says of time.
            authorised: Whether the request had a token; what answers to one that asks for a token
                may quote secrets, so that nothing of it is repeated.
        """
        if 200 <= reply.status < 300:
            return None
        if reply.status < 400:
            what = "a redirect" if reply.status >= 300 else "no status of an answer"
            stray = ProtocolError(
                f"the server answered with {what} ({reply.status}), which is never followed"
            )
            stray.permanent = True
            stray.response = metadata_of(reply)
            return stray
        service = request.operation.service
        now = clock.monotonic()
        recent = now - self._throttled_at.get(service, -math.inf) < 60.0
        wait = read_retry_after(reply.headers, clock.now().timestamp())
        throttling = recent or wait is not None or read_remaining(reply.headers) == 0
        told = reply if authorised else _without_secrets(reply)
        error = self._read(told, throttling=throttling, wait=wait)
        if isinstance(error, RateLimitedError) and not isinstance(error, ThrottledOrForbiddenError):
            self._throttled_at[service] = now
        error.message = blanked(error.message, request)
        error.code = error.code and blanked(error.code, request)
        error.args = (error.message,)
        error.response = metadata_of(told, wait)
        return error


def _without_secrets(reply: Reply) -> Reply:
    """A token host's answer with nothing in it but the name of a known error."""
    if reason_of(reply) == (None, None):
        return reply
    known = next((code for code in _OAUTH_CODES if b'"%s"' % code.encode() in reply.body), None)
    about = {"error": known} if known else {"message": "its reason is not shown: it may be secret"}
    body = msgspec.json.encode(about)
    return Reply(reply.status, reply.headers, body, reply.request, reply.sent)
