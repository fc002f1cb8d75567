"""The rows of one set, found by id and by the sorted keys that questions need.

A sorted index is made when a question can first use it, and kept from then on while rows come, go
and change; what tests do to rows behind its back makes all of them anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from jibble_async.sandbox.sorted_keys import TOP, Key, SortedKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jibble_async.sandbox.entity_types import Row

Properties: TypeAlias = tuple[str, ...]


class Table:
    """Rows in the order in which they came.

    Args:
        sorted_by: The properties that each possible index sorts by, the id behind them.
        keys: Makes the text by which a property's values are in order, where it isn't the value.

    Attributes:
        rows: The live rows.
        by_id: The same by id.
        version: Another number after every change.
        examined: How many rows questions have looked at so far.
    """

    def __init__(
        self,
        sorted_by: Iterable[Properties] = (),
        keys: Mapping[str, Callable[[Any], Any]] | None = None,
    ) -> None:
        self.sorted_by: tuple[Properties, ...] = (("id",), *sorted_by)
        self.rows: list[Row] = []
        self.by_id: dict[str, Row] = {}
        self.version: int = 0
        self.examined: int = 0
        self._keys = keys or {}
        self._indexes: dict[Properties, SortedKeys] = {}
        self._places: dict[str, int] = {}

    def index(self, properties: Properties) -> SortedKeys:
        """The keys of all rows, sorted by some of their properties."""
        if properties not in self._indexes:
            self._indexes[properties] = SortedKeys(self._key(row, properties) for row in self.rows)
        return self._indexes[properties]

    def equal(self, name: str, value: str | None) -> list[Row]:
        """The rows whose property has a value, in the order in which they came."""
        if (name,) not in self.sorted_by or value is None:
            return [row for row in self.rows if row[name] == value]
        text = self._text(name, value)
        keys = self.index((name,)).between((text,), (text, TOP))
        return sorted((self.by_id[key[-1]] for key in keys), key=self.place)

    def place(self, row: Row) -> int:
        """A number that is higher for rows that came later."""
        if not self._places:
            self._places = {each["id"]: at for at, each in enumerate(self.rows)}
        return self._places[row["id"]]

    def add(self, row: Row) -> None:
        """Adds a row behind the others."""
        self.rows.append(row)
        self.by_id[row["id"]] = row
        for properties, keys in self._indexes.items():
            keys.add(self._key(row, properties))
        if self._places:
            self._places[row["id"]] = next(reversed(self._places.values())) + 1
        self.version += 1

    def change(self, row: Row, changes: Row) -> None:
        """Changes properties of a row."""
        before = {properties: self._key(row, properties) for properties in self._indexes}
        row.update(changes)
        for properties, old in before.items():
            new = self._key(row, properties)
            if new != old:
                self._indexes[properties].remove(old)
                self._indexes[properties].add(new)
        self.version += 1

    def remove(self, row: Row) -> None:
        """Takes a row out."""
        # What is taken out is mostly young.
        place = next(at for at in range(len(self.rows) - 1, -1, -1) if self.rows[at] is row)
        del self.rows[place]
        del self.by_id[row["id"]]
        for properties, keys in self._indexes.items():
            keys.remove(self._key(row, properties))
        self._places.pop(row["id"], None)
        self.version += 1

    def touch(self) -> None:
        """Takes up whatever was done to the rows from outside."""
        self.by_id.clear()
        self.by_id.update((row["id"], row) for row in self.rows)
        self._indexes.clear()
        self._places.clear()
        self.version += 1

    def notice(self) -> bool:
        """Takes up rows that were added or removed from outside; True if there were any."""
        changed = len(self.by_id) != len(self.rows)
        if changed:
            self.touch()
        return changed

    def _key(self, row: Row, properties: Properties) -> Key:
        return (*(self._text(name, row.get(name)) for name in properties), row["id"])

    def _text(self, name: str, value: Any) -> str:
        """The text that orders as values do; null comes first."""
        if value is None:
            return ""
        make = self._keys.get(name)
        return str(value if make is None else make(value))
