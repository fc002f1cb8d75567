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
    accrue: float | None = None
    accrual_date: AccrualDate | None = None
    accrual_date_processing_type: AccrualDateProcessing | None = None
    custom_date_day: int | None = None
    custom_date_month: int | None = None
    waiting_period: float | None = None
    payroll_hours: int | None = None
    accrual_end_date: date | None = None
    max_limit: float | None = None
    exclude_non_working_days: bool | None = None
    exclude_public_holidays: bool | None = None


class BalanceRules(ValueObject):
    """What of a balance is kept at its end."""

    carry_forward_amount: float | None = None
    months_to_expire_carry_forward: int | None = None


class TimeOffPolicy(Entity):
    """A kind of time off, such as vacation."""

    name: str | None = None
    compensation: Compensation | None = None
    kind: TimeOffKind | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    approval_config_id: Guid | None = None
    accrual_settings: AccrualSettings | None = None
    balance_rules: BalanceRules | None = None
    time_off_policy_units: list[UnitTimeOffPolicy] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Absence(Entity):
    """What both forms of somebody's time off say.

    Attributes:
        start_date: The first day.
        end_date: The last day, included.
        start_time: Where hours are taken: when they begin.
        holidays: As the server sends them; only an empty list was ever seen.
    """

    person_id: Guid | None = None
    policy_id: Guid | None = None
    kind: TimeOffKind | None = None
    status: TimeOffStatus | None = None
    start_date: date | None = None
    end_date: date | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    note: str | None = None
    holidays: list[Any] | None = None


class TimeOff(Absence):
    """Somebody's time off, asked for or decided, as the overview lists it.

    Source: an example (documented: time-off); one of the two dates may be null on a single day
    (observed: time-off).
    `person` and `policy` are there only when expanded.

    Attributes:
        duration: How many days, such as 7 or 0.5; not a length of time.
    """

    duration: float | None = None
    person: Person | None = None
    policy: TimeOffPolicy | None = None


class TimeOffInterval(Absence):
    """Somebody's time off as the server keeps it; its id is that of the overview's row.

    Source: an example (documented: time-off).
    """

    organization_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
