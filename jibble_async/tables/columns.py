"""The columns of a table of rows, derived from the class of a row."""

from __future__ import annotations

import datetime
import enum
import functools
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from jibble_async.entities import Entity, OpenEnum, ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.query.names import suggestion

__all__ = ["Field", "Holds", "Leaf", "Table", "name_column", "table_of"]


class Holds(enum.Enum):
    """What a field holds."""

    TEXT = "text"
    FLAG = "flag"
    INTEGER = "integer"
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    CLOCK = "a moment on somebody's clock"
    OBJECT = "object"
    LIST = "list"
    JSON = "anything"


class Field(msgspec.Struct, frozen=True):
    """A field of rows, or of objects within them.

    Attributes:
        name: Its name on the wire.
        holds: What it holds.
        fields: The fields of an object, or of the objects of a list.
        items: What a list holds.
        named: The field with the id of what this field, which no server sends, has the name of.
    """

    name: str
    holds: Holds
    fields: tuple[Field, ...] = ()
    items: Holds | None = None
    named: str | None = None


class Leaf(msgspec.Struct, frozen=True):
    """A column of a table without objects: a field of the rows, or of an object in them.

    Attributes:
        field: The field.
        owner: The field with the object that it is of; None if it is the row's own.
    """

    field: Field
    owner: str | None = None

    @property
    def name(self) -> str:
        """What the column is called, such as `coordinates.latitude`."""
        return self.field.name if self.owner is None else f"{self.owner}.{self.field.name}"


class Table(msgspec.Struct, frozen=True):
    """The columns of a file.

    Attributes:
        leaves: The columns, objects taken apart, in the order that is wanted.
        fields: The same with objects as they come; each stands where the first of its columns is.
        known: All fields that rows are known to have, wanted or not.
        hidden: Fields that are left out because they are secrets.
        is_whole: Whether it has all columns that there are, but those hidden.
    """

    leaves: tuple[Leaf, ...]
    fields: tuple[Field, ...]
    known: tuple[Field, ...]
    hidden: frozenset[str]
    is_whole: bool


def table_of(
    shape: type[msgspec.Struct],
    *,
    columns: Sequence[str] | None = None,
    names: Iterable[str] = (),
    secrets: bool = False,
) -> Table:
    """The columns of a table of rows.

    Expanded entities are no columns: an export never asks for them.

    Args:
        shape: The class of a row, such as an entity.
        columns: The names on the wire of those that are wanted, in their order; the name of an
            object stands for all of its columns. By default all that there are.
        names: Fields with ids, such as `personId`, that shall have a column with names beside
            them. Those that rows do not have are left aside.
        secrets: Keep what opens a kiosk, such as a person's PIN.

    Raises:
        ConfigurationError: There is no such column, it is wanted twice, or it is a secret.
    """
    known = _fields(shape, ())
    secret = getattr(shape, "secret_fields", ())
    encoded = dict(zip(shape.__struct_fields__, shape.__struct_encode_fields__, strict=True))
    hidden = frozenset[str](() if secrets else (encoded[name] for name in secret))
    offered = _with_names([each for each in known if each.name not in hidden], names)
    leaves = [leaf for field in offered for leaf in _leaves(field)]
    if columns is not None:
        leaves = _chosen(leaves, columns, hidden)
    fields: dict[str, Field] = {}
    whole = {each.name: each for each in offered}
    for leaf in leaves:
        if leaf.owner is None:
            fields[leaf.field.name] = leaf.field
        else:
            before = fields.get(leaf.owner)
            parts = () if before is None else before.fields
            fields[leaf.owner] = msgspec.structs.replace(
                whole[leaf.owner], fields=(*parts, leaf.field)
            )
    return Table(tuple(leaves), tuple(fields.values()), known, hidden, columns is None)


def name_column(field: str) -> str:
    """What the column is called that has names for a field's ids, such as `personName`."""
    return f"{field.removesuffix('Id')}Name"


