"""The current API's answers: pages, counts, links, and the body of an error."""

from __future__ import annotations

import functools
from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.pages import PageContent
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply, decode_json, plain_error, reason_of, whole_characters
from jibble_async.errors import (
    APIError,
    AuthenticationError,
    DecodeError,
    RateLimitedError,
    ThrottledOrForbiddenError,
)
from jibble_async.odata.lenient import decode_leniently

__all__ = ["read_error", "read_page"]

T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T]):
    value: list[T]
    # Whatever is no usable count must not cost the page, so nothing is demanded of it.
    count: Any = msgspec.field(name="@odata.count", default=None)
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


@functools.cache
def _page_decoder(item: Any) -> msgspec.json.Decoder[_Envelope[Any]]:
    return msgspec.json.Decoder(_Envelope[item])


def read_page(reply: Reply, item: Any, on_bad_row: BadRowHandler | None = None) -> PageContent[Any]:
    """The page in a reply.

    It is decoded strictly and fast. If that fails, row by row, with what is known to be odd in
    the server's dates and durations put right.

    Args:
        reply: What the server answered.
        item: The type of a row.
        on_bad_row: Gets each row that can't be read even so; without it the first is an error.

    Raises:
        DecodeError: It is no page, or a row can't be read; the error names the row.
    """
    try:
        envelope = _page_decoder(item).decode(reply.body)
    except msgspec.ValidationError:
        envelope = decode_json(reply, _page_decoder(msgspec.Raw).decode)
        items = _rows(envelope.value, item, on_bad_row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        whole = whole_characters(reply)
        if whole is not None:
            content = read_page(whole, item, on_bad_row)
            content.raw = reply.body
            return content
        envelope = decode_json(reply, _page_decoder(item).decode)
        items = envelope.value
    else:
        items = envelope.value
    received = len(envelope.value)
    return PageContent(items, received, _count(envelope.count), envelope.next_link, reply.body)


def _rows(rows: list[msgspec.Raw], item: Any, on_bad_row: BadRowHandler | None) -> list[Any]:
    items: list[Any] = []
    for number, row in enumerate(rows):
        try:
            items.append(decode_leniently(bytes(row), item))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            failure = DecodeError(f"row {number} of the page can't be read: {error}", row=number)
            if on_bad_row is None:
                raise failure from None
            on_bad_row(failure, bytes(row))
    return items


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


_CREDENTIAL_ERRORS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_NO_REASON = frozenset({b"", b"{}", b"null", b'""'})


def read_error(reply: Reply, *, throttling: bool, wait: float | None) -> APIError:
    """The error that a reply stands for.

    A 403 without a reason may be throttling or a missing right. Signs of throttling decide;
    without any it is `ThrottledOrForbiddenError`.

    Args:
        reply: What the server answered.
        throttling: Whether there are signs that the server is refusing for speed.
        wait: Seconds the server asked to wait, if it did.
    """
    status = reply.status
    code, message = reason_of(reply)
    if code in _CREDENTIAL_ERRORS:
        text = f"the credentials were refused ({code}): {message or 'no reason given'}"
        advice = "check that id and secret belong together and are complete"
        return AuthenticationError(f"{text}; {advice}", status=status, code=code)
    if status == 403 and reply.body.strip() in _NO_REASON:
        if throttling:
            text = "the server refuses for speed (403 without a reason, and signs of throttling)"
            return RateLimitedError(text, status=status, retry_after=wait)
        return ThrottledOrForbiddenError(
            "403 without a reason: throttling, or a right that these credentials lack",
            status=status,
            retry_after=wait,
        )
    return plain_error(status, code, message, wait)
