"""Rows to the cells of CSV: by a class and a function that are made for the columns."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from jibble_async.export.columns import Field, Holds, Leaf, Table
from jibble_async.export.sinks.spreadsheets import FORMULA_STARTS

__all__ = ["CellReader"]

# Where a field is: within the object of a field of the row, or in the row itself; and its name.
_Place: TypeAlias = tuple[str | None, str]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_TEXT = msgspec.json.Decoder(str).decode
_NULL = msgspec.Raw(b"null")
_FLAGS = {True: "true", False: "false", None: ""}
# Of a server with more new fields than that, rows that have further ones are read one by one.
_MOST_LEARNED = 200
_TEXTS = frozenset({Holds.TEXT, Holds.DAY, Holds.MOMENT, Holds.CLOCK})


class _Digits(str):
    """A number as the server wrote it, which no spreadsheet takes for a formula."""

    __slots__ = ()


class CellReader:
    """Reads rows into the cells of their columns.

    Rows as they should be are decoded by C code into structs of exactly their fields, whose values
    a generated function puts in a tuple; it takes a fifth of what looking up each cell would.

    Fields that are not known are refused by the struct, so that none is dropped in silence; what
    has them is read by looking them up, and from then on the struct knows them.

    Args:
        table: The columns.
        names: For fields with ids, the names that belong to the ids.
        note: Gets the name of each field that the table has no place for, and in how many rows it
            has a value.
        is_safe: Whether to put `'` before what begins a formula.
    """

    def __init__(
        self,
        table: Table,
        names: Mapping[str, Mapping[str, str]],
        note: Callable[[str, int], None],
        *,
        is_safe: bool,
    ) -> None:
        self._table = table
        self._names = names
        self._note = note
        self._is_safe = is_safe
        self._objects = {leaf.owner for leaf in table.leaves if leaf.owner is not None}
        self._known: dict[str | None, set[str]] = {None: {each.name for each in table.known}}
        self._known.update((each.name, {part.name for part in each.fields}) for each in table.known)
        self._learned: set[_Place] = set()
        self._new: set[_Place] = set()
        self._make()

    def page(self, body: bytes) -> list[Sequence[str]]:
        """The cells of all rows of an array.

        Raises:
            ValueError: A row is not as it should be, or has a field that is not known.
            RecursionError: It is nested too deeply.
        """
        rows = self._page(body)
        records = list(map(self._cells, rows))
        for owner, name in self._learned:
            self._count(rows, owner, name)
        return records

    def row(self, raw: msgspec.Raw) -> Sequence[str]:
        """The cells of one row, whatever is in it.

        Raises:
            ValueError: It can't be read.
            RecursionError: It is nested too deeply.
        """
        members = _MEMBERS(raw)
        unknown = self._unknown(None, members)
        inner: dict[str | None, dict[str, msgspec.Raw]] = {None: members}
        for owner in self._objects:
            value = bytes(members.get(owner, _NULL))
            if value.startswith(b"{"):
                inner[owner] = _MEMBERS(value)
                unknown += self._unknown(owner, inner[owner])
            elif value != b"null":
                unknown.append(owner)
        cells: list[str] = []
        for leaf in self._table.leaves:
            found = inner.get(leaf.owner, {})
            cell = self._plain(found.get(leaf.field.named or leaf.field.name, _NULL))
            cells.append(self._name(leaf.field, cell) if leaf.field.named else cell)
        for name in unknown:
            self._note(name, 1)
        return cells

    def learn(self) -> None:
        """Know from now on what was found in single rows."""
        if self._new and len(self._learned) + len(self._new) <= _MOST_LEARNED:
            self._learned |= self._new
            self._make()
        self._new.clear()

    def _unknown(self, owner: str | None, members: dict[str, msgspec.Raw]) -> list[str]:
        """Names of fields that have a value and are not known; all of them can be learned."""
        names = members.keys() - self._known[owner]
        self._new.update((owner, name) for name in names if (owner, name) not in self._learned)
        return [_label(owner, name) for name in names if bytes(members[name]) != b"null"]

    def _count(self, rows: list[Any], owner: str | None, name: str) -> None:
        holders = rows
        if owner is not None:
            held = map(operator.attrgetter(self._attributes[None, owner]), rows)
            holders = [each for each in held if each is not None]
        values = map(operator.attrgetter(self._attributes[owner, name]), holders)
        self._note(_label(owner, name), sum(bytes(value) != b"null" for value in values))

    def _make(self) -> None:
        self._attributes: dict[_Place, str] = {}
        rows: Any = types.GenericAlias(list, (self._struct(None, self._table.known),))
        self._page: Callable[[bytes], list[Any]] = msgspec.json.Decoder(rows).decode
        self._cells = self._compiled()

    def _struct(self, owner: str | None, fields: Iterable[Field]) -> Any:
        """A class of rows, or of objects in them, that refuses fields that it does not know."""
        kinds: dict[str, Any] = {each.name: self._kind(owner, each) for each in fields}
        kinds.update((name, msgspec.Raw) for within, name in self._learned if within == owner)
        members: list[tuple[str, Any, Any]] = []
        for name, kind in kinds.items():
            attribute = f"field_{len(self._attributes)}"
            self._attributes[owner, name] = attribute
            members.append((attribute, kind, _NULL if kind is msgspec.Raw else None))
        rename = dict(zip((each[0] for each in members), kinds, strict=True))
        return msgspec.defstruct(
            "Row", members, rename=rename, forbid_unknown_fields=True, frozen=True, gc=False
        )

    def _kind(self, owner: str | None, field: Field) -> Any:
        if owner is None and field.name in self._objects:
            return self._struct(field.name, field.fields) | None
        leaves = self._table.leaves
        wanted = {leaf.field.named or leaf.field.name for leaf in leaves if leaf.owner == owner}
        if field.name in wanted and field.holds in _TEXTS:
            return str | None
        if field.name in wanted and field.holds is Holds.FLAG:
            return bool | None
        # Its text is looked at, or nobody wants it: to skip it is quicker than to read it.
        return msgspec.Raw

    def _compiled(self) -> Callable[[Any], Sequence[str]]:
        known: dict[str, Any] = {"plain": self._plain, "null": _NULL}
        known |= {"flags": _FLAGS, "starts": FORMULA_STARTS}
        expressions: list[str] = []
        met: set[str] = set()
        for leaf in self._table.leaves:
            if leaf.owner is None:
                expressions.append(self._expression(leaf, "row", known))
                continue
            owner = self._attributes[None, leaf.owner]
            value = owner if leaf.owner in met else f"({owner} := row.{owner})"
            met.add(leaf.owner)
            inner = self._expression(leaf, owner, known)
            expressions.append(f"'' if {value} is None else {inner}")
        made: Callable[[Any], Sequence[str]] = eval(  # noqa: S307 - of names made above
            f"lambda row: ({', '.join(expressions)},)", known
        )
        return made

    def _expression(self, leaf: Leaf, holder: str, known: dict[str, Any]) -> str:
        field = leaf.field
        value = f"{holder}.{self._attributes[leaf.owner, field.named or field.name]}"
        if field.named is not None:
            name = f"name_{len(known)}"
            known[name] = self._names[field.named].get
            value = f"{name}({value})"
        elif field.holds is Holds.FLAG:
            return f"flags[{value}]"
        elif field.holds not in _TEXTS:
            return f"('' if {value} is null else plain({value}))"
        if not self._is_safe:
            return f"({value} or '')"
        # Written out, since a call for each cell would cost as much as decoding the row.
        guarded = "text if text[0] not in starts else chr(39) + text"
        return f"(({guarded}) if (text := {value}) else '')"

    def _plain(self, raw: msgspec.Raw) -> str:
        """The cell of a value of any kind."""
        text = str(raw, "utf-8")
        first = text[0]
        if text == "null":
            return ""
        if first in "-0123456789":
            return _Digits(text)
        if first == '"':
            return self._guarded(_TEXT(raw))
        return text if first in "tf" else self._guarded(msgspec.json.format(text, indent=-1))

    def _guarded(self, text: str) -> str:
        return f"'{text}" if self._is_safe and text[:1] in FORMULA_STARTS else text

    def _name(self, field: Field, value: str) -> str:
        return self._guarded(self._names[field.named or ""].get(value, ""))


def _label(owner: str | None, name: str) -> str:
    return name if owner is None else f"{owner}.{name}"
