"""Hours as the attendance host adds them up: entries paired into stretches, stretches into days.

Every Out, break and change of work ends what came before. A stretch that nothing ends is not
counted: how the service counts a forgotten Out is unknown. Breaks are unpaid, a day off counts
eight hours, or the hours that are off; on rest days and holidays it counts nothing.

Overtime is what a schedule's settings say in the plainest reading of their names: all work on a
holiday, all work on a rest day, and what goes beyond a number of hours a day. By the time of day
and by the week nothing is overtime here. What the service makes of all this is unknown.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from jibble_async.sandbox.entity_types import EntityType
from jibble_async.sandbox.scalars import format_duration, parse_duration, parse_instant
from jibble_async.sandbox.sorted_keys import TOP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Kind, Row

_PERSON: dict[str, Kind] = {
    "id": "guid",
    "fullName": "text",
    "code": "text",
    "groupName": "text",
    "positionName": "text",
    "employmentTypeName": "text",
    "timeZone": "text",
    "status": "enum",
}
TIMESHEET = EntityType(
    "TimesheetModel",
    {
        "personId": "guid",
        "total": "duration",
        "totalTracked": "duration",
        "totalPayroll": "duration",
        "daily": "list",
        "person": "object",
    },
    objects={"person": _PERSON},
)
SUMMARY = EntityType(
    "TimesheetSummaryModel",
    {"personId": "guid", "daily": "list", "person": "object"},
    objects={"person": _PERSON},
)
_OVERTIME: tuple[str, ...] = (
    "dailyOvertime",
    "dailyDoubleOvertime",
    "restDayOvertime",
    "publicHolidayOvertime",
    "weeklyOvertime",
)
_WEEKDAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
_NOTHING = timedelta(0)
_DAY_OFF = timedelta(hours=8)


class Stretch(NamedTuple):
    """A time between two entries, at work or on a break."""

    person_id: str
    day: str
    start: datetime
    end: datetime
    at_work: bool
    activity_id: str | None
    project_id: str | None
    location_id: str | None

    @property
    def length(self) -> timedelta:
        """How long it took."""
        return self.end - self.start


class Day(NamedTuple):
    """What a person did on a working day.

    Args:
        entries: The entries that count, in the order of their time.
        stretches: What lies between them.
    """

    entries: list[Row]
    stretches: list[Stretch]

    def at(self, *, work: bool) -> timedelta:
        """The time at work, or on breaks."""
        lengths = (stretch.length for stretch in self.stretches if stretch.at_work is work)
        return sum(lengths, _NOTHING)


class Attendance:
    """The days of everybody, each worked out when it is asked for, once for each state of the data.

    Args:
        dataset: The rows.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._versions = (-1, -1)
        self._days: dict[tuple[str, str], Day | None] = {}
        self._leaves: dict[str, list[Row]] = {}

    def stretches(self, first: str = "", last: str = TOP) -> Iterable[Stretch]:
        """The stretches of everybody that belong to some days.

        Args:
            first: The first day, as the wire writes it; empty for no bound.
            last: The last day, included.
        """
        table = self._dataset.table("TimeEntries")
        keys = table.index(("belongsToDate",)).between((first,), (last, TOP))
        days = dict.fromkeys(
            (table.by_id[key[-1]]["personId"], table.by_id[key[-1]]["belongsToDate"])
            for key in keys
        )
        for person_id, day in days:
            done = self._day(person_id, day)
            yield from () if done is None else done.stretches

    def timesheets(self, people: list[Row], days: list[date]) -> list[Row]:
        """A row for each person with every day in full."""
        rows: list[Row] = []
        for person in people:
            worked = [self._day(person["id"], day.isoformat()) for day in days]
            present = [day for day in worked if day is not None]
            at_work = sum((day.at(work=True) for day in present), _NOTHING)
            breaks = sum((day.at(work=False) for day in present), _NOTHING)
            rows.append(
                {
                    "personId": person["id"],
                    "total": format_duration(at_work + breaks),
                    "totalTracked": format_duration(at_work + breaks),
                    "totalPayroll": format_duration(at_work),
                    "daily": [
                        self._daily(person, day, done)
                        for day, done in zip(days, worked, strict=True)
                    ],
                    "person": self._shown(person),
                }
            )
        return rows

    def summaries(self, people: list[Row], days: list[date]) -> list[Row]:
        """A row for each person with sums for every day."""
        return [
            {
                "personId": person["id"],
                "daily": [self._sums(person, day) for day in days],
                "person": self._shown(person),
            }
            for person in people
        ]

    def present(self, person_id: str, days: list[date]) -> bool:
        """Whether a person has entries on one of the days."""
        return any(self._day(person_id, day.isoformat()) is not None for day in days)

    def _day(self, person_id: str, day: str) -> Day | None:
        """What a person did on a day; None for nothing."""
        entries = self._dataset.table("TimeEntries")
        versions = entries.version, self._dataset.table("TimeOffIntervals").version
        if versions != self._versions:
            self._versions = versions
            self._days.clear()
            self._leaves.clear()
        key = (person_id, day)
        if key not in self._days:
            found = entries.index(("personId", "belongsToDate")).between(key, (*key, TOP))
            rows = [entries.by_id[each[-1]] for each in found]
            active = [row for row in rows if row["status"] != "Archived"]
            self._days[key] = _worked(active) if active else None
        return self._days[key]

    def _leave(self, person_id: str) -> list[Row]:
        """A person's approved time off."""
        if person_id not in self._leaves:
            self._leaves[person_id] = [
                row
                for row in self._dataset.table("TimeOffIntervals").equal("personId", person_id)
                if row["status"] == "Approved"
            ]
        return self._leaves[person_id]

    def _daily(self, person: Row, day: date, done: Day | None) -> Row:
        at_work = _NOTHING if done is None else done.at(work=True)
        breaks = _NOTHING if done is None else done.at(work=False)
        first, last = _ends(done)
        return {
            "date": day.isoformat(),
            "firstIn": first and _clock(first),
            "lastOut": last and _clock(last),
            "firstInOffset": first and first["localTime"],
            "lastOutOffset": last and last["localTime"],
            "firstInTimestamp": first and first["time"],
            "lastOutTimestamp": last and last["time"],
            "trackedHours": {
                "worked": format_duration(at_work),
                "total": format_duration(at_work + breaks),
                "totalBreakTime": format_duration(breaks),
                "paidBreakTime": format_duration(_NOTHING),
                "unpaidBreakTime": format_duration(breaks),
                "totalAutoDeductionTime": format_duration(_NOTHING),
                "breaks": [] if done is None else _breaks(done),
                "autoDeductions": [],
            },
            "payrollHours": {
                "total": format_duration(at_work),
                **{
                    name: {"time": format_duration(length)}
                    for name, length in self._kinds(person, day, at_work).items()
                },
            },
            "timeOff": self._time_off(person, day),
            "hasArchivedScreenshots": False,
            "updatedAt": last and last["updatedAt"],
        }

    def _sums(self, person: Row, day: date) -> Row:
        done = self._day(person["id"], day.isoformat())
        at_work = _NOTHING if done is None else done.at(work=True)
        breaks = _NOTHING if done is None else done.at(work=False)
        first, last = _ends(done)
        kinds = self._kinds(person, day, at_work)
        # Nobody reads the week's overtime here.
        del kinds["weeklyOvertime"]
        return {
            "date": day.isoformat(),
            "firstIn": first and first["localTime"],
            "lastOut": last and last["localTime"],
            "tracked": format_duration(at_work + breaks),
            "payrollHours": format_duration(at_work),
            **{name: format_duration(length) for name, length in kinds.items()},
            "paidBreak": format_duration(_NOTHING),
            "unpaidBreak": format_duration(breaks),
        }

    def _kinds(self, person: Row, day: date, at_work: timedelta) -> dict[str, timedelta]:
        """A day's work by the kinds that it is paid as."""
        kinds: dict[str, timedelta] = dict.fromkeys(("regular", *_OVERTIME), _NOTHING)
        schedule = self._schedule(person)
        rules: Row = (schedule and schedule["overtime"]) or {}
        if rules.get("publicHolidayOvertime") and self._is_holiday(person, day):
            kinds["publicHolidayOvertime"] = at_work
        elif rules.get("restDayOvertime") and self._is_rest_day(person, day):
            kinds["restDayOvertime"] = at_work
        else:
            left = at_work
            for name in ("dailyDoubleOvertime", "dailyOvertime"):
                after = rules.get(f"{name.removesuffix('Overtime')}Duration")
                if rules.get(name) and after is not None:
                    kinds[name] = max(left - parse_duration(after), _NOTHING)
                    left -= kinds[name]
            kinds["regular"] = left
        return kinds

    def _schedule(self, person: Row) -> Row | None:
        schedules = self._dataset.index("Schedules")
        default = next((row for row in schedules.values() if row["default"]), None)
        return schedules.get(person["scheduleId"]) if person["scheduleId"] else default

    def _is_holiday(self, person: Row, day: date) -> bool:
        days = self._dataset.table("CalendarDays").equal("date", day.isoformat())
        return any(
            row["calendarId"] == person["calendarId"] and not row["isShortDay"] for row in days
        )

    def _is_rest_day(self, person: Row, day: date) -> bool:
        schedule = self._schedule(person)
        if schedule is None:
            return day.weekday() >= 5
        return all(each["day"] != _WEEKDAYS[day.weekday()] for each in schedule["daySchedules"])

    def _time_off(self, person: Row, day: date) -> Row:
        policies = self._dataset.index("TimeOffPolicies")
        rests = self._is_rest_day(person, day)
        off = dict.fromkeys(("Paid", "Unpaid"), _NOTHING)
        taken: list[Row] = []
        for row in self._leave(person["id"]):
            policy = policies[row["policyId"]]
            if rests or self._is_holiday(person, day):
                continue
            if row["startDate"] <= day.isoformat() <= row["endDate"]:
                taken.append(policy)
                off[policy["compensation"]] += _length(row)
        return {
            "paidTimeOff": format_duration(off["Paid"]),
            "unpaidTimeOff": format_duration(off["Unpaid"]),
            "isRestDay": rests,
            "holidays": [],
            "shortDays": [],
            "types": [
                {"name": policy["name"], "compensation": policy["compensation"]} for policy in taken
            ],
        }

    def _shown(self, person: Row) -> Row:
        def name(entity_set: str, row_id: str | None) -> str | None:
            row = None if row_id is None else self._dataset.index(entity_set).get(row_id)
            return None if row is None else row["name"]

        return {
            "id": person["id"],
            "fullName": person["fullName"],
            "code": person["code"],
            "groupName": name("Groups", person["groupId"]),
            "positionName": name("Positions", person["positionId"]),
            "employmentTypeName": name("EmploymentTypes", person["employmentTypeId"]),
            "managers": [],
            "timeZone": self._dataset.zone(person["id"]).key,
            "status": person["status"],
        }


