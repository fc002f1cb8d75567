"""What can be exported, and which rows are meant by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from jibble_async.entities import EntryStatus, Person, PersonStatus, TimeEntry
from jibble_async.errors import ConfigurationError
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

__all__ = ["ExportSet", "SetName", "find_set"]

SetName: TypeAlias = Literal[
    "activities",
    "clients",
    "groups",
    "locations",
    "organizations",
    "people",
    "projects",
    "time_entries",
]


@dataclass(frozen=True, slots=True)
class ExportSet:
    """A set of rows.

    Attributes:
        resource: The resource that lists it.
        current: What leaves out archived rows and removed people; None if there are none.
    """

    resource: type[Resource[Any]]
    current: Expression | None = None

    def query(self, since: date | None, until: date | None, *, include_archived: bool) -> Query:
        """The query for the rows that are meant.

        Args:
            since: The first working day; only for time entries.
            until: The last one, included.
            include_archived: Whether archived rows and removed people come along.

        Raises:
            ConfigurationError: The dates can't be used.
        """
        dated = self.resource is TimeEntries
        if not dated and (since is not None or until is not None):
            raise ConfigurationError("since= and until= are for time entries: these have no date")
        conditions = [entries_between(since, until), None if include_archived else self.current]
        given = [condition for condition in conditions if condition is not None]
        return Query(entity=self.resource.entity, where=all_of(given) if given else None)


def find_set(name: str) -> ExportSet:
    """The set of this name.

    Raises:
        ConfigurationError: There is none.
    """
    if name not in _SETS:
        raise ConfigurationError(f"nothing called {name!r} to export: there are {', '.join(_SETS)}")
    return _SETS[name]


def _archivable(resource: type[ArchivableResource[Any]]) -> ExportSet:
    return ExportSet(resource, resource.not_archived())


_SETS: dict[str, ExportSet] = {
    "activities": _archivable(Activities),
    "clients": _archivable(Clients),
    "groups": _archivable(Groups),
    "locations": _archivable(Locations),
    "organizations": ExportSet(Organizations),
    "people": ExportSet(People, fields(Person).status != PersonStatus.REMOVED),
    "projects": _archivable(Projects),
    "time_entries": ExportSet(TimeEntries, fields(TimeEntry).status != EntryStatus.ARCHIVED),
}
