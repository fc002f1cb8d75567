"""What the calls of this API take beside queries: spans of days, ids, moments and flags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from jibble_async.errors import ConfigurationError
from jibble_async.odata.literals import moment_text
from jibble_async.query.expressions import Expression, all_of
from jibble_async.query.fields import DateField
from jibble_async.query.values import is_guid, require_aware, require_date, shown

__all__ = ["day_or_moment", "days_between", "flag", "repeated_ids", "require_known", "require_span"]


def require_known(options: Mapping[str, Any], kind: type[Any]) -> None:
    """Refuse options that there are not: a misspelt one would be dropped unseen.

    Args:
        options: What a caller gave by name.
        kind: The class of typed dictionaries that names what there is.

    Raises:
        ConfigurationError: One is unknown.
    """
    unknown = options.keys() - kind.__annotations__.keys()
    if unknown:
        known = ", ".join(sorted(kind.__annotations__))
        raise ConfigurationError(
            f"there is no {'=, '.join(sorted(unknown))}=; beside its own this method takes {known}"
        )


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
    bounds: list[Expression] = []
    if since is not None:
        bounds.append(day >= since)
    if until is not None:
        bounds.append(day <= until)
    return all_of(bounds) if bounds else None


def repeated_ids(name: str, ids: Iterable[str], label: str) -> tuple[tuple[str, str], ...]:
    """A parameter once for each id: how several are given (documented).

    Args:
        name: The parameter's name on the wire.
        ids: GUIDs.
        label: What the argument is called, for the error.

    Raises:
        ConfigurationError: One of them is no GUID, or a single text was given.
    """
    if isinstance(ids, str):
        raise ConfigurationError(f"{label}= takes a list: write [{ids!r}], not {ids!r}")
    values = tuple(ids)
    for value in values:
        if not is_guid(value):
            raise ConfigurationError(f"{label}= takes GUIDs, and {shown(value)} is not one")
    return tuple((name, value) for value in values)


def day_or_moment(value: date | datetime, label: str) -> str:
    """A day, or a moment in UTC with milliseconds, as reports take either (documented).

    Args:
        value: A date, or a datetime with a time zone.
        label: What the argument is called, for the error.

    Raises:
        ConfigurationError: It is neither.
    """
    if not isinstance(value, datetime):
        return require_date(value, label).isoformat()
    return moment_text(require_aware(value, label))


def flag(value: bool) -> str:
    """A truth value as a parameter."""
    return "true" if value else "false"