def _worked(entries: list[Row]) -> Day:
    timed = sorted(
        ((parse_instant(entry["time"]), entry) for entry in entries),
        key=lambda pair: (pair[0], pair[1]["id"]),
    )
    stretches = [
        Stretch(
            person_id=entry["personId"],
            day=entry["belongsToDate"],
            start=start,
            end=end,
            at_work=entry["type"] == "In",
            activity_id=entry["activityId"],
            project_id=entry["projectId"],
            location_id=entry["locationId"],
        )
        for (start, entry), (end, _) in pairwise(timed)
        if entry["type"] != "Out"
    ]
    return Day([entry for _, entry in timed], stretches)


def _ends(done: Day | None) -> tuple[Row | None, Row | None]:
    """The first In of a day, and its last entry if that is an Out."""
    entries = [] if done is None else done.entries
    first = next((entry for entry in entries if entry["type"] == "In"), None)
    last = entries[-1] if entries and entries[-1]["type"] == "Out" else None
    return first, last


def _breaks(day: Day) -> list[Row]:
    """The breaks by the person's clock, the last without an end if it is going on."""
    ends = [_clock(entry) for entry in day.entries[1:]]
    return [
        {"start": _clock(entry), "end": end}
        for entry, end in zip(day.entries, (*ends, None), strict=True)
        if entry["type"] == "StartBreak"
    ]


def _length(leave: Row) -> timedelta:
    """What time off counts on a day."""
    if leave["startTime"] is None or leave["endTime"] is None:
        return _DAY_OFF
    return parse_instant(leave["endTime"]) - parse_instant(leave["startTime"])


def _clock(entry: Row) -> str:
    """The time of day of an entry on the person's clock."""
    text: str = entry["localTime"]
    return text[11:].partition("+")[0].partition("-")[0]
