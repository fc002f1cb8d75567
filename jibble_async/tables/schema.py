"""The Arrow schema of a table of rows, derived from the class of a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from jibble_async.errors import ConfigurationError
from jibble_async.extras import extra
from jibble_async.tables.columns import Field, Holds, Table, table_of

__all__ = ["arrow", "reading_schema", "schema_of", "table_schema"]

TIMES = frozenset({Holds.DAY, Holds.MOMENT, Holds.CLOCK})


def arrow(module: str = "pyarrow") -> Any:
    """Arrow, or a module of it.

    Raises:
        ConfigurationError: It is not installed.
    """
    return extra(module, "parquet", "Arrow tables and Parquet files")


def schema_of(
    shape: type[msgspec.Struct],
    *,
    columns: Sequence[str] | None = None,
    names: Iterable[str] = (),
    secrets: bool = False,
) -> Any:
    """The `pyarrow.Schema` of a table of rows.

    Moments are UTC in microseconds; those on a person's clock have no zone. Lengths of time and
    times of day stay texts, as the server writes them, objects are structs. What may be anything,
    such as an old entry's `customData`, has no column.

    Args:
        shape: The class of a row, such as an entity.
        columns: The names on the wire of those that are wanted, in their order; by default all.
        names: Fields with ids, such as `personId`, that have a column with names beside them.
        secrets: Keep what opens a kiosk, such as a person's PIN.

    Raises:
        ConfigurationError: There is no such column, or pyarrow is not installed.
    """
    return table_schema(table_of(shape, columns=columns, names=names, secrets=secrets))


def table_schema(table: Table) -> Any:
    """The same for columns that were chosen.

    Raises:
        ConfigurationError: A chosen one may be anything, or pyarrow is not installed.
    """
    for field in table.fields:
        if field.holds is Holds.JSON and not table.is_whole:
            raise ConfigurationError(
                f"the column {field.name!r} may hold anything, which Arrow has no type for: "
                "leave it out, or export JSON lines"
            )
    return arrow().schema(_members(table.fields, are_read=False))


def reading_schema(table: Table) -> Any:
    """What the rows of a table are read as: times are texts, and ids are there of which names are.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    sent = {field.name: field for field in table.fields if field.named is None}
    ids = {field.named for field in table.fields}
    sent.update((field.name, field) for field in table.known if field.name in ids - sent.keys())
    return arrow().schema(_members(sent.values(), are_read=True))


def _members(fields: Iterable[Field], *, are_read: bool) -> list[Any]:
    pa = arrow()
    return [
        pa.field(each.name, _type(each, each.holds, are_read))
        for each in fields
        if each.holds is not Holds.JSON
    ]


def _type(field: Field, holds: Holds, are_read: bool) -> Any:
    pa = arrow()
    if holds is Holds.OBJECT:
        return pa.struct(_members(field.fields, are_read=are_read))
    if holds is Holds.LIST:
        assert field.items is not None
        return pa.list_(_type(field, field.items, are_read))
    if are_read and holds in TIMES:
        return pa.string()
    types = {
        Holds.FLAG: pa.bool_(),
        Holds.INTEGER: pa.int64(),
        Holds.NUMBER: pa.float64(),
        Holds.DAY: pa.date32(),
        Holds.MOMENT: pa.timestamp("us", "UTC"),
        Holds.CLOCK: pa.timestamp("us"),
    }
    return types.get(holds, pa.string())
