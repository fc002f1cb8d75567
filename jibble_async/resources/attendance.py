"""The time-attendance host: hours as the server adds them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias, TypeVar, Unpack

from jibble_async.api.listing import query_of, require_known
from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.api.writing import call_once
from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.core.paging import PageOptions
from jibble_async.core.wire import reader
from jibble_async.entities import (
    ExportFormat,
    ExportJob,
    GroupBy,
    Period,
    Timesheet,
    TimesheetSummary,
    TrackedTime,
    ValueObject,
)
from jibble_async.errors import ConfigurationError
from jibble_async.odata.pages import ODataPages, query_pages
from jibble_async.odata.parameters import day_or_moment, flag, repeated_ids
from jibble_async.odata.slices import sliced
from jibble_async.query.clauses import Expandable, Ordering, Sortable
from jibble_async.query.days import require_span
from jibble_async.query.expressions import Expression
from jibble_async.query.values import IdLike, require_date
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import Listing, routes_of

__all__ = ["Reports", "SheetOptions", "TimesheetSummaries", "Timesheets"]

V = TypeVar("V", bound=ValueObject)
_Params: TypeAlias = tuple[tuple[str, str], ...]

_SERVICE = "time-attendance"
_PAGE_SIZE = 100
# Those of the arguments that say which days, in the order in which `_span` takes them.
_SPAN = ("since", "until", "period", "end_date")
_TRACKED_TIME = routes_of(_SERVICE, "TrackedTimeReport", "reports").listing.called("tracked_time")
# A GET that starts a job (documented: reports): twice is not the same as once.
_START_EXPORT = Operation(
    _SERVICE,
    "GET",
    "/v1/TimeAttendanceReportStartExport",
    Safety.ONCE,
    name="reports.start_attendance_export",
)


class SheetOptions(PageOptions, total=False):
    """The arguments that the `list()` of all sets of timesheets takes, beside those of its own."""

    since: date | None
    """The first day; goes with `until`, and instead of a date."""
    until: date | None
    """The last day, included."""
    period: Period | str | None
    """What around the date is meant; by default that day alone, or the span up to `end_date`."""
    end_date: date | None
    """The last day, included; only with a date, for `Period.CUSTOM`."""
    person_ids: Iterable[IdLike]
    """Only these people."""
    where: Expression | None
    """A condition, such as `fields(TimesheetSummary).person_id == person.id`."""
    server_paged: bool
    """Ask for no page and no order, and take what the server gives."""


class _Sheets(Listing[V], exportable=True, spans=True):
    """Rows that are people with all their days, so a page holds fewer of them than elsewhere.

    They are exported as they are listed: a row for each person, of one span of days.

    Attributes:
        counted: Whether the server is asked to count them.
        sorted_by: What they are sorted by, where that can be asked for.
    """

    counted: ClassVar[bool] = True
    sorted_by: ClassVar[tuple[Ordering, ...]] = ()

    def _raw_set(
        self, since: date | None, until: date | None, *, include_archived: bool, as_sent: bool
    ) -> RawSet:
        """A row for each person; see `jibble_async.api.raw.raw_set_of`."""
        operation = self.routes.listing
        source = query_pages(
            operation,
            self._session.base(operation.service),
            query_of(self.entity, [], {"order_by": self.sorted_by}),
            params=_span(None, since, until, None, None),
            counted=self.counted,
        )
        size = min(_PAGE_SIZE, self._session.page_size)
        return RawSet(operation.service, self.entity, source.raw(), size, anchored=True)

    def _sheets(
        self,
        date: date | None,
        options: SheetOptions,
        *more: tuple[str, str],
        order: tuple[Ordering, ...] = (),
        **others: Any,
    ) -> Pager[V]:
        require_known(options, SheetOptions)
        asked: dict[str, Any] = {"page_size": min(_PAGE_SIZE, self._session.page_size), **others}
        asked |= options
        where, server_paged = asked.pop("where", None), asked.pop("server_paged", False)
        people = repeated_ids("person_ids", asked.pop("person_ids", ()))
        span = _span(date, *(asked.pop(each, None) for each in _SPAN))
        params = (*span, *people, *more)
        return self._pager([where], asked, params=params, order=order, server_paged=server_paged)


class Timesheets(_Sheets[Timesheet], service=_SERVICE, path="Timesheets"):
    """People's days in full."""

    sorted_by: ClassVar[tuple[Ordering, ...]] = (fields(Timesheet).person.full_name.asc(),)

    def list(
        self,
        date: date | None = None,
        *,
        search_term: str | None = None,
        expand: Iterable[Expandable] = (),
        order_by: Sortable | Iterable[Sortable] | None = None,
        **options: Unpack[SheetOptions],
    ) -> Pager[Timesheet]:
        """The timesheets of a span of days, a row for each person.

        Args:
            date: Instead of `since` and `until`: a day, or one of the `period` that is meant.
            search_term: Only people whom the server finds by it; by what is not documented.
            expand: `["person"]` for names beside ids.
            order_by: By default the person's full name (observed: timesheets), within each request
                where `person_ids` are too many for one.
            **options: See `SheetOptions` and `PageOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.

        Example:
            >>> first, last = date(2026, 7, 1), date(2026, 7, 31)
            >>> async for sheet in jibble.timesheets.list(since=first, until=last):
            ...     print(sheet.person_id, sheet.total_payroll)
        """
        by_name = order_by is None and not options.get("server_paged")
        order = self.sorted_by if by_name else ()
        asked = () if order_by is None else order_by
        term = () if search_term is None else (("searchTerm", search_term),)
        return self._sheets(date, options, *term, order=order, expand=expand, order_by=asked)


