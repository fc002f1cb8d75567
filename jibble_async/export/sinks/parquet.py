"""Parquet, by way of Arrow: rows are gathered into groups, each written when it is full."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, ClassVar

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.errors import ExportError
from jibble_async.export.sinks.base import OTHER_ROWS, FormatSink
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.schema import arrow

__all__ = ["ParquetSink"]

# A group holds so many rows, or bytes of Arrow: what a sink keeps in memory, and what readers skip.
_GROUP_ROWS, _GROUP_BYTES = 50_000, 32 * 1024 * 1024
# A dictionary pays where a value comes again often enough; so many rows are asked.
_SAMPLE, _SHARE = 2_000, 4


class ParquetSink(FormatSink):
    """Parquet with the documented fields of a class as columns, compressed by zstd.

    Objects are structs, times are cut to microseconds; `schema_of` tells the types. A row that
    can't be read as its columns demand is a bad row.
    """

    is_packed: ClassVar[bool] = True

    def __init__(self, shape: type[msgspec.Struct], **options: Any) -> None:
        super().__init__(shape, **options)
        self._rows = ArrowRows(self._table, self._names, self._note, self._refuse)
        self._groups = _Groups(self._rows.schema)

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The bytes of the groups that these rows fill; most often none.

        Raises:
            DecodeError: A row can't be read, and nobody gets it.
        """
        return self._groups.add(self._rows.table(rows))

    def finish(self) -> bytes:
        """What is left, and where all of it is."""
        return self._groups.close()

    @classmethod
    def kept(cls, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The file without the rows whose flag is False.

        Raises:
            ExportError: There are more rows than flags, or fewer.
        """
        pa, file = arrow(), arrow("pyarrow.parquet").ParquetFile(part)
        flags = iter(keep)

        def tables() -> Iterator[Any]:
            for group in _groups_of(file):
                mask = list(itertools.islice(flags, len(group)))
                if len(mask) != len(group):
                    raise ExportError(OTHER_ROWS)
                yield group.filter(pa.array(mask, "bool"))
            if next(flags, None) is not None:
                raise ExportError(OTHER_ROWS)

        return _written(file.schema_arrow, tables())

    @classmethod
    def joined(cls, parts: Iterable[BinaryIO]) -> Iterator[bytes]:
        """One file out of several of the same columns: small groups become larger ones."""
        open_file = arrow("pyarrow.parquet").ParquetFile
        files = (open_file(part) for part in parts)
        first = next(files, None)
        if first is None:
            return iter(())
        groups = (group for file in itertools.chain([first], files) for group in _groups_of(file))
        return _written(first.schema_arrow, groups)


class _Buffer(io.RawIOBase):
    """Takes what Arrow writes until it is fetched."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._held.append(bytes(data))
        return len(self._held[-1])

    def take(self) -> bytes:
        taken = b"".join(self._held)
        self._held.clear()
        return taken


class _Groups:
    """Writes tables as groups of rows."""

    def __init__(self, schema: Any) -> None:
        self._pa, self._parquet = arrow(), arrow("pyarrow.parquet")
        self._schema = schema
        self._buffer = _Buffer()
        self._writer: Any = None
        self._held: list[Any] = []
        self._rows = self._bytes = 0

    def add(self, table: Any) -> bytes:
        """What is ready once a table is added."""
        self._held.append(table)
        self._rows += len(table)
        self._bytes += table.nbytes
        if self._rows >= _GROUP_ROWS or self._bytes >= _GROUP_BYTES:
            self._write()
        return self._buffer.take()

    def close(self) -> bytes:
        """What is left, and the footer."""
        writer = self._write() if self._rows or self._writer is None else self._writer
        writer.close()
        return self._buffer.take()

    def _write(self) -> Any:
        """The writer, once it has what was gathered."""
        group = self._pa.concat_tables([self._schema.empty_table(), *self._held])
        self._held, self._rows, self._bytes = [], 0, 0
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(
                self._buffer,
                self._schema,
                compression="zstd",
                use_dictionary=self._repeating(group.slice(0, _SAMPLE)),
            )
        if len(group):
            self._writer.write_table(group, row_group_size=len(group))
        return self._writer

    def _repeating(self, sample: Any) -> list[str]:
        """The columns whose values come again and again, as Parquet calls them."""
        found: list[str] = []
        columns = [(field.name, sample.column(field.name)) for field in self._schema]
        while columns:
            path, column = columns.pop()
            if self._pa.types.is_struct(column.type):
                inner = zip(column.type, column.flatten(), strict=True)
                columns.extend((f"{path}.{field.name}", each) for field, each in inner)
            elif self._pa.types.is_string(column.type) or self._pa.types.is_date(column.type):
                values = len(column) - column.null_count
                if len(column.unique()) * _SHARE <= values:
                    found.append(path)
        return sorted(found)


def _groups_of(file: Any) -> Iterator[Any]:
    for number in range(file.num_row_groups):
        yield file.read_row_group(number, use_threads=False)


def _written(schema: Any, tables: Iterator[Any]) -> Iterator[bytes]:
    groups = _Groups(schema)
    for table in tables:
        if ready := groups.add(table):
            yield ready
    yield groups.close()
