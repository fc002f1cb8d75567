"""Pages of rows that nobody takes apart: checked, told apart, and left as they were written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from jibble_async.core.pages import PageContent, RawRow, RowHead
from jibble_async.core.raw_rows import RawRows
from jibble_async.core.wire import Reply
from jibble_async.errors import DecodeError
from jibble_async.odata.envelope import read_page

__all__ = ["head_type", "read_raw"]

_ROWS = b'"value":['
_END = b"}]"


@functools.cache
def head_type(key: str, **names: str) -> type[RowHead]:
    """The class of what is read of each row.

    Args:
        key: The wire's name for the id.
        **names: What else of `RowHead` is read, by the wire's names.
    """
    more = [(own, Any, msgspec.field(name=wire, default=None)) for own, wire in names.items()]
    fields: list[Any] = [("id", str, msgspec.field(name=key)), *more]
    head: Any = msgspec.defstruct("Head", fields, bases=(RowHead,), gc=False)
    kind: type[RowHead] = head
    return kind


def read_raw(reply: Reply, head: type[RowHead]) -> PageContent[RawRow]:
    """The page in a reply, with its rows as the server wrote them.

    Args:
        reply: What the server answered.
        head: What is read of each row.

    Raises:
        DecodeError: It is no page, or a row has no id.
    """
    return _split(reply, head) or _decoded(reply, head)


def _split(reply: Reply, head: type[RowHead]) -> PageContent[RawRow] | None:
    """The page, if it can be cut where one row ends and the next begins with its id.

    That it is cut in the right places is proved by reading it: if what stands before and behind
    the rows is a page of what is put in their place, and each line is a row, then the body is
    these rows and nothing else. Reading the lines gives the heads as well, so that each byte is
    read once. Whatever is written in another way, such as over several lines, is decoded.
    """
    body = reply.body
    begin, end = body.find(_ROWS) + len(_ROWS), body.rfind(_END) + 1
    if begin < len(_ROWS) or not body.startswith(b"{", begin, end):
        return None
    if body.find(b"\n", begin, end) >= 0 or body.find(b"\r", begin, end) >= 0:
        return None
    before, behind = body[:begin], body[end:]
    # A row that nothing else there can be taken for.
    row = b"1"
    while row in before or row in behind:
        row += b"1"
    around = Reply(reply.status, reply.headers, before + row + behind)
    mark, decode = _reader(head)
    # From the end, since what a row begins with is rarer than the quotes that it ends in; the
    # search looks for these bytes first.
    pieces = body.rsplit(b"}," + mark)
    pieces[-1] = pieces[-1][: end - len(body)] + b"\n"
    pieces[0] = pieces[0][begin:]
    lines = (b"}\n" + mark).join(pieces)
    try:
        content: PageContent[Any] = read_page(around, msgspec.Raw)
        heads = decode(lines)
    except (DecodeError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    # It may have been another list. And a line with two rows is no part of one.
    if [*map(bytes, content.items)] != [row] or len(heads) != len(pieces):
        return None
    content.items = RawRows([each.id for each in heads], lines)
    content.received, content.heads, content.raw = len(heads), heads, body
    return content


@functools.cache
def _reader(head: type[RowHead]) -> tuple[bytes, Callable[[bytes], list[RowHead]]]:
    """What a row begins with, and what reads the heads of lines."""
    decode: Any = msgspec.json.Decoder(head).decode_lines
    return b'{"%b":"' % head.__struct_encode_fields__[0].encode(), decode


def _decoded(reply: Reply, head: type[RowHead]) -> PageContent[RawRow]:
    content, heads = read_page(reply, msgspec.Raw), read_page(reply, head).items
    content.items = [(each.id, raw) for each, raw in zip(heads, content.items, strict=True)]
    content.heads = heads
    return content
