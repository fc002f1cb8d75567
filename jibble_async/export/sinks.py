"""Rows to bytes, a page at a time; which formats there are stands in `Format`."""

from __future__ import annotations

import abc
import csv
import enum
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.entities import Entity, ValueObject
from jibble_async.errors import ConfigurationError, DecodeError

__all__ = [
    "UTF8_MARK",
    "CsvSink",
    "Format",
    "JsonLinesSink",
    "Sink",
    "csv_lines",
    "format_of",
    "spreadsheet_safe",
]


class Sink(abc.ABC):
    """Turns the rows of one file into its bytes.

    Attributes:
        as_sent: Whether it wants rows as the server wrote them; else they have the fields of
            `shape`, and whatever else the server sent.
        unknown_fields: Fields that the file has no place for, and in how many rows they came.

    Args:
        shape: The class whose fields are the columns of a table of the rows, such as an entity.
        spreadsheet_safe: Put `'` before what a spreadsheet would run as a formula, where
            spreadsheets read such files.
        mark: Begin with the mark of UTF-8 that Excel needs, where spreadsheets read such files;
            by default if it shall be safe for them.
        secrets: Keep what opens a kiosk, such as a person's PIN.
    """

    as_sent: ClassVar[bool] = False

    def __init__(
        self,
        shape: type[msgspec.Struct],
        *,
        spreadsheet_safe: bool = True,
        mark: bool | None = None,
        secrets: bool = False,
    ) -> None:
        self.unknown_fields: Counter[str] = Counter()
        hidden = () if secrets else getattr(shape, "secret_fields", ())
        fields = msgspec.structs.fields(shape)
        self._hidden = {each.encode_name for each in fields if each.name in hidden}

    def head(self) -> bytes:
        """What a file begins with."""
        return b""

    @abc.abstractmethod
    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The bytes of these rows.

        Raises:
            DecodeError: A row can't be read.
        """

    def finish(self) -> bytes:
        """What a file ends with; nothing is encoded after it."""
        return b""


class JsonLinesSink(Sink):
    """A line for each row, byte for byte as the server wrote it.

    A row that the server wrote over several lines is put on one, without its white space.
    """

    as_sent: ClassVar[bool] = True

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The rows, a line each."""
        if self._hidden:
            rows = [(key, self._without(raw)) for key, raw in rows]
        lines = b"\n".join([*(raw for _, raw in rows), b""])
        # Within a JSON text a line break can only be white space.
        if lines.count(b"\n") == len(rows) and b"\r" not in lines:
            return lines
        compact = [msgspec.json.format(bytes(raw), indent=-1) for _, raw in rows]
        return b"\n".join([*compact, b""])

    def _without(self, raw: msgspec.Raw) -> msgspec.Raw:
        # All else stays as the server wrote it, down to the digits.
        row = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        if self._hidden.isdisjoint(row):
            return raw
        kept = {name: each for name, each in row.items() if name not in self._hidden}
        return msgspec.Raw(msgspec.json.encode(kept))


# Without it Excel takes a file for one in the machine's old code page, and `Zoë` for `ZoÃ«`.
UTF8_MARK = b"\xef\xbb\xbf"
# What spreadsheets take for the beginning of a formula, the full-width forms included.
_OPERATORS = "=+@\uff1d\uff0b\uff0d\uff20-"
_FORMULA_STARTS = frozenset(f"{_OPERATORS}\t\r\n")
# Where lists are separated by a semicolon, Excel splits records there, quotes or not, since a quote
# behind a comma begins no cell for it; a line break then begins a record. A comma splits only
# where the quotes count.
_FORMULA_WITHIN = re.compile(f"([;|\\t\\r\\n])(?=[{_OPERATORS}])")


def spreadsheet_safe(text: str) -> str:
    """A text with `'` wherever a spreadsheet would begin a formula, whatever separates its cells.

    Args:
        text: What goes into one cell.
    """
    return _safe_in_front(_FORMULA_WITHIN.sub(r"\1'", text))


def _safe_in_front(text: str) -> str:
    return "'" + text if text[:1] in _FORMULA_STARTS else text


def _may_separate(raw: bytes) -> bool:
    """Whether a text of a JSON row may hold what separates cells: a line break is an escape."""
    return b";" in raw or b"|" in raw or b"\\" in raw


