"""Rows to the cells of CSV: by a class and a function that are made for the columns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from jibble_async.export.sinks.spreadsheets import FORMULA_STARTS, safe_behind_separators
from jibble_async.tables.columns import Field, Holds, Leaf, Table

__all__ = ["CellReader"]

# Where a field is: within the object of a field of the row, or in the row itself; and its name.
_Place: TypeAlias = tuple[str | None, str]

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_ALL_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode_lines
_TEXT = msgspec.json.Decoder(str).decode
_NULL = msgspec.Raw(b"null")
# What a number begins with; as the server wrote it, no spreadsheet takes one for a formula.
_DIGITS = frozenset("-0123456789")
_FLAGS = {True: "true", False: "false", None: ""}
# Of a server with more new fields than that, rows that have further ones are read one by one.
_MOST_LEARNED = 200
_PIECES = 12
# What a cell with any of these needs is quotes, and what may separate cells or records otherwise.
_QUOTING, _SEPARATING = ',"\r\n', ";|\t"
_QUOTED = frozenset(_QUOTING)
_TEXTS = frozenset({Holds.TEXT, Holds.DAY, Holds.MOMENT, Holds.CLOCK})


class Page(NamedTuple):
    """Rows as records.

    Attributes:
        lines: The records.
        data: The same as one text, in UTF-8.
        is_sound: Whether every cell has what it needs: quotes, and what stops a formula.
        cells: The cells of each row, without either.
    """

    lines: list[str]
    data: bytes
    is_sound: bool
    cells: Callable[[int], Sequence[str]]


class CellReader:
    """Reads rows into the cells of their columns.

    Rows as they should be are decoded by C code into structs of exactly their fields, whose values
    a generated function puts in a line; it takes a tenth of what looking up each cell would.

    Fields that are not known, and values of those that had none so far, are refused by the struct,
    so that none is dropped in silence; the struct is made again with what is found then.

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
        self._met: set[_Place] = set()
        self._special = _QUOTING + _SEPARATING if is_safe else _QUOTING
        # Columns, by their numbers, each cell of which is looked at; and these cells.
        self._odd: set[int] = set()
        self._looked_at: list[str] = []
        self._make()

    def page(self, body: bytes) -> Page:
        """The records of all rows.

        Args:
            body: The rows, a line each.

        Raises:
            ValueError: A row is not as it should be.
            RecursionError: It is nested too deeply.
        """
        try:
            rows = self._page(body)
        except msgspec.ValidationError:
            if not self._learn(_ALL_MEMBERS(body)):
                raise
            rows = self._page(body)
        page = self._written(rows)
        if not page.is_sound and self._learn_odd(rows):
            page = self._written(rows)
        for owner, name in self._learned:
            self._count(rows, owner, name)
        return page

    def _written(self, rows: list[Any]) -> Page:
        self._looked_at.clear()
        lines = list(map(self._line, rows))
        data = "\r\n".join([*lines, ""]).encode()
        # What is special stands between cells and in those that were looked at, or is too much. To
        # count it in all is many times as quick as to look at each cell.
        commas = len(self._table.leaves) - 1
        rest = self._specials(data) - self._specials("".join(self._looked_at).encode())
        # An empty cell that is alone on its line needs quotes.
        is_sound = commas > 0 and rest == (commas + len("\r\n")) * len(rows)

        def cells(place: int) -> Sequence[str]:
            return self._cells(rows[place])

        return Page(lines, data, is_sound, cells)

    def _specials(self, data: bytes) -> int:
        return len(data) - len(data.translate(None, self._special.encode()))

    def _learn_odd(self, rows: list[Any]) -> bool:
        """Look from now on at each cell of columns that have something special in some rows."""
        is_plain = frozenset(self._special).isdisjoint
        records = map(self._cells, rows)
        found = {at for each in records for at, cell in enumerate(each) if not is_plain(cell)}
        new = found - self._odd
        self._odd |= new
        if new:
            self._compile()
        return bool(new)

    def _quoted(self, cell: str) -> str:
        """The cell as it stands in the file."""
        if self._is_safe:
            cell = safe_behind_separators(cell)
        if not _QUOTED.isdisjoint(cell):
            cell = cell.replace('"', '""')
            cell = f'"{cell}"'
        self._looked_at.append(cell)
        return cell

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

    def _learn(self, rows: list[dict[str, msgspec.Raw]]) -> bool:
        """Know from now on what is found in some rows; whether that is anything new."""
        found = self._found(None, rows)
        for owner in self._objects:
            values = (bytes(members.get(owner, _NULL)) for members in rows)
            found |= self._found(owner, [_MEMBERS(each) for each in values if each[:1] == b"{"])
        met = {place for place in found if place[1] in self._known[place[0]]}
        new = found - met - self._learned
        if len(self._learned) + len(new) <= _MOST_LEARNED:
            self._learned |= new
        elif met <= self._met:
            return False
        self._met |= met
        self._make()
        return True

    def _found(self, owner: str | None, rows: list[dict[str, msgspec.Raw]]) -> set[_Place]:
        """Fields that are not known, and those that have a value."""
        return {
            (owner, name)
            for members in rows
            for name, value in members.items()
            if name not in self._known[owner] or bytes(value) != b"null"
        }

    def _unknown(self, owner: str | None, members: dict[str, msgspec.Raw]) -> list[str]:
        """Names of fields that have a value and are not known."""
        names = members.keys() - self._known[owner]
        return [_label(owner, name) for name in names if bytes(members[name]) != b"null"]

    def _count(self, rows: list[Any], owner: str | None, name: str) -> None:
        holders = rows
        if owner is not None:
            held = map(operator.attrgetter(self._attributes[None, owner]), rows)
            holders = [each for each in held if each is not None]
        values = map(operator.attrgetter(self._attributes[owner, name]), holders)
        sent = list(map(bytes, values))
        self._note(_label(owner, name), len(sent) - sent.count(b"null"))

    def _make(self) -> None:
        self._attributes: dict[_Place, str] = {}
        row = self._struct(None, self._table.known)
        self._page: Callable[[bytes], list[Any]] = msgspec.json.Decoder(row).decode_lines
        self._compile()

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
        is_object = owner is None and field.name in self._objects
        leaves = self._table.leaves
        wanted = {leaf.field.named or leaf.field.name for leaf in leaves if leaf.owner == owner}
        if (is_object or field.name in wanted) and (owner, field.name) not in self._met:
            return None
        if is_object:
            return self._struct(field.name, field.fields) | None
        if field.name in wanted and field.holds in _TEXTS:
            return str | None
        if field.name in wanted and field.holds is Holds.FLAG:
            return bool | None
        # Its text is looked at, or nobody wants it: to skip it is quicker than to read it.
        return msgspec.Raw

    def _compile(self) -> None:
        """Make what gives the cells of a row, and what gives its line."""
        known: dict[str, Any] = {"plain": self._plain, "null": _NULL, "none": "", "quote": "'"}
        known["quoted"] = self._quoted
        known |= {"flags": _FLAGS, "starts": FORMULA_STARTS, "digits": _DIGITS, "utf8": "utf-8"}
        cells: list[str | None] = []
        held: set[str] = set()
        for leaf in self._table.leaves:
            owner, name = leaf.owner, leaf.field.named or leaf.field.name
            if not {(owner, name), (None, owner or name)} <= self._met:
                cells.append(None)
            elif owner is None:
                cells.append(self._expression(leaf, "row", known))
            else:
                holder = self._attributes[None, owner]
                value = holder if owner in held else f"({holder} := row.{holder})"
                held.add(owner)
                inner = self._expression(leaf, holder, known)
                cells.append(f"(none if {value} is None else {inner})")
        record = "".join(f"{each or 'none'}, " for each in cells)
        for place in self._odd:
            cell = cells[place]
            cells[place] = cell and f"(quoted(cell) if (cell := {cell}) else none)"
        pieces = ["" if each is None else f"{{{each}}}" for each in cells]
        pieces[:-1] = [f"{each}," for each in pieces[:-1]]
        # In one text of many pieces Python would make a list of them first.
        texts = ("".join(pieces[at : at + _PIECES]) for at in range(0, len(pieces), _PIECES))
        line = " + ".join(f"f'{each}'" for each in texts)
        # Of names made above and nothing else.
        self._cells: Callable[[Any], Sequence[str]] = eval(f"lambda row: ({record})", known)  # noqa: S307
        self._line: Callable[[Any], str] = eval(f"lambda row: {line}", known)  # noqa: S307

    def _expression(self, leaf: Leaf, holder: str, known: dict[str, Any]) -> str:
        field = leaf.field
        value = f"{holder}.{self._attributes[leaf.owner, field.named or field.name]}"
        if field.named is not None:
            name = f"name_{len(known)}"
            names = self._names[field.named].items()
            known[name] = {key: self._guarded(each) for key, each in names}.get
            return f"{name}({value}, none)"
        if field.holds is Holds.FLAG:
            return f"flags[{value}]"
        if field.holds not in _TEXTS:
            number = f"text if (text := str({value}, utf8))[0] in digits else plain({value})"
            return f"(none if {value} is null else {number})"
        if not self._is_safe:
            return f"({value} or none)"
        # Written out, since a call for each cell would cost as much as decoding the row.
        guarded = "text if text[0] not in starts else quote + text"
        return f"(({guarded}) if (text := {value}) else none)"

    def _plain(self, raw: msgspec.Raw) -> str:
        """The cell of a value of any kind."""
        text = str(raw, "utf-8")
        first = text[0]
        if text == "null":
            return ""
        if first in _DIGITS:
            return text
        if first == '"':
            return self._guarded(_TEXT(raw))
        return text if first in "tf" else self._guarded(msgspec.json.format(text, indent=-1))

    def _guarded(self, text: str) -> str:
        return f"'{text}" if self._is_safe and text[:1] in FORMULA_STARTS else text

    def _name(self, field: Field, value: str) -> str:
        return self._guarded(self._names[field.named or ""].get(value, ""))


def _label(owner: str | None, name: str) -> str:
    return name if owner is None else f"{owner}.{name}"
