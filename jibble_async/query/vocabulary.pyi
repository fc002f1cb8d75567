# Written by `make stubs`: change what it is written from instead.

from typing import overload

from jibble_async.entities import (
    AccrualDate,
    AccrualDateProcessing,
    AccrualSchedule,
    AccrualSettings,
    Activity,
    BalanceRules,
    BreakType,
    Calendar,
    CalendarDay,
    CalendarDayStatus,
    Client,
    ClientType,
    CommonStatus,
    Compensation,
    Coordinates,
    DayOfWeek,
    EmploymentType,
    EntryStatus,
    EntryType,
    ExportJob,
    ExportStatus,
    FileData,
    GeoFence,
    GeoUnits,
    Group,
    HourEntry,
    Location,
    Organization,
    Overtime,
    PayPeriodCycle,
    PayPeriodDefinition,
    Person,
    PersonStatus,
    Platform,
    Position,
    Project,
    Schedule,
    TimeEntry,
    TimeOff,
    TimeOffInterval,
    TimeOffKind,
    TimeOffPolicy,
    TimeOffStatus,
    TimeRangeStyle,
    Timesheet,
    TimesheetPerson,
    TimesheetSummary,
    WorkArrangement,
)
from jibble_async.query.entity_fields import Fields, Vocabulary
from jibble_async.query.fields import (
    BooleanField,
    CollectionField,
    DateField,
    DateTimeField,
    DurationField,
    EnumField,
    IdField,
    NumberField,
    TextField,
    TimeField,
)

VOCABULARY: Vocabulary

class AccrualSettingsFields(Fields):
    schedule: EnumField[AccrualSchedule | str]
    accrue: NumberField
    accrual_date: EnumField[AccrualDate | str]
    accrual_date_processing_type: EnumField[AccrualDateProcessing | str]
    custom_date_day: NumberField
    custom_date_month: NumberField
    waiting_period: NumberField
    payroll_hours: NumberField
    accrual_end_date: DateField
    max_limit: NumberField
    exclude_non_working_days: BooleanField
    exclude_public_holidays: BooleanField

class ActivityFields(Fields):
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

class BalanceRulesFields(Fields):
    carry_forward_amount: NumberField
    months_to_expire_carry_forward: NumberField

class CalendarDayFields(Fields):
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

class CalendarFields(Fields):
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

class ClientFields(Fields):
    id: IdField
    name: TextField
    code: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class CoordinatesFields(Fields):
    latitude: NumberField
    longitude: NumberField

class EmploymentTypeFields(Fields):
    id: IdField
    name: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class ExportJobFields(Fields):
    id: IdField
    job_id: IdField
    status: EnumField[ExportStatus | str]
    name: TextField
    file_name: TextField
    file_size_bytes: NumberField
    mime_type: TextField
    created_on: DateTimeField
    person_id: IdField
    organization_id: IdField
    request_parameters_hash_id: IdField

class FileDataFields(Fields):
    file_name: TextField
    size: NumberField
    content: TextField
    file_id: IdField
    hash: TextField

class GeoFenceFields(Fields):
    radius: NumberField
    units: EnumField[GeoUnits | str]
    radius_in_meters: NumberField

class GroupFields(Fields):
    id: IdField
    time_zone: TextField
    time_sheet_time_zone: TextField
    allowed_devices: CollectionField
    automatic_out_at_time: TimeField
    organization_id: IdField
    overridden_properties: CollectionField
    projects: CollectionField
    work_types: CollectionField
    managers: CollectionField
    unit_managers: CollectionField
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

class HourEntryFields(Fields):
    id: IdField
    date: DateField
    duration: DurationField
    status: EnumField[EntryStatus | str]
    person_id: IdField
    activity_id: IdField
    project_id: IdField
    note: TextField
    client_type: EnumField[ClientType | str]
    platform: PlatformFields
    created_at: DateTimeField
    person: PersonFields
    activity: ActivityFields
    project: ProjectFields

class LocationFields(Fields):
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

class OrganizationFields(Fields):
    id: IdField
    time_zone: TextField
    time_sheet_time_zone: TextField
    allowed_devices: CollectionField
    automatic_out_at_time: TimeField
    name: TextField
    status: EnumField[CommonStatus | str]
    face_recognition_model_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class OvertimeFields(Fields):
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

