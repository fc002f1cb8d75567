"""The declared fields of every entity, so that `fields(TimeEntry).person_idd` is a type error."""

from __future__ import annotations

from typing import Any, overload

from jibble_async.entities import (
    Activity,
    Client,
    ClientType,
    CommonStatus,
    Coordinates,
    EntryStatus,
    EntryType,
    FileData,
    GeoFence,
    GeoUnits,
    Group,
    Location,
    Organization,
    Person,
    PersonStatus,
    Platform,
    Position,
    Project,
    TimeEntry,
    ValueObject,
)
from jibble_async.errors import ConfigurationError
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

__all__ = [
    "ActivityFields",
    "ClientFields",
    "CoordinatesFields",
    "FileDataFields",
    "GeoFenceFields",
    "GroupFields",
    "LocationFields",
    "OrganizationFields",
    "PersonFields",
    "PlatformFields",
    "PositionFields",
    "ProjectFields",
    "TimeEntryFields",
    "fields",
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


class PlatformFields(Fields, entity=Platform):
    """The fields of a platform."""

    client_version: TextField
    os: TextField
    device_model: TextField
    device_id: TextField
    device_name: TextField
    event_id: TextField


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


@overload
def fields(entity: type[Coordinates]) -> CoordinatesFields: ...
@overload
def fields(entity: type[GeoFence]) -> GeoFenceFields: ...
@overload
def fields(entity: type[FileData]) -> FileDataFields: ...
@overload
def fields(entity: type[Platform]) -> PlatformFields: ...
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
def fields(entity: type[Group]) -> GroupFields: ...
@overload
def fields(entity: type[Person]) -> PersonFields: ...
@overload
def fields(entity: type[TimeEntry]) -> TimeEntryFields: ...
def fields(entity: type[ValueObject]) -> Any:
    """The fields of an entity, to write filters, selections and orders with.

    Args:
        entity: One of the entity classes.

    Raises:
        ConfigurationError: The class is not one of the vocabulary's.

    Example:
        >>> T = fields(TimeEntry)
        >>> condition = (T.belongs_to_date >= date(2026, 10, 1)) & ~T.note.contains("test")
    """
    try:
        return _FIELDS[entity]
    except KeyError:
        known = ", ".join(sorted(cls.__name__ for cls in _FIELDS))
        raise ConfigurationError(f"fields() knows {known}, not {entity!r}") from None


_FIELDS: dict[type[ValueObject], Fields] = {
    declaration.entity: declaration() for declaration in Fields.__subclasses__()
}
