"""Every error this package raises on purpose.

::

    JibbleError
    ├── ConfigurationError            what you gave can't be used; nothing was sent
    │   ├── UnknownFieldError         no such field in the vocabulary (also an AttributeError)
    │   ├── MissingExtraError         a package that this takes is not installed
    │   └── OutputError               no file or folder can be made where the output should be
    ├── NotSupportedError             the API in use has no way to say this
    ├── TransportError                no usable answer came back
    │   ├── ConnectFailedError        no connection: the request was not sent
    │   ├── ConnectionLostError       sent, perhaps processed, the answer is lost
    │   ├── DeadlineExceededError     the time allowed ran out
    │   ├── ProtocolError             what came back is not the HTTP that was agreed
    │   └── ResponseTooLargeError     the body is larger than the cap
    ├── APIError                      the server answered with an error
    │   ├── BadRequestError           400, 405, 412, 422
    │   ├── AuthenticationError       401, or the credentials were refused
    │   ├── FeatureRestrictedError    402: the plan does not include this
    │   ├── PermissionDeniedError     403 with a reason
    │   ├── NotFoundError             404, 410
    │   ├── ConflictError             409
    │   ├── RateLimitedError          429, or a 403 that is known to be throttling
    │   │   └── ThrottledOrForbiddenError   a bare 403: also a PermissionDeniedError
    │   └── ServerError               5xx
    ├── DecodeError                   the answer could not be read
    ├── PaginationError               the pages do not fit together
    ├── AmbiguousWriteError           a write whose outcome is unknown
    ├── ExportError                   a file could not be written
    │   └── ExportBusyError           another program is writing it
    └── MigrationError                a step of a migration can't begin, or stopped by itself

Errors can be pickled, and hold no secret: neither their text nor their attributes contain a
credential, a query value or a server's stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jibble_async.response import ResponseMetadata

__all__ = [
    "APIError",
    "AmbiguousWriteError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ConnectFailedError",
    "ConnectionLostError",
    "DeadlineExceededError",
    "DecodeError",
    "ExportBusyError",
    "ExportError",
    "FeatureRestrictedError",
    "JibbleError",
    "MigrationError",
    "MissingExtraError",
    "NotFoundError",
    "NotSupportedError",
    "OutputError",
    "PaginationError",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitedError",
    "ResponseTooLargeError",
    "ServerError",
    "ThrottledOrForbiddenError",
    "TransportError",
    "UnknownFieldError",
]


class JibbleError(Exception):
    """The base of all errors of this package."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        """What happened, and the way out where there is one."""
        self.request: str | None = None
        """Method, service and path of the call, with the names of the query options but not their
        values; None where no call was involved."""
        self.response: ResponseMetadata | None = None
        """What may be told of the answer that this is about; None if there was none."""
        self.attempts = 0
        """How many requests were sent for this call."""
        self.cursor: str | None = None
        """Where a walk over pages can be resumed, as text for `resume_from=`."""
        self.retries_exhausted = False
        """True if another attempt was in order but the client's retry budget was empty."""
        self.maybe_processed = False
        """True if this was a write, and the server may have done it: an attempt was sent and its
        answer is lost, or is that of a server in trouble."""

    @property
    def request_id(self) -> str | None:
        """What the server calls the request, for whoever is to find it there, if it said so."""
        return None if self.response is None else self.response.request_id

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers of the answer that may be shown; empty if there was none."""
        return {} if self.response is None else self.response.headers

    def __str__(self) -> str:
        parts = [self.message]
        if self.request is not None:
            parts.append(f"[{self.request}]")
        if self.attempts > 1:
            parts.append(f"after {self.attempts} attempts")
        if self.retries_exhausted:
            parts.append("(not retried further: the client's retry budget is empty)")
        if self.request_id is not None:
            parts.append(f"(request id {self.request_id})")
        return " ".join(parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(
    cls: type[JibbleError], args: tuple[Any, ...], attributes: dict[str, Any]
) -> JibbleError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigurationError(JibbleError, ValueError):
    """Something the caller gave can't be used; raised before anything is sent or written."""


