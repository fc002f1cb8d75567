"""Sets of rows that nobody takes apart: what an export asks of a client, of either API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, get_args

import msgspec

from jibble_async.api.base_client import BaseClient
from jibble_async.api.set_names import SetName
from jibble_async.core.pages import PageSource, RawRow
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.days import require_span

__all__ = ["RawSet", "SetName", "raw_set_of"]


class RawSet(msgspec.Struct, frozen=True):
    """A set of rows, to be walked over.

    Attributes:
        service: The service whose limit its requests count against.
        shape: The class whose fields are the columns of a table of these rows.
        pages: Gives the rows.
        page_size: Rows to ask for at a time.
        check: Finds out before a row is asked for whether all can be read, where that needs
            a request.
        anchored: Whether rows stay in an order in which each place can be asked for.
        ids: The same rows, of which only the ids come.
        changes: The rows that changed since a moment, by it and the id, archived ones and those of
            other days too; None if nothing tells.
        by_day: The same rows by their days, or backwards; None if they are not asked for by days.
        day: The wire's name for the day by which rows are asked for.
        archived: The status of rows that are left out; None if none are.
    """

    service: str
    shape: type[msgspec.Struct]
    pages: PageSource[RawRow]
    page_size: int
    check: Callable[[], Awaitable[None]] | None = None
    anchored: bool = False
    ids: PageSource[RawRow] | None = None
    changes: Callable[[datetime], PageSource[RawRow]] | None = None
    by_day: Callable[[bool], PageSource[RawRow]] | None = None
    day: str | None = None
    archived: str | None = None


def raw_set_of(
    client: BaseClient[Any],
    name: SetName,
    since: date | None = None,
    until: date | None = None,
    *,
    include_archived: bool = False,
    as_sent: bool = True,
) -> RawSet:
    """A set of rows as bytes, nothing of which is fetched yet.

    Args:
        client: A client of either API.
        name: The set.
        since: The first day; only for rows that belong to days.
        until: The last one, included.
        include_archived: Whether archived rows and removed people come along.
        as_sent: Whether rows are to be as the server wrote them; otherwise they have the fields of
            the set's `shape`, and whatever else the server sent.

    Raises:
        ConfigurationError: There is no such set, or the dates can't be used.
        NotSupportedError: The client's API has nothing of the kind.
    """
    names = get_args(SetName)
    if name not in names:
        raise ConfigurationError(f"nothing called {name!r} to export: there are {', '.join(names)}")
    offered = [each for each in names if getattr(getattr(client, each, None), "exportable", False)]
    if name not in offered:
        raise NotSupportedError(f"this API has no {name} to export: there are {', '.join(offered)}")
    resource = getattr(client, name)
    if not resource.spans and (since is not None or until is not None):
        dated = [each for each in offered if getattr(client, each).spans]
        raise ConfigurationError(
            f"since= and until= are for {', '.join(dated)}: {name} have no date"
        )
    require_span(since, until)
    raw_set: RawSet = resource._raw_set(
        since, until, include_archived=include_archived, as_sent=as_sent
    )
    return raw_set
