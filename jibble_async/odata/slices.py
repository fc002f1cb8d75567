"""Lists of ids that are too long for one request, asked for in several: slice by slice.

A row has one id where the list is, so each row is of one slice. That holds for a condition that
all rows meet, and for rows that are one each for a person; not for sums over several people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from jibble_async.errors import ConfigurationError
from jibble_async.odata.pages import ODataPages
from jibble_async.query.clauses import Query
from jibble_async.query.expressions import And, Constant, Expression, InList, Kind, Path

__all__ = ["sliced", "sliced_query"]

T = TypeVar("T")
V = TypeVar("V")

Params: TypeAlias = tuple[tuple[str, str], ...]

# Fewer never make a request too long, and no request holds more.
_FEW, _MOST = 50, 400
# Rows, for the room that their number takes in a request.
_FAR = 10**12
_PEOPLE = "personids"


def sliced_query(
    make: Callable[..., ODataPages[Any]], query: Query, params: Params
) -> ODataPages[Any]:
    """The pages of a query, its longest list of ids in slices if that is needed.

    Args:
        make: What gives the pages of a query and `params=`.
        query: What is asked. Its order holds within a slice.
        params: Parameters of the set's own; a row is about one of the `personIds` among them.
    """
    lists = list(_lists(query.where))
    people = tuple(each for each in params if each[0].lower() == _PEOPLE)
    if len(people) > max(_FEW, *(len(each.values) for each in lists), 0):
        at, others = params.index(people[0]), [each for each in params if each not in people]
        return sliced(people, lambda part: make(query, params=(*others[:at], *part, *others[at:])))
    if not lists:
        return make(query, params=params)
    longest = max(lists, key=lambda each: len(each.values))

    def with_part(part: Sequence[Constant]) -> ODataPages[Any]:
        instead = InList(longest.operand, tuple(part))
        return make(replace(query, where=_with(query.where, longest, instead)), params=params)

    return sliced(longest.values, with_part)


def sliced(values: Sequence[V], make: Callable[[Sequence[V]], ODataPages[T]]) -> ODataPages[T]:
    """The pages for some ids: those for the first slice, which know the others.

    Args:
        values: What holds the ids, by which rows differ.
        make: What gives the pages for some of them.
    """
    whole = make(values)
    if len(values) <= _FEW or (len(values) <= _MOST and _fits(whole)):
        return whole
    # In any case, since the server takes it so: no row may be of two slices.
    values = list({str(each).lower(): each for each in values}.values())
    room = _room(values, make)
    number = -(-len(values) // room)
    size = -(-len(values) // number)
    slices = [make(values[at : at + size]) for at in range(0, len(values), size)]
    return slices[0].followed_by(slices, whole.fingerprint)


def _room(values: Sequence[V], make: Callable[[Sequence[V]], ODataPages[T]]) -> int:
    """How many of the values a request can hold, and at least one."""
    least, most = 1, min(len(values), _MOST)
    while least < most:
        middle = (least + most + 1) // 2
        if _fits(make(values[:middle])):
            least = middle
        else:
            most = middle - 1
    return least


def _fits(pages: ODataPages[Any]) -> bool:
    try:
        pages.request(_FAR, _FAR)
    except ConfigurationError:
        return False
    return True


def _lists(where: Expression | None) -> Iterator[InList]:
    """The long lists of ids that every row has one of."""
    match where:
        case InList(Path(kind=Kind.ID), values) if len(values) > _FEW:
            yield where
        case And(parts):
            for part in parts:
                yield from _lists(part)
        case _:
            pass


def _with(where: Expression | None, found: InList, instead: InList) -> Expression | None:
    """A condition with another list in place of one that was found in it."""
    if where is found:
        return instead
    if isinstance(where, And):
        parts = [_with(part, found, instead) for part in where.parts]
        return And(tuple(part for part in parts if part is not None))
    return where