class PayPeriodDefinitionFields(Fields):
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

class PersonFields(Fields):
    id: IdField
    time_zone: TextField
    time_sheet_time_zone: TextField
    allowed_devices: CollectionField
    automatic_out_at_time: TimeField
    organization_id: IdField
    overridden_properties: CollectionField
    projects: CollectionField
    work_types: CollectionField
    managers: CollectionField
    unit_managers: CollectionField
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

class PlatformFields(Fields):
    client_version: TextField
    os: TextField
    device_model: TextField
    device_id: TextField
    device_name: TextField
    event_id: TextField
    is_qr_kiosk: BooleanField

class PositionFields(Fields):
    id: IdField
    name: TextField
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class ProjectFields(Fields):
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

class ScheduleFields(Fields):
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

class TimeEntryFields(Fields):
    id: IdField
    type: EnumField[EntryType | str]
    status: EnumField[EntryStatus | str]
    time: DateTimeField
    local_time: DateTimeField
    offset: DurationField
    belongs_to_date: DateField
    person_id: IdField
    organization_id: IdField
    activity_id: IdField
    project_id: IdField
    location_id: IdField
    kiosk_id: IdField
    break_id: IdField
    note: TextField
    address: TextField
    coordinates: CoordinatesFields
    picture: FileDataFields
    client_type: EnumField[ClientType | str]
    platform: PlatformFields
    auto_clock_out_time: DateTimeField
    clock_in_out_reminder_time: DateTimeField
    is_offline: BooleanField
    is_automatic: BooleanField
    is_manual: BooleanField
    is_outside_geofence: BooleanField
    is_manual_location: BooleanField
    is_unusual: BooleanField
    is_end_of_day: BooleanField
    is_from_speed_kiosk: BooleanField
    is_locked: BooleanField
    is_face_recognized: BooleanField
    face_similarity: NumberField
    previous_time_entry_id: IdField
    next_time_entry_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField
    person: PersonFields
    activity: ActivityFields
    project: ProjectFields

class TimeOffFields(Fields):
    id: IdField
    person_id: IdField
    policy_id: IdField
    kind: EnumField[TimeOffKind | str]
    status: EnumField[TimeOffStatus | str]
    start_date: DateField
    end_date: DateField
    start_time: DateTimeField
    end_time: DateTimeField
    note: TextField
    holidays: CollectionField
    duration: NumberField
    person: PersonFields
    policy: TimeOffPolicyFields

class TimeOffIntervalFields(Fields):
    id: IdField
    person_id: IdField
    policy_id: IdField
    kind: EnumField[TimeOffKind | str]
    status: EnumField[TimeOffStatus | str]
    start_date: DateField
    end_date: DateField
    start_time: DateTimeField
    end_time: DateTimeField
    note: TextField
    holidays: CollectionField
    organization_id: IdField
    created_at: DateTimeField
    updated_at: DateTimeField

class TimeOffPolicyFields(Fields):
    id: IdField
    name: TextField
    compensation: EnumField[Compensation | str]
    kind: EnumField[TimeOffKind | str]
    status: EnumField[CommonStatus | str]
    organization_id: IdField
    approval_config_id: IdField
    accrual_settings: AccrualSettingsFields
    balance_rules: BalanceRulesFields
    time_off_policy_units: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField

class TimesheetFields(Fields):
    person_id: IdField
    total: DurationField
    total_tracked: DurationField
    total_payroll: DurationField
    daily: CollectionField
    person: TimesheetPersonFields

class TimesheetPersonFields(Fields):
    id: IdField
    full_name: TextField
    code: TextField
    group_name: TextField
    position_name: TextField
    employment_type_name: TextField
    managers: CollectionField
    time_zone: TextField
    status: TextField

class TimesheetSummaryFields(Fields):
    person_id: IdField
    daily: CollectionField
    person: TimesheetPersonFields

@overload
def fields(entity: type[Group]) -> GroupFields: ...
@overload
def fields(entity: type[Person]) -> PersonFields: ...
@overload
def fields(entity: type[EmploymentType]) -> EmploymentTypeFields: ...
@overload
def fields(entity: type[Organization]) -> OrganizationFields: ...
@overload
def fields(entity: type[Position]) -> PositionFields: ...
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
