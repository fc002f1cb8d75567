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

    Attributes:
        id: The id of the person, project and so on; of a day, its name.
        entity_type: `Member` and `Date` were seen, presumably the names of `GroupBy`.
    """

    id: str | None = None
    name: str | None = None
    chip_color: str | None = None
    entity_type: GroupBy | None = None
    is_deleted: bool | None = None


class TrackedTime(ValueObject):
    """A row of the tracked-time report, with rows of its own where it was grouped twice.

    Source: an example (documented: reports); ids that are days (observed: reports).

    Attributes:
        id: An id, or where days are added up the day in words, such as `1 February 2026`.
        tracked_time: What was clocked.
        time: The same in the one documented example.
        items: The rows below this one.
    """

    id: str | None = None
    tracked_time: datetime.timedelta | None = None
    time: datetime.timedelta | None = None
    billable_amount: float | None = None
    subject: TrackedSubject | None = None
    items: list[TrackedTime] | None = None

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

    Attributes:
        file_size_bytes: 0 as long as there is no file.
    """

    job_id: Guid | None = None
    status: ExportStatus | None = None
    name: str | None = None
    file_name: str | None = None
    file_size_bytes: int | None = None
    mime_type: str | None = None
    created_on: datetime.datetime | None = None
    person_id: Guid | None = None
    organization_id: Guid | None = None
    request_parameters_hash_id: Guid | None = None
