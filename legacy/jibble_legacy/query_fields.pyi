# Written by `make stubs`: change what it is written from instead.

from typing import overload

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
    HourEntry,
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
)
from jibble_async.query.entity_fields import Fields, Vocabulary
from jibble_async.query.fields import (
    BooleanField,
    DateTimeField,
    IdField,
    KeyedField,
    NumberField,
    TextField,
)
from jibble_async.query.vocabulary import (
    AccrualSettingsFields,
    ActivityFields,
    BalanceRulesFields,
    CalendarDayFields,
    CalendarFields,
    ClientFields,
    CoordinatesFields,
    EmploymentTypeFields,
    ExportJobFields,
    FileDataFields,
    GeoFenceFields,
    GroupFields,
    HourEntryFields,
    LocationFields,
    OrganizationFields,
    OvertimeFields,
    PayPeriodDefinitionFields,
    PersonFields,
    PlatformFields,
    PositionFields,
    ProjectFields,
    ScheduleFields,
    TimeEntryFields,
    TimeOffFields,
    TimeOffIntervalFields,
    TimeOffPolicyFields,
    TimesheetFields,
    TimesheetPersonFields,
    TimesheetSummaryFields,
)
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember

VOCABULARY: Vocabulary

class LegacyTimeEntryFields(TimeEntryFields):
    client_id: IdField
    client: ClientFields
    meta: KeyedField
    custom_data: KeyedField

class PowerUpFields(Fields):
    id: IdField
    power_up_id: TextField
    is_enabled: BooleanField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class TeamClientFields(ClientFields):
    team: TeamFields

class TeamFields(OrganizationFields):
    working_hours: NumberField
    first_weekday: NumberField
    first_month: NumberField
    member_sort_order: TextField
    subscription_plan_type: TextField
    subscription_plan_id: IdField
    owner_id: IdField

class TeamMemberFields(PersonFields):
    first_name: TextField
    last_name: TextField
    team: TeamFields

@overload
def fields(entity: type[TeamMember]) -> TeamMemberFields: ...
@overload
def fields(entity: type[Group]) -> GroupFields: ...
@overload
def fields(entity: type[Person]) -> PersonFields: ...
@overload
def fields(entity: type[Team]) -> TeamFields: ...
@overload
def fields(entity: type[EmploymentType]) -> EmploymentTypeFields: ...
@overload
def fields(entity: type[LegacyTimeEntry]) -> LegacyTimeEntryFields: ...
@overload
def fields(entity: type[Organization]) -> OrganizationFields: ...
@overload
def fields(entity: type[Position]) -> PositionFields: ...
@overload
def fields(entity: type[TeamClient]) -> TeamClientFields: ...
@overload
def fields(entity: type[TimeOff]) -> TimeOffFields: ...
@overload
def fields(entity: type[TimeOffInterval]) -> TimeOffIntervalFields: ...
@overload
def fields(entity: type[AccrualSettings]) -> AccrualSettingsFields: ...
@overload
def fields(entity: type[Activity]) -> ActivityFields: ...
@overload
def fields(entity: type[BalanceRules]) -> BalanceRulesFields: ...
@overload
def fields(entity: type[CalendarDay]) -> CalendarDayFields: ...
@overload
def fields(entity: type[Calendar]) -> CalendarFields: ...
@overload
def fields(entity: type[Client]) -> ClientFields: ...
@overload
def fields(entity: type[Coordinates]) -> CoordinatesFields: ...
@overload
def fields(entity: type[ExportJob]) -> ExportJobFields: ...
@overload
def fields(entity: type[FileData]) -> FileDataFields: ...
@overload
def fields(entity: type[GeoFence]) -> GeoFenceFields: ...
@overload
def fields(entity: type[HourEntry]) -> HourEntryFields: ...
@overload
def fields(entity: type[Location]) -> LocationFields: ...
@overload
def fields(entity: type[Overtime]) -> OvertimeFields: ...
@overload
def fields(entity: type[PayPeriodDefinition]) -> PayPeriodDefinitionFields: ...
@overload
def fields(entity: type[Platform]) -> PlatformFields: ...
@overload
def fields(entity: type[PowerUp]) -> PowerUpFields: ...
@overload
def fields(entity: type[Project]) -> ProjectFields: ...
@overload
def fields(entity: type[Schedule]) -> ScheduleFields: ...
@overload
def fields(entity: type[TimeEntry]) -> TimeEntryFields: ...
@overload
def fields(entity: type[TimeOffPolicy]) -> TimeOffPolicyFields: ...
@overload
def fields(entity: type[Timesheet]) -> TimesheetFields: ...
@overload
def fields(entity: type[TimesheetPerson]) -> TimesheetPersonFields: ...
@overload
def fields(entity: type[TimesheetSummary]) -> TimesheetSummaryFields: ...