class TimesheetSummaries(_Sheets[TimesheetSummary], service=_SERVICE, path="TimesheetsSummary"):
    """People's days as sums."""

    counted: ClassVar[bool] = False

    def list(
        self, date: date | None = None, **options: Unpack[SheetOptions]
    ) -> Pager[TimesheetSummary]:
        """The sums of a span of days, a row for each person.

        Rows come in the server's own order, and it is not asked to count them: neither was
        seen to be offered. `verify=True` shows whether rows moved between two pages.

        Args:
            date: Instead of `since` and `until`: a day, or one of the `period` that is meant.
            **options: See `SheetOptions` and `PageOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.

        Example:
            >>> first, last = date(2026, 8, 1), date(2026, 8, 31)
            >>> async for person in jibble.timesheet_summaries.list(since=first, until=last):
            ...     print(person.person_id, [day.payroll_hours for day in person.daily])
        """
        return self._sheets(date, options, counted=self.counted)


class Reports:
    """What the server computes over all people at once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def tracked_time(
        self,
        since: date | datetime,
        until: date | datetime,
        *,
        group_by: GroupBy | str = GroupBy.MEMBER,
        sub_group_by: GroupBy | str | None = None,
        person_ids: Iterable[IdLike] = (),
        activity_ids: Iterable[IdLike] = (),
        project_ids: Iterable[IdLike] = (),
        client_ids: Iterable[IdLike] = (),
        group_ids: Iterable[IdLike] = (),
        location_ids: Iterable[IdLike] = (),
        schedule_ids: Iterable[IdLike] = (),
    ) -> Pager[TrackedTime]:
        """Tracked time added up by one thing, or by two.

        The parameters are spelt and ordered as in the documented request; names are taken in
        any case.

        Args:
            since: The first day, or a moment.
            until: The last day, or a moment; that the day is included is inferred.
            group_by: What a row is about.
            sub_group_by: What the rows in `items` are about; without it there are none.
            person_ids: Only these people.
            activity_ids: Only these activities.
            project_ids: Only these projects.
            client_ids: Only the projects of these clients.
            group_ids: Only the people of these groups.
            location_ids: Only what was clocked at these locations.
            schedule_ids: Only the people of these schedules.

        Raises:
            ConfigurationError: An argument that can't be used.

        Example:
            >>> report = jibble.reports.tracked_time(
            ...     date(2026, 7, 1), date(2026, 7, 31), sub_group_by="Project"
            ... )
            >>> async for row in report:
            ...     print(row.subject.name, row.tracked_time, len(row.items or []))
        """
        begin, end = day_or_moment(since, "since"), day_or_moment(until, "until")
        if isinstance(since, datetime) is not isinstance(until, datetime):
            raise ConfigurationError("since= and until= are both days, or both moments")
        if since > until:
            raise ConfigurationError(f"since={since} is after until={until}: exchange them")
        grouping = _name("group_by", group_by)
        people = repeated_ids("person_ids", person_ids, spelt="personids")
        before = (
            ("$expand", "Subject,Items($expand=Subject)"),
            ("from", begin),
            ("groupBy", grouping),
        )
        after = (
            ("subGroupBy", "None" if sub_group_by is None else _name("sub_group_by", sub_group_by)),
            ("to", end),
            *repeated_ids("project_ids", project_ids, spelt="projectids"),
            *repeated_ids("activity_ids", activity_ids),
            *repeated_ids("client_ids", client_ids),
            *repeated_ids("group_ids", group_ids),
            *repeated_ids("location_ids", location_ids),
            *repeated_ids("schedule_ids", schedule_ids),
        )
        base = self._session.base(_SERVICE)

        def pages(people: Sequence[tuple[str, str]]) -> ODataPages[TrackedTime]:
            asked = (*before, *people, *after)
            return ODataPages(_TRACKED_TIME, base, TrackedTime, before=asked)

        # Only a row for each person is as it would be beside the others.
        each_person = grouping == GroupBy.MEMBER
        return Pager(sliced(people, pages) if each_person else pages(people), self._session)

    async def start_attendance_export(
        self,
        since: date,
        until: date,
        *,
        file_format: ExportFormat | str = ExportFormat.XLSX,
        individual_reports: bool = False,
        raw_time_entries: bool = False,
        raw_timesheets: bool = False,
        summary_by_date: bool = False,
        person_ids: Iterable[IdLike] = (),
        group_ids: Iterable[IdLike] = (),
        schedule_ids: Iterable[IdLike] = (),
    ) -> ExportJob:
        """A file that the server begins to make; how to ask for it later is not documented.

        Each call starts a job, so it reaches the server at most once, whatever the answer: it is
        not sent again when it was refused for speed or for its token either. If the answer is
        lost, whether there is a job is not known.

        Args:
            since: The first day.
            until: The last day, included.
            file_format: What kind of file.
            individual_reports: Whether each person gets a sheet.
            raw_time_entries: Whether the time entries are in it.
            raw_timesheets: Whether the timesheets are in it.
            summary_by_date: Whether there is a summary of each day.
            person_ids: Only these people.
            group_ids: Only the people of these groups.
            schedule_ids: Only the people of these schedules.

        Raises:
            ConfigurationError: An argument that can't be used.
            AmbiguousWriteError: The answer was lost, so a job may have begun.
            APIError: It was refused, and no job begun; `retry_after` may say when to call again.

        Example:
            >>> job = await jibble.reports.start_attendance_export(monday, sunday)
            >>> job.status
            <ExportStatus.IN_PROGRESS: 'InProgress'>
        """
        require_span(since, until)
        params = (
            ("fileFormat", _name("file_format", file_format)),
            ("from", since.isoformat()),
            ("to", until.isoformat()),
            ("doIncludeIndividualReports", flag(individual_reports)),
            ("doIncludeRawTimeEntries", flag(raw_time_entries)),
            ("doIncludeRawTimesheets", flag(raw_timesheets)),
            ("doIncludeSummaryByDate", flag(summary_by_date)),
            *repeated_ids("group_ids", group_ids),
            *repeated_ids("person_ids", person_ids),
            *repeated_ids("schedule_ids", schedule_ids),
        )
        request = self._session.build(_START_EXPORT, params=params)
        return await call_once(self._session, request, reader(ExportJob))


def _span(
    date: date | None,
    since: date | None,
    until: date | None,
    period: Period | str | None,
    end_date: date | None,
) -> _Params:
    """The days that are meant: since and until, or what is around a date."""
    if date is not None:
        if since is not None or until is not None:
            raise ConfigurationError("give since= and until=, or a date, not both")
        return _period(date, period, end_date)
    if since is None or until is None:
        raise ConfigurationError(
            "timesheets are of a span of days: give since= and until=, such as a month's"
        )
    if period is not None or end_date is not None:
        raise ConfigurationError("period= and end_date= go with a date, not with since= and until=")
    require_span(since, until)
    return _period(since, Period.CUSTOM, until)


def _period(date: date, period: Period | str | None, end_date: date | None) -> _Params:
    begin = require_date(date, "date")
    if period is None:
        period = Period.DAY if end_date is None else Period.CUSTOM
    if (end_date is None) is (period == Period.CUSTOM):
        raise ConfigurationError("end_date= goes with period='Custom', and with no other")
    params: _Params = (("period", _name("period", period)), ("date", begin.isoformat()))
    if end_date is None:
        return params
    end = require_date(end_date, "end_date")
    if end < begin:
        raise ConfigurationError(f"date={begin} is after end_date={end}: exchange them")
    return (*params, ("endDate", end.isoformat()))


def _name(argument: str, value: str) -> str:
    text = str(value)
    if not text.isascii() or not text.isalnum():
        raise ConfigurationError(f"{argument}={text!r} is not a name that the API may have")
    return text
