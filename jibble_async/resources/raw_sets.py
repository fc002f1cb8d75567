"""What can be exported of the current API, and which rows are meant by it."""

from __future__ import annotations

from datetime import date
from typing import Any

from jibble_async.api.base_client import resources_of
from jibble_async.api.listing import query_of
from jibble_async.api.raw import RawSet, require_set
from jibble_async.api.session import Session
from jibble_async.api.set_names import SetName
from jibble_async.odata.pages import query_pages
from jibble_async.odata.raw_pages import RawPages
from jibble_async.resources.base import Resource
from jibble_async.resources.catalog import Catalog
from jibble_async.resources.time_tracking import entries_between

__all__ = ["raw_set"]


def raw_set(
    session: Session,
    name: SetName,
    since: date | None,
    until: date | None,
    *,
    include_archived: bool,
    as_sent: bool,
) -> RawSet:
    """The rows that are meant by a set, as the server writes them; see `Session.raw_set`.

    Args:
        session: Knows where the service is.
        name: The set.
        since: The first working day; only for time entries.
        until: The last one, included.
        include_archived: Whether archived rows and removed people come along.
        as_sent: Of no consequence: rows are in the vocabulary's words as they are.

    Raises:
        ConfigurationError: There is no such set, or the dates can't be used.
    """
    require_set(name, since, until)
    resource: type[Resource[Any]] = resources_of(Catalog)[name]
    conditions = [entries_between(since, until), None if include_archived else resource.current()]
    operation, entity = resource.list_operation, resource.entity
    source = query_pages(
        operation, session.base(operation.service), query_of(entity, conditions, {})
    )
    return RawSet(operation.service, entity, RawPages(source), session.page_size)
