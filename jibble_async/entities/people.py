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
    """A file that hangs on something, such as a picture.

    Attributes:
        size: Bytes.
        content: Base64, usually absent.
    """

    file_name: str | None = None
    size: int | None = None
    content: str | None = None
    file_id: Guid | None = None
    hash: str | None = None


class UnitProject(ValueObject):
    """That a unit works on a project."""

    project_id: Guid | None = None
    unit_id: Guid | None = None


class UnitWorkType(ValueObject):
    """That a unit has a work type."""

    work_type_id: Guid | None = None
    unit_id: Guid | None = None


class UnitManager(ValueObject):
    """Who manages a unit."""

    unit_id: Guid | None = None
    manager_id: Guid | None = None


class UnitTimeOffPolicy(ValueObject):
    """That a time-off policy holds for a unit."""

    unit_id: Guid | None = None
    time_off_policy_id: Guid | None = None
    joined_at: date | None = None


class ManagedUnit(ValueObject):
    """A unit that a person manages."""

    unit_id: Guid | None = None
    manager_id: Guid | None = None


class PersonKiosk(ValueObject):
    """A kiosk that a person may use."""

    person_id: Guid | None = None
    kiosk_id: Guid | None = None


class GroupApprover(ValueObject):
    """Who approves for a group."""

    group_id: Guid | None = None
    approver_id: Guid | None = None


class Unit(Settings):
    """What a person and a group have in common.

    Attributes:
        unit_managers: Who manages it, in person; only when expanded (observed: people).
    """

    organization_id: Guid | None = None
    overridden_properties: list[str] | None = None
    projects: list[UnitProject] | None = None
    work_types: list[UnitWorkType] | None = None
    managers: list[UnitManager] | None = None
    unit_managers: list[Person] | None = None
    calendar_id: Guid | None = None
    schedule_id: Guid | None = None
    pay_period_definition_id: Guid | None = None
    unit_time_off_policies: list[UnitTimeOffPolicy] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Group(Unit):
    """A team or department."""

    name: str | None = None
    status: CommonStatus | None = None
    kiosks: list[PersonKiosk] | None = None
    first_approvers: list[GroupApprover] | None = None
    second_approvers: list[GroupApprover] | None = None
    activities: list[ActivityGroup] | None = None


class Employment(Entity):
    """What a position and an employment type have in common."""

    name: str | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


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
    `group`, `position` and `employment_type` are there only when expanded.

    Attributes:
        status: Whether the person was invited, joined or was removed.
        pin_code: What the person types at a kiosk; neither this nor the next is in the repr.
        nfc_token: What the person's card says to a kiosk.
        role: Free text; `Owner`, `Admin` and `Member` were seen.
        is_active: Whether the person is clocked in; only where the time-tracking host answers.
        latest_time_entry_time: When the person last clocked in or out.
    """

    full_name: str | None = None
    preferred_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    country_code: str | None = None
    code: str | None = None
    pin_code: str | None = None
    nfc_token: str | None = None
    role: str | None = None
    status: PersonStatus | None = None
    group_id: Guid | None = None
    position_id: Guid | None = None
    employment_type_id: Guid | None = None
    user_id: Guid | None = None
    picture: FileData | None = None
    managed_units: list[ManagedUnit] | None = None
    kiosks: list[PersonKiosk] | None = None
    has_embeddings: bool | None = None
    is_active: bool | None = None
    join_date: datetime | None = None
    work_start_date: date | None = None
    invited_at: datetime | None = None
    removed_at: datetime | None = None
    latest_time_entry_time: datetime | None = None
    group: Group | None = None
    position: Position | None = None
    employment_type: EmploymentType | None = None

    # A kiosk lets in whoever knows them: in no repr, and in no export unless they are asked for.
    secret_fields: ClassVar[tuple[str, ...]] = ("pin_code", "nfc_token")

    def __repr__(self) -> str:
        return super(Person, self._shown()).__repr__()

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return super(Person, self._shown()).__rich_repr__()

    def _shown(self) -> Self:
        return msgspec.structs.replace(self, **dict.fromkeys(self.secret_fields))
