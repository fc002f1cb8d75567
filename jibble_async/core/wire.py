"""Bytes to values or errors. Pure: what comes in is a reply, what comes out is decided here."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from jibble_async.core.clock import Clock
from jibble_async.core.opaque import Opaque
from jibble_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    FeatureRestrictedError,
    JibbleError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
)
from jibble_async.limits.adaptive.headers import read_remaining, read_retry_after

__all__ = [
    "Answers",
    "ErrorReader",
    "Reply",
    "decode_json",
    "decoder",
    "error_class",
    "optional_reader",
    "plain_error",
    "printable",
    "reader",
    "reason_of",
    "text_of",
    "whole_characters",
]

T = TypeVar("T")

_BY_STATUS: dict[int, type[APIError]] = {
    401: AuthenticationError,
    402: FeatureRestrictedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    429: RateLimitedError,
}
_STATUS_TEXT = {
    401: "the token was refused",
    402: "the plan does not include this",
    404: "there is no such thing",
    429: "too many requests",
}
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+"
_LONGEST_MESSAGE = 300
_ESCAPE = rb"(?s)\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"


class Reply(Opaque):
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: The headers; names in any case.
        body: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


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

    def error(self, reply: Reply, service: str, clock: Clock) -> JibbleError:
        """The error that an answer with a status of 300 or more is.

        Args:
            reply: The answer.
            service: Whose.
            clock: For what the answer says of time.
        """
        if reply.status < 400:
            redirect = ProtocolError(
                f"the server answered with a redirect ({reply.status}), which is never followed"
            )
            redirect.permanent = True
            return redirect
        now = clock.monotonic()
        recent = now - self._throttled_at.get(service, -math.inf) < 60.0
        wait = read_retry_after(reply.headers, clock.now().timestamp())
        throttling = recent or wait is not None or read_remaining(reply.headers) == 0
        error = self._read(reply, throttling=throttling, wait=wait)
        if isinstance(error, RateLimitedError) and not isinstance(error, ThrottledOrForbiddenError):
            self._throttled_at[service] = now
        return error


def error_class(status: int) -> type[APIError]:
    """The class of error that a status stands for."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, BadRequestError)


class _Detail(msgspec.Struct):
    # Not read: `innererror` and `stack`, which hold a stack trace of the server.
    code: str | None = None
    name: str | None = None
    message: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Detail | str | None = None
    error_description: str | None = None
    message: str | None = None
    title: str | None = None


_ERROR_DECODER = msgspec.json.Decoder(_ErrorBody)


def reason_of(reply: Reply) -> tuple[str | None, str | None]:
    """The code and the text with which an answer says what went wrong, fit to be shown.

    OAuth's form is understood, and those of OData, LoopBack and ASP.NET.

    Args:
        reply: What the server answered.
    """
    try:
        body = _ERROR_DECODER.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, None
    code: str | None
    if isinstance(body.error, str):
        code, text = body.error, body.error_description
    else:
        detail = body.error or _Detail()
        code, text = detail.code or detail.name, detail.message or body.message or body.title
    return printable(code) if code else None, printable(text) if text else None


def plain_error(
    status: int, code: str | None, message: str | None, wait: float | None = None
) -> APIError:
    """The error that a status stands for, with what is known of it.

    Args:
        status: The HTTP status.
        code: What the server calls it.
        message: What the server says of it.
        wait: Seconds the server asked to wait, if it did.
    """
    text = message or _STATUS_TEXT.get(status, "no reason given")
    return error_class(status)(
        f"{status}: {text}" + (f" ({code})" if code else ""),
        status=status,
        code=code,
        retry_after=wait,
    )


def decode_json(reply: Reply, decode: Callable[[bytes], T]) -> T:
    """The value in a reply.

    Args:
        reply: What the server answered.
        decode: Turns bytes into the value, such as a kept `msgspec.json.Decoder`'s.

    Raises:
        DecodeError: The body is not the JSON that was expected.
    """
    try:
        return decode(reply.body)
    except msgspec.ValidationError as error:
        raise DecodeError(f"the answer has an unexpected form: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        whole = whole_characters(reply)
        if whole is not None:
            return decode_json(whole, decode)
        kind = printable(reply.headers.get("Content-Type", "no content type"))
        failure = DecodeError(
            f"the answer is not a complete JSON document ({kind}, {len(reply.body)} bytes): "
            f"{type(error).__name__}"
        )
        failure.malformed = True
        raise failure from None


@functools.cache
def decoder(item: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type; kept, because making one costs more than using it."""
    return msgspec.json.Decoder(item)


@functools.cache
def reader(item: Any) -> Callable[[Reply], Any]:
    """What finds a value of a type in a reply."""
    return functools.partial(decode_json, decode=decoder(item).decode)


@functools.cache
def optional_reader(item: Any) -> Callable[[Reply], Any]:
    """What finds a value of a type in a reply, and None in one without a body."""
    read = reader(item)
    return lambda reply: read(reply) if reply.body.strip() else None


def whole_characters(reply: Reply) -> Reply | None:
    r"""The reply with a replacement character for each half of one; None if it has no halves.

    Programs that cut a text within an emoji leave half of it, as `\ud83d`, and many a JSON writer
    passes that on. It is no character, so that a body with one in a note could not be read at all.

    Args:
        reply: What the server answered.
    """
    body = re.sub(_ESCAPE, lambda found: rb"\ufffd" if found["half"] else found[0], reply.body)
    return None if body == reply.body else Reply(reply.status, reply.headers, body)


def text_of(reply: Reply) -> str:
    """The text in a reply.

    Raises:
        DecodeError: The body is not text in UTF-8.
    """
    try:
        return reply.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError("the answer is not text in UTF-8") from None


def printable(text: str) -> str:
    """A server's text made fit for a terminal and a log: one line, no control characters."""
    line = re.sub(_CONTROL, " ", text).strip()
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
