"""The declared fields of every entity, so that `fields(TimeEntry).person_idd` is a type error."""

from __future__ import annotations

from typing import Any, overload

from jibble_async.entities import (
    AccrualSettings,
    Activity,
    BalanceRules,
    Calendar,
    CalendarDay,
    Client,
    Coordinates,
    EmploymentType,
    ExportJob,
    FileData,
    GeoFence,
    Group,
    Location,
    Organization,
    Overtime,
    PayPeriodDefinition,
    Person,
    Platform,
    Position,
    Project,
    Schedule,
    TimeEntry,
    TimeOff,
    TimeOffInterval,
    TimeOffPolicy,
    Timesheet,
    TimesheetPerson,
    TimesheetSummary,
    ValueObject,
)
from jibble_async.errors import ConfigurationError
from jibble_async.query.fields import Fields
from jibble_async.query.time_fields import (
    AccrualSettingsFields,
    BalanceRulesFields,
    ExportJobFields,
    PlatformFields,
    TimeEntryFields,
    TimeOffFields,
    TimeOffIntervalFields,
    TimeOffPolicyFields,
    TimesheetFields,
    TimesheetPersonFields,
    TimesheetSummaryFields,
)
from jibble_async.query.workspace_fields import (
    ActivityFields,
    CalendarDayFields,
    CalendarFields,
    ClientFields,
    CoordinatesFields,
    EmploymentTypeFields,
    FileDataFields,
    GeoFenceFields,
    GroupFields,
    LocationFields,
    OrganizationFields,
    OvertimeFields,
    PayPeriodDefinitionFields,
    PersonFields,
    PositionFields,
    ProjectFields,
    ScheduleFields,
)

__all__ = [
    "AccrualSettingsFields",
    "ActivityFields",
    "BalanceRulesFields",
    "CalendarDayFields",
    "CalendarFields",
    "ClientFields",
    "CoordinatesFields",
    "EmploymentTypeFields",
    "ExportJobFields",
    "FileDataFields",
    "GeoFenceFields",
    "GroupFields",
    "LocationFields",
    "OrganizationFields",
    "OvertimeFields",
    "PayPeriodDefinitionFields",
    "PersonFields",
    "PlatformFields",
    "PositionFields",
    "ProjectFields",
    "ScheduleFields",
    "TimeEntryFields",
    "TimeOffFields",
    "TimeOffIntervalFields",
    "TimeOffPolicyFields",
    "TimesheetFields",
    "TimesheetPersonFields",
    "TimesheetSummaryFields",
    "fields",
]


@overload
def fields(entity: type[Coordinates]) -> CoordinatesFields: ...
@overload
def fields(entity: type[GeoFence]) -> GeoFenceFields: ...
@overload
def fields(entity: type[FileData]) -> FileDataFields: ...
@overload
def fields(entity: type[Organization]) -> OrganizationFields: ...
@overload
def fields(entity: type[Activity]) -> ActivityFields: ...
@overload
def fields(entity: type[Client]) -> ClientFields: ...
@overload
def fields(entity: type[Location]) -> LocationFields: ...
@overload
def fields(entity: type[Project]) -> ProjectFields: ...
@overload
def fields(entity: type[Position]) -> PositionFields: ...
@overload
def fields(entity: type[EmploymentType]) -> EmploymentTypeFields: ...
@overload
def fields(entity: type[Group]) -> GroupFields: ...
@overload
def fields(entity: type[Person]) -> PersonFields: ...
@overload
def fields(entity: type[Overtime]) -> OvertimeFields: ...
@overload
def fields(entity: type[Schedule]) -> ScheduleFields: ...
@overload
def fields(entity: type[Calendar]) -> CalendarFields: ...
@overload
def fields(entity: type[CalendarDay]) -> CalendarDayFields: ...
@overload
def fields(entity: type[PayPeriodDefinition]) -> PayPeriodDefinitionFields: ...
@overload
def fields(entity: type[Platform]) -> PlatformFields: ...
@overload
def fields(entity: type[TimeEntry]) -> TimeEntryFields: ...
@overload
def fields(entity: type[AccrualSettings]) -> AccrualSettingsFields: ...
@overload
def fields(entity: type[BalanceRules]) -> BalanceRulesFields: ...
@overload
def fields(entity: type[TimeOffPolicy]) -> TimeOffPolicyFields: ...
@overload
def fields(entity: type[TimeOff]) -> TimeOffFields: ...
@overload
def fields(entity: type[TimeOffInterval]) -> TimeOffIntervalFields: ...
@overload
def fields(entity: type[TimesheetPerson]) -> TimesheetPersonFields: ...
@overload
def fields(entity: type[Timesheet]) -> TimesheetFields: ...
@overload
def fields(entity: type[TimesheetSummary]) -> TimesheetSummaryFields: ...
@overload
def fields(entity: type[ExportJob]) -> ExportJobFields: ...
def fields(entity: type[ValueObject]) -> Any:
    """The fields of an entity, to write filters, selections and orders with.

    Args:
        entity: One of the entity classes; a subclass has the fields of its base.

    Raises:
        ConfigurationError: The class is not one of the vocabulary's.

    Example:
        >>> T = fields(TimeEntry)
        >>> condition = (T.belongs_to_date >= date(2026, 10, 1)) & ~T.note.contains("test")
    """
    for base in getattr(entity, "__mro__", ()):
        if base in _FIELDS:
            return _FIELDS[base]
    known = ", ".join(sorted(cls.__name__ for cls in _FIELDS))
    raise ConfigurationError(f"fields() knows {known}, not {entity!r}")


_FIELDS: dict[type[ValueObject], Fields] = {
    declaration.entity: declaration() for declaration in Fields.__subclasses__()
}
