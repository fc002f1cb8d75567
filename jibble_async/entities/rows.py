"""Rows in a list that knows what they are, and shows some of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from jibble_async.entities.dicts import DictForm, as_dict
from jibble_async.html_tables import html_table, shortened

__all__ = ["Rows", "rows_table"]

T = TypeVar("T")

# A notebook keeps both, whose rows may hold any text.
_IN_TABLE, _IN_REPR, _LONGEST = 10, 5, 1500


class Rows(list[T]):
    """A list, of which a notebook shows a table, and which knows the class of its rows if empty.

    Args:
        rows: The rows.
        entity: The class of a row.
    """

    # Its own fields are lost to what makes lists of it: a slice, a copy, a sum are plain lists.
    __slots__ = ("entity",)

    def __init__(self, rows: Iterable[T] = (), *, entity: Any = None) -> None:
        super().__init__(rows)
        self.entity: Any = entity
        """The class of a row, where it is known."""

    def __repr__(self) -> str:
        some = [shortened(repr(row), _LONGEST) for row in self[:_IN_REPR]]
        left = len(self) - len(some)
        return f"[{', '.join(some)}{f', … {left} more' if left else ''}]"

    def __reduce__(self) -> Any:
        # To everybody else it is a list.
        return list, ([*self],)

    def _repr_html_(self) -> str:
        """What a notebook shows: some rows."""
        name = getattr(self.entity, "__name__", "rows")
        return rows_table(self, f"{len(self)} {name}")


def rows_table(rows: Sequence[Any], caption: str) -> str:
    """Some rows as a table in HTML, of the columns that have a value in them.

    Args:
        rows: Entities, or dicts.
        caption: What stands above the table.
    """
    dicts = [*map(_members, rows[:_IN_TABLE])]
    names = [*dict.fromkeys(itertools.chain.from_iterable(dicts))]
    cells = ([each.get(name) for name in names] for each in dicts)
    return html_table(names, cells, caption=caption, count=len(rows))


def _members(row: Any) -> dict[str, Any]:
    if isinstance(row, msgspec.Struct):
        return as_dict(row, DictForm(exclude_none=True))
    members: Any = row
    return members if isinstance(row, dict) else {"row": row}