class UnknownFieldError(ConfigurationError, AttributeError):
    """A field that the entity does not have; the message suggests the nearest ones."""


class MissingExtraError(ConfigurationError):
    """A package that this takes is not installed; the message says which extra brings it."""


class OutputError(ConfigurationError):
    """No file or folder can be made where the output should be; raised before a call."""


class NotSupportedError(JibbleError):
    """The API in use can't express what was asked; nothing is dropped silently instead."""


class TransportError(JibbleError):
    """No usable answer came back."""

    sent = True
    """False if the server surely did not get the request; True if it may have."""
    permanent = False
    """True if trying again can't help, as with a certificate that is not trusted."""


class ConnectFailedError(TransportError):
    """No connection could be opened, so the request was not sent."""

    sent = False


class ConnectionLostError(TransportError):
    """The connection broke after sending began; the server may have done the work."""


class DeadlineExceededError(TransportError, TimeoutError):
    """The time allowed for the call, or for one attempt of it, ran out."""

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class ProtocolError(TransportError):
    """What came back is not the HTTP that was agreed: broken framing, a redirect, a proxy page."""


class ResponseTooLargeError(TransportError):
    """The body, once decompressed, is larger than `ClientConfig.max_body_bytes`."""


class APIError(JibbleError):
    """The server answered with an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status."""
        self.code = code
        """The server's own code, such as `feature_restricted_subscription`, if it gave one."""
        self.retry_after = retry_after
        """Seconds the server asked to wait, if it did."""


class BadRequestError(APIError):
    """The server did not accept the request as it was made (400, 405, 412, 422)."""


class AuthenticationError(APIError):
    """The credentials or the token were refused (401, or an OAuth error)."""


class FeatureRestrictedError(APIError):
    """The organisation's plan does not include this (402)."""


class PermissionDeniedError(APIError):
    """The credentials are good but not allowed to do this (403)."""


class NotFoundError(APIError):
    """There is no such thing (404, 410)."""


class ConflictError(APIError):
    """The change collides with what is there (409)."""


class RateLimitedError(APIError):
    """Too many requests: a 429, or a 403 that is known to be throttling."""


class ThrottledOrForbiddenError(RateLimitedError, PermissionDeniedError):
    """A bare 403 that may mean throttling or a missing right; it can't be told which."""


class ServerError(APIError):
    """The server failed (5xx)."""


class DecodeError(JibbleError):
    """The answer is complete but not what it should be."""

    def __init__(self, message: str, *, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row
        """The position of the offending row in its page, counted from 0, if it was one row."""
        self.malformed = False
        """True if the body is no complete JSON document, as when it was cut off."""


class PaginationError(JibbleError):
    """Pages that do not fit together: a loop, a foreign link, missing rows, rows that moved."""


class AmbiguousWriteError(JibbleError):
    """A write whose answer was lost, and that could not be found again.

    It was sent once and not again. Its cause is the error that the answer was lost with.
    """

    def __init__(
        self,
        message: str,
        *,
        candidates: tuple[Any, ...] = (),
        sent_id: str | None = None,
        nonce: str | None = None,
    ) -> None:
        super().__init__(message)
        self.candidates = candidates
        """What was found that might be it, never claimed to be."""
        self.sent_id = sent_id
        """The id that was sent with it, if one was; the server need not have kept it."""
        self.nonce = nonce
        """What was sent as `platform.event_id`, if anything was: an entry that carries it is the
        one."""
        self.maybe_processed = True


class ExportError(JibbleError):
    """A file of an export could not be written; the message names it and the reason."""


class ExportBusyError(ExportError):
    """Another program is writing the same output: let it end; nothing was done."""


class MigrationError(JibbleError):
    """A step of a migration can't begin, or stopped by itself; its ledger says how far it came."""
