"""The declared fields of what the workspace is made of: people, work, places, schedules."""

from __future__ import annotations

from jibble_async.entities import (
    Activity,
    BreakType,
    Calendar,
    CalendarDay,
    CalendarDayStatus,
    Client,
    CommonStatus,
    Coordinates,
    DayOfWeek,
    EmploymentType,
    FileData,
    GeoFence,
    GeoUnits,
    Group,
    Location,
    Organization,
    Overtime,
    PayPeriodCycle,
    PayPeriodDefinition,
    Person,
    PersonStatus,
    Position,
    Project,
    Schedule,
    TimeRangeStyle,
    WorkArrangement,
)
from jibble_async.query.fields import (
    BooleanField,
    CollectionField,
    DateField,
    DateTimeField,
    DurationField,
    EnumField,
    Fields,
    IdField,
    NumberField,
    TextField,
    TimeField,
)

__all__ = [
    "ActivityFields",
    "CalendarDayFields",
    "CalendarFields",
    "ClientFields",
    "CoordinatesFields",
    "EmploymentTypeFields",
    "FileDataFields",
    "GeoFenceFields",
    "GroupFields",
    "LocationFields",
    "OrganizationFields",
    "OvertimeFields",
    "PayPeriodDefinitionFields",
    "PersonFields",
    "PositionFields",
    "ProjectFields",
    "ScheduleFields",
]


class CoordinatesFields(Fields, entity=Coordinates):
    """The fields of coordinates."""

    latitude: NumberField
    longitude: NumberField


class GeoFenceFields(Fields, entity=GeoFence):
    """The fields of a geofence."""

    radius: NumberField
    units: EnumField[GeoUnits | str]
    radius_in_meters: NumberField


class FileDataFields(Fields, entity=FileData):
    """The fields of a file."""

    file_name: TextField
    size: NumberField
    content: TextField
    file_id: IdField
    hash: TextField


class OrganizationFields(Fields, entity=Organization):
    """The fields of an organisation."""

    id: IdField
    name: TextField
    status: EnumField[CommonStatus | str]
    face_recognition_model_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


class ActivityFields(Fields, entity=Activity):
    """The fields of an activity."""

    id: IdField
    name: TextField
    code: TextField
    description: TextField
    color: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    assigned_groups: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField


class ClientFields(Fields, entity=Client):
    """The fields of a client."""

    id: IdField
    name: TextField
    code: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


class LocationFields(Fields, entity=Location):
    """The fields of a location."""

    id: IdField
    name: TextField
    code: TextField
    address: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    geo_fence: GeoFenceFields
    coordinates: CoordinatesFields
    schedules: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField


class ProjectFields(Fields, entity=Project):
    """The fields of a project."""

    id: IdField
    name: TextField
    code: TextField
    description: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    client_id: IdField
    location_id: IdField
    assignees: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField
    client: ClientFields
    location: LocationFields


class PositionFields(Fields, entity=Position):
    """The fields of a position."""

    id: IdField
    name: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


class EmploymentTypeFields(Fields, entity=EmploymentType):
    """The fields of an employment type."""

    id: IdField
    name: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


class GroupFields(Fields, entity=Group):
    """The fields of a group."""

    id: IdField
    organization_id: IdField
    overridden_properties: CollectionField
    projects: CollectionField
    work_types: CollectionField
    managers: CollectionField
    calendar_id: IdField
    schedule_id: IdField
    pay_period_definition_id: IdField
    unit_time_off_policies: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField
    name: TextField
    status: EnumField[CommonStatus | str]
    kiosks: CollectionField
    first_approvers: CollectionField
    second_approvers: CollectionField
    activities: CollectionField


class PersonFields(Fields, entity=Person):
    """The fields of a person."""

    id: IdField
    organization_id: IdField
    overridden_properties: CollectionField
    projects: CollectionField
    work_types: CollectionField
    managers: CollectionField
    calendar_id: IdField
    schedule_id: IdField
    pay_period_definition_id: IdField
    unit_time_off_policies: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField
    full_name: TextField
    preferred_name: TextField
    email: TextField
    phone_number: TextField
    country_code: TextField
    code: TextField
    pin_code: TextField
    nfc_token: TextField
    role: TextField
    status: EnumField[PersonStatus | str]
    group_id: IdField
    position_id: IdField
    employment_type_id: IdField
    user_id: IdField
    picture: FileDataFields
    managed_units: CollectionField
    kiosks: CollectionField
    has_embeddings: BooleanField
    is_active: BooleanField
    join_date: DateTimeField
    work_start_date: DateField
    invited_at: DateTimeField
    removed_at: DateTimeField
    latest_time_entry_time: DateTimeField
    group: GroupFields
    position: PositionFields
    employment_type: EmploymentTypeFields


class OvertimeFields(Fields, entity=Overtime):
    """The fields of overtime."""

    time_range_style: EnumField[TimeRangeStyle | str]
    daily_overtime: BooleanField
    daily_from: TimeField
    daily_duration: DurationField
    daily_overtime_multiplier: NumberField
    daily_double_overtime: BooleanField
    daily_double_from: TimeField
    daily_double_duration: DurationField
    daily_double_overtime_multiplier: NumberField
    weekly_overtime: BooleanField
    weekly_duration: DurationField
    weekly_overtime_multiplier: NumberField
    rest_day_overtime: BooleanField
    rest_day_overtime_multiplier: NumberField
    public_holiday_overtime: BooleanField
    public_holiday_overtime_multiplier: NumberField
    end_work_day_at: TimeField


class ScheduleFields(Fields, entity=Schedule):
    """The fields of a schedule."""

    id: IdField
    name: TextField
    work_arrangement: EnumField[WorkArrangement | str]
    default: BooleanField
    day_schedules: CollectionField
    auto_deductions: CollectionField
    breaks: CollectionField
    breaks_type: EnumField[BreakType | str]
    locations: CollectionField
    overtime: OvertimeFields
    weekly_hours: DurationField
    exclude_early_clock_in: BooleanField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField


class CalendarFields(Fields, entity=Calendar):
    """The fields of a calendar."""

    id: IdField
    name: TextField
    default: BooleanField
    import_source_id: IdField
    calendar_import_source_extra_option: TextField
    auto_sync: BooleanField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField
    last_refreshed_at: DateTimeField


class CalendarDayFields(Fields, entity=CalendarDay):
    """The fields of a day of a calendar."""

    id: IdField
    calendar_id: IdField
    date: DateField
    name: TextField
    status: EnumField[CalendarDayStatus | str]
    is_short_day: BooleanField
    rules: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField
    calendar: CalendarFields


class PayPeriodDefinitionFields(Fields, entity=PayPeriodDefinition):
    """The fields of a definition of pay periods."""

    id: IdField
    name: TextField
    cycle: EnumField[PayPeriodCycle | str]
    start_at_day_of_week: EnumField[DayOfWeek | str]
    start_from_date: DateField
    start_at_day_number_first: NumberField
    start_at_day_number_second: NumberField
    default: BooleanField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField
