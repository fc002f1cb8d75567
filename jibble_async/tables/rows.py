"""Rows as the server wrote them: on a line each, and whether they are text at all."""

from __future__ import annotations

import codecs
from collections.abc import Sequence

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.core.raw_rows import RawRows

__all__ = [
    "ids_of",
    "is_text",
    "lines_of",
    "one_line_each",
    "rows_of_lines",
    "unreadable",
    "unrepeated",
]


class _Named(msgspec.Struct):
    id: str = ""


_NAMED = msgspec.json.Decoder(_Named)

_DECODED = 8192


def ids_of(rows: Sequence[RawRow]) -> list[str]:
    """The ids of rows."""
    return rows.ids if isinstance(rows, RawRows) else [key for key, _ in rows]


def unrepeated(rows: Sequence[RawRow]) -> Sequence[RawRow]:
    """The rows without those that have an id which came before: of these the last one stays."""
    ids = ids_of(rows)
    if len(set(ids)) == len(ids):
        return rows
    return [*{row[0]: row for row in rows}.values()]


def lines_of(rows: Sequence[RawRow]) -> bytes:
    """Rows as lines, each of them on one; what is written over several loses its white space."""
    return rows.lines if isinstance(rows, RawRows) else one_line_each([raw for _, raw in rows])


def rows_of_lines(lines: bytes) -> RawRows:
    """Rows that are on a line each, as an export keeps them.

    Args:
        lines: The rows; each line ends in a line break.
    """
    return RawRows([each.id for each in _NAMED.decode_lines(lines)], lines)


def one_line_each(rows: Sequence[msgspec.Raw]) -> bytes:
    """The same of rows without their ids."""
    text = b"".join(rows)
    # Within a JSON text a line break can only be white space. To look for one that is not there is
    # many times as quick as to count those that are.
    if b"\n" not in text and b"\r" not in text:
        return b"\n".join([*rows, b""])
    return b"\n".join([*(msgspec.json.format(bytes(raw), indent=-1) for raw in rows), b""])


def is_text(data: bytes) -> bool:
    """Whether bytes are UTF-8: splitting a page into rows does not look into their texts."""
    if data.isascii():
        return True
    # What is decoded is thrown away: little of it at a time stays in the processor's caches.
    view, begin, size = memoryview(data), 0, len(data)
    try:
        while begin < size:
            end = min(begin + _DECODED, size)
            begin += codecs.utf_8_decode(view[begin:end], "strict", end == size)[1]
    except UnicodeDecodeError:
        return False
    return True


def unreadable(row: RawRow, reason: str) -> str:
    """What is said of a row that a table has no place for, with the way out if there is one.

    Args:
        row: The row.
        reason: Why it can't be read.
    """
    key, raw = row
    way_out = "; JSON lines keep every row" if is_text(bytes(raw)) else ""
    return f"the row {key!r} can't be read: {reason}{way_out}"
