"""An answer's bytes as values. Pure."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from xml.parsers import expat

import msgspec

from jibble_async.core.lenient import decoder, lenient_decoder, whole_characters
from jibble_async.core.opaque import Headers, Opaque
from jibble_async.core.operation import Request
from jibble_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    FeatureRestrictedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)

__all__ = [
    "Reply",
    "acknowledgement",
    "decode_json",
    "document",
    "error_class",
    "optional_reader",
    "plain_error",
    "printable",
    "reader",
    "whole",
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
# Marks of the order of bytes, which no JSON begins with.
_MARKS = {b"\xef\xbb": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Reply(Opaque):
    """An answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: The headers; names in any case.
        body: The body, decompressed, and in UTF-8 without a mark if it came with one.
        request: What it answers, if that is known.
        sent: The headers that were sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    request: Request | None = None
    sent: Mapping[str, str] = Headers()

    def __post_init__(self) -> None:
        encoding = _MARKS.get(self.body[:2])
        if encoding is not None:
            with contextlib.suppress(UnicodeError):
                self.body = self.body.decode(encoding).lstrip("\ufeff").encode()


def whole(reply: Reply) -> Reply:
    """The reply itself, for calls that want all of it."""
    return reply


def error_class(status: int) -> type[APIError]:
    """The class of error that a status stands for."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, BadRequestError)


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
        try:
            return decode(reply.body)
        except (msgspec.ValidationError, RecursionError):
            raise
        except (msgspec.MsgspecError, UnicodeDecodeError):
            whole = whole_characters(reply.body)
            if whole is None:
                raise
            return decode(whole)
    except msgspec.ValidationError as error:
        raise DecodeError(f"the answer has an unexpected form: {error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        kind = _media_type(reply)
        what = "not a complete JSON document"
        if reply.body.lstrip()[:1] == b"<":
            what = "a page such as a login's or a proxy's, not JSON"
        failure = DecodeError(
            f"the answer is {what} ({kind}, {len(reply.body)} bytes): {type(error).__name__}"
        )
        failure.malformed = True
        raise failure from None


def reader(item: type[T]) -> Callable[[Reply], T]:
    """What finds a value of a type in a reply."""
    # As type[T] mypy would not take it for a key of a cache.
    kind: Any = item
    return functools.partial(decode_json, decode=lenient_decoder(kind))


def optional_reader(item: type[T]) -> Callable[[Reply], T | None]:
    """What finds a value of a type in a reply, and None in one without a body."""
    read = reader(item)
    return lambda reply: read(reply) if reply.body.strip() else None


def acknowledgement(reply: Reply) -> None:
    """Nothing, if an answer may say that what was asked is done: it is empty, or JSON.

    Raises:
        DecodeError: It is something else, such as a login's page, or JSON that holds an error.
    """
    if not reply.body.strip():
        return
    value: Any = decode_json(reply, decoder(Any).decode)
    about = value
    if isinstance(value, dict) and (about.get("error") or about.get("errors")):
        raise DecodeError(f"the answer says {reply.status}, and holds an error")


def document(reply: Reply, root: str) -> str:
    """The XML document in a reply.

    Args:
        reply: What the server answered.
        root: The name of its outermost element, without a prefix.

    Raises:
        DecodeError: The body is no well-formed XML, or another document.
    """
    names: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: None if names else names.append(name)
    parser.EntityDeclHandler = _no_entities
    text = reply.body.decode(errors="replace")
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        names.clear()
    if not names or names[0].rpartition(":")[2] != root:
        kind = _media_type(reply)
        size = len(reply.body)
        raise DecodeError(f"the answer is no XML document of {root} ({kind}, {size} bytes)")
    return text


def _no_entities(*_: Any) -> None:
    # They could make megabytes of a line.
    raise ValueError


def printable(text: str) -> str:
    """A server's text made fit for a terminal and a log: one line, no control characters."""
    line = re.sub(_CONTROL, " ", text).strip()
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def _media_type(reply: Reply) -> str:
    return printable(reply.headers.get("Content-Type", "no content type").partition(";")[0])
