"""The old API's rows: a copy of the organisation, made when somebody first asks for it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from jibble_async.sandbox.legacy.models import MODELS
from jibble_async.sandbox.legacy.records import organisation_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row

_KEPT = 32


class LegacyStore:
    """Rows by resource, with references as bare ids; what is written here stays here.

    Args:
        dataset: The organisation that is copied at the first question.

    Example:
        >>> async with Sandbox(people=3) as box:
        ...     print([member["firstName"] for member in box.legacy.rows("teammembers")])
        ['Paul', 'Aisha', 'Jürgen']
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._rows: dict[str, list[Row]] = {}
        self._index: dict[str, dict[str, Row]] = {name: {} for name in MODELS}
        self._results: OrderedDict[tuple[str, bytes], list[Row]] = OrderedDict()

    def rows(self, name: str) -> list[Row]:
        """The live rows of a resource: the server reads these.

        Adding or removing rows is noticed; after changing one in place call `touch`.

        Args:
            name: The resource, such as `timeentries`.

        Raises:
            KeyError: There is no such resource.
        """
        if not self._rows:
            self._rows = organisation_rows(self._dataset)
            self.touch()
        return self._rows[name]

    def index(self, name: str) -> dict[str, Row]:
        """The live rows of a resource by id."""
        self.rows(name)
        return self._index[name]

    def wire(self, name: str) -> list[Row]:
        """The rows that an export should have, as the wire shows them, by id."""
        return [MODELS[name].shown(row) for _, row in sorted(self.index(name).items())]

    def result(self, name: str, question: bytes, answer: Callable[[], list[Row]]) -> list[Row]:
        """The rows that a question finds; a walk's later pages find them kept.

        Args:
            name: The resource.
            question: The same bytes for the same question.
            answer: Finds them.
        """
        key = (name, question)
        if key not in self._results:
            self._results[key] = answer()
            if len(self._results) > _KEPT:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]

    def touch(self) -> None:
        """Says that rows were changed in place: indexes and kept results are made anew."""
        for name, rows in self._rows.items():
            index = self._index[name]
            index.clear()
            index.update((row["id"], row) for row in rows)
        self._results.clear()

    def notice(self) -> None:
        """Takes up rows that were added or removed from outside since the last request."""
        if any(len(self._index[name]) != len(rows) for name, rows in self._rows.items()):
            self.touch()

    def add(self, name: str, row: Row) -> None:
        """Adds a row to a resource."""
        self.rows(name).append(row)
        self._index[name][row["id"]] = row
        self._results.clear()

    def update(self, name: str, row_id: str, changes: Row) -> Row:
        """Changes a row and gives it.

        Raises:
            KeyError: There is no such row.
        """
        row = self.index(name)[row_id]
        row.update(changes)
        self._results.clear()
        return row

    def remove(self, name: str, row_id: str) -> None:
        """Takes a row out of a resource, for good.

        Raises:
            KeyError: There is no such row.
        """
        self.rows(name).remove(self.index(name).pop(row_id))
        self._results.clear()
