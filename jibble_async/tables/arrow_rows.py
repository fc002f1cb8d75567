"""Rows as the server wrote them to Arrow tables, by Arrow's own reader of JSON.

No object of Python is made of a row, but where Arrow can't read one.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from jibble_async.core.lenient import lenient_decoder
from jibble_async.core.pages import RawRow
from jibble_async.core.raw_rows import RawRows
from jibble_async.tables.arrow_times import ArrowTimes
from jibble_async.tables.columns import Field, Holds, Table
from jibble_async.tables.rows import is_text, lines_of
from jibble_async.tables.schema import TIMES, arrow, reading_schema, table_schema

__all__ = ["ArrowRows"]

_Refuse: TypeAlias = Callable[[int, RawRow, str], None]
# The place of a row, itself, and how it reads once it is mended.
_Mended: TypeAlias = tuple[int, RawRow, msgspec.Raw]

_NULL = b"null"
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class ArrowRows:
    """Makes Arrow tables of rows.

    A page that Arrow's reader does not take, such as one with a day where it expects a number, is
    read row by row as the clients read rows; what they can't read either is refused.

    Attributes:
        schema: That of the tables.

    Args:
        table: The columns.
        names: For fields with ids, the names that belong to the ids.
        note: Gets the name of each field that the table has no place for, and in how many rows it
            has a value.
        refuse: Gets each row that can't be read: its place among the rows, itself, and why.

    Raises:
        ConfigurationError: A column has no type, or pyarrow is not installed.
    """

    def __init__(
        self,
        table: Table,
        names: Mapping[str, Mapping[str, str]],
        note: Callable[[str, int], None],
        refuse: _Refuse,
    ) -> None:
        self._pa, self._json = arrow(), arrow("pyarrow.json")
        self._compute = arrow("pyarrow.compute")
        self._times = ArrowTimes()
        self.schema: Any = table_schema(table)
        self._reading: Any = reading_schema(table)
        self._met: set[str] = set()
        self._moments = {each.name for each in table.fields if each.holds is Holds.MOMENT}
        self._nulls: dict[Any, Any] = {}
        self._usual: Any = None
        self._fields = [each for each in table.fields if each.holds is not Holds.JSON]
        self._ignored = {*table.hidden, *_labels(table.known)}
        self._names = {
            field: (self._pa.array([*found], "string"), self._pa.array([*found.values()], "string"))
            for field, found in names.items()
        }
        self._note, self._refuse = note, refuse
        parts = {each.name: each for each in table.fields}
        read = [parts.get(each.name, each) for each in table.known]
        self._row: Any = _struct(each for each in read if each.name in self._reading.names)

    def table(self, rows: Sequence[RawRow]) -> Any:
        """A `pyarrow.Table` of rows.

        Raises:
            DecodeError: A row can't be read, if `refuse` raises it.
        """
        try:
            return self._whole(rows)
        except ValueError:
            return self._one_by_one(rows)

    def _whole(self, rows: Sequence[RawRow]) -> Any:
        """A table of rows that are as they should be; ValueError, which Arrow's is, if not."""
        if not rows:
            return self.schema.empty_table()
        lines = lines_of(rows)
        # Arrow 26 dies of a first row that is null, takes others for rows without values, and finds
        # out late that something is no text.
        if not lines.startswith(b"{") or _holds_null(rows, lines) or not is_text(lines):
            raise ValueError("rows are no objects, or no text")
        try:
            read = self._met_only(lines)
        except self._pa.ArrowInvalid:
            read = self._read(lines, self._reading, "ignore")
            table = self._made(read, len(rows))
            self._count_each(raw for _, raw in rows)
        else:
            table = self._made(read, len(rows))
            # Where nothing new had a value, columns of the same types have nothing new.
            if read.schema != self._usual and not self._count(read, self._reading, ""):
                self._usual = read.schema
        return table

    def _met_only(self, lines: bytes) -> Any:
        """What is read of the fields that had values so far, and of those that have some now.

        Each field that is asked for costs Arrow's reader time in every row, be it there or not.
        What is not asked for is read as what it seems to be, so that it is counted or, if it is
        known, read again as what it is.
        """
        while True:
            asked = [field for field in self._reading if field.name in self._met]
            read = self._timed(lines, asked)
            if read.schema == self._usual:
                return read
            news = {
                field.name
                for field in read.schema
                if field.name in self._reading.names and not self._pa.types.is_null(field.type)
            } - self._met
            if not news:
                return read
            self._met |= news

    def _timed(self, lines: bytes, asked: list[Any]) -> Any:
        """The same with moments read as such, for as long as all of them can be."""
        pa = self._pa
        if not self._moments.isdisjoint(self._met):
            # Nanoseconds hold all digits, but not all years.
            moment = pa.timestamp("ns", "UTC")
            timed = [
                each.with_type(moment) if each.name in self._moments else each for each in asked
            ]
            try:
                return self._read(lines, pa.schema(timed), "infer")
            except pa.ArrowInvalid:
                read = self._read(lines, pa.schema(asked), "infer")
                self._moments.clear()
                return read
        return self._read(lines, pa.schema(asked), "infer")

    def _read(self, lines: bytes, schema: Any, unexpected: str) -> Any:
        return self._json.read_json(
            self._pa.BufferReader(lines),
            # Windows are read at the same time already; and no row may straddle two blocks.
            read_options=self._json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            parse_options=self._json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior=unexpected
            ),
        )

    def _made(self, read: Any, rows: int) -> Any:
        """The table of what was read."""
        columns = [self._column(read, field, rows) for field in self._fields]
        return self._pa.Table.from_arrays(columns, schema=self.schema)

    def _column(self, read: Any, field: Field, rows: int) -> Any:
        kind = self.schema.field(field.name).type
        place = read.schema.get_field_index(field.named or field.name)
        if place < 0 or self._pa.types.is_null(read.schema.field(place).type):
            return self._nothing(kind, rows)
        sent = _array(read.column(place))
        if field.named is not None:
            ids, names = self._names[field.named]
            return names.take(self._compute.index_in(sent, value_set=ids))
        return sent if sent.type == kind else self._converted(sent, field, field.holds)

    def _nothing(self, kind: Any, rows: int) -> Any:
        """A column of nulls; they are made once, and pages share them."""
        found = self._nulls.get(kind)
        if found is None or len(found) < rows:
            found = self._nulls[kind] = self._pa.nulls(rows, kind)
        return found.slice(0, rows)

    def _converted(self, sent: Any, field: Field, holds: Holds) -> Any:
        """An array of the type of its column, of what was read."""
        if holds in TIMES:
            return self._times.column(sent, holds)
        if holds is Holds.OBJECT:
            parts = [
                self._converted(sent.field(each.name), each, each.holds) for each in _typed(field)
            ]
            types = [
                self._pa.field(each.name, part.type)
                for each, part in zip(_typed(field), parts, strict=True)
            ]
            return self._pa.StructArray.from_arrays(parts, fields=types, mask=sent.is_null())
        if holds is Holds.LIST and field.items is not None:
            values = self._converted(sent.values, field, field.items)
            return self._pa.ListArray.from_arrays(sent.offsets, values, mask=sent.is_null())
        return sent

    def _one_by_one(self, rows: Sequence[RawRow]) -> Any:
        """The same of rows of which some are odd, worded as they should be."""
        mended: list[_Mended] = []
        for place, row in enumerate(rows):
            try:
                text = msgspec.json.encode(lenient_decoder(self._row)(bytes(row[1])))
            except (ValueError, RecursionError) as error:
                reason = str(error) if isinstance(error, ValueError) else type(error).__name__
                self._refuse(place, row, reason)
            else:
                self._count_each([row[1]])
                mended.append((place, row, msgspec.Raw(text)))
        return self._pa.concat_tables([self.schema.empty_table(), *self._halves(mended)])

    def _halves(self, rows: list[_Mended]) -> list[Any]:
        """Tables of rows, but of those that Arrow does not take even so."""
        try:
            return [self._whole([(key, text) for _, (key, _), text in rows])]
        except ValueError as error:
            if len(rows) == 1:
                place, row, _ = rows[0]
                self._refuse(place, row, str(error))
                return []
        middle = len(rows) // 2
        return self._halves(rows[:middle]) + self._halves(rows[middle:])

    def _count(self, read: Any, schema: Any, prefix: str) -> int:
        """How many values were read beside the schema; null is not counted."""
        counted = 0
        for field in read.schema if not prefix else read.type:
            column = read.column(field.name) if not prefix else read.field(field.name)
            if field.name not in schema.names:
                label = prefix + field.name
                if label not in self._ignored:
                    values = len(column) - column.null_count
                    self._note(label, values)
                    counted += values
            elif self._pa.types.is_struct(field.type):
                inner = self._pa.schema(list(schema.field(field.name).type))
                held = column if prefix else _array(column)
                counted += self._count(held, inner, f"{prefix}{field.name}.")
        return counted

    def _count_each(self, raws: Iterable[msgspec.Raw]) -> None:
        """Count fields of the rows alone; for the few pages whose new fields have no one type."""
        for raw in raws:
            for name, value in _MEMBERS(raw).items():
                is_known = name in self._ignored or name in self._reading.names
                if not is_known and bytes(value) != b"null":
                    self._note(name, 1)


