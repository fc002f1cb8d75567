"""The organisation's rows, as plain wire dicts, kept consistent while they change.

The organisation itself is made at once; people, time off and time entries when somebody first asks
for them, since a large organisation's quarter takes about a second.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from jibble_async.sandbox.company.organisation import Organisation
from jibble_async.sandbox.company.people import people_rows
from jibble_async.sandbox.company.time_off import leave
from jibble_async.sandbox.company.working_week import latest_entries, work
from jibble_async.sandbox.company.young import Newcomer, begin, newcomer_rows
from jibble_async.sandbox.scalars import instant_key
from jibble_async.sandbox.schema import TYPES
from jibble_async.sandbox.sorted_keys import TOP
from jibble_async.sandbox.tables import Properties, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime
    from typing import Any
    from zoneinfo import ZoneInfo

    from jibble_async.sandbox.entity_types import Kind, Row

_LATE = frozenset({"People", "TimeTrackingPeople", "TimeOffIntervals", "TimeOffOverview"})
_TIME_OFF: tuple[Properties, ...] = (("personId",), ("startDate",), ("endDate",), ("updatedAt",))
_SORTED_BY: dict[str, tuple[Properties, ...]] = {
    "People": (("email",), ("groupId",), ("scheduleId",), ("updatedAt",), ("createdAt",)),
    "TimeTrackingPeople": (("email",), ("groupId",)),
    "Projects": (("clientId",), ("updatedAt",)),
    "CalendarDays": (("calendarId", "date"), ("date",)),
    "TimeEntries": (
        ("personId", "time"),
        ("personId", "belongsToDate"),
        ("belongsToDate",),
        ("time",),
        ("updatedAt",),
        ("createdAt",),
    ),
    "HourEntries": (("personId", "date"), ("date",), ("createdAt",)),
    "TimeOffIntervals": _TIME_OFF,
    "TimeOffOverview": _TIME_OFF[:-1],
}


class Dataset:
    """Rows by entity set; `TimeTrackingPeople` is what the time-tracking host calls `People`.

    Args:
        people: How many people the organisation has, removed ones included.
        since: First day that has time entries.
        until: Last day that has time entries.
        seed: Equal seeds give equal rows.
        present: The instant at which somebody looks, aware: nothing happened after it yet, and
            some people are at work. None for a period that is over as a whole.
        half_days_open: Whether the overview shows time off of some hours without its last day.
        newcomers: Who is there if it is a young organisation, in which nobody worked yet; then
            `people` is their number.

    Raises:
        ValueError: There is nobody, or the period ends before it begins.

    Example:
        >>> dataset = Dataset(people=3, since=date(2026, 7, 6), until=date(2026, 7, 10), seed=1)
        >>> len(dataset.rows("People"))
        3
    """

    def __init__(
        self,
        *,
        people: int,
        since: date,
        until: date,
        seed: int,
        present: datetime | None = None,
        half_days_open: bool = False,
        newcomers: Sequence[Newcomer] = (),
    ) -> None:
        people = len(newcomers) or people
        if people < 1 or since > until:
            raise ValueError("a sandbox needs somebody, and a period that ends after it begins")
        self.since = since
        self.until = until
        self._present = present
        self._half_days_open = half_days_open
        self._newcomers = newcomers
        self._organisation = Organisation(
            people=people, since=since, until=until, seed=seed, young=bool(newcomers)
        )
        if newcomers:
            begin(self._organisation, newcomers)
        self._tables = {
            name: Table(_SORTED_BY.get(name, ()), _keys(entity.properties))
            for name, entity in TYPES.items()
        }
        # Each person's active entries: when, and which.
        self._chains: dict[str, list[tuple[str, str]]] = {}
        # What is made up when somebody asks for it, and who then makes it up.
        self._late = dict.fromkeys(_LATE, self._generate) | {"TimeEntries": self._work}
        for name, rows in self._organisation.sets().items():
            self._tables[name].rows.extend(rows)
        self.touch()

    @property
    def organization_id(self) -> str:
        """The organisation's id."""
        return self._organisation.id

    @property
    def owner_id(self) -> str:
        """The id of the person who made the credentials."""
        return self._organisation.person_ids[0]

    @property
    def version(self) -> int:
        """Another number after every change."""
        return sum(table.version for table in self._tables.values())

    def table(self, name: str) -> Table:
        """The rows of a set, and what finds them.

        Args:
            name: The entity set, or `TimeTrackingPeople`.

        Raises:
            KeyError: There is no such set.
        """
        if name in self._late:
            self._late[name]()
        return self._tables[name]

    def rows(self, name: str) -> list[Row]:
        """The live rows of a set: the server reads these.

        Adding or removing rows is noticed; after changing one in place call `touch`.

        Args:
            name: The entity set, or `TimeTrackingPeople`.

        Raises:
            KeyError: There is no such set.
        """
        return self.table(name).rows

    def index(self, name: str) -> dict[str, Row]:
        """The live rows of a set by id."""
        return self.table(name).by_id

    def zone(self, person_id: str) -> ZoneInfo:
        """The time zone of a person; people added later are where the owner is."""
        return self._organisation.zones.get(person_id, self._organisation.home)

    def touch(self) -> None:
        """Says that rows were changed in place: indexes are made anew."""
        for table in self._tables.values():
            table.touch()
        self._chains.clear()

    def notice(self) -> None:
        """Takes up rows that were added or removed from outside since the last request."""
        changed = [table.notice() for table in self._tables.values()]
        if any(changed):
            self._chains.clear()

    def add(self, name: str, row: Row) -> None:
        """Adds a row to a set; a time entry is linked into its person's chain."""
        self.table(name).add(row)
        if name == "TimeEntries":
            self._chain_in(row)
        elif name == "People":
            shown = tracking_person(row, self.zone(row["id"]).key)
            self._tables["TimeTrackingPeople"].add(shown)

    def update(self, name: str, row_id: str, changes: Row) -> Row:
        """Changes a row, and what other sets show of it; gives the row.

        Raises:
            KeyError: There is no such row.
        """
        row = self.index(name)[row_id]
        was_active = row.get("status") != "Archived"
        self._tables[name].change(row, changes)
        if name == "TimeEntries" and was_active and row["status"] == "Archived":
            self._chain_out(row)
        elif name == "People":
            self._show("TimeTrackingPeople", row)
        elif name == "TimeOffIntervals":
            self._show("TimeOffOverview", {"id": row_id, **changes})
        return row

    def remove(self, name: str, row_id: str) -> None:
        """Takes a row out of a set, for good.

        Raises:
            KeyError: There is no such row.
        """
        row = self.index(name)[row_id]
        if name == "TimeEntries" and row["status"] != "Archived":
            self._chain_out(row)
        self._tables[name].remove(row)
        if name == "People":
            self._tables["TimeTrackingPeople"].remove(self.index("TimeTrackingPeople")[row_id])

    def previous_entry(self, person_id: str, time: str) -> Row | None:
        """The person's last active entry at or before an instant."""
        chain = self._chain(person_id)
        place = bisect_right(chain, (instant_key(time), TOP))
        return self.index("TimeEntries")[chain[place - 1][1]] if place else None

    def latest_entry(self, person_id: str) -> Row | None:
        """The person's latest active entry: the clock's state."""
        chain = self._chain(person_id)
        return self.index("TimeEntries")[chain[-1][1]] if chain else None

    def _generate(self) -> None:
        """Make up who there is, and who is away when."""
        leaves: list[tuple[Row, Row]] = []
        latest: dict[str, Row] = {}
        if self._newcomers:
            people = newcomer_rows(self._organisation, self._newcomers)
        else:
            leaves = leave(self._organisation, half_days_open=self._half_days_open)
            latest = latest_entries(self._organisation, leaves, self._present)
            times = {person: row["time"] for person, row in latest.items()}
            people = people_rows(self._organisation, times)
        shown = [
            tracking_person(row, self.zone(row["id"]).key, latest.get(row["id"])) for row in people
        ]
        self._take(
            {
                "People": people,
                "TimeTrackingPeople": shown,
                "TimeOffIntervals": [interval for interval, _ in leaves],
                "TimeOffOverview": [overview for _, overview in leaves],
            }
        )

    def _work(self) -> None:
        """Make up what people punched, which takes by far the longest."""
        entries: list[Row] = []
        if not self._newcomers:
            leaves = leave(self._organisation, half_days_open=self._half_days_open)
            entries = work(self._organisation, leaves, self._present)
        self._take({"TimeEntries": entries})

    def _take(self, made: dict[str, list[Row]]) -> None:
        for name, rows in made.items():
            del self._late[name]
            self._tables[name].rows.extend(rows)
            self._tables[name].touch()
        self._chains.clear()

    def _show(self, name: str, row: Row) -> None:
        """Copies what another set shows of a row."""
        shown = self.index(name)[row["id"]]
        self._tables[name].change(shown, {key: row[key] for key in shown if key in row})

    def _chain(self, person_id: str) -> list[tuple[str, str]]:
        if not self._chains:
            self._chains = {row["id"]: [] for row in self.rows("People")}
            for row in self.rows("TimeEntries"):
                if row["status"] != "Archived":
                    chain = self._chains.setdefault(row["personId"], [])
                    chain.append((instant_key(row["time"]), row["id"]))
            for chain in self._chains.values():
                chain.sort()
        return self._chains.setdefault(person_id, [])

    def _chain_in(self, row: Row) -> None:
        chain = self._chain(row["personId"])
        link = (instant_key(row["time"]), row["id"])
        place = bisect_left(chain, link)
        if chain[place : place + 1] != [link]:
            insort(chain, link)
        before = chain[place - 1][1] if place else None
        after = chain[place + 1][1] if place + 1 < len(chain) else None
        self._join(before, row["id"])
        self._join(row["id"], after)
        self._follow_clock(row["personId"])

    def _chain_out(self, row: Row) -> None:
        chain = self._chain(row["personId"])
        link = (instant_key(row["time"]), row["id"])
        place = bisect_left(chain, link)
        if chain[place : place + 1] == [link]:
            del chain[place]
        self._join(row["previousTimeEntryId"], row["nextTimeEntryId"])
        row.update(previousTimeEntryId=None, nextTimeEntryId=None)
        self._follow_clock(row["personId"])

    def _join(self, before: str | None, after: str | None) -> None:
        index = self.index("TimeEntries")
        if before is not None:
            index[before]["nextTimeEntryId"] = after
        if after is not None:
            index[after]["previousTimeEntryId"] = before

    def _follow_clock(self, person_id: str) -> None:
        latest = self.latest_entry(person_id)
        person = self.index("People").get(person_id)
        if person is not None:
            time = latest and latest["time"]
            self._tables["People"].change(person, {"latestTimeEntryTime": time})
            self._show(
                "TimeTrackingPeople",
                {"id": person_id, "latestTimeEntryTime": time, "isActive": at_work(latest)},
            )


def tracking_person(person: Row, zone: str, latest: Row | None = None) -> Row:
    """A person as the time-tracking host shows one.

    Args:
        person: The workspace's row.
        zone: The IANA name of the person's time zone.
        latest: The person's latest active entry.
    """
    return {
        "id": person["id"],
        "fullName": person["fullName"],
        "email": person["email"],
        "groupId": person["groupId"],
        "status": person["status"],
        "timeZone": zone,
        "timeSheetTimeZone": zone,
        "latestTimeEntryTime": latest and latest["time"],
        "isActive": at_work(latest),
    }


def at_work(latest: Row | None) -> bool:
    """Whether somebody with this latest entry is clocked in."""
    return latest is not None and latest["type"] == "In"


def _keys(properties: dict[str, Kind]) -> dict[str, Callable[[Any], Any]]:
    """What makes values of a type's properties comparable as texts, where they aren't yet."""
    makers: dict[Kind, Callable[[Any], Any]] = {"instant": instant_key, "guid": str.lower}
    return {name: makers[kind] for name, kind in properties.items() if kind in makers}
