"""The current API's answers: pages, counts, links, and the body of an error."""

from __future__ import annotations

import functools
from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.lenient import lenient_decoder, rounds_up, whole_characters
from jibble_async.core.pages import PageContent
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.reasons import told_error
from jibble_async.core.wire import Reply, decode_json
from jibble_async.errors import (
    APIError,
    DecodeError,
    RateLimitedError,
    ThrottledOrForbiddenError,
)

__all__ = ["read_error", "read_page"]

T = TypeVar("T")

_LINK = b'nextlink"'
_ROWS = b'"value":['
# More than servers take of a link.
_EDGE = 16 * 1024


class _Envelope(msgspec.Struct, Generic[T]):
    value: list[T]
    # Whatever is no usable count must not cost the page, so nothing is demanded of it.
    count: Any = msgspec.field(name="@odata.count", default=None)
    old_count: Any = msgspec.field(name="odata.count", default=None)
    old_link: str | None = msgspec.field(name="odata.nextLink", default=None)
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
    envelope = None if rounds_up(reply.body, item) else _strictly(reply, item)
    if envelope is not None:
        items = envelope.value
    else:
        whole = Reply(reply.status, reply.headers, whole_characters(reply.body) or reply.body)
        envelope = decode_json(whole, _page_decoder(msgspec.Raw).decode)
        items = _rows(envelope.value, item, on_bad_row)
    count = envelope.old_count if envelope.count is None else envelope.count
    link = envelope.next_link or envelope.old_link or _link_by_another_name(reply.body)
    return PageContent(items, len(envelope.value), _count(count), link, reply.body)


def _strictly(reply: Reply, item: Any) -> _Envelope[Any] | None:
    """The page, if all of its rows are as they should be."""
    try:
        return decode_json(reply, _page_decoder(item).decode)
    except DecodeError as error:
        if error.malformed:
            raise
        return None


def _rows(rows: list[msgspec.Raw], item: Any, on_bad_row: BadRowHandler | None) -> list[Any]:
    items: list[Any] = []
    for number, row in enumerate(rows):
        try:
            items.append(lenient_decoder(item)(bytes(row)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            failure = DecodeError(f"row {number} of the page can't be read: {error}", row=number)
            if on_bad_row is None:
                raise failure from None
            on_bad_row(failure, bytes(row))
    return items


def _count(value: Any) -> int | None:
    # With IEEE754Compatible=true, numbers of 64 bits come as texts.
    text = value if isinstance(value, str) and len(value) < 20 and value.isascii() else ""
    number: Any = int(text) if text.isdigit() else value
    usable = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 2**63
    return number if usable else None


def _link_by_another_name(body: bytes) -> str | None:
    """A next link as older and newer versions of OData spell it, such as `odata.nextLink`."""
    # It stands before or after the rows: looking through them all would cost a tenth of a page.
    # Nearly always they end the body, and little stands before them.
    rows = body.find(_ROWS, 0, _EDGE)
    before = body[: _EDGE if rows < 0 else rows]
    after = b"" if body.endswith(b"}]}") else body[-_EDGE:]
    if _LINK not in before.lower() and _LINK not in after.lower():
        return None
    try:
        members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        links = [
            msgspec.json.decode(value, type=str | None)
            for name, value in members.items()
            if name.lower().endswith("nextlink")
        ]
    except msgspec.MsgspecError as error:
        raise DecodeError(f"the page's next link can't be read: {error}") from None
    return next((link for link in links if link), None)


_CREDENTIAL_ERRORS = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_NO_REASON = frozenset({b"", b"{}", b"null", b'""'})


def read_error(reply: Reply, *, throttling: bool, wait: float | None) -> APIError:
    """The error that a reply stands for; see `jibble_async.core.answers.ErrorReader`.

    A 403 without a reason may be throttling or a missing right. Signs of throttling decide;
    without any it is `ThrottledOrForbiddenError`.
    """
    if reply.status == 403 and reply.body.strip() in _NO_REASON:
        if throttling:
            text = "the server refuses for speed (403 without a reason, and signs of throttling)"
            return RateLimitedError(text, status=403, retry_after=wait)
        return ThrottledOrForbiddenError(
            "403 without a reason: throttling, or a right that these credentials lack",
            status=403,
            retry_after=wait,
        )
    advice = "; check that id and secret belong together and are complete"
    return told_error(reply, _CREDENTIAL_ERRORS, "the credentials were", advice, wait)
