"""Spans of days, as lists are asked for by them."""

from __future__ import annotations

from datetime import date

from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Expression, all_given
from jibble_async.query.fields import DateField
from jibble_async.query.values import require_date

__all__ = ["days_between", "require_span"]


def require_span(since: date | None, until: date | None) -> None:
    """Refuse bounds that are no dates, or the wrong way round.

    Raises:
        ConfigurationError: They are.
    """
    if since is not None:
        require_date(since, "since")
    if until is not None:
        require_date(until, "until")
    if since is not None and until is not None and since > until:
        raise ConfigurationError(f"since={since} is after until={until}: exchange them")


def days_between(day: DateField, since: date | None, until: date | None) -> Expression | None:
    """The condition that a day is in a span; None without bounds.

    Args:
        day: The field.
        since: The first day.
        until: The last day, included.

    Raises:
        ConfigurationError: One is no date, or they are the wrong way round.
    """
    require_span(since, until)
    if since is not None and since == until:
        return day == since
    return all_given(
        None if since is None else day >= since, None if until is None else day <= until
    )
