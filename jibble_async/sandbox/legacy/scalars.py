"""How the old API writes ids and instants.

Ids are 10 or 16 letters and digits, instants have exactly three decimals and `Z` (documented:
old-rows).
"""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jibble_async.sandbox.scalars import format_instant, instant_key

if TYPE_CHECKING:
    from random import Random

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def derived_id(guid: str, length: int) -> str:
    """The old API's id of what the current one knows by a GUID; the same for the same GUID.

    Args:
        guid: The id in the current API.
        length: How many letters and digits.
    """
    return b64encode(sha256(guid.encode()).digest()).translate(None, b"+/=")[:length].decode()


def new_id(random: Random, length: int) -> str:
    """An id from a seeded source."""
    return "".join(random.choices(_LETTERS, k=length))


def stamp(instant: str) -> str:
    """An instant of the current API, cut to milliseconds."""
    whole, _, fraction = instant_key(instant).partition(".")
    return f"{whole}.{fraction[:3]:0<3}Z"


def parse_date(value: Any) -> str | None:
    """The instant that JavaScript's `Date` reads, as the old API writes it; None for no date.

    Args:
        value: ISO 8601 text, where a missing zone means UTC, or milliseconds since 1970.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return format_instant(_EPOCH + timedelta(milliseconds=value), 3)
        except OverflowError:
            return None
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, clock, seconds, fraction, zone = match.groups()
    text = f"{year}-{month or '01'}-{day or '01'}T{clock or '00:00'}:{seconds or '00'}"
    try:
        moment = datetime.fromisoformat(text + (zone or "Z"))
        whole = moment.astimezone(UTC).isoformat()[:19]
    except (ValueError, OverflowError):
        return None
    return f"{whole}.{(fraction or '')[:3]:0<3}Z"


def parse_number(text: str) -> float | None:
    """The number that a text says, whole ones as int; None when it says none."""
    if _NUMBER.fullmatch(text.strip()) is None:
        return None
    number = float(text)
    return int(number) if number.is_integer() else number
