"""Conditions on entities, as an immutable tree that no API's words have got into.

The trees are built by the fields of `jibble_async.query.fields`; each API renders them in its own
language and refuses what it can't say.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NoReturn, TypeAlias

import msgspec

from jibble_async.entities import ValueObject
from jibble_async.errors import ConfigurationError

__all__ = [
    "And",
    "Between",
    "Call",
    "Comparison",
    "Constant",
    "Expression",
    "FunctionName",
    "InList",
    "Kind",
    "Not",
    "Operand",
    "Operator",
    "Or",
    "Path",
    "Predicate",
    "RawFilter",
    "Scalar",
    "Worded",
    "all_given",
    "all_of",
    "paths_of",
    "raw_filter",
]

Scalar: TypeAlias = str | bool | int | float | Decimal | date | datetime | time | timedelta | None
Operator: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge"]
FunctionName: TypeAlias = Literal[
    "contains", "startswith", "endswith", "lower", "upper", "strip", "length",
    "year", "month", "day", "hour", "minute", "second", "date",
]  # fmt: skip


class Kind(enum.Enum):
    """The kind of value that an operand has; it decides how a literal is written."""

    ID = "id"
    TEXT = "text"
    ENUM = "enumeration"
    BOOLEAN = "boolean"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "date and time"
    TIME = "time of day"
    DURATION = "duration"
    OBJECT = "object"


class Path(msgspec.Struct, frozen=True):
    """A field of an entity, or of something that hangs on it.

    Attributes:
        owner: The entity the path starts at.
        names: The vocabulary's names, one for each step.
        kind: The kind of value at its end.
    """

    owner: type[ValueObject]
    names: tuple[str, ...]
    kind: Kind

    def __str__(self) -> str:
        return f"{self.owner.__name__}.{'.'.join(self.names)}"


class Call(msgspec.Struct, frozen=True):
    """A function of an operand, such as the year of a date."""

    function: FunctionName
    operand: Path | Call
    arguments: tuple[Constant, ...]
    kind: Kind

    def __str__(self) -> str:
        arguments = ", ".join(repr(argument.value) for argument in self.arguments)
        return f"{self.operand}.{self.function}({arguments})"


class Constant(msgspec.Struct, frozen=True):
    """A value that was given."""

    value: Scalar
    kind: Kind


Operand: TypeAlias = Path | Call | Constant


class Expression(msgspec.Struct, frozen=True):
    """A condition; combine conditions by `&`, `|` and `~`."""

    def __and__(self, other: Expression) -> Expression:
        return all_of((self, other))

    def __or__(self, other: Expression) -> Expression:
        parts = (*_parts(self, Or), *_parts(_expression(other, "|"), Or))
        return Or(parts)

    def __invert__(self) -> Expression:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise ConfigurationError(
            "a filter expression has no truth value: combine expressions by & | ~, each in "
            "parentheses, not by and / or / not, and write a < x < b as field.between(a, b)"
        )


class Comparison(Expression, frozen=True):
    """An operand beside another."""

    left: Operand
    operator: Operator
    right: Operand


class Between(Expression, frozen=True):
    """An operand within two bounds, both included."""

    operand: Path | Call
    low: Constant
    high: Constant


class InList(Expression, frozen=True):
    """An operand that equals one of several values."""

    operand: Path | Call
    values: tuple[Constant, ...]


class Predicate(Expression, frozen=True):
    """A function call that is itself true or false."""

    call: Call


class Not(Expression, frozen=True):
    """The opposite of a condition."""

    inner: Expression


class And(Expression, frozen=True):
    """All of several conditions."""

    parts: tuple[Expression, ...]


class Or(Expression, frozen=True):
    """At least one of several conditions."""

    parts: tuple[Expression, ...]


class Worded(Expression, frozen=True):
    """A condition with a word to one API on how to write it; the others see the condition alone."""

    inner: Expression


class RawFilter(Expression, frozen=True):
    """Text in the words of the API that is asked; passed on as it is."""

    text: str


def raw_filter(text: str) -> RawFilter:
    """A condition in the API's own words, for what the expressions can't say.

    Nothing is checked or quoted: never build the text from what other people wrote.

    Args:
        text: For the current API an OData `$filter`, such as `"year(belongsToDate) eq 2026"`.

    Raises:
        ConfigurationError: The text is empty.
    """
    if not text.strip():
        raise ConfigurationError("raw_filter() needs a text: leave the argument out for no filter")
    return RawFilter(text)


def all_of(expressions: Iterable[Expression]) -> Expression:
    """The condition that holds when all the given ones hold.

    Args:
        expressions: One or more conditions; nested conjunctions are made flat.

    Raises:
        ConfigurationError: Something among them is not an expression, or there is none.
    """
    parts = tuple(part for item in expressions for part in _parts(_expression(item, "&"), And))
    if not parts:
        raise ConfigurationError("all_of() needs at least one expression")
    return parts[0] if len(parts) == 1 else And(parts)


def all_given(*conditions: Expression | None) -> Expression | None:
    """The condition that holds when all that there are hold; None if there is none."""
    given = [condition for condition in conditions if condition is not None]
    return all_of(given) if given else None


def paths_of(expression: Expression) -> Iterator[Path]:
    """Every field that a condition speaks of.

    Args:
        expression: The condition.
    """
    match expression:
        case And(parts) | Or(parts):
            for part in parts:
                yield from paths_of(part)
        case Not(inner) | Worded(inner):
            yield from paths_of(inner)
        case Comparison(left, _, right):
            yield from _paths(left)
            yield from _paths(right)
        case Between(operand) | InList(operand) | Predicate(operand):
            yield from _paths(operand)
        case _:
            # What is passed on as it is, or one of somebody's own.
            return


def _paths(operand: Operand) -> Iterator[Path]:
    while isinstance(operand, Call):
        operand = operand.operand
    if isinstance(operand, Path):
        yield operand


def _parts(expression: Expression, joint: type[And | Or]) -> tuple[Expression, ...]:
    return expression.parts if isinstance(expression, joint) else (expression,)


def _expression(value: Any, operator: str) -> Expression:
    if isinstance(value, bool):
        raise ConfigurationError(
            f"{value} is no filter expression but what Python made of one: `is`, `in` and `not` "
            "are decided at once; write T.a.is_null(), T.a.is_in([1, 2]) and ~(T.a == 1)"
        )
    if isinstance(value, str):
        raise ConfigurationError(
            f"{value!r} is a text, not a filter expression: compare fields, as in T.a == 1, or "
            "pass it on unchecked with raw_filter()"
        )
    if not isinstance(value, Expression):
        raise ConfigurationError(
            f"{operator} joins filter expressions, but one side is {value!r}: put each "
            "comparison in parentheses, as in (T.a == 1) & (T.b == 2)"
        )
    return value
