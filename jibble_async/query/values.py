"""Values that a field can be compared with, checked when an expression is written."""

from __future__ import annotations

import enum
import math
import re
import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Constant, Kind, Scalar

__all__ = ["constant", "duration_text", "is_guid", "require_aware", "require_date", "shown"]


_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def constant(kind: Kind, value: Any, label: str) -> Constant:
    """A value that a field of this kind can be compared with.

    Args:
        kind: The kind of the field.
        value: What the caller gave; None is always allowed.
        label: The field's name, for the error.

    Raises:
        ConfigurationError: The value is of another kind, or a datetime has no time zone.
    """
    if value is None:
        return Constant(None, kind)
    return Constant(_scalar(kind, value, label), kind)


def _scalar(kind: Kind, value: Any, label: str) -> Scalar:
    match kind:
        case Kind.ID if isinstance(value, str | uuid.UUID):
            return str(value)
        case Kind.TEXT | Kind.ENUM if isinstance(value, str):
            return str(value.value) if isinstance(value, enum.Enum) else value
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            if not math.isfinite(value):
                raise ConfigurationError(f"{label} can't be compared with {value}")
            return value
        case Kind.DATE:
            return require_date(value, label)
        case Kind.DATETIME if isinstance(value, datetime):
            return require_aware(value, label)
        case Kind.TIME if isinstance(value, time) and value.tzinfo is None:
            return value
        case Kind.DURATION if isinstance(value, timedelta):
            return value
        case _:
            given = f"{type(value).__name__} {value!r}"
            article = "an" if kind in {Kind.ID, Kind.ENUM, Kind.OBJECT} else "a"
            raise ConfigurationError(
                f"{label} is compared with {article} {kind.value}, not with {given}"
            )


def require_date(value: Any, label: str) -> date:
    """`value`, a plain date.

    Raises:
        ConfigurationError: It is something else, such as a datetime.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    advice = ": take its .date() in the zone you mean" if isinstance(value, datetime) else ""
    raise ConfigurationError(f"{label} takes a date, not {type(value).__name__} {value!r}{advice}")


def require_aware(value: Any, label: str) -> datetime:
    """`value`, a datetime that has a time zone.

    Raises:
        ConfigurationError: It has none, or is something else.
    """
    if not isinstance(value, datetime):
        raise ConfigurationError(f"{label} takes a datetime, not {type(value).__name__} {value!r}")
    if value.utcoffset() is None:
        raise ConfigurationError(
            f"{label}: {value!r} has no time zone; give it one, as in "
            "value.replace(tzinfo=ZoneInfo('Europe/Berlin')) or datetime.now(timezone.utc)"
        )
    return value


def is_guid(value: object) -> bool:
    """Whether `value` is a text that is a GUID: 8-4-4-4-12 hexadecimal digits."""
    return isinstance(value, str) and re.fullmatch(_GUID, value) is not None


def shown(value: object) -> str:
    """What a value is called in an error about ids; all but text by its type, as it may be long."""
    return repr(value) if isinstance(value, str) else f"a value of type {type(value).__name__}"


def duration_text(value: timedelta) -> str:
    """A length of time in ISO 8601, in days and less, such as `P1DT6H` or `-PT0.5S`."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    seconds = value.seconds
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    day_part = f"{value.days}D" if value.days else ""
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    time_part = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction or not (day_part or time_part):
        time_part += f"{seconds}{fraction}S"
    return f"{sign}P{day_part}{'T' + time_part if time_part else ''}"
