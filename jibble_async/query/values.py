"""Values that a caller gives, as exactly one of Python's own types, checked where they are given.

Each API writes nothing but these, whatever they were made by.
"""

from __future__ import annotations

import enum
import math
import numbers
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from jibble_async.checks import pattern
from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Constant, Kind, Scalar

__all__ = [
    "IdLike",
    "constant",
    "in_utc",
    "is_guid",
    "plain",
    "require_aware",
    "require_date",
    "require_text",
    "shown",
]

IdLike: TypeAlias = str | uuid.UUID
"""What is taken where an id is wanted: a GUID as text or as an object, or an old API's own text."""

_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# No field holds more, and Python itself refuses to write numbers of thousands of digits.
_BEYOND = 10**40
_DAY = ("year", "month", "day")
_CLOCK = ("hour", "minute", "second", "microsecond", "tzinfo")


def _datetime(value: datetime) -> datetime:
    parts = [getattr(value, name) for name in (*_DAY, *_CLOCK)]
    return datetime(*parts, fold=value.fold)  # noqa: DTZ001 - the zone is among the parts


_MAKERS: dict[type[Any], Callable[[Any], Any]] = {
    bool: bool,
    str: str.__str__,
    int: int,
    float: float,
    Decimal: Decimal,
    # Before date, as every datetime is one.
    datetime: _datetime,
    date: lambda value: date(*(getattr(value, name) for name in _DAY)),
    time: lambda value: time(*(getattr(value, name) for name in _CLOCK), fold=value.fold),
    timedelta: lambda value: timedelta(value.days, value.seconds, value.microseconds),
}


def plain(value: Any) -> Any:
    """A value as exactly one of Python's own types, if it stands for one; or else as it is.

    Enumerations become their values, subclasses what they are made of, numpy's and pandas' scalars
    what they hold, to the microsecond.
    """
    if type(value) in _MAKERS:
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    for base, make in _MAKERS.items():
        # pandas' NaT is a datetime that is equal to nothing, itself included.
        if isinstance(value, base) and (base is float or value == value):
            return make(value)
    # By what they have, so that numpy need not be there.
    if getattr(value, "shape", None) == () and hasattr(value, "dtype"):
        held = value.item()
        if isinstance(held, int) and value.dtype.kind in "mM":
            held = value.astype(f"{value.dtype.kind}8[us]").item()
        value = held
    return float(value) if isinstance(value, numbers.Real) and type(value) not in _MAKERS else value


def constant(kind: Kind, value: Any, label: str) -> Constant:
    """A value that a field of this kind can be compared with.

    Args:
        kind: The kind of the field.
        value: What the caller gave; None is always allowed.
        label: The field's name, for the error.

    Raises:
        ConfigurationError: The value is of another kind, or no query may hold it.
    """
    return Constant(None if value is None else _scalar(kind, value, label), kind)


def _scalar(kind: Kind, given: Any, label: str) -> Scalar:
    value = plain(given)
    match kind:
        case Kind.ID if isinstance(value, str | uuid.UUID):
            return require_text(str(value), label)
        case Kind.TEXT | Kind.ENUM if isinstance(value, str):
            return require_text(value, label)
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.NUMBER if isinstance(value, int | float | Decimal) and type(value) is not bool:
            return _number(value, label)
        case Kind.DATE:
            return require_date(value, label)
        case Kind.DATETIME if type(value) is datetime:
            return require_aware(value, label)
        case Kind.TIME if isinstance(value, time) and value.tzinfo is None:
            return value
        case Kind.DURATION if type(value) is timedelta:
            return value
        case _:
            article = "an" if kind in {Kind.ID, Kind.ENUM, Kind.OBJECT} else "a"
            raise ConfigurationError(
                f"{label} is compared with {article} {kind.value}, not with {_named(given)}"
            )


def _number(value: float | Decimal, label: str) -> float | Decimal:
    if not (value.is_finite() if isinstance(value, Decimal) else abs(value) < math.inf):
        raise ConfigurationError(f"{label} can't be compared with {value}")
    if not isinstance(value, float) and not -_BEYOND <= value < _BEYOND:
        raise ConfigurationError(f"{label} is compared with a number of more than 40 digits")
    return value


def _named(value: object) -> str:
    return f"{type(value).__name__} {value!r}"


def require_text(value: str, label: str) -> str:
    """`value`, a text that can be sent.

    Raises:
        ConfigurationError: It holds a NUL character, or half of one.
    """
    if "\0" in value:
        raise ConfigurationError(f"{label} is compared with a text that holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(f"{label}: {value!r} is not valid Unicode text") from None
    return value


def require_date(value: Any, label: str) -> date:
    """`value`, a plain date.

    Raises:
        ConfigurationError: It is something else, such as a datetime.
    """
    day = plain(value)
    if type(day) is date:
        return day
    advice = ": take its .date() in the zone you mean" if isinstance(value, datetime) else ""
    raise ConfigurationError(f"{label} takes a date, not {_named(value)}{advice}")


def require_aware(value: Any, label: str) -> datetime:
    """`value`, a datetime that has a time zone.

    Raises:
        ConfigurationError: It has none, or is something else.
    """
    moment = plain(value)
    if type(moment) is not datetime:
        raise ConfigurationError(f"{label} takes a datetime, not {_named(value)}")
    if moment.utcoffset() is None:
        raise ConfigurationError(
            f"{label}: {value!r} has no time zone; give it one, as in "
            "value.replace(tzinfo=ZoneInfo('Europe/Berlin')) or datetime.now(timezone.utc)"
        )
    return moment


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC; at the ends of the calendar, where that is outside, by its own clock."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def is_guid(value: object) -> bool:
    """Whether `value` is a text that is a GUID: 8-4-4-4-12 hexadecimal digits."""
    return isinstance(value, str) and pattern(_GUID).fullmatch(value) is not None


def shown(value: object) -> str:
    """What a value is called in an error about ids; all but text by its type, as it may be long."""
    return repr(value) if isinstance(value, str) else f"a value of type {type(value).__name__}"
