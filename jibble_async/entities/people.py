"""People, and the groups they belong to.

Source: the workspace host's metadata (metadata: people), unless a class names another.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Self

import msgspec

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.organization import CommonStatus, Settings
from jibble_async.entities.projects import ActivityGroup

__all__ = [
    "EmploymentType",
    "FileData",
    "Group",
    "GroupApprover",
    "ManagedUnit",
    "Person",
    "PersonKiosk",
    "PersonStatus",
    "Position",
    "UnitManager",
    "UnitProject",
    "UnitTimeOffPolicy",
    "UnitWorkType",
]


class FileData(ValueObject):
    """A file that hangs on something, such as a picture."""

    file_name: str | None = None
    """What the file is called."""
    size: int | None = None
    """Bytes."""
    content: str | None = None
    """Base64, usually absent."""
    file_id: Guid | None = None
    """The file's id."""
    hash: str | None = None
    """The hash of its content."""


class UnitProject(ValueObject):
    """That a unit works on a project."""

    project_id: Guid | None = None
    """The project."""
    unit_id: Guid | None = None
    """The person or group."""


class UnitWorkType(ValueObject):
    """That a unit has a work type."""

    work_type_id: Guid | None = None
    """The work type."""
    unit_id: Guid | None = None
    """The person or group."""


class UnitManager(ValueObject):
    """Who manages a unit."""

    unit_id: Guid | None = None
    """The person or group."""
    manager_id: Guid | None = None
    """The person who manages it."""


class UnitTimeOffPolicy(ValueObject):
    """That a time-off policy holds for a unit."""

    unit_id: Guid | None = None
    """The person or group."""
    time_off_policy_id: Guid | None = None
    """The policy."""
    joined_at: date | None = None
    """The day from which on it holds."""


class ManagedUnit(ValueObject):
    """A unit that a person manages."""

    unit_id: Guid | None = None
    """The unit."""
    manager_id: Guid | None = None
    """The person."""


class PersonKiosk(ValueObject):
    """A kiosk that a person may use."""

    person_id: Guid | None = None
    """The person."""
    kiosk_id: Guid | None = None
    """The kiosk."""


class GroupApprover(ValueObject):
    """Who approves for a group."""

    group_id: Guid | None = None
    """The group."""
    approver_id: Guid | None = None
    """The person who approves."""


class Unit(Settings):
    """What a person and a group have in common."""

    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    overridden_properties: list[str] | None = None
    """Which settings are its own, instead of those of what it is part of."""
    projects: list[UnitProject] | None = None
    """The projects that it works on, by id."""
    work_types: list[UnitWorkType] | None = None
    """Its work types, by id."""
    managers: list[UnitManager] | None = None
    """Who manages it, by id."""
    unit_managers: list[Person] | None = None
    """Who manages it, in person; only when expanded (observed: people)."""
    calendar_id: Guid | None = None
    """Its calendar of holidays."""
    schedule_id: Guid | None = None
    """Its schedule."""
    pay_period_definition_id: Guid | None = None
    """The periods that it is paid by."""
    unit_time_off_policies: list[UnitTimeOffPolicy] | None = None
    """The kinds of time off that it can take."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""


class Group(Unit):
    """A team or department."""

    name: str | None = None
    """What it is called."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    kiosks: list[PersonKiosk] | None = None
    """The kiosks that its people may use."""
    first_approvers: list[GroupApprover] | None = None
    """Who approves what its people do."""
    second_approvers: list[GroupApprover] | None = None
    """Who approves it then."""
    activities: list[ActivityGroup] | None = None
    """The activities that its people may choose."""


class Employment(Entity):
    """What a position and an employment type have in common."""

    name: str | None = None
    """What it is called."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""


class Position(Employment):
    """A job title."""


class EmploymentType(Employment):
    """How somebody is employed, such as part-time."""


class PersonStatus(OpenEnum):
    """Where a person stands with the organisation."""

    NOT_INVITED = "NotInvited"
    PENDING_INVITATION = "PendingInvitation"
    JOINED = "Joined"
    REMOVED = "Removed"


class Person(Unit):
    """Somebody who works here, or a key or kiosk that acts as one.

    `is_active` is the time-tracking host's (documented: people).
    """

    full_name: str | None = None
    """First and last name, as one."""
    preferred_name: str | None = None
    """What the person wants to be called."""
    email: str | None = None
    """The e-mail address, which nobody else has."""
    phone_number: str | None = None
    """The telephone number."""
    country_code: str | None = None
    """The country of that number."""
    code: str | None = None
    """The organisation's own code for the person, such as a staff number."""
    pin_code: str | None = None
    """What the person types at a kiosk; neither this nor the next is in the repr."""
    nfc_token: str | None = None
    """What the person's card says to a kiosk."""
    role: str | None = None
    """Free text; `Owner`, `Admin` and `Member` were seen."""
    status: PersonStatus | None = None
    """Whether the person was invited, joined or was removed."""
    group_id: Guid | None = None
    """The group that the person is in."""
    position_id: Guid | None = None
    """The job title."""
    employment_type_id: Guid | None = None
    """How the person is employed."""
    user_id: Guid | None = None
    """The account that the person signs in with."""
    picture: FileData | None = None
    """The picture."""
    managed_units: list[ManagedUnit] | None = None
    """The people and groups that the person manages."""
    kiosks: list[PersonKiosk] | None = None
    """The kiosks that the person may use."""
    has_embeddings: bool | None = None
    """Whether the person's face is known to the kiosks."""
    is_active: bool | None = None
    """Whether the person is clocked in; only where the time-tracking host answers."""
    join_date: datetime | None = None
    """When the person joined."""
    work_start_date: date | None = None
    """The first day of work."""
    invited_at: datetime | None = None
    """When the person was invited."""
    removed_at: datetime | None = None
    """When the person was removed; None if they weren't."""
    latest_time_entry_time: datetime | None = None
    """When the person last clocked in or out."""
    group: Group | None = None
    """The group; only when expanded."""
    position: Position | None = None
    """The job title; only when expanded."""
    employment_type: EmploymentType | None = None
    """The form of employment; only when expanded."""

    # A kiosk lets in whoever knows them.
    secret_fields: ClassVar[tuple[str, ...]] = ("pin_code", "nfc_token")

    def __repr__(self) -> str:
        return super(Person, self._shown()).__repr__()

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return super(Person, self._shown()).__rich_repr__()

    def _shown(self) -> Self:
        return msgspec.structs.replace(self, **dict.fromkeys(self.secret_fields))
