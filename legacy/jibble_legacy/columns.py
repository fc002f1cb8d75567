"""What the old API knows of each entity: one table, from which the rest follows.

A column gives a field's name in rows and filters, what its value becomes, and whether it can be
asked for. Rows are read by it, bodies are written by it, and queries name fields by it.

Source: the documentation's examples of rows, filters and relations; a filter takes the name of any
field of the answer (documented: old-filters). A reference is `{"id": …}`, or the whole object where
it was included, and is compared with, and written as, a bare id (documented: old-rows).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from jibble_async.entities import Activity, Entity, EntryType, ValueObject
from jibble_async.errors import DecodeError
from jibble_async.query.names import annotation, encoded
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.literals import ACTIONS

__all__ = ["TABLES", "Column", "Reference", "Table", "wire_values"]

_TYPES = {number: kind for kind, number in ACTIONS.items()}
_COLOR = r"#[0-9A-Fa-f]{6}"


class Reference(msgspec.Struct, frozen=True, gc=False):
    """Something that is named by its id."""

    id: str


class Column(msgspec.Struct, frozen=True, gc=False):
    """A field of an entity.

    Attributes:
        name: The vocabulary's name.
        sent: The old API's; empty if it is the vocabulary's in camel case.
        kind: The type of what is sent, or the table of what is included; None for the field's own.
        convert: Makes the field's value of what is sent.
        asked: Whether filters and orders take it.
        read: Whether rows have it.
        included: Whether it is an object that comes when it is expanded.
    """

    name: str
    sent: str = ""
    kind: Any = None
    convert: Callable[[Any], Any] | None = None
    asked: bool = True
    read: bool = True
    included: bool = False


class Table:
    """The columns of an entity.

    Args:
        entity: Its class.
        *columns: Its fields, as far as the old API knows them.
        computed: Makes further fields of a whole row.
    """

    def __init__(
        self,
        entity: type[Entity],
        *columns: Column,
        computed: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.entity: type[Entity] = entity
        self.columns: dict[str, Column] = {column.name: column for column in columns}
        self._computed = {} if computed is None else dict(computed)

    def sent(self, name: str) -> str:
        """What the old API calls a field of this table."""
        return self.columns[name].sent or encoded(self.entity)[name]

    @functools.cached_property
    def row(self) -> type[msgspec.Struct]:
        """The class of rows, whose fields are called as they are sent; all but the id may lack."""
        kinds: dict[str, Any] = {}
        for name, column in self.columns.items():
            if column.read:
                kind = column.kind.row if isinstance(column.kind, Table) else column.kind
                own = annotation(self.entity, name)
                kinds[self.sent(name)] = own if kind is None else kind | None
        fields = [(name, kind, None) for name, kind in kinds.items() if name != "id"]
        return msgspec.defstruct(
            f"{self.entity.__name__}Row", [("id", str), *fields], frozen=True, gc=False
        )

    @functools.cached_property
    def convert(self) -> Callable[[Any], Any]:
        """What makes an entity of a row."""
        known: dict[str, Any] = {"entity": self.entity}
        arguments: list[str] = []
        for name, column in self.columns.items():
            value = f"row.{self.sent(name)}"
            if column.convert is not None:
                known[f"make_{name}"] = column.convert
                value = f"make_{name}({value})"
            if column.read:
                arguments.append(f"{name}={value}")
        for name, compute in self._computed.items():
            known[f"make_{name}"] = compute
            arguments.append(f"{name}=make_{name}(row)")
        # One call with its arguments written out, of names that stand below: collected in a dict
        # they would make reading a row take more than twice as long.
        made: Callable[[Any], Any] = eval(f"lambda row: entity({', '.join(arguments)})", known)  # noqa: S307
        return made

    def whole(self, row: Any) -> Any:
        """The entity that a reference holds; None where it has nothing but an id."""
        return None if row is None or row == type(row)(row.id) else self.convert(row)


def _id(reference: Any) -> str | None:
    return None if reference is None else reference.id


def _type(action: int | None) -> EntryType:
    kind = None if action is None else _TYPES.get(action)
    if kind is None:
        raise DecodeError(f"a time entry's action is 1 or 2, not {action}")
    return kind


def _color(color: str | None) -> str | None:
    return color[1:] if color is not None and re.fullmatch(_COLOR, color) else color


def _full_name(row: Any) -> str | None:
    return " ".join(name for name in (row.firstName, row.lastName) if name) or None


def _plain(*names: str) -> Iterable[Column]:
    return map(Column, names)


def _reference(name: str, table: Table) -> tuple[Column, Column]:
    return (
        Column(f"{name}_id", name, table, _id),
        Column(name, name, table, table.whole, asked=False, included=True),
    )


_UPDATED = (Column("id"), Column("updated_at", "updated_at"))
_CREATED = Column("created_at", "created_at")
# Filters by it are documented only for what is known to have it.
_PERHAPS_CREATED = Column("created_at", "created_at", asked=False)

_TEAM = Table(
    Team,
    *_UPDATED,
    _PERHAPS_CREATED,
    *_plain("name", "working_hours", "first_weekday", "first_month"),
    *_plain("member_sort_order", "subscription_plan_type"),
    Column("subscription_plan_id", "subscriptionPlan", Reference, _id),
    Column("owner_id", "owner", Reference, _id),
)
_ORGANIZATION = Column("organization_id", "team", _TEAM, _id)
_IN_TEAM = Column("team", "team", _TEAM, _TEAM.whole, asked=False, included=True)
_MEMBER = Table(
    TeamMember,
    *_UPDATED,
    _CREATED,
    *_plain("first_name", "last_name", "email", "role"),
    Column("user_id", "user", Reference, _id),
    _ORGANIZATION,
    _IN_TEAM,
    computed={"full_name": _full_name},
)
_ACTIVITY = Table(
    Activity,
    *_UPDATED,
    _CREATED,
    *_plain("name", "description"),
    Column("color", convert=_color, asked=False),
    _ORGANIZATION,
)
_CLIENT = Table(TeamClient, *_UPDATED, _PERHAPS_CREATED, Column("name"), _ORGANIZATION, _IN_TEAM)
_POWER_UP = Table(PowerUp, *_UPDATED, _CREATED, *_plain("power_up_id", "is_enabled"), _ORGANIZATION)
_ENTRY = Table(
    LegacyTimeEntry,
    *_UPDATED,
    _CREATED,
    Column("type", "action", int, _type),
    Column("time", "date"),
    Column("note", "notes"),
    *_reference("person", _MEMBER),
    *_reference("activity", _ACTIVITY),
    *_reference("client", _CLIENT),
    Column("organization_id", "team", read=False),
    Column("meta"),
    Column("custom_data", asked=False),
)

TABLES: dict[type[ValueObject], Table] = {
    table.entity: table for table in (_TEAM, _MEMBER, _ACTIVITY, _CLIENT, _POWER_UP, _ENTRY)
}
"""The table of each class that the old API's lists hold."""


def wire_values(entity: type[Entity], /, **values: Any) -> dict[str, Any]:
    """Values of fields of an entity, by the old API's names, as a write sends them.

    Args:
        entity: Its class, as the old API's lists hold it.
        **values: By the vocabulary's names.
    """
    return {TABLES[entity].sent(name): value for name, value in values.items()}
