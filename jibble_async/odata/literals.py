"""Python values as OData literals, in one place.

Source: requests that work against the live API (observed: literals), and OData's rule for quotes.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from jibble_async.entities.durations import duration_text
from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Constant, Kind
from jibble_async.query.values import in_utc, is_guid

__all__ = ["literal", "moment_text"]


def literal(constant: Constant, label: str) -> str:
    """The literal for a value.

    Args:
        constant: The value and its kind.
        label: What it is compared with, for the error.

    Raises:
        ConfigurationError: An id that is not a GUID.
    """
    value = constant.value
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str() if constant.kind is Kind.ID:
            if not is_guid(value):
                raise ConfigurationError(f"{label} is a GUID, and {value!r} is not one")
            return value
        case str():
            return "'" + value.replace("'", "''") + "'"
        case int() | float():
            return repr(value)
        case datetime():
            return moment_text(value)
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case timedelta():
            return f"duration'{duration_text(value)}'"


def moment_text(value: datetime) -> str:
    """A moment in UTC, with milliseconds or with as much more as it has.

    A report writes `2021-12-20T08:00:00.000Z` (documented: literals).
    """
    # In UTC, so that no "+" of an offset can be read as a space on the way.
    moment = in_utc(value)
    digits = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    return moment.isoformat(timespec=digits).removesuffix("+00:00") + "Z"
