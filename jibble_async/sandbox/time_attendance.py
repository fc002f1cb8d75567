"""The time-attendance service: timesheets, their summaries, tracked time, and exports begun.

That timesheets without parameters are a 500, and the report without `from` a 400 that names it, was
observed. What a search term looks at is assumed: names. Exports are never finished, since nothing
is known of how one is asked for.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from jibble_async.sandbox.errors import Refusal, bad_request, not_found
from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.query_options import pairs, parse_options
from jibble_async.sandbox.scalars import (
    format_instant,
    is_date,
    is_guid,
    new_guid,
    parse_instant,
)
from jibble_async.sandbox.timesheets import SUMMARY, TIMESHEET, Attendance
from jibble_async.sandbox.tracked_time import FILTERS, GROUPS, Question, TrackedTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.odata import ODataService
    from jibble_async.sandbox.query_options import Expand

_ADDRESS = re.compile(r"/v1/(\w+)")
_PERIODS = frozenset({"day", "week", "month", "custom"})
_FLAGS = (
    "doIncludeIndividualReports",
    "doIncludeRawTimeEntries",
    "doIncludeRawTimesheets",
    "doIncludeSummaryByDate",
)
_LOG_TYPE = "Jibble.TimeAttendance.Data.Entities.ExportLog"


class TimeAttendance:
    """Answers the time-attendance host.

    Args:
        dataset: The rows.
        odata: Pages them.
        ledger: Notes commits.
        clock: The present instant.
        seed: For the ids of new rows.
    """

    def __init__(
        self,
        dataset: Dataset,
        odata: ODataService,
        ledger: Ledger,
        clock: Callable[[], datetime],
        seed: int,
    ) -> None:
        self._dataset = dataset
        self._odata = odata
        self._ledger = ledger
        self._clock = clock
        self._random = Random(f"time attendance {seed}")  # noqa: S311
        self._attendance = Attendance(dataset)
        self._report = TrackedTime(dataset)

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request; rows are never pushed in here, so `shift` has no effect.

        Raises:
            Refusal: The request is refused with an error body.
        """
        match = _ADDRESS.fullmatch(call.path)
        name = "" if match is None else match[1].lower()
        served = {
            "timesheets": self._timesheets,
            "timesheetssummary": self._summaries,
            "trackedtimereport": self._tracked_time,
        }
        if name not in served and name != "timeattendancereportstartexport":
            raise not_found(call.path)
        if call.method != "GET":
            raise Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {name}.")
        asked = _Parameters(call.query)
        if name in served:
            return Reply(200, served[name](call, asked))
        return self._start_export(call, received, asked)

    def _timesheets(self, call: Call, asked: _Parameters) -> Row:
        days = _days(asked)
        people = self._people(asked, days)
        rows = self._attendance.timesheets(people, days)
        return self._odata.computed(call, TIMESHEET, "Timesheets", rows)

    def _summaries(self, call: Call, asked: _Parameters) -> Row:
        days = _days(asked)
        people = self._people(asked, days)
        rows = self._attendance.summaries(people, days)
        return self._odata.computed(call, SUMMARY, "TimesheetsSummary", rows)

    def _people(self, asked: _Parameters, days: list[date]) -> list[Row]:
        wanted = asked.ids("personids")
        term = asked.one("searchterm", "").lower()
        return [
            row
            for row in self._dataset.rows("People")
            if (row["status"] != "Removed" or self._attendance.present(row["id"], days))
            and (not wanted or row["id"] in wanted)
            and term in row["fullName"].lower()
        ]

    def _tracked_time(self, call: Call, asked: _Parameters) -> Row:
        begin, end = asked.day_or_instant("from"), asked.day_or_instant("to")
        if isinstance(begin, datetime) is not isinstance(end, datetime):
            raise bad_request("'from' and 'to' must be of one kind.")
        group, sub_group = asked.group("groupBy"), asked.group("subGroupBy", optional=True)
        if group is None:
            raise bad_request("'groupBy' cannot be None.")
        expand = {item.name.lower(): item for item in parse_options(call.query).expand}
        if not expand.keys() <= {"subject", "items"}:
            raise bad_request(f"Cannot expand {', '.join(expand)}: there are Subject and Items.")
        filters = {kind: ids for name, kind in FILTERS.items() if (ids := asked.ids(name))}
        question = Question(
            begin=begin,
            end=end,
            group=group,
            sub_group=sub_group,
            filters=filters,
            subjects=("subject" in expand, _shows_subject(expand.get("items"))),
            items="items" in expand,
        )
        rows = self._report.rows(question, self._attendance.stretches(*_around(begin, end)))
        parts = ["subject()"] if question.subjects[0] else []
        if question.items:
            parts.append("items(subject())" if question.subjects[1] else "items()")
        shown = f"({','.join(parts)})" if parts else ""
        context = f"{call.base}/v1/$metadata#TrackedTimeReport{shown}"
        return {"@odata.context": context, "value": rows}

    def _start_export(self, call: Call, received: Received, asked: _Parameters) -> Reply:
        if asked.one("fileformat", "") != "Xlsx":
            raise bad_request("'fileFormat' must be Xlsx.")
        if asked.day("from") > asked.day("to"):
            raise bad_request("'to' is before 'from'.")
        for name in _FLAGS:
            if asked.one(name.lower(), "false").lower() not in {"true", "false"}:
                raise bad_request(f"{name!r} must be true or false.")
        for name in ("personids", "groupids", "scheduleids"):
            asked.ids(name)
        row: Row = {
            "personId": self._dataset.owner_id,
            "organizationId": self._dataset.organization_id,
            "name": "Time Attendance Report",
            "fileName": None,
            "createdOn": format_instant(self._clock()),
            "fileSizeBytes": 0,
            "mimeType": None,
            "status": "InProgress",
            "requestParametersHashId": str(uuid5(NAMESPACE_URL, call.query)),
            "jobId": new_guid(self._random),
            "id": new_guid(self._random),
        }
        self._dataset.add("ExportLogs", row)
        self._ledger.commit(received, "ExportLogs", row["id"], "created")
        context = f"{call.base}/v1/$metadata#TimeAttendanceReportStartExport/{_LOG_TYPE}"
        return Reply(200, {"@odata.context": context, "@odata.type": f"#{_LOG_TYPE}", **row})


