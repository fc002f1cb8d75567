"""The old API's errors: LoopBack's, OAuth's, and the 403 that says nothing."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import msgspec

from jibble_async.core.reasons import told_error
from jibble_async.core.wire import Reply
from jibble_async.errors import (
    APIError,
    PermissionDeniedError,
    RateLimitedError,
    ThrottledOrForbiddenError,
)
from jibble_async.limits.headers import read_date

__all__ = ["BareForbiddenError", "read_error"]

E = TypeVar("E", bound=APIError)

_CREDENTIAL_ERRORS = frozenset({"invalid_client", "invalid_grant", "invalid_token"})


class BareForbiddenError(PermissionDeniedError):
    """A 403 without a reason, before it is known what it means; callers never see it.

    It is documented as the answer to one who is over the limit, and what a missing right looks
    like is not, so it may be either: see `jibble_legacy.forbidden`.

    Attributes:
        told: Whether headers say that the server is refusing for speed.
    """

    told = False

    def undecided(self, known: str) -> ThrottledOrForbiddenError:
        """The error for the caller, where it stays unknown.

        Args:
            known: What is known.
        """
        return self._as(
            ThrottledOrForbiddenError,
            f"403 without a reason: over the limit, or a right that is missing; {known}",
        )

    def throttled(self, known: str) -> RateLimitedError:
        """The error for the caller, where the server says that it refuses for speed.

        Args:
            known: What else is known.
        """
        return self._as(RateLimitedError, f"the server refuses for speed (403); {known}")

    def forbidden(self) -> PermissionDeniedError:
        """The error for the caller, where it is known that a right is missing."""
        return self._as(
            PermissionDeniedError,
            "403 without a reason, while other requests are answered: these credentials may not "
            "do this",
        )

    def _as(self, kind: type[E], message: str) -> E:
        error = kind(message, status=self.status, retry_after=self.retry_after)
        error.request, error.attempts = self.request, self.attempts
        error.response, error.maybe_processed = self.response, self.maybe_processed
        return error


def read_error(reply: Reply, *, throttling: bool, wait: float | None) -> APIError:
    """The error that a reply stands for; see `jibble_async.core.answers.ErrorReader`.

    Source: the empty 403 is documented. The rest is LoopBack's and its OAuth component's, which
    the old API is inferred to be: errors as `{"error": {…}}` or `{"error": "invalid_grant"}`, the
    latter with 403 for a token that is out.
    """
    status = reply.status
    if status == 403 and _says_nothing(reply.body):
        remaining, reset = _rate_headers(reply)
        bare = BareForbiddenError(
            "403 without a reason", status=status, retry_after=reset if wait is None else wait
        )
        bare.told = throttling or remaining == "0"
        return bare
    return told_error(reply, _CREDENTIAL_ERRORS, "the credentials or the token were", "", wait)


def _says_nothing(body: bytes) -> bool:
    """Whether a body is empty, or a JSON value that is, or an envelope around nothing.

    "The response object … will be empty" (documented: old-limit) may mean any of these.
    """
    if not body.strip():
        return True
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if isinstance(value, dict) and "response" in value and "error" not in value:
        return not cast("dict[str, Any]", value)["response"]
    return not value


def _rate_headers(reply: Reply) -> tuple[str | None, float | None]:
    """What is left, and the seconds until there is more, as Foursquare's headers say it.

    The documentation of the old API's limit is an edited copy of Foursquare's, without the part
    on headers; so these may never come.
    """
    headers = reply.headers
    remaining, reset = headers.get("X-RateLimit-Remaining"), headers.get("X-RateLimit-Reset", "")
    now = read_date(headers)
    known = now is not None and reset.isascii() and reset.isdigit()
    return remaining, max(0.0, float(reset) - now) if known and now is not None else None
