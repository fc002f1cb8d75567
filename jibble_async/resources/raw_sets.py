"""What can be exported of the current API, and which rows are meant by it."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any

import msgspec

from jibble_async.api.session import Session
from jibble_async.core.raw import RawSet, SetName, require_set
from jibble_async.entities import EntryStatus, Person, PersonStatus, TimeEntry
from jibble_async.odata.pages import query_pages
from jibble_async.odata.raw_pages import RawPages
from jibble_async.query.expressions import Expression, all_of
from jibble_async.query.options import Query
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import ArchivableResource, Resource
from jibble_async.resources.people import People
from jibble_async.resources.time_tracking import TimeEntries, entries_between
from jibble_async.resources.workspace import (
    Activities,
    Clients,
    Groups,
    Locations,
    Organizations,
    Projects,
)

__all__ = ["raw_set"]


class _ExportSet(msgspec.Struct, frozen=True):
    """A set of rows.

    Attributes:
        resource: The resource that lists it.
        current: What leaves out archived rows and removed people; None if there are none.
    """

    resource: type[Resource[Any]]
    current: Expression | None = None


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
    chosen = _sets()[name]
    conditions = [entries_between(since, until), None if include_archived else chosen.current]
    given = [condition for condition in conditions if condition is not None]
    operation, entity = chosen.resource.list_operation, chosen.resource.entity
    source = query_pages(
        operation,
        session.base(operation.service),
        Query(entity=entity, where=all_of(given) if given else None),
    )
    return RawSet(operation.service, entity, RawPages(source), session.page_size)


def _archivable(resource: type[ArchivableResource[Any]]) -> _ExportSet:
    return _ExportSet(resource, resource.not_archived())


@functools.cache
def _sets() -> dict[SetName, _ExportSet]:
    return {
        "activities": _archivable(Activities),
        "clients": _archivable(Clients),
        "groups": _archivable(Groups),
        "locations": _archivable(Locations),
        "organizations": _ExportSet(Organizations),
        "people": _ExportSet(People, fields(Person).status != PersonStatus.REMOVED),
        "projects": _archivable(Projects),
        "time_entries": _ExportSet(TimeEntries, fields(TimeEntry).status != EntryStatus.ARCHIVED),
    }
