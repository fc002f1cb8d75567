"""How the current API writes its scalars: instants, dates, durations and GUIDs in JSON.

The wire sends instants with 0 to 7 fraction digits and `Z` or an offset, days as `2024-06-13`,
durations as ISO 8601 (observed: literals). Instants are compared here by a text key
in UTC: it orders as the instants do and costs a fraction of parsing them.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?(?:\.(\d{1,12}))?(Z|[+-]\d\d:\d\d)", re.IGNORECASE
)
_DURATION = re.compile(
    r"([+-])?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE
)


def is_guid(text: object) -> bool:
    """True for the text of a GUID in its plain form, without braces or quotes."""
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def new_guid(random: Random) -> str:
    """A GUID from a seeded source, marked as version 4."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def instant_key(text: str) -> str:
    """A text that orders and equals as the instant does, whatever its offset and fraction digits.

    Args:
        text: An instant with `Z` or an offset. One with `Z` is taken as it stands, for speed.

    Raises:
        ValueError: It is not an instant, or it has no offset.
    """
    if text.endswith("Z") and len(text) > 18:
        key = text[:-1]
        return key.rstrip("0").rstrip(".") if "." in key else key
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError(f"not an instant with an offset: {text!r}")
    minutes, seconds, fraction, offset = match.groups()
    moment = datetime.fromisoformat(f"{minutes}{seconds or ':00'}{offset.upper()}")
    key = moment.astimezone(UTC).isoformat()[:19]
    fraction = (fraction or "").rstrip("0")
    return f"{key}.{fraction}" if fraction else key


def parse_instant(text: str) -> datetime:
    """The instant as an aware datetime in UTC, cut to microseconds.

    Raises:
        ValueError: It is not an instant, or it has no offset.
    """
    whole, _, fraction = instant_key(text).partition(".")
    return datetime.fromisoformat(whole).replace(microsecond=int(f"{fraction:0<6}"[:6]), tzinfo=UTC)


def format_instant(moment: datetime, digits: int = 7) -> str:
    """An instant in UTC as .NET writes it, with a fixed number of fraction digits.

    Args:
        moment: An aware datetime.
        digits: Fraction digits, 0 to 7; the seventh is zero, since Python knows microseconds.
    """
    moment = moment.astimezone(UTC)
    fraction = f"{moment.microsecond:06d}0"[:digits]
    text = moment.isoformat()[:19]
    return f"{text}.{fraction}Z" if digits else f"{text}Z"


def is_date(text: object) -> bool:
    """True for a calendar day written `YYYY-MM-DD`."""
    if not isinstance(text, str) or len(text) != 10:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def parse_duration(text: str) -> timedelta:
    """The length of an ISO 8601 duration in days, hours, minutes and seconds.

    Raises:
        ValueError: It is not such a duration.
    """
    match = _DURATION.fullmatch(text)
    if match is None or text[-1] in "PpTt":
        raise ValueError(f"not a duration: {text!r}")
    sign, days, hours, minutes, seconds = match.groups()
    length = timedelta(
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=float(seconds or 0),
    )
    return -length if sign == "-" else length


def format_duration(length: timedelta) -> str:
    """A duration as .NET writes it: `PT8H`, `P1DT6H`, `-PT3H`, and `PT0S` for nothing."""
    sign = "-" if length < timedelta(0) else ""
    length = abs(length)
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    clock = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{seconds}{fraction}S" if seconds or fraction else "",
        )
    )
    day = f"{length.days}D" if length.days else ""
    if not day and not clock:
        return "PT0S"
    return f"{sign}P{day}{'T' + clock if clock else ''}"