_KINDS: Mapping[Holds, Any] = {
    Holds.FLAG: bool,
    Holds.INTEGER: int,
    Holds.NUMBER: float,
    Holds.DAY: datetime.date,
    Holds.MOMENT: datetime.datetime,
    Holds.CLOCK: datetime.datetime,
}


def _holds_null(rows: Sequence[RawRow], lines: bytes) -> bool:
    if isinstance(rows, RawRows):
        return False
    # Rows of that length are rare, and quicker to find than the text.
    return min(len(raw) for _, raw in rows) == len(_NULL) and b"\n%b\n" % _NULL in lines


def _array(column: Any) -> Any:
    # To combine one chunk would copy it.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _labels(fields: Iterable[Field], prefix: str = "") -> Iterator[str]:
    """The fields that are known and have a type, whether they are wanted or not."""
    for each in fields:
        if each.holds is not Holds.JSON:
            yield prefix + each.name
            yield from _labels(each.fields, f"{prefix}{each.name}.")


def _typed(field: Field) -> list[Field]:
    return [each for each in field.fields if each.holds is not Holds.JSON]


def _struct(fields: Iterable[Field]) -> Any:
    """The class of rows with some fields, or of objects in them."""
    found = [each for each in fields if each.holds is not Holds.JSON]
    attributes = [f"field_{number}" for number in range(len(found))]
    return msgspec.defstruct(
        "Row",
        [
            (name, _kind(each, each.holds) | None, None)
            for name, each in zip(attributes, found, strict=True)
        ],
        rename=dict(zip(attributes, (each.name for each in found), strict=True)),
        frozen=True,
        gc=False,
    )


def _kind(field: Field, holds: Holds) -> Any:
    if holds is Holds.OBJECT:
        return _struct(field.fields)
    if holds is Holds.LIST and field.items is not None:
        return list[_kind(field, field.items) | None]  # type: ignore[misc]
    return _KINDS.get(holds, str)
