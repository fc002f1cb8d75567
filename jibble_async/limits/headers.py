"""What a server says about its limits in the headers of an answer.

Documented for one call of the current API: `X-Rate-Limit-Limit` is the length of the window (`1s`),
`X-Rate-Limit-Remaining` a number, `X-Rate-Limit-Reset` an instant by the server's clock with seven
digits. Inferred from the package that uses these names: a refusal carries `Retry-After` in seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Reading", "read_date", "read_limits", "read_remaining", "read_retry_after"]

# A window that were longer is no window that anybody meant.
_LONGEST_WINDOW = 31 * 86400.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PERIOD = r"(\d+(?:\.\d+)?)([smhd])"


class Reading(NamedTuple):
    """A window of the server's quota, as one answer tells of it."""

    remaining: int
    """Requests left in the window after this one."""
    resets_at: float
    """When the window ends: seconds since 1970 by the server's clock."""
    per: float
    """Length of the window in seconds."""


def read_limits(headers: Mapping[str, str]) -> Reading | None:
    """What `X-Rate-Limit-*` say, or None unless all three are there and make sense."""
    remaining = read_remaining(headers)
    if remaining is None:
        return None
    resets_at = _instant(_get(headers, "X-Rate-Limit-Reset") or "")
    per = _period(_get(headers, "X-Rate-Limit-Limit") or "")
    if resets_at is None or per is None:
        return None
    return Reading(remaining, resets_at, per)


def read_retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait as `Retry-After` asks, or None if it asks nothing that can be read.

    Args:
        headers: The headers of the answer.
        now: Seconds since 1970, against which a date is taken where the answer has no `Date`.
    """
    value = (_get(headers, "Retry-After") or "").strip()
    if not value:
        return None
    if value[0].isascii() and value[0].isdigit():
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.inf
        if seconds < math.inf:
            return seconds
    until, since = _date(value), read_date(headers) or now
    return None if until is None or since is None else max(0.0, until - since)


def read_remaining(headers: Mapping[str, str]) -> int | None:
    """Requests left in the server's window; None if it does not say."""
    text = (_get(headers, "X-Rate-Limit-Remaining") or "").strip()
    # A longer number is no count of requests.
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def read_date(headers: Mapping[str, str]) -> float | None:
    """The server's clock when it answered, in whole seconds since 1970; None if not told."""
    value = _get(headers, "Date")
    return None if value is None else _date(value)


def _get(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    if value is None and isinstance(headers, dict):
        name = name.lower()
        return next((held for key, held in headers.items() if key.lower() == name), None)
    return value


# A second's answers all carry the same text.
@lru_cache(maxsize=16)
def _date(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


# A window's answers all carry the same text.
@lru_cache(maxsize=64)
def _instant(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=64)
def _period(text: str) -> float | None:
    match = re.fullmatch(_PERIOD, text.strip())
    seconds = 0.0 if match is None else float(match[1]) * _UNITS[match[2]]
    return seconds if 0 < seconds <= _LONGEST_WINDOW else None
