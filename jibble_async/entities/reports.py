"""Reports: tracked time by groups, and exports that the server makes."""

from __future__ import annotations

import datetime
import re

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject

__all__ = [
    "ExportFormat",
    "ExportJob",
    "ExportStatus",
    "GroupBy",
    "TrackedSubject",
    "TrackedTime",
]

# Not strptime's names of months, which follow the locale of whoever runs this.
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAY = r"([0-9]{1,2}) ([A-Za-z]+) ([0-9]{4})"


class GroupBy(OpenEnum):
    """What a report adds up by (documented: reports)."""

    DATE = "Date"
    MEMBER = "Member"
    CLIENT = "Client"
    PROJECT = "Project"
    ACTIVITY = "Activity"


class TrackedSubject(ValueObject):
    """What a row of a report is about.

    Source: an example (documented: reports); `entity_type`, `is_deleted` (observed: reports).
    """

    id: str | None = None
    """The id of the person, project and so on; of a day, its name."""
    name: str | None = None
    """What it is called."""
    chip_color: str | None = None
    """The colour that it is shown in."""
    entity_type: GroupBy | None = None
    """`Member` and `Date` were seen, presumably the names of `GroupBy`."""
    is_deleted: bool | None = None
    """Whether it is gone."""


class TrackedTime(ValueObject):
    """A row of the tracked-time report, with rows of its own where it was grouped twice.

    Source: an example (documented: reports); ids that are days (observed: reports).
    """

    id: str | None = None
    """An id, or where days are added up the day in words, such as `1 February 2026`."""
    tracked_time: datetime.timedelta | None = None
    """What was clocked."""
    time: datetime.timedelta | None = None
    """The same in the one documented example."""
    billable_amount: float | None = None
    """What may be charged for it; in which currency is not told."""
    subject: TrackedSubject | None = None
    """What the row is about."""
    items: list[TrackedTime] | None = None
    """The rows below this one."""

    @property
    def date(self) -> datetime.date | None:
        """The day that the row is about; None if it is about something else."""
        match = re.fullmatch(_DAY, self.id or "")
        if match is None or match[2].title() not in _MONTHS:
            return None
        month = _MONTHS.index(match[2].title()) + 1
        try:
            return datetime.date(int(match[3]), month, int(match[1]))
        except ValueError:
            return None


class ExportFormat(OpenEnum):
    """What kind of file an export is; only `Xlsx` is documented."""

    XLSX = "Xlsx"


class ExportStatus(OpenEnum):
    """How far an export is; no other name was ever published."""

    IN_PROGRESS = "InProgress"


class ExportJob(Entity):
    """An export that the server has begun. How to ask for its file was never published.

    Source: an example (documented: reports).
    """

    job_id: Guid | None = None
    """What the server calls the job."""
    status: ExportStatus | None = None
    """How far it is."""
    name: str | None = None
    """What the export is called."""
    file_name: str | None = None
    """What its file is called."""
    file_size_bytes: int | None = None
    """0 as long as there is no file."""
    mime_type: str | None = None
    """What kind of file it is."""
    created_on: datetime.datetime | None = None
    """When it began."""
    person_id: Guid | None = None
    """Who began it."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    request_parameters_hash_id: Guid | None = None
    """The hash of what was asked for."""