class _Parameters:
    """The parameters of a request that are no query options, by name in lower case."""

    def __init__(self, query: str) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs(query):
            if not name.startswith("$"):
                self._values.setdefault(name.lower(), []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def one(self, name: str, default: str) -> str:
        """The value of a parameter."""
        values = self._values.get(name.lower(), [default])
        if len(values) > 1:
            raise bad_request(f"{name!r} was sent more than once.")
        return values[0]

    def ids(self, name: str) -> frozenset[str]:
        """The ids that a parameter was repeated for."""
        values = self._values.get(name, [])
        for value in values:
            if not is_guid(value):
                raise bad_request(f"{name!r} must be a GUID, not {value!r}.")
        return frozenset(value.lower() for value in values)

    def day(self, name: str) -> date:
        """A day that has to be there."""
        value = self.one(name, "")
        if not is_date(value):
            raise bad_request(f"The parameter {name!r} is required, and must be a date.")
        return date.fromisoformat(value)

    def day_or_instant(self, name: str) -> date | datetime:
        """A day or an instant that has to be there."""
        value = self.one(name, "")
        if is_date(value):
            return date.fromisoformat(value)
        try:
            return parse_instant(value)
        except ValueError:
            message = f"The parameter {name!r} is required, and must be a date or an instant."
            raise bad_request(message) from None

    def group(self, name: str, *, optional: bool = False) -> str | None:
        """What rows are added up by; None for `None` and where it may be left out."""
        value = self.one(name, "None" if optional else "")
        if value.lower() == "none":
            return None
        if value.lower() not in GROUPS:
            raise bad_request(f"{name!r} must be one of {', '.join(GROUPS.values())}.")
        return GROUPS[value.lower()]


def _days(asked: _Parameters) -> list[date]:
    """The days of a timesheet."""
    if "date" not in asked:
        raise Refusal(500, "internal_server_error", "An unexpected error occurred.")
    begin = asked.day("date")
    period = asked.one("period", "Day").lower()
    if period not in _PERIODS:
        raise bad_request("'period' must be Day, Week, Month or Custom.")
    if period == "custom":
        end = asked.day("endDate")
        if end < begin:
            raise bad_request("'endDate' is before 'date'.")
        return [begin + timedelta(days=place) for place in range((end - begin).days + 1)]
    length = 1
    if period == "week":
        begin, length = begin - timedelta(days=begin.weekday()), 7
    elif period == "month":
        begin, length = begin.replace(day=1), monthrange(begin.year, begin.month)[1]
    return [begin + timedelta(days=place) for place in range(length)]


def _around(begin: date, end: date) -> tuple[str, str]:
    """The first and last day that entries between two moments may belong to."""
    # The day of a moment differs from zone to zone, and a night belongs to the day before.
    margin = timedelta(days=2)
    try:
        return (begin - margin).isoformat()[:10], (end + margin).isoformat()[:10]
    except OverflowError:
        return "", "9999-12-31"


def _shows_subject(items: Expand | None) -> bool:
    return items is not None and any(
        item.name.lower() == "subject" for item in items.options.expand
    )