def _with_names(fields: list[Field], names: Iterable[str]) -> list[Field]:
    wanted = set(names)
    offered: list[Field] = []
    for each in fields:
        offered.append(each)
        if each.name in wanted:
            offered.append(Field(name_column(each.name), Holds.TEXT, named=each.name))
    return offered


def _leaves(field: Field) -> list[Leaf]:
    if field.holds is not Holds.OBJECT:
        return [Leaf(field)]
    return [Leaf(each, field.name) for each in field.fields]


def _chosen(leaves: list[Leaf], columns: Sequence[str], hidden: frozenset[str]) -> list[Leaf]:
    given: Any = columns
    is_list = isinstance(given, Sequence) and not isinstance(given, str) and bool(columns)
    if not is_list or {type(name) for name in columns} != {str}:
        raise ConfigurationError("columns= takes a list of names, at least one")
    by_name: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        by_name[leaf.name] = [leaf]
        if leaf.owner is not None:
            by_name.setdefault(leaf.owner, []).append(leaf)
    chosen: dict[str, Leaf] = {}
    for name in columns:
        if name in hidden:
            raise ConfigurationError(f"the column {name!r} opens a kiosk: secrets=True keeps it")
        if name not in by_name:
            raise ConfigurationError(f"no column {name!r}: {suggestion(name, list(by_name))}")
        for leaf in by_name[name]:
            if leaf.name in chosen:
                raise ConfigurationError(f"the column {leaf.name!r} is wanted twice")
            chosen[leaf.name] = leaf
    # A column of names comes unasked: behind its ids, or at the end.
    for leaf in leaves:
        named = leaf.field.named
        if named is not None and leaf.name not in chosen:
            order = list(chosen)
            place = order.index(named) + 1 if named in chosen else len(order)
            order.insert(place, leaf.name)
            chosen[leaf.name] = leaf
            chosen = {name: chosen[name] for name in order}
    return list(chosen.values())


# Each part of an export asks for them, and types are slow to look at.
@functools.cache
def _fields(shape: type[msgspec.Struct], above: tuple[type, ...]) -> tuple[Field, ...]:
    local = getattr(shape, "local_fields", ())
    found: list[Field] = []
    for each in msgspec.structs.fields(shape):
        field = _field(each.encode_name, _held(each.type), (*above, shape))
        if field is not None and each.name in local:
            field = msgspec.structs.replace(field, holds=Holds.CLOCK)
        if field is not None:
            found.append(field)
    return tuple(found)


_SCALARS: Mapping[Any, Holds] = {
    str: Holds.TEXT,
    bool: Holds.FLAG,
    int: Holds.INTEGER,
    float: Holds.NUMBER,
    datetime.date: Holds.DAY,
    datetime.datetime: Holds.MOMENT,
    # As the server writes them: no format of files has them as they are.
    datetime.timedelta: Holds.TEXT,
    datetime.time: Holds.TEXT,
}


def _held(kind: Any) -> Any:
    """The type of a field's values, without None and without marks."""
    if typing.get_origin(kind) is typing.Annotated:
        return _held(kind.__origin__)
    options = [each for each in getattr(kind, "__args__", ()) if each is not type(None)]
    if typing.get_origin(kind) is not list and len(options) == 1:
        return _held(options[0])
    return kind


def _field(name: str, kind: Any, above: tuple[type, ...]) -> Field | None:
    """A column; None for what is there only when expanded, and for rows within rows."""
    if kind in _SCALARS:
        return Field(name, _SCALARS[kind])
    if typing.get_origin(kind) is list:
        item = _field(name, _held(kind.__args__[0]), above)
        if item is None:
            return None
        if item.holds in {Holds.JSON, Holds.LIST}:
            return Field(name, Holds.JSON)
        return Field(name, Holds.LIST, item.fields, item.holds)
    if isinstance(kind, type) and issubclass(kind, OpenEnum):
        return Field(name, Holds.TEXT)
    if isinstance(kind, type) and issubclass(kind, ValueObject):
        if issubclass(kind, Entity) or kind in above:
            return None
        return Field(name, Holds.OBJECT, _fields(kind, above))
    return Field(name, Holds.JSON)
