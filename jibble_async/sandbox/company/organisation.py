"""A made-up company: its groups, work, places, schedules and calendars, the same for a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jibble_async.sandbox.scalars import format_instant, new_guid
from jibble_async.sandbox.schema import TYPES
from jibble_async.sandbox.settings import devices, organisation_settings

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row

_GROUPS = ("Workshop", "Field Service", "Office", "Night Watch", "Küche & Kantine")
_POSITIONS = ("Technician", "Engineer", "Team Lead", "Accountant", "Guard")
_EMPLOYMENT_TYPES = ("Full-time", "Part-time", "Contractor")
_ACTIVITIES = ("Assembly", "Maintenance", "Customer visit", "Paperwork", "Training", "Reading book")
_CLIENTS = ("O'Brien & Sons", "Müller GmbH", "株式会社サンプル", "Acme Trading LLC")
_PROJECTS = ("Big project", "Harbour crane", "Canteen refit", "Line 4", "Audit", "Solar roof")
_PLACES = (
    ("Dubai Marina", "Marina Walk 1, Dubai", 25.0806, 55.1403),
    ("Berlin Werk 2", "Werkstraße 2, 12435 Berlin", 52.4934, 13.4569),
    ("São Paulo", "Rua Fictícia 10, São Paulo", -23.5505, -46.6333),
    ("Pune", "Example Road 7, Pune", 18.5204, 73.8567),
    ("New York", "1 Sample Street, New York", 40.7128, -74.0060),
)
ZONES = ("Asia/Dubai", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "America/New_York")
_SHIFTS = (
    ("Morning", "08:00:00.0000000", "17:00:00.0000000", "PT9H", "PT45H"),
    ("Late", "13:00:00.0000000", "22:00:00.0000000", "PT9H", "PT45H"),
    ("Night", "22:00:00.0000000", "06:00:00.0000000", "PT8H", "PT40H"),
    ("Early", "03:40:00.0000000", "12:40:00.0000000", "PT9H", "PT45H"),
)
_HOLIDAYS = (
    (1, 1, "New Year's Day", False),
    (5, 1, "Labour Day", False),
    (8, 17, "Company Day", False),
    (9, 7, "Founders' Day", True),
    (10, 3, "Unity Day", False),
    (12, 25, "Christmas Day", False),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


@dataclass
class Organisation:
    """The company that a seed makes.

    Args:
        people: How many people it has.
        since: First day of work.
        until: Last day of work.
        seed: Equal seeds make equal companies.
        young: Whether it was founded on the first day of work, and not years before.
    """

    people: int
    since: date
    until: date
    seed: int
    young: bool = False
    random: Random = field(init=False)
    id: str = field(init=False)
    person_ids: list[str] = field(init=False)
    zones: dict[str, ZoneInfo] = field(init=False)
    home: ZoneInfo = field(init=False)
    founded: str = field(init=False)
    holidays: dict[date, tuple[str, bool]] = field(init=False)
    _sets: dict[str, list[Row]] = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(f"organisation {self.seed}")  # noqa: S311
        self.id = new_guid(self.random)
        self.home = ZoneInfo(ZONES[0])
        self.person_ids = [new_guid(self.random) for _ in range(self.people)]
        self.zones = {
            person: ZoneInfo(ZONES[place % len(ZONES)])
            for place, person in enumerate(self.person_ids)
        }
        founded = datetime(self.since.year - 2, 3, 4, 8, 3, 36, 181070, tzinfo=UTC)
        if self.young:
            founded = datetime.combine(self.since, founded.timetz())
        self.founded = format_instant(founded)
        years = range(self.since.year, self.until.year + 1)
        self.holidays = {
            date(year, month, day): (name, short)
            for year in years
            for month, day, name, short in _HOLIDAYS
        }
        self._sets = {}
        self._build()

    def sets(self) -> dict[str, list[Row]]:
        """The rows of every set but people and what they do."""
        return self._sets

    def row(self, name: str, /, **values: Any) -> Row:
        """A row of a set with its id, stamps and every property that the wire has."""
        row = TYPES[name].blank()
        row["id"] = new_guid(self.random)
        stamps = {"organizationId": self.id, "createdAt": self.founded, "updatedAt": self.founded}
        row.update((key, value) for key, value in stamps.items() if key in row)
        if "status" in row:
            row["status"] = "Active"
        row.update(values)
        return row

    def _build(self) -> None:
        sets = self._sets
        organisation = self.row("Organizations", id=self.id, name="Sandbox Works Ltd")
        organisation.update(organisation_settings(self.home.key))
        sets["Organizations"] = [organisation]
        sets["Calendars"] = [
            self.row("Calendars", name="Company holidays", default=True, lastRefreshedAt=None)
        ]
        calendar_id = sets["Calendars"][0]["id"]
        sets["CalendarDays"] = [
            self.row(
                "CalendarDays",
                calendarId=calendar_id,
                date=day.isoformat(),
                name=name,
                status="Manual",
                isShortDay=short,
            )
            for day, (name, short) in self.holidays.items()
        ]
        sets["PayPeriodDefinitions"] = [
            self.row(
                "PayPeriodDefinitions",
                name="Monthly",
                cycle="Monthly",
                startFromDate=f"{self.since.year}-01-01",
                startAtDayNumberFirst=1,
                default=True,
            )
        ]
        sets["Schedules"] = [self._schedule(place) for place in range(len(_SHIFTS))]
        self._build_work(calendar_id)
        sets["TimeOffPolicies"] = [
            self._policy("Vacation Leave", "Paid", "FullDay"),
            self._policy("Sick Leave", "Paid", "FullDay"),
            self._policy("Errand", "Unpaid", "Hours"),
        ]

    def _build_work(self, calendar_id: str) -> None:
        sets = self._sets
        sets["Groups"] = [
            self.row(
                "Groups",
                name=name,
                calendarId=calendar_id,
                scheduleId=sets["Schedules"][place % len(_SHIFTS)]["id"],
                payPeriodDefinitionId=sets["PayPeriodDefinitions"][0]["id"],
            )
            for place, name in enumerate(_GROUPS)
        ]
        for place, group in enumerate(sets["Groups"]):
            manager = self.person_ids[(2 * place + 1) % len(self.person_ids)]
            group["managers"] = [{"unitId": group["id"], "managerId": manager}]
        sets["Groups"][0].update(devices("Kiosk"))
        for name, names in (("Positions", _POSITIONS), ("EmploymentTypes", _EMPLOYMENT_TYPES)):
            sets[name] = [self.row(name, name=each) for each in names]
        sets["Locations"] = [
            self.row(
                "Locations",
                name=name,
                code=f"LOC-{place + 1}",
                address=address,
                coordinates={"latitude": latitude, "longitude": longitude},
                geoFence={"radius": 200.0, "units": "Meters", "radiusInMeters": 200.0},
            )
            for place, (name, address, latitude, longitude) in enumerate(_PLACES)
        ]
        sets["Clients"] = [
            self.row("Clients", name=name, code=f"CL-{place + 1}")
            for place, name in enumerate(_CLIENTS)
        ]
        sets["Projects"] = [
            self.row(
                "Projects",
                name=name,
                code=f"Bp-{place + 1}",
                description=None if place % 2 else f"{name}, phase {place + 1}",
                clientId=sets["Clients"][place % len(_CLIENTS)]["id"] if place % 3 else None,
                locationId=sets["Locations"][place % len(_PLACES)]["id"] if place % 2 else None,
                status="Archived" if name == "Audit" else "Active",
            )
            for place, name in enumerate(_PROJECTS)
        ]
        sets["Activities"] = [
            self.row(
                "Activities", name=name, code=f"ACT-{881 + place}", color=f"{40 * place:02X}8CFF"
            )
            for place, name in enumerate(_ACTIVITIES)
        ]
        for place, activity in enumerate(sets["Activities"]):
            group = sets["Groups"][place % len(_GROUPS)]
            link = {"activityId": activity["id"], "groupId": group["id"]}
            activity["assignedGroups"] = [link]
            group["activities"] = [*group["activities"], link]

    def _schedule(self, place: int) -> Row:
        name, start, end, length, week = _SHIFTS[place]
        return self.row(
            "Schedules",
            name=name,
            workArrangement="Fixed",
            default=place == 0,
            breaksType="Unpaid",
            weeklyHours=week,
            daySchedules=[
                {"day": day, "from": start, "to": end, "duration": length} for day in _WEEKDAYS
            ],
            breaks=[
                {
                    "id": new_guid(self.random),
                    "from": None,
                    "to": None,
                    "allowToBeTakenFromTo": False,
                    "name": "Lunch",
                    "duration": "PT30M",
                }
            ],
            overtime={
                "timeRangeStyle": "Hours",
                "dailyOvertime": True,
                "dailyDuration": "PT8H30M",
                "dailyOvertimeMultiplier": 1.5,
                "dailyDoubleOvertime": True,
                "dailyDoubleDuration": "PT9H30M",
                "dailyDoubleOvertimeMultiplier": 2,
                "weeklyOvertime": False,
                "restDayOvertime": True,
                "restDayOvertimeMultiplier": 1.5,
                "publicHolidayOvertime": True,
                "publicHolidayOvertimeMultiplier": 2,
                "endWorkDayAt": "00:00:00.0000000",
            },
        )

    def _policy(self, name: str, compensation: str, kind: str) -> Row:
        return self.row(
            "TimeOffPolicies",
            name=name,
            compensation=compensation,
            kind=kind,
            accrualSettings={
                "schedule": "None",
                "accrue": 0,
                "accrualDate": None,
                "accrualDateProcessingType": "Start",
                "customDateDay": None,
                "customDateMonth": None,
                "waitingPeriod": 0,
                "payrollHours": 0,
                "accrualEndDate": None,
                "maxLimit": 0,
                "excludeNonWorkingDays": True,
                "excludePublicHolidays": True,
            },
            balanceRules={"carryForwardAmount": 0, "monthsToExpireCarryForward": 0},
        )

    def days(self) -> list[date]:
        """The days of the period, in order."""
        length = (self.until - self.since).days + 1
        return [self.since + timedelta(days=place) for place in range(length)]
