"""Every resource, under the name that a client offers it by."""

from __future__ import annotations

from jibble_async.api.base_client import BaseClient
from jibble_async.api.session import Session
from jibble_async.resources.attendance import Reports, Timesheets, TimesheetSummaries
from jibble_async.resources.calendars import (
    CalendarDays,
    Calendars,
    PayPeriodDefinitions,
    Schedules,
    TimeOffPolicies,
)
from jibble_async.resources.hour_entries import HourEntries
from jibble_async.resources.people import People
from jibble_async.resources.time_entries import TimeEntries
from jibble_async.resources.time_off import TimeOffRequests
from jibble_async.resources.workspace import (
    Activities,
    Clients,
    EmploymentTypes,
    Groups,
    Locations,
    Organizations,
    Positions,
    Projects,
)

__all__ = ["Catalog"]


class Catalog(BaseClient[Session]):
    """The resources of a client; what each is for, its class says."""

    organizations: Organizations
    people: People
    groups: Groups
    positions: Positions
    employment_types: EmploymentTypes
    activities: Activities
    projects: Projects
    clients: Clients
    locations: Locations
    schedules: Schedules
    calendars: Calendars
    calendar_days: CalendarDays
    time_off_policies: TimeOffPolicies
    pay_period_definitions: PayPeriodDefinitions
    time_entries: TimeEntries
    hour_entries: HourEntries
    time_off: TimeOffRequests
    timesheets: Timesheets
    timesheet_summaries: TimesheetSummaries
    reports: Reports