class CsvSink(Sink):
    """CSV after RFC 4180, in UTF-8, with the documented fields of a class as columns.

    Columns bear the wire's names; the fields of nested objects are columns of their own, such as
    `coordinates.latitude`, and lists are JSON. An empty cell is null or an empty text.

    Args:
        shape: The class whose fields are the columns, such as an entity.
        spreadsheet_safe: Put `'` wherever a spreadsheet would begin a formula, be its cells
            separated by commas, semicolons or tabs. Numbers stay as they are.
        mark: Begin with the mark of UTF-8; by default if it shall be safe for spreadsheets.
        secrets: Keep what opens a kiosk, such as a person's PIN.
    """

    def __init__(
        self,
        shape: type[msgspec.Struct],
        *,
        spreadsheet_safe: bool = True,
        mark: bool | None = None,
        secrets: bool = False,
    ) -> None:
        super().__init__(shape, secrets=secrets)
        self._mark = spreadsheet_safe if mark is None else mark
        self._columns, self._objects = _columns(shape)
        for name in self._hidden:
            del self._columns[name]
        self._known = {name.partition(".")[0] for name in self._columns}
        self._safe = spreadsheet_safe
        # Decimals keep the server's digits.
        self._decode = msgspec.json.Decoder(float_hook=Decimal).decode
        self._encode = msgspec.json.Encoder(decimal_format="number").encode

    def head(self) -> bytes:
        """The mark of UTF-8, if wanted, and the line with the names of the columns."""
        return (UTF8_MARK if self._mark else b"") + csv_lines([self._columns])

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The rows, a record each.

        Raises:
            DecodeError: A row can't be read.
        """
        return csv_lines([self._record(key, raw) for key, raw in rows])

    def _fields(self, key: str, raw: msgspec.Raw) -> dict[str, Any]:
        try:
            row: dict[str, Any] = self._decode(raw)
        except (ArithmeticError, ValueError, RecursionError) as error:
            # Arithmetic is what Decimal raises for an exponent that it can't hold.
            reason = str(error) if isinstance(error, ValueError) else type(error).__name__
            raise DecodeError(
                f"the row {key!r} can't be read: {reason}; JSON lines keep every row"
            ) from None
        return row

    def _record(self, key: str, raw: msgspec.Raw) -> list[Any]:
        row = self._fields(key, raw)
        guard: Callable[[str], str] = str
        if self._safe:
            # Most rows hold no separator: to look for one in each text would cost more than CSV.
            guard = spreadsheet_safe if _may_separate(bytes(raw)) else _safe_in_front
        self._note(row.keys() - self._known - self._hidden)
        for name in self._objects:
            value = row.get(name)
            if isinstance(value, dict):
                nested: dict[str, Any] = {**value}
                parts = {f"{name}.{inner}": each for inner, each in nested.items()}
                self._note(parts.keys() - self._columns.keys())
                row.update(parts)
            elif value is not None:
                self._note({name})
        cell, get = self._cell, row.get
        return [cell(get(name), guard) for name in self._columns]

    def _note(self, unknown: set[str]) -> None:
        # OData's own remarks, such as `@odata.etag`, are no fields.
        self.unknown_fields.update(name for name in unknown if "@" not in name)

    def _cell(self, value: Any, guard: Callable[[str], str]) -> Any:
        if isinstance(value, str):
            return guard(value)
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        if value is None or is_number:
            return value
        return guard(self._encode(value).decode())


def _columns(shape: type[msgspec.Struct]) -> tuple[dict[str, None], list[str]]:
    """The columns, and the fields that are objects and so have a column for each of theirs."""
    columns: dict[str, None] = {}
    objects: list[str] = []
    for field in msgspec.structs.fields(shape):
        name = field.encode_name
        options = (field.type, *getattr(field.type, "__args__", ()))
        found = [
            item for item in options if isinstance(item, type) and issubclass(item, ValueObject)
        ]
        if not found:
            columns[name] = None
        elif not issubclass(found[0], Entity):
            # Entities are there only when expanded, which an export never asks for.
            objects.append(name)
            inner = msgspec.structs.fields(found[0])
            columns.update((f"{name}.{part.encode_name}", None) for part in inner)
    return columns, objects


def csv_lines(records: Iterable[Iterable[Any]]) -> bytes:
    """Records as CSV after RFC 4180, in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


class Format(enum.StrEnum):
    """What a file may hold. Another format is an entry here, and its sink.

    Attributes:
        suffixes: The endings of a file's name that say it.
        sink: What writes it.
    """

    suffixes: tuple[str, ...]
    sink: type[Sink]

    def __new__(cls, name: str, suffixes: tuple[str, ...], sink: type[Sink]) -> Self:
        """A format that is called so."""
        member = str.__new__(cls, name)
        member._value_, member.suffixes, member.sink = name, suffixes, sink
        return member

    JSONL = "jsonl", (".jsonl", ".ndjson"), JsonLinesSink
    CSV = "csv", (".csv",), CsvSink


def format_of(path: Path, wanted: Format | str | None) -> Format:
    """The format of a file: the one that is wanted, or the one that its name says.

    Raises:
        ConfigurationError: There is no such format, or the name does not say.
    """
    suffix = path.suffix.lower()
    for each in Format:
        if each == wanted if wanted is not None else suffix in each.suffixes:
            return each
    if wanted is not None:
        raise ConfigurationError(f"no format {wanted!r}: there are {', '.join(Format)}")
    endings = " or ".join(suffix for each in Format for suffix in each.suffixes)
    raise ConfigurationError(
        f"{path.name!r} does not say which format: end it in {endings}, or name the format"
    )
