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
from jibble_async.resources.people import People
from jibble_async.resources.time_off import TimeOffRequests
from jibble_async.resources.time_tracking import TimeEntries
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

    def _equip(self, session: Session) -> None:
        super()._equip(session)
        self.organizations: Organizations = Organizations(session)
        self.people: People = People(session)
        self.groups: Groups = Groups(session)
        self.positions: Positions = Positions(session)
        self.employment_types: EmploymentTypes = EmploymentTypes(session)
        self.activities: Activities = Activities(session)
        self.projects: Projects = Projects(session)
        self.clients: Clients = Clients(session)
        self.locations: Locations = Locations(session)
        self.schedules: Schedules = Schedules(session)
        self.calendars: Calendars = Calendars(session)
        self.calendar_days: CalendarDays = CalendarDays(session)
        self.time_off_policies: TimeOffPolicies = TimeOffPolicies(session)
        self.pay_period_definitions: PayPeriodDefinitions = PayPeriodDefinitions(session)
        self.time_entries: TimeEntries = TimeEntries(session)
        self.time_off: TimeOffRequests = TimeOffRequests(session)
        self.timesheets: Timesheets = Timesheets(session)
        self.timesheet_summaries: TimesheetSummaries = TimesheetSummaries(session)
        self.reports: Reports = Reports(session)
