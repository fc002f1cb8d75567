"""Sets of rows that nobody takes apart: what an export asks of a client, of either API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import get_args

import msgspec

from jibble_async.api.set_names import SetName
from jibble_async.core.pages import PageSource, RawRow
from jibble_async.errors import ConfigurationError

__all__ = ["RawSet", "SetName", "require_set"]


class RawSet(msgspec.Struct, frozen=True):
    """A set of rows, to be walked over.

    Attributes:
        service: The service whose limit its requests count against.
        shape: The class whose fields are the columns of a table of these rows.
        pages: Gives the rows.
        page_size: Rows to ask for at a time.
        check: Finds out before a row is asked for whether all can be read, where that needs
            a request.
    """

    service: str
    shape: type[msgspec.Struct]
    pages: PageSource[RawRow]
    page_size: int
    check: Callable[[], Awaitable[None]] | None = None


def require_set(name: str, since: date | None, until: date | None) -> None:
    """Refuse a set that nobody knows, and days of what has no date.

    Args:
        name: The set.
        since: The first working day.
        until: The last one.

    Raises:
        ConfigurationError: There is no such set, or it has no dates.
    """
    names = get_args(SetName)
    if name not in names:
        raise ConfigurationError(f"nothing called {name!r} to export: there are {', '.join(names)}")
    if name != "time_entries" and (since is not None or until is not None):
        raise ConfigurationError("since= and until= are for time entries: these have no date")
