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
    """A company, as the old API knows it.

    Attributes:
        working_hours: Hours of a working day.
        first_weekday: The day that a week begins with; the example has 1.
        first_month: The month that a year begins with; the example has 0.
        member_sort_order: What members are sorted by, such as `firstName`.
        subscription_plan_type: The plan, such as `power`.
        owner_id: The id of a user, not of a team member: see `TeamMember.user_id`.
    """

    working_hours: float | None = None
    first_weekday: int | None = None
    first_month: int | None = None
    member_sort_order: str | None = None
    subscription_plan_type: str | None = None
    subscription_plan_id: Guid | None = None
    owner_id: Guid | None = None


class TeamMember(Person):
    """A person, as the old API knows one.

    `full_name` is the first and the last name with a space between; `organization_id` is the team;
    `role` is as the old API says it, such as `team_owner`. `team` is there only when expanded.
    """

    first_name: str | None = None
    last_name: str | None = None
    team: Team | None = None


class TeamClient(Client):
    """A client, as the old API knows one.

    `team` is there only when expanded.
    """

    team: Team | None = None


class LegacyTimeEntry(TimeEntry):
    """A time entry, as the old API knows one.

    The old API knows no projects but books an entry on a client. `client` is there only when
    expanded. `local_time`, `offset` and `belongs_to_date` are there only in lists of a client that
    was given its `timezone=`.

    Attributes:
        meta: What the server notes of the program that made the entry, such as `app`.
        custom_data: What the maker of the entry stored with it.
    """

    client_id: Guid | None = None
    client: Client | None = None
    meta: dict[str, Any] | None = None
    custom_data: dict[str, Any] | None = None


class PowerUp(Entity):
    """An extension that a team has switched on or off.

    Attributes:
        power_up_id: Which extension, such as `slack`.
    """

    power_up_id: str | None = None
    is_enabled: bool | None = None
    organization_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
