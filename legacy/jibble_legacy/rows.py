"""The old API's rows and pages of them, which are bare arrays, as entities of the vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from jibble_async.core.lenient import lenient_decoder, rounds_up
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply, decode_json, reader
from jibble_async.entities import Entity
from jibble_async.errors import DecodeError
from jibble_legacy.columns import TABLES, Table

__all__ = ["RowsReader", "entity_reader", "row_reader", "rows_reader"]

T = TypeVar("T")

RowsReader = Callable[[Reply, BadRowHandler | None], tuple[list[T], int]]
"""Finds in a page the rows that can be read, and how many there are."""

_RAW = msgspec.json.Decoder(list[msgspec.Raw])


@functools.cache
def entity_reader(entity: type[Entity]) -> Callable[[Reply], Any]:
    """What finds an entity of this class in a reply.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = TABLES[entity].row, TABLES[entity].convert
    read = reader(row)
    return lambda reply: convert(read(reply))


@functools.cache
def row_reader(entity: type[Entity]) -> Callable[[bytes | msgspec.Raw], tuple[Any, dict[str, Any]]]:
    """What finds an entity of this class in a row, and the fields that it has no place for.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = TABLES[entity].row, TABLES[entity].convert
    known = {field.encode_name for field in msgspec.structs.fields(row)}

    def read(raw: bytes | msgspec.Raw) -> tuple[Any, dict[str, Any]]:
        sent: dict[str, Any] = msgspec.json.decode(raw)
        return convert(lenient_decoder(row)(bytes(raw))), {
            name: sent[name] for name in sent if name not in known
        }

    return read


@functools.cache
def rows_reader(entity: type[Entity]) -> RowsReader[Any]:
    """What finds entities of this class in a page.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = TABLES[entity].row, TABLES[entity].convert
    decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]

    def read(reply: Reply, on_bad_row: BadRowHandler | None) -> tuple[list[Any], int]:
        if rounds_up(reply.body, row):
            return _one_by_one(reply, TABLES[entity], on_bad_row)
        try:
            rows = decode_json(reply, decode)
            return [convert(each) for each in rows], len(rows)
        except DecodeError as error:
            if error.malformed:
                raise
            return _one_by_one(reply, TABLES[entity], on_bad_row)

    return read


def _one_by_one(
    reply: Reply, table: Table, on_bad_row: BadRowHandler | None
) -> tuple[list[Any], int]:
    sent = decode_json(reply, _RAW.decode)
    items: list[Any] = []
    for number, each in enumerate(sent):
        try:
            items.append(table.convert(lenient_decoder(table.row)(bytes(each))))
        except (msgspec.MsgspecError, DecodeError) as error:
            failure = DecodeError(f"row {number} of the page can't be read: {error}", row=number)
            if on_bad_row is None:
                raise failure from None
            on_bad_row(failure, bytes(each))
    return items, len(sent)
