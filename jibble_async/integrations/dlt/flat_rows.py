"""Rows as Arrow tables that are as flat as dlt makes dicts, with the same names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.errors import DecodeError
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.columns import Field, Holds, Table
from jibble_async.tables.rows import unreadable
from jibble_async.tables.schema import arrow

__all__ = ["DELETED", "FlatRows", "column_hints"]

DELETED = "_jibble_deleted"
"""The column that says which rows are to be deleted; dlt's `hard_delete` hint is on it."""

# What dlt puts between the names of an object and of its field.
_BELOW = "__"
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_TEXT = msgspec.json.Decoder(str).decode


class FlatRows:
    """Makes tables of rows, with a column for each field of an object.

    Fields that the vocabulary does not know, or that may hold anything, become columns too, as
    texts. dlt's schema contracts say what becomes of new columns.

    Args:
        table: The columns that are wanted.
        key: The column that tells rows apart; None if there is none.
        deletes: Whether rows may be deleted, so that there is a column `DELETED`.
        days: Days that are the same for all rows, by the columns that have them.

    Attributes:
        new_fields: Fields that the vocabulary does not know, and in how many rows they had values.
    """

    def __init__(
        self,
        table: Table,
        *,
        key: str | None,
        deletes: bool,
        days: Mapping[str, date] | None = None,
    ) -> None:
        self._pa = arrow()
        self._days = days or {}
        self._rows = ArrowRows(table, {}, self._note, _refuse)
        # Who chooses columns wants no others.
        self._takes_new = table.is_whole
        self._anything = {each.name for each in table.known if each.holds is Holds.JSON}
        self._met: list[str] = []
        self.new_fields: Counter[str] = Counter()
        fields = [
            each.with_nullable(each.name != key)
            for each in self._flat_fields(self._rows.schema, "")
        ]
        of_days = (self._pa.field(name, self._pa.date32(), nullable=False) for name in self._days)
        fields = [*of_days, *fields]
        if deletes:
            fields.append(self._pa.field(DELETED, self._pa.bool_()))
        self._deletes = deletes
        self._key = key
        self._schema = self._pa.schema(fields)

    @property
    def columns(self) -> list[str]:
        """The columns that are known, with their types."""
        return [f"{each.name}: {each.type}" for each in self._schema]

    def table(self, rows: Sequence[RawRow]) -> Any:
        """A `pyarrow.Table` of rows.

        Raises:
            DecodeError: A row can't be read; it is named.
        """
        pa = self._pa
        self._met = []
        read = self._rows.table(rows)
        columns = [pa.repeat(pa.scalar(day, pa.date32()), len(rows)) for day in self._days.values()]
        columns += [part for column in read.columns for part in self._parts(column)]
        if self._deletes:
            columns.append(pa.repeat(pa.scalar(value=False), len(rows)))
        table = pa.Table.from_arrays(columns, schema=self._schema)
        if self._takes_new:
            for name in self._met:
                values = pa.array(_texts(rows, name.split(".")), pa.string())
                table = table.append_column(name.replace(".", _BELOW), values)
        return table

    def deletions(self, ids: Sequence[str]) -> Any:
        """A `pyarrow.Table` that has dlt delete the rows of some ids."""
        pa = self._pa
        columns = {self._key: pa.array(ids, pa.string()), DELETED: pa.repeat(True, len(ids))}
        return pa.Table.from_arrays(
            [
                columns[each.name] if each.name in columns else pa.nulls(len(ids), each.type)
                for each in self._schema
            ],
            schema=self._schema,
        )

    def _flat_fields(self, fields: Any, prefix: str) -> Iterator[Any]:
        for each in fields:
            if self._pa.types.is_struct(each.type):
                yield from self._flat_fields(each.type, f"{prefix}{each.name}{_BELOW}")
            else:
                yield each.with_name(prefix + each.name)

    def _parts(self, column: Any) -> Iterator[Any]:
        if not self._pa.types.is_struct(column.type):
            yield column
            return
        # Fields of an object that is null are null.
        for part in column.flatten():
            yield from self._parts(part)

    def _note(self, name: str, rows: int) -> None:
        # Null everywhere tells nothing yet, and an annotation is no field.
        if not rows or "@" in name:
            return
        if name not in self._anything:
            self.new_fields[name] += rows
        if name not in self._met:
            self._met.append(name)


def column_hints(table: Table, *, deletes: bool) -> Any:
    """What dlt has to be told of columns, by their names, since Arrow's types do not say it.

    Args:
        table: The columns.
        deletes: Whether there is a column `DELETED`.
    """
    # dlt would take a time on somebody's clock for one in UTC.
    hints: dict[str, dict[str, Any]] = {
        name: {"data_type": "timestamp", "timezone": False}
        for name, field in _leaves(table.fields, "")
        if field.holds is Holds.CLOCK
    }
    hints |= {each.name: {"data_type": "json"} for each in table.fields if each.holds is Holds.JSON}
    if deletes:
        hints[DELETED] = {"data_type": "bool", "hard_delete": True}
    return hints


def _leaves(fields: Sequence[Field], prefix: str) -> Iterator[tuple[str, Field]]:
    for each in fields:
        if each.holds is Holds.OBJECT:
            yield from _leaves(each.fields, f"{prefix}{each.name}{_BELOW}")
        else:
            yield prefix + each.name, each


def _texts(rows: Sequence[RawRow], path: list[str]) -> Iterator[str | None]:
    """The values of a field that no class has: texts as they are, others as JSON."""
    for _, raw in rows:
        value = raw
        for name in path:
            if not bytes(value).lstrip().startswith(b"{"):
                value = msgspec.Raw(b"null")
                break
            value = _MEMBERS(value).get(name, msgspec.Raw(b"null"))
        text = bytes(value)
        if text.startswith(b'"'):
            yield _TEXT(text)
        else:
            yield None if text == b"null" else text.decode()


def _refuse(_: int, row: RawRow, reason: str) -> None:
    raise DecodeError(unreadable(row, reason))
