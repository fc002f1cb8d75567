"""Typed fields: what an expression is written with.

Each class stands for one kind of value, and offers what makes sense for it, so that a type
checker finds a wrong comparison, and a wrong value is an error before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar
from uuid import UUID

from jibble_async.errors import ConfigurationError
from jibble_async.query.clauses import Expand, Ordering, Selectable, expansions
from jibble_async.query.expressions import (
    Between,
    Call,
    Comparison,
    FunctionName,
    InList,
    Kind,
    Operator,
    Path,
    Predicate,
)
from jibble_async.query.names import enumeration, suggestion
from jibble_async.query.values import constant

__all__ = [
    "BooleanField",
    "CollectionField",
    "DateField",
    "DateTimeField",
    "DurationField",
    "EnumField",
    "Field",
    "IdField",
    "KeyedField",
    "NumberField",
    "TextField",
    "TimeField",
]

T = TypeVar("T")

_KEY = r"[A-Za-z0-9_]+"


class Field(Generic[T]):
    """A field that can be compared; `== None` and `is_null()` mean the same."""

    kind: ClassVar[Kind]

    def __init__(self, operand: Path | Call) -> None:
        self._operand = operand

    @property
    def path(self) -> Path:
        """Where the field is.

        Raises:
            ConfigurationError: It is a computed value, which can't be selected or sorted by.
        """
        if isinstance(self._operand, Path):
            return self._operand
        raise ConfigurationError(f"{self._operand} is computed: give a field here")

    # Comparing gives an expression, not a bool: the reason this class exists.
    def __eq__(self, other: T | Field[T] | None) -> Comparison:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compare("eq", other)

    def __ne__(self, other: T | Field[T] | None) -> Comparison:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._compare("ne", other)

    def __hash__(self) -> int:
        return hash((type(self), self._operand))

    def __bool__(self) -> NoReturn:
        raise ConfigurationError(
            f"{self._operand} is a field, not a filter expression: compare it, each in "
            "parentheses, as in (T.a == 1) & (T.b == 2)"
        )

    # Hidden from type checkers, which find `T.a == 1 & T.b == 2` by themselves.
    if not TYPE_CHECKING:

        def __and__(self, other: Any) -> NoReturn:
            bool(self)

        __rand__ = __or__ = __ror__ = __and__

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operand}>"

    def is_null(self) -> Comparison:
        """The field has no value."""
        return self._compare("eq", None)

    def is_not_null(self) -> Comparison:
        """The field has a value."""
        return self._compare("ne", None)

    def is_in(self, values: Iterable[T]) -> InList:
        """The field equals one of these values.

        Raises:
            ConfigurationError: There are none, or one is of the wrong kind.
        """
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            raise ConfigurationError(
                f"{self._operand}.is_in() takes a list: write [{values!r}], not {values!r}"
            )
        constants = tuple(self._constant(value) for value in values)
        if not constants:
            raise ConfigurationError(
                f"{self._operand}.is_in() of nothing matches nothing: leave the request out"
            )
        return InList(self._operand, constants)

    def asc(self) -> Ordering:
        """Sort by this field, smallest first."""
        return Ordering(self.path, descending=False)

    def desc(self) -> Ordering:
        """Sort by this field, largest first."""
        return Ordering(self.path, descending=True)

    def _constant(self, value: Any) -> Any:
        return constant(self.kind, value, str(self._operand))

    def _bound(self, value: Any) -> Any:
        if value is None:
            raise ConfigurationError(
                f"{self._operand} is neither above, below nor a part of None: use is_null() or "
                "is_not_null(), or leave the condition out"
            )
        return self._constant(value)

    def _compare(self, operator: Operator, other: Any) -> Comparison:
        if isinstance(other, Field):
            return Comparison(self._operand, operator, other._operand)
        make = self._constant if operator in {"eq", "ne"} else self._bound
        return Comparison(self._operand, operator, make(other))

    def _call(self, function: FunctionName, kind: Kind) -> Call:
        return Call(function, self._operand, (), kind)


class _OrderedField(Field[T]):
    """A field whose values have an order."""

    def __lt__(self, other: T | Field[T]) -> Comparison:
        return self._compare("lt", other)

    def __le__(self, other: T | Field[T]) -> Comparison:
        return self._compare("le", other)

    def __gt__(self, other: T | Field[T]) -> Comparison:
        return self._compare("gt", other)

    def __ge__(self, other: T | Field[T]) -> Comparison:
        return self._compare("ge", other)

    def between(self, low: T, high: T) -> Between:
        """The field lies within two bounds, both included."""
        return Between(self._operand, self._bound(low), self._bound(high))


class IdField(Field[str | UUID]):
    """An id."""

    kind = Kind.ID


class EnumField(Field[T]):
    """One of a set of names; a plain text does as well, if it is one of them.

    A member of the set is always taken, also one that the server sent and this release does not
    know: `T.type == entry.type`, or `T.type == EntryType("New")`.
    """

    kind = Kind.ENUM

    def _constant(self, value: Any) -> Any:
        made = super()._constant(value)
        names = enumeration(self.path)
        if not (value is None or isinstance(value, names) or made.value in iter(names)):
            known = [str(each) for each in names]
            raise ConfigurationError(
                f"{self._operand} is never {made.value!r}: {suggestion(made.value, known)}; "
                f"for one that this release does not know, write {names.__name__}({made.value!r})"
            )
        return made


class BooleanField(Field[bool]):
    """Yes or no."""

    kind = Kind.BOOLEAN


class NumberField(_OrderedField[float]):
    """A number."""

    kind = Kind.NUMBER


class DurationField(_OrderedField[timedelta]):
    """A length of time."""

    kind = Kind.DURATION


class TimeField(_OrderedField[time]):
    """A time of day."""

    kind = Kind.TIME


class TextField(_OrderedField[str]):
    """A text."""

    kind = Kind.TEXT

    def contains(self, part: str) -> Predicate:
        """The text has this part somewhere."""
        return self._predicate("contains", part)

    def startswith(self, part: str) -> Predicate:
        """The text begins with this."""
        return self._predicate("startswith", part)

    def endswith(self, part: str) -> Predicate:
        """The text ends with this."""
        return self._predicate("endswith", part)

    def lower(self) -> TextField:
        """The text in lower case."""
        return TextField(self._call("lower", Kind.TEXT))

    def upper(self) -> TextField:
        """The text in upper case."""
        return TextField(self._call("upper", Kind.TEXT))

    def strip(self) -> TextField:
        """The text without white space at its ends."""
        return TextField(self._call("strip", Kind.TEXT))

    def length(self) -> NumberField:
        """The number of characters."""
        return NumberField(self._call("length", Kind.NUMBER))

    def _predicate(self, function: FunctionName, part: str) -> Predicate:
        return Predicate(Call(function, self._operand, (self._bound(part),), Kind.BOOLEAN))


class _CalendarField(_OrderedField[T]):
    """A field with a day in it."""

    def year(self) -> NumberField:
        """Its year."""
        return NumberField(self._call("year", Kind.NUMBER))

    def month(self) -> NumberField:
        """Its month, 1 to 12."""
        return NumberField(self._call("month", Kind.NUMBER))

    def day(self) -> NumberField:
        """Its day of the month, 1 to 31."""
        return NumberField(self._call("day", Kind.NUMBER))


class DateField(_CalendarField[date]):
    """A day."""

    kind = Kind.DATE


class DateTimeField(_CalendarField[datetime]):
    """A moment; it is compared with datetimes that have a time zone."""

    kind = Kind.DATETIME

    def hour(self) -> NumberField:
        """Its hour, 0 to 23."""
        return NumberField(self._call("hour", Kind.NUMBER))

    def minute(self) -> NumberField:
        """Its minute, 0 to 59."""
        return NumberField(self._call("minute", Kind.NUMBER))

    def second(self) -> NumberField:
        """Its second, 0 to 59."""
        return NumberField(self._call("second", Kind.NUMBER))

    def date(self) -> DateField:
        """Its day."""
        return DateField(self._call("date", Kind.DATE))


class CollectionField:
    """A list that hangs on an entity; it can be selected, or expanded, not compared."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def select(self, *fields: Selectable) -> Expand:
        """Expand the list, with these fields of its members only.

        Example:
            >>> managers = fields(Person).unit_managers.select("full_name")
            >>> people = jibble.people.list(expand=[managers])
        """
        return expansions(self.path.owner, (self,))[0].select(*fields)


class KeyedField:
    """An object without a fixed set of keys."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def key(self, name: str) -> TextField:
        """What is under a key, as a text: nothing else in there is known to be compared.

        Args:
            name: The key, of letters, digits and underscores.

        Raises:
            ConfigurationError: It can't stand in a filter.

        Example:
            >>> condition = fields(LegacyTimeEntry).meta.key("appVer") == "1.37.0"
        """
        if re.fullmatch(_KEY, name) is None:
            raise ConfigurationError(f"{name!r} can't be filtered by: letters, digits and _ only")
        return TextField(Path(self.path.owner, (*self.path.names, name), Kind.TEXT))
