"""The declared fields of time: entries, time off, timesheets and exports."""

from __future__ import annotations

from jibble_async.entities import (
    AccrualDate,
    AccrualDateProcessing,
    AccrualSchedule,
    AccrualSettings,
    BalanceRules,
    ClientType,
    CommonStatus,
    Compensation,
    EntryStatus,
    EntryType,
    ExportJob,
    ExportStatus,
    Platform,
    TimeEntry,
    TimeOff,
    TimeOffInterval,
    TimeOffKind,
    TimeOffPolicy,
    TimeOffStatus,
    Timesheet,
    TimesheetPerson,
    TimesheetSummary,
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
)
from jibble_async.query.workspace_fields import (
    ActivityFields,
    CoordinatesFields,
    FileDataFields,
    PersonFields,
    ProjectFields,
)

__all__ = [
    "AccrualSettingsFields",
    "BalanceRulesFields",
    "ExportJobFields",
    "PlatformFields",
    "TimeEntryFields",
    "TimeOffFields",
    "TimeOffIntervalFields",
    "TimeOffPolicyFields",
    "TimesheetFields",
    "TimesheetPersonFields",
    "TimesheetSummaryFields",
]


class PlatformFields(Fields, entity=Platform):
    """The fields of a platform."""

    client_version: TextField
    os: TextField
    device_model: TextField
    device_id: TextField
    device_name: TextField
    event_id: TextField


class TimeEntryFields(Fields, entity=TimeEntry):
    """The fields of a time entry."""

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


class AccrualSettingsFields(Fields, entity=AccrualSettings):
    """The fields of accrual settings."""

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


class BalanceRulesFields(Fields, entity=BalanceRules):
    """The fields of balance rules."""

    carry_forward_amount: NumberField
    months_to_expire_carry_forward: NumberField


class TimeOffPolicyFields(Fields, entity=TimeOffPolicy):
    """The fields of a time-off policy."""

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


class TimeOffFields(Fields, entity=TimeOff):
    """The fields of time off in the overview."""

    id: IdField
    person_id: IdField
    policy_id: IdField
    kind: EnumField[TimeOffKind | str]
    status: EnumField[TimeOffStatus | str]
    start_date: DateField
    end_date: DateField
    start_time: DateTimeField
    end_time: DateTimeField
    duration: NumberField
    note: TextField
    holidays: CollectionField
    person: PersonFields
    policy: TimeOffPolicyFields


class TimeOffIntervalFields(Fields, entity=TimeOffInterval):
    """The fields of time off as it is kept."""

    id: IdField
    person_id: IdField
    policy_id: IdField
    organization_id: IdField
    kind: EnumField[TimeOffKind | str]
    status: EnumField[TimeOffStatus | str]
    start_date: DateField
    end_date: DateField
    start_time: DateTimeField
    end_time: DateTimeField
    note: TextField
    holidays: CollectionField
    created_at: DateTimeField
    updated_at: DateTimeField


class TimesheetPersonFields(Fields, entity=TimesheetPerson):
    """The fields of the person of a timesheet."""

    id: IdField
    full_name: TextField
    code: TextField
    group_name: TextField
    position_name: TextField
    employment_type_name: TextField
    managers: CollectionField
    time_zone: TextField
    status: TextField


class TimesheetFields(Fields, entity=Timesheet):
    """The fields of a timesheet."""

    person_id: IdField
    total: DurationField
    total_tracked: DurationField
    total_payroll: DurationField
    daily: CollectionField
    person: TimesheetPersonFields


class TimesheetSummaryFields(Fields, entity=TimesheetSummary):
    """The fields of a summary of a timesheet."""

    person_id: IdField
    daily: CollectionField
    person: TimesheetPersonFields


class ExportJobFields(Fields, entity=ExportJob):
    """The fields of an export."""

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
