"""JSON lines: rows as the server wrote them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, ClassVar

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.export.sinks.base import FormatSink, flagged, gathered
from jibble_async.tables.columns import Holds
from jibble_async.tables.rows import is_text, lines_of, one_line_each

__all__ = ["JsonLinesSink"]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ID = msgspec.json.Decoder(str | None).decode
_ENCODE = msgspec.json.Encoder().encode
_NULL = msgspec.Raw(b"null")


class JsonLinesSink(FormatSink):
    """A line for each row, byte for byte as the server wrote it.

    A row that the server wrote over several lines is put on one, without its white space. Where
    columns are chosen, left out or added, the others stay as they were written, down to the digits.
    """

    as_sent: ClassVar[bool] = True

    def __init__(self, shape: type[msgspec.Struct], **options: Any) -> None:
        super().__init__(shape, **options)
        table = self._table
        self._named = {field.named: field.name for field in table.fields if field.named is not None}
        self._known = {field.name for field in table.known} | table.hidden
        self._is_edited = bool(self._named or table.hidden or not table.is_whole)

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The rows, a line each.

        Raises:
            DecodeError: A row is no UTF-8, and nobody gets it.
        """
        if not self._is_edited:
            lines = lines_of(rows)
            if is_text(lines):
                return lines
        return one_line_each(self._readable(rows, self._edited if self._is_edited else _text))

    @classmethod
    def kept(cls, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The rows of a file without those whose flag is False.

        Raises:
            ExportError: There are more rows than flags, or fewer.
        """
        return gathered(line for line, flag in flagged(part, keep) if flag)

    def _edited(self, raw: msgspec.Raw) -> msgspec.Raw:
        row = _MEMBERS(_text(raw))
        for field, column in self._named.items():
            if field in row:
                name = self._names[field].get(_ID(row[field]) or "")
                row[column] = _NULL if name is None else msgspec.Raw(_ENCODE(name))
        if self._table.is_whole:
            if self._table.hidden.isdisjoint(row) and not self._named:
                return raw
            kept = {name: each for name, each in row.items() if name not in self._table.hidden}
        else:
            kept = self._chosen(row)
        return msgspec.Raw(_ENCODE(kept))

    def _chosen(self, row: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        named = self._named.values()
        for name, value in row.items():
            if name not in self._known and name not in named and bytes(value) != b"null":
                self._note(name)
        kept: dict[str, msgspec.Raw] = {}
        for field in self._table.fields:
            value = row.get(field.name, _NULL)
            if field.holds is Holds.OBJECT and bytes(value).startswith(b"{"):
                members = _MEMBERS(value)
                parts = {each.name: members.get(each.name, _NULL) for each in field.fields}
                value = msgspec.Raw(_ENCODE(parts))
            kept[field.name] = value
        return kept


def _text(raw: msgspec.Raw) -> msgspec.Raw:
    str(raw, "utf-8")
    return raw
