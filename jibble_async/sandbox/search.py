"""Which rows a question has to look at, and in which order it finds them.

And-ed conditions of single properties are kept as ranges of keys. The smallest set of ranges that
an index can give is looked at, or one that gives the rows in the order that is asked for, unless
that one is much larger. Every condition is then asked of each row, so a range may be too wide and
never too narrow. Which index was taken cannot be seen in the answer: rows that an order takes for
equal come by id, and without an order rows come as they were added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from jibble_async.sandbox.sorted_keys import TOP, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.tables import Properties, Table

Keep: TypeAlias = "Callable[[Row], Any]"
Span: TypeAlias = tuple[Key, Key]

# A sorted answer of this many times the rows is worth not sorting it, and not finding it whole.
_WORTH = 2


@dataclass(slots=True)
class Wanted:
    """What conditions say of one property, in its keys.

    Args:
        values: The only values that are wanted; None when any between the bounds may be.
        low: The first key.
        high: The first key that is not wanted any more.
    """

    values: frozenset[str] | None = None
    low: Key = ("",)
    high: Key = (TOP,)

    def __and__(self, other: Wanted) -> Wanted:
        values = self.values if other.values is None else other.values
        if self.values is not None and other.values is not None:
            values = self.values & other.values
        return Wanted(values, max(self.low, other.low), min(self.high, other.high))

    @staticmethod
    def compared(operator: str, value: str) -> Wanted | None:
        """What a comparison with a constant wants; None where no range says it.

        Args:
            operator: `eq lt le gt ge`, or anything else.
            value: The constant, as a key.
        """
        match operator:
            case "eq":
                return Wanted(frozenset((value,)))
            case "lt":
                return Wanted(high=(value,))
            case "le":
                return Wanted(high=(value, TOP))
            case "gt":
                return Wanted(low=(value, TOP))
            case "ge":
                return Wanted(low=(value,))
            case _:
                return None


Conditions: TypeAlias = dict[str, Wanted]


def all_of(parts: Iterable[Conditions]) -> Conditions:
    """What conditions that must all hold say of each property."""
    whole: Conditions = {}
    for part in parts:
        for name, wanted in part.items():
            whole[name] = whole[name] & wanted if name in whole else wanted
    return whole


class Sorting(NamedTuple):
    """One item of an order.

    Args:
        read: Gives what is compared; None comes first.
        descending: Whether the order is turned round.
        name: The row's own property, if it is no more than that.
    """

    read: Callable[[Row], Any]
    descending: bool
    name: str | None

    def key(self, row: Row) -> tuple[bool, Any]:
        """What Python can sort a row by."""
        value = self.read(row)
        return value is not None, value


@dataclass(slots=True)
class Found:
    """Rows that are looked for only as far as somebody asks."""

    rest: Iterator[Row]
    rows: list[Row] = field(default_factory=list["Row"])

    def page(self, start: int, stop: int | None) -> list[Row]:
        """The rows at some places; to the end without a `stop`."""
        missing = None if stop is None else max(stop - len(self.rows), 0)
        self.rows.extend(islice(self.rest, missing))
        return self.rows[start:stop]

    def count(self) -> int:
        """How many rows there are."""
        self.rows.extend(self.rest)
        return len(self.rows)


class _Plan(NamedTuple):
    properties: Properties
    spans: list[Span]
    size: int
    # How many properties of a key are the same in all of its rows; None if it gives no order.
    fixed: int | None


def search(table: Table, keep: Keep, wanted: Conditions, order: Sequence[Sorting]) -> Found:
    """The rows of a table that pass a test, in an order.

    Args:
        table: Where to look.
        keep: The test; whatever `wanted` says is part of it.
        wanted: What is known of single properties.
        order: What to sort by.
    """
    plan = _best(table, wanted, order)
    if plan is None:
        kept = _kept(table, table.rows, keep)
        return Found(kept if not order else iter(in_order(kept, order)))
    if plan.fixed is not None:
        return Found(_walked(table, plan, keep, order))
    keys = table.index(plan.properties)
    ids = (key[-1] for key in chain.from_iterable(keys.between(*span) for span in plan.spans))
    rows = list(_kept(table, (table.by_id[each] for each in ids), keep))
    return Found(iter(in_order(rows, order) if order else sorted(rows, key=table.place)))


def in_order(rows: Iterable[Row], order: Sequence[Sorting]) -> list[Row]:
    """Rows in an order, equal ones by id."""
    ordered = sorted(rows, key=_id)
    for item in reversed(order):
        ordered.sort(key=item.key, reverse=item.descending)
    return ordered


def _id(row: Row) -> str:
    key: str = row["id"]
    return key


def _kept(table: Table, rows: Iterable[Row], keep: Keep) -> Iterator[Row]:
    for row in rows:
        table.examined += 1
        if keep(row):
            yield row


def _best(table: Table, wanted: Conditions, order: Sequence[Sorting]) -> _Plan | None:
    plans = [
        plan
        for properties in table.sorted_by
        if (plan := _planned(table, properties, wanted, order)) is not None
    ]
    smallest = min(plans, key=lambda plan: plan.size, default=None)
    if smallest is None:
        return None
    in_sequence = [plan for plan in plans if plan.fixed is not None]
    sequence = min(in_sequence, key=lambda plan: plan.size, default=None)
    if sequence is not None and sequence.size <= _WORTH * smallest.size:
        return sequence
    return smallest


def _planned(
    table: Table, properties: Properties, wanted: Conditions, order: Sequence[Sorting]
) -> _Plan | None:
    leading, following, *_ = *properties, "id"
    first = wanted.get(leading)
    by = order[0].name if order else None
    fixed: int | None = None
    spans: list[Span]
    if first is None:
        if by != leading:
            return None
        spans, fixed = [(("",), (TOP,))], 0
    elif first.values is None:
        spans = [(first.low, first.high)]
        fixed = 0 if by == leading else None
    else:
        second = wanted.get(following) if len(properties) > 1 else None
        spans = list(_of_values(sorted(first.values), second))
        if len(first.values) == 1 and by == following:
            fixed = 1
        elif by == leading:
            fixed = 0
    keys = table.index(properties)
    return _Plan(properties, spans, sum(keys.count(*span) for span in spans), fixed)


def _of_values(values: list[str], second: Wanted | None) -> Iterator[Span]:
    for value in values:
        if second is None:
            yield (value,), (value, TOP)
        elif second.values is None:
            yield (value, *second.low), (value, *second.high)
        else:
            for other in sorted(second.values):
                yield (value, other), (value, other, TOP)


def _walked(table: Table, plan: _Plan, keep: Keep, order: Sequence[Sorting]) -> Iterator[Row]:
    """The rows along an index, sorted within those that it takes for equal."""
    assert plan.fixed is not None
    backwards = order[0].descending
    keys = table.index(plan.properties)
    spans = reversed(plan.spans) if backwards else plan.spans
    found = chain.from_iterable(keys.between(*span, backwards=backwards) for span in spans)
    compared = plan.fixed
    by_id = (*plan.properties, "id")[compared] == "id"
    last = compared + 1 == len(plan.properties)
    if by_id or (last and not backwards and _by_id(order[1:])):
        yield from _kept(table, (table.by_id[key[-1]] for key in found), keep)
        return
    for _, equal in groupby(found, key=lambda key: key[compared]):
        rows = _kept(table, (table.by_id[key[-1]] for key in equal), keep)
        yield from in_order(rows, order)


def _by_id(order: Sequence[Sorting]) -> bool:
    return not order or (order[0].name == "id" and not order[0].descending)
