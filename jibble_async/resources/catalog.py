"""Every resource, under the name that a client offers it by."""

from __future__ import annotations

from jibble_async.resources.attendance import Reports, Timesheets, TimesheetSummaries
from jibble_async.resources.base import ClientSession, lazy
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

    @lazy
    def organizations(self) -> Organizations:
        """The organisations that the credentials may see."""
        return Organizations(self)

    @lazy
    def people(self) -> People:
        """The people of the organisation."""
        return People(self)

    @lazy
    def groups(self) -> Groups:
        """The groups that people are in."""
        return Groups(self)

    @lazy
    def positions(self) -> Positions:
        """The job titles."""
        return Positions(self)

    @lazy
    def employment_types(self) -> EmploymentTypes:
        """The ways in which people are employed."""
        return EmploymentTypes(self)

    @lazy
    def activities(self) -> Activities:
        """The kinds of work that time is booked on."""
        return Activities(self)

    @lazy
    def projects(self) -> Projects:
        """The projects that time is booked on."""
        return Projects(self)

    @lazy
    def clients(self) -> Clients:
        """The clients that projects are done for."""
        return Clients(self)

    @lazy
    def locations(self) -> Locations:
        """The places where work is done."""
        return Locations(self)

    @lazy
    def schedules(self) -> Schedules:
        """When people are expected to work."""
        return Schedules(self)

    @lazy
    def calendars(self) -> Calendars:
        """The sets of holidays."""
        return Calendars(self)

    @lazy
    def calendar_days(self) -> CalendarDays:
        """The holidays."""
        return CalendarDays(self)

    @lazy
    def time_off_policies(self) -> TimeOffPolicies:
        """The kinds of time off."""
        return TimeOffPolicies(self)

    @lazy
    def pay_period_definitions(self) -> PayPeriodDefinitions:
        """The periods that people are paid by."""
        return PayPeriodDefinitions(self)

    @lazy
    def time_entries(self) -> TimeEntries:
        """The punches: clocking in, out, and going on a break."""
        return TimeEntries(self)

    @lazy
    def time_off(self) -> TimeOffRequests:
        """Time off: asked for, granted and refused."""
        return TimeOffRequests(self)

    @lazy
    def timesheets(self) -> Timesheets:
        """People's days in full, as the server adds them up."""
        return Timesheets(self)

    @lazy
    def timesheet_summaries(self) -> TimesheetSummaries:
        """People's days as sums."""
        return TimesheetSummaries(self)

    @lazy
    def reports(self) -> Reports:
        """The tracked-time report, and exports that the server makes."""
        return Reports(self)
