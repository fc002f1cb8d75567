"""Every resource, under the name that a client offers it by."""

from __future__ import annotations

from functools import cached_property

from jibble_async.resources.attendance import Reports, Timesheets, TimesheetSummaries
from jibble_async.resources.base import ClientSession
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


class Catalog(ClientSession):
    """The resources of a client; each is made when it is first asked for."""

    @cached_property
    def organizations(self) -> Organizations:
        """The organisations that the credentials may see."""
        return Organizations(self)

    @cached_property
    def people(self) -> People:
        """The people of the organisation."""
        return People(self)

    @cached_property
    def groups(self) -> Groups:
        """The groups that people are in."""
        return Groups(self)

    @cached_property
    def positions(self) -> Positions:
        """The job titles."""
        return Positions(self)

    @cached_property
    def employment_types(self) -> EmploymentTypes:
        """The ways in which people are employed."""
        return EmploymentTypes(self)

    @cached_property
    def activities(self) -> Activities:
        """The kinds of work that time is booked on."""
        return Activities(self)

    @cached_property
    def projects(self) -> Projects:
        """The projects that time is booked on."""
        return Projects(self)

    @cached_property
    def clients(self) -> Clients:
        """The clients that projects are done for."""
        return Clients(self)

    @cached_property
    def locations(self) -> Locations:
        """The places where work is done."""
        return Locations(self)

    @cached_property
    def schedules(self) -> Schedules:
        """When people are expected to work."""
        return Schedules(self)

    @cached_property
    def calendars(self) -> Calendars:
        """The sets of holidays."""
        return Calendars(self)

    @cached_property
    def calendar_days(self) -> CalendarDays:
        """The holidays."""
        return CalendarDays(self)

    @cached_property
    def time_off_policies(self) -> TimeOffPolicies:
        """The kinds of time off."""
        return TimeOffPolicies(self)

    @cached_property
    def pay_period_definitions(self) -> PayPeriodDefinitions:
        """The periods that people are paid by."""
        return PayPeriodDefinitions(self)

    @cached_property
    def time_entries(self) -> TimeEntries:
        """The punches: clocking in, out, and going on a break."""
        return TimeEntries(self)

    @cached_property
    def time_off(self) -> TimeOffRequests:
        """Time off: asked for, granted and refused."""
        return TimeOffRequests(self)

    @cached_property
    def timesheets(self) -> Timesheets:
        """People's days in full, as the server adds them up."""
        return Timesheets(self)

    @cached_property
    def timesheet_summaries(self) -> TimesheetSummaries:
        """People's days as sums."""
        return TimesheetSummaries(self)

    @cached_property
    def reports(self) -> Reports:
        """The tracked-time report, and exports that the server makes."""
        return Reports(self)
