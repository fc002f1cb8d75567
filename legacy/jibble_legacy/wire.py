"""The old API's rows as they are on the wire, and pages of them: bare arrays of JSON.

Source: documented examples. A reference is `{"id": …}`, or the whole object where it was included;
keys are in camel case but for the two stamps. Whatever is absent is None.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

__all__ = [
    "ActivityRow",
    "ClientRow",
    "EntryRow",
    "MemberRow",
    "PowerUpRow",
    "Reference",
    "Row",
    "TeamRow",
]


class Reference(msgspec.Struct, frozen=True, gc=False):
    """Something that is named by its id."""

    id: str


class Row(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What all rows have. As a reference to it, a row has nothing but its id."""

    id: str
    updated_at: datetime | None = msgspec.field(name="updated_at", default=None)
    created_at: datetime | None = msgspec.field(name="created_at", default=None)

    @property
    def is_whole(self) -> bool:
        """Whether there is more than an id."""
        return self != type(self)(self.id)


class TeamRow(Row, frozen=True, gc=False, rename="camel"):
    """A team."""

    name: str | None = None
    working_hours: float | None = None
    first_weekday: int | None = None
    subscription_plan_type: str | None = None
    first_month: int | None = None
    member_sort_order: str | None = None
    owner: Reference | None = None
    subscription_plan: Reference | None = None


class MemberRow(Row, frozen=True, gc=False, rename="camel"):
    """A team member."""

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    role: str | None = None
    team: TeamRow | None = None
    user: Reference | None = None


class ActivityRow(Row, frozen=True, gc=False, rename="camel"):
    """An activity."""

    name: str | None = None
    description: str | None = None
    color: str | None = None
    team: TeamRow | None = None


class ClientRow(Row, frozen=True, gc=False, rename="camel"):
    """A client."""

    name: str | None = None
    team: TeamRow | None = None


class PowerUpRow(Row, frozen=True, gc=False, rename="camel"):
    """A power-up."""

    team: TeamRow | None = None
    is_enabled: bool | None = None
    power_up_id: str | None = None


class EntryRow(Row, frozen=True, gc=False, rename="camel"):
    """A time entry."""

    action: int | None = None
    date: datetime | None = None
    notes: str | None = None
    person: MemberRow | None = None
    activity: ActivityRow | None = None
    client: ClientRow | None = None
    meta: dict[str, Any] | None = None
    custom_data: dict[str, Any] | None = None
