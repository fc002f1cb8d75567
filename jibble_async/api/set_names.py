# Written by `make stubs`: change what it is written from instead.
"""The sets that can be exported: those of the resources that say so."""

from typing import Literal, TypeAlias

__all__ = ["SetName"]
SetName: TypeAlias = Literal[
    "activities",
    "calendar_days",
    "calendars",
    "clients",
    "employment_types",
    "groups",
    "hour_entries",
    "locations",
    "organizations",
    "pay_period_definitions",
    "people",
    "positions",
    "projects",
    "schedules",
    "time_entries",
    "time_off",
    "time_off_policies",
    "timesheet_summaries",
    "timesheets",
]
