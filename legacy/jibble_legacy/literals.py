"""Python values as the old API's filters write them, in one place.

Source: the documentation's examples (bare ids and numbers, dates with milliseconds and a `Z`, 1 and
2 for clocking in and out).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from jibble_async.entities import EntryType
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.expressions import Constant, Kind, Scalar
from jibble_async.query.values import in_utc, is_guid

__all__ = [
    "ACTIONS",
    "MILLISECOND",
    "action",
    "ceiled",
    "color_out",
    "containing",
    "ending",
    "floored",
    "instant",
    "literal",
    "shifted",
    "starting",
]

ACTIONS: dict[EntryType, int] = {EntryType.IN: 1, EntryType.OUT: 2}
"""The number of each kind of entry (documented: old-rows)."""

MILLISECOND = timedelta(milliseconds=1)
"""What the old API's moments are exact to (documented: old-rows)."""

# Those that mean something in some dialect of regular expressions, or of `like`.
_SPECIAL = r"[\\^$.|?*+()\[\]{}/]"
_WILDCARDS = str.maketrans({"%": r"\x25", "_": r"\x5f"})
# Unlike `$` it is the very end everywhere, and not before a last line break.
_END = r"(?![\s\S])"


def literal(constant: Constant, label: str) -> str:
    """A value as it is compared with.

    Args:
        constant: The value and its kind.
        label: What it is compared with, for the error.

    Raises:
        ConfigurationError: An id of the current API.
        NotSupportedError: The old API has no such value, such as a moment that is too exact.
    """
    value = constant.value
    match value:
        case None:
            raise NotSupportedError(
                f"the old API can't ask whether {label} has a value: look at what comes"
            )
        case bool():
            return "true" if value else "false"
        case str():
            if constant.kind is Kind.ID and is_guid(value):
                raise ConfigurationError(
                    f"{label}: {value!r} is an id of the current API, not the old one"
                )
            return value
        case int() | float():
            return repr(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return _moment(value, label)
        case _:
            raise NotSupportedError(f"the old API can't compare {label} with {value!r}")


def action(constant: Constant, label: str) -> str:
    """The number by which the old API calls clocking in, or out.

    Args:
        constant: A type of entry.
        label: What it is compared with, for the error.

    Raises:
        NotSupportedError: It is another type, such as the start of a break.
    """
    value = constant.value
    if not isinstance(value, str) or value not in ACTIONS:
        raise NotSupportedError(f"the old API knows In and Out for {label}, not {value!r}")
    return str(ACTIONS[EntryType(value)])


def instant(value: datetime) -> str:
    """A moment as the old API writes it: UTC with three decimals (documented: old-rows).

    Args:
        value: A datetime with a time zone; what is finer than a millisecond is cut off.
    """
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def color_out(color: str) -> str:
    """A colour as the old API writes it, with a `#`.

    Args:
        color: Six hexadecimal digits, with or without it.
    """
    return color if color.startswith("#") else f"#{color}"


def floored(value: Scalar) -> Scalar:
    """The last moment up to `value` that the old API knows; other values as they are."""
    if not isinstance(value, datetime):
        return value
    moment = in_utc(value)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def ceiled(value: Scalar) -> Scalar:
    """The first moment from `value` on that the old API knows; other values as they are."""
    floor = floored(value)
    if not isinstance(value, datetime) or not isinstance(floor, datetime) or _is_whole(value):
        return floor
    return shifted(floor, MILLISECOND)


def shifted(moment: datetime, by: timedelta) -> datetime:
    """A moment earlier or later, or the same where the calendar ends."""
    try:
        return moment + by
    except OverflowError:
        return moment


def containing(part: str) -> str:
    """The regular expression for a text that has `part` somewhere.

    It means the same in every dialect, and case counts.
    """
    return _escaped(part) or "^"


def starting(part: str) -> str:
    """The regular expression for a text that begins with `part`."""
    return "^" + _escaped(part)


def ending(part: str) -> str:
    """The regular expression for a text that ends with `part`."""
    return _escaped(part) + _END


def _escaped(part: str) -> str:
    # In one database behind LoopBack, `%` and `_` are wildcards of `like` beside the expression.
    return re.sub(_SPECIAL, r"\\\g<0>", part).translate(_WILDCARDS)


def _moment(value: datetime, label: str) -> str:
    moment = floored(value)
    if not isinstance(moment, datetime) or not _is_whole(value):
        raise NotSupportedError(
            f"{label} is exact to milliseconds in the old API, and {value.isoformat()} is more so"
        )
    return instant(moment)


def _is_whole(moment: datetime) -> bool:
    # By its digits: in the hour that the end of summer time repeats, a moment in a zone is never
    # equal to itself in UTC.
    return moment.microsecond % 1000 == 0
