"""Time off: what people asked for, what became of it, and the policies it falls under.

Source: the workspace host's metadata (metadata: calendars), unless a class names another.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.organization import CommonStatus
from jibble_async.entities.people import Person, UnitTimeOffPolicy

__all__ = [
    "AccrualDate",
    "AccrualDateProcessing",
    "AccrualSchedule",
    "AccrualSettings",
    "BalanceRules",
    "Compensation",
    "TimeOff",
    "TimeOffInterval",
    "TimeOffKind",
    "TimeOffPolicy",
    "TimeOffStatus",
]


class TimeOffStatus(OpenEnum):
    """What became of a request (documented: time-off)."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"
    CANCELLED = "Cancelled"


class TimeOffKind(OpenEnum):
    """Whether time off is taken by days or by hours."""

    FULL_DAY = "FullDay"
    HOURS = "Hours"


class Compensation(OpenEnum):
    """Whether time off is paid."""

    PAID = "Paid"
    UNPAID = "Unpaid"


class AccrualSchedule(OpenEnum):
    """How often a balance grows."""

    NONE = "None"
    ANNUALLY = "Annually"
    MONTHLY = "Monthly"
    PAY_PERIOD = "PayPeriod"
    PAYROLL_HOURS = "PayrollHours"


class AccrualDate(OpenEnum):
    """The day from which a balance grows."""

    JOINED_DATE = "JoinedDate"
    POLICY_JOINED_DATE = "PolicyJoinedDate"
    CUSTOM_DATE = "CustomDate"


class AccrualDateProcessing(OpenEnum):
    """At which end of a period a balance grows."""

    START = "Start"
    END = "End"


class AccrualSettings(ValueObject):
    """How a balance grows; its units are not documented."""

    schedule: AccrualSchedule | None = None
    """How often it grows."""
    accrue: float | None = None
    """By how much."""
    accrual_date: AccrualDate | None = None
    """The day from which it grows."""
    accrual_date_processing_type: AccrualDateProcessing | None = None
    """At which end of a period."""
    custom_date_day: int | None = None
    """The day of the month of a date that was chosen."""
    custom_date_month: int | None = None
    """Its month."""
    waiting_period: float | None = None
    """How long new people wait."""
    payroll_hours: int | None = None
    """The paid hours for which it grows, where it grows by those."""
    accrual_end_date: date | None = None
    """The day on which it stops growing."""
    max_limit: float | None = None
    """The most that it can be."""
    exclude_non_working_days: bool | None = None
    """Whether days without work cost none of it."""
    exclude_public_holidays: bool | None = None
    """Whether holidays cost none of it."""


class BalanceRules(ValueObject):
    """What of a balance is kept at its end."""

    carry_forward_amount: float | None = None
    """How much is carried over."""
    months_to_expire_carry_forward: int | None = None
    """Months after which that is lost."""


class TimeOffPolicy(Entity):
    """A kind of time off, such as vacation."""

    name: str | None = None
    """What it is called."""
    compensation: Compensation | None = None
    """Whether it is paid."""
    kind: TimeOffKind | None = None
    """Whether it is taken by days or by hours."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    approval_config_id: Guid | None = None
    """The rules by which it is approved."""
    accrual_settings: AccrualSettings | None = None
    """How its balance grows."""
    balance_rules: BalanceRules | None = None
    """What of its balance is kept."""
    time_off_policy_units: list[UnitTimeOffPolicy] | None = None
    """The people and groups that it holds for."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""


class Absence(Entity):
    """What both forms of somebody's time off say."""

    person_id: Guid | None = None
    """Who is away."""
    policy_id: Guid | None = None
    """Under which policy."""
    kind: TimeOffKind | None = None
    """Whether days or hours are taken."""
    status: TimeOffStatus | None = None
    """What became of the request."""
    start_date: date | None = None
    """The first day."""
    end_date: date | None = None
    """The last day, included."""
    start_time: datetime | None = None
    """Where hours are taken: when they begin."""
    end_time: datetime | None = None
    """When they end."""
    note: str | None = None
    """A note."""
    holidays: list[Any] | None = None
    """As the server sends them; only an empty list was ever seen."""


class TimeOff(Absence):
    """Somebody's time off, asked for or decided, as the overview lists it.

    Source: an example (documented: time-off); one of the two dates may be null on a single day
    (observed: time-off).
    """

    duration: float | None = None
    """How many days, such as 7 or 0.5; not a length of time."""
    person: Person | None = None
    """The person; only when expanded."""
    policy: TimeOffPolicy | None = None
    """The policy; only when expanded."""


class TimeOffInterval(Absence):
    """Somebody's time off as the server keeps it; its id is that of the overview's row.

    Source: an example (documented: time-off).
    """

    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
