"""What calls take beside queries: ids, moments and flags."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from jibble_async.errors import ConfigurationError
from jibble_async.odata.literals import moment_text
from jibble_async.odata.names import camel
from jibble_async.query.values import IdLike, is_guid, plain, require_aware, require_date, shown

__all__ = ["day_or_moment", "flag", "optional_guid", "repeated_ids", "require_guid"]


def require_guid(value: IdLike, label: str) -> str:
    """The id.

    Raises:
        ConfigurationError: It is not a GUID.
    """
    text = str(value) if isinstance(value, UUID) else plain(value)
    if not is_guid(text):
        raise ConfigurationError(f"{label} is a GUID, and {shown(value)} is not one")
    guid: str = text
    return guid


def optional_guid(value: IdLike | UnsetType | None, label: str) -> str | UnsetType | None:
    """The id, if one is given; raises as `require_guid` does."""
    return value if value is None or value is UNSET else require_guid(value, label)


def repeated_ids(
    label: str, ids: Iterable[IdLike], *, spelt: str | None = None
) -> tuple[tuple[str, str], ...]:
    """A parameter once for each id: how several are given (documented: parameters).

    Args:
        label: What the argument is called.
        ids: GUIDs.
        spelt: The parameter's name on the wire, where it is not the argument's in camel case.

    Raises:
        ConfigurationError: One of them is no GUID, or a single text was given.
    """
    if isinstance(ids, str):
        raise ConfigurationError(f"{label}= takes a list: write [{ids!r}], not {ids!r}")
    return tuple((spelt or camel(label), require_guid(each, f"each of {label}=")) for each in ids)


def day_or_moment(value: date | datetime, label: str) -> str:
    """A day, or a moment in UTC with milliseconds, as reports take either (documented: literals).

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
