"""The old API's rows, made when somebody first asks for them."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from jibble_async.sandbox.legacy.models import MODELS
from jibble_async.sandbox.tables import Properties, Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.search import Found

_KEPT = 32
_STAMPS: tuple[Properties, ...] = (("updated_at",), ("created_at",))
_SORTED_BY: dict[str, tuple[Properties, ...]] = {
    "timeentries": (("person", "date"), ("date",), *_STAMPS),
    "teammembers": (("email",), *_STAMPS),
    "activities": (("color",), *_STAMPS),
}


class LegacyStore:
    """Rows by resource, with references as bare ids; what is written here stays here.

    Args:
        make: Gives them at the first question: a copy of the organisation, or years of its past.

    Example:
        >>> async with Sandbox(people=3) as box:
        ...     print([member["firstName"] for member in box.legacy.rows("teammembers")])
        ['Paul', 'Aisha', 'Jürgen']
    """

    def __init__(self, make: Callable[[], dict[str, list[Row]]]) -> None:
        self._make = make
        self._tables = {name: Table(_SORTED_BY.get(name, ())) for name in MODELS}
        self._complete = False
        self._results: OrderedDict[tuple[str, bytes], tuple[int, Found]] = OrderedDict()

    def table(self, name: str) -> Table:
        """The rows of a resource, and what finds them.

        Args:
            name: The resource, such as `timeentries`.

        Raises:
            KeyError: There is no such resource.
        """
        if not self._complete:
            self._complete = True
            for each, rows in self._make().items():
                self._tables[each].rows.extend(rows)
            self.touch()
        return self._tables[name]

    def rows(self, name: str) -> list[Row]:
        """The live rows of a resource: the server reads these.

        Adding or removing rows is noticed; after changing one in place call `touch`.

        Args:
            name: The resource, such as `timeentries`.

        Raises:
            KeyError: There is no such resource.
        """
        return self.table(name).rows

    def index(self, name: str) -> dict[str, Row]:
        """The live rows of a resource by id."""
        return self.table(name).by_id

    def wire(self, name: str) -> list[Row]:
        """The rows that an export should have, as the wire shows them, by id."""
        return [MODELS[name].shown(row) for _, row in sorted(self.index(name).items())]

    def result(self, name: str, question: bytes, answer: Callable[[Table], Found]) -> Found:
        """The rows that a question finds; a walk's later pages find them kept.

        Args:
            name: The resource.
            question: The same bytes for the same question.
            answer: Finds them.
        """
        table = self.table(name)
        key = (name, question)
        if key not in self._results or self._results[key][0] != table.version:
            self._results[key] = table.version, answer(table)
            if len(self._results) > _KEPT:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key][1]

    def touch(self) -> None:
        """Says that rows were changed in place: indexes and kept results are made anew."""
        for table in self._tables.values():
            table.touch()

    def notice(self) -> None:
        """Takes up rows that were added or removed from outside since the last request."""
        for table in self._tables.values():
            table.notice()

    def add(self, name: str, row: Row) -> None:
        """Adds a row to a resource."""
        self.table(name).add(row)

    def update(self, name: str, row_id: str, changes: Row) -> Row:
        """Changes a row and gives it.

        Raises:
            KeyError: There is no such row.
        """
        row = self.index(name)[row_id]
        self._tables[name].change(row, changes)
        return row

    def remove(self, name: str, row_id: str) -> None:
        """Takes a row out of a resource, for good.

        Raises:
            KeyError: There is no such row.
        """
        self.table(name).remove(self.index(name)[row_id])
