"""What only the old API knows: subclasses of the common vocabulary with its further fields.

A team is an organisation, a team member a person. An entry of the old API is a `TimeEntry` like
any other, so code that takes those takes these.

Source: examples of rows (documented: old-rows).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jibble_async.entities import Client, Organization, Person, TimeEntry
from jibble_async.entities.base import Entity, Guid

__all__ = ["LegacyTimeEntry", "PowerUp", "Team", "TeamClient", "TeamMember"]


class Team(Organization):
    """A company, as the old API knows it."""

    working_hours: float | None = None
    """Hours of a working day."""
    first_weekday: int | None = None
    """The day that a week begins with; the example has 1."""
    first_month: int | None = None
    """The month that a year begins with; the example has 0."""
    member_sort_order: str | None = None
    """What members are sorted by, such as `firstName`."""
    subscription_plan_type: str | None = None
    """The plan, such as `power`."""
    subscription_plan_id: Guid | None = None
    """The plan's id."""
    owner_id: Guid | None = None
    """The id of a user, not of a team member: see `TeamMember.user_id`."""


class TeamMember(Person):
    """A person, as the old API knows one.

    `full_name` is the first and the last name with a space between; `organization_id` is the team;
    `role` is as the old API says it, such as `team_owner`.
    """

    first_name: str | None = None
    """The first name."""
    last_name: str | None = None
    """The last name."""
    team: Team | None = None
    """The team; only when expanded."""


class TeamClient(Client):
    """A client, as the old API knows one."""

    team: Team | None = None
    """The team; only when expanded."""


class LegacyTimeEntry(TimeEntry):
    """A time entry, as the old API knows one.

    The old API knows no projects but books an entry on a client. `local_time`, `offset` and
    `belongs_to_date` are there only in lists of a client that was given its `timezone=`.
    """

    client_id: Guid | None = None
    """The client that the entry is booked on."""
    client: Client | None = None
    """The client; only when expanded."""
    meta: dict[str, Any] | None = None
    """What the server notes of the program that made the entry, such as `app`."""
    custom_data: dict[str, Any] | None = None
    """What the maker of the entry stored with it."""


class PowerUp(Entity):
    """An extension that a team has switched on or off."""

    power_up_id: str | None = None
    """Which extension, such as `slack`."""
    is_enabled: bool | None = None
    """Whether it is switched on."""
    organization_id: Guid | None = None
    """The team."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
