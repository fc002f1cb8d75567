"""The organisation's rows, as plain wire dicts, kept consistent while they change.

The organisation itself is made at once; people, time off and time entries when somebody first asks
for them, since a large organisation's quarter takes about a second.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from jibble_async.sandbox.organisation import Organisation
from jibble_async.sandbox.people import people_rows
from jibble_async.sandbox.scalars import instant_key
from jibble_async.sandbox.schema import TYPES
from jibble_async.sandbox.time_off import leave
from jibble_async.sandbox.working_week import work

if TYPE_CHECKING:
    from datetime import date
    from zoneinfo import ZoneInfo

    from jibble_async.sandbox.schema import Row

_LATE = frozenset(
    {"People", "TimeTrackingPeople", "TimeEntries", "TimeOffIntervals", "TimeOffOverview"}
)


class Dataset:
    """Rows by entity set; `TimeTrackingPeople` is what the time-tracking host calls `People`.

    Args:
        people: How many people the organisation has, removed ones included.
        since: First day that has time entries.
        until: Last day that has time entries.
        seed: Equal seeds give equal rows.

    Raises:
        ValueError: There is nobody, or the period ends before it begins.

    Example:
        >>> dataset = Dataset(people=3, since=date(2026, 7, 6), until=date(2026, 7, 10), seed=1)
        >>> len(dataset.rows("People"))
        3
    """

    def __init__(self, *, people: int, since: date, until: date, seed: int) -> None:
        if people < 1 or since > until:
            raise ValueError("a sandbox needs somebody, and a period that ends after it begins")
        self.since = since
        self.until = until
        self.version: int = 0
        self._organisation = Organisation(people=people, since=since, until=until, seed=seed)
        self._rows: dict[str, list[Row]] = {name: [] for name in TYPES}
        self._index: dict[str, dict[str, Row]] = {name: {} for name in TYPES}
        self._chains: dict[str, list[tuple[str, str]]] = {}
        self._complete = False
        for name, rows in self._organisation.sets().items():
            self._rows[name].extend(rows)
        self.touch()

    @property
    def organization_id(self) -> str:
        """The organisation's id."""
        return self._organisation.id

    @property
    def owner_id(self) -> str:
        """The id of the person who made the credentials."""
        return self._organisation.person_ids[0]

    def rows(self, name: str) -> list[Row]:
        """The live rows of a set: the server reads these.

        Adding or removing rows is noticed; after changing one in place call `touch`.

        Args:
            name: The entity set, or `TimeTrackingPeople`.

        Raises:
            KeyError: There is no such set.
        """
        if name in _LATE and not self._complete:
            self._generate()
        return self._rows[name]

    def index(self, name: str) -> dict[str, Row]:
        """The live rows of a set by id."""
        self.rows(name)
        return self._index[name]

    def zone(self, person_id: str) -> ZoneInfo:
        """The time zone of a person; people added later are where the owner is."""
        return self._organisation.zones.get(person_id, self._organisation.home)

    def touch(self) -> None:
        """Says that rows were changed in place: indexes and cached results are made anew."""
        for name, rows in self._rows.items():
            index = self._index[name]
            index.clear()
            index.update((row["id"], row) for row in rows)
        self._chains.clear()
        self.version += 1

    def notice(self) -> None:
        """Takes up rows that were added or removed from outside since the last request."""
        if any(len(self._index[name]) != len(rows) for name, rows in self._rows.items()):
            self.touch()

    def add(self, name: str, row: Row) -> None:
        """Adds a row to a set; a time entry is linked into its person's chain."""
        self.rows(name).append(row)
        self._index[name][row["id"]] = row
        if name == "TimeEntries":
            self._chain_in(row)
        elif name == "People":
            self._rows["TimeTrackingPeople"].append(_tracking_person(row))
            self._index["TimeTrackingPeople"][row["id"]] = self._rows["TimeTrackingPeople"][-1]
        self.version += 1

    def update(self, name: str, row_id: str, changes: Row) -> Row:
        """Changes a row, and what other sets show of it; gives the row.

        Raises:
            KeyError: There is no such row.
        """
        row = self.index(name)[row_id]
        was_active = row.get("status") != "Archived"
        row.update(changes)
        if name == "TimeEntries" and was_active and row["status"] == "Archived":
            self._chain_out(row)
        elif name == "People":
            shown = self._index["TimeTrackingPeople"][row_id]
            shown.update(fullName=row["fullName"], groupId=row["groupId"])
        elif name == "TimeOffIntervals":
            overview = self._index["TimeOffOverview"][row_id]
            overview.update((key, row[key]) for key in changes if key in overview)
        self.version += 1
        return row

    def remove(self, name: str, row_id: str) -> None:
        """Takes a row out of a set.

        Raises:
            KeyError: There is no such row.
        """
        sets = (name, "TimeTrackingPeople") if name == "People" else (name,)
        for each in sets:
            self.rows(each).remove(self._index[each].pop(row_id))
        self.version += 1

    def previous_entry(self, person_id: str, time: str) -> Row | None:
        """The person's last active entry at or before an instant."""
        key = instant_key(time)
        entries = self.index("TimeEntries")
        earlier = [entry_id for at, entry_id in self._chain(person_id) if at <= key]
        return entries[earlier[-1]] if earlier else None

    def latest_entry(self, person_id: str) -> Row | None:
        """The person's latest active entry: the clock's state."""
        entries = self.index("TimeEntries")
        chain = self._chain(person_id)
        return entries[chain[-1][1]] if chain else None

    def _generate(self) -> None:
        self._complete = True
        time_off = leave(self._organisation)
        entries = work(self._organisation, time_off)
        latest = {row["personId"]: row for row in entries if row["status"] == "Active"}
        people = people_rows(
            self._organisation, {person: row["time"] for person, row in latest.items()}
        )
        self._rows["People"].extend(people)
        self._rows["TimeTrackingPeople"].extend(
            _tracking_person(row, latest.get(row["id"])) for row in people
        )
        self._rows["TimeEntries"].extend(entries)
        self._rows["TimeOffIntervals"].extend(interval for interval, _ in time_off)
        self._rows["TimeOffOverview"].extend(overview for _, overview in time_off)
        self.touch()

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
        if link not in chain:
            insort(chain, link)
        place = chain.index(link)
        before = chain[place - 1][1] if place else None
        after = chain[place + 1][1] if place + 1 < len(chain) else None
        self._join(before, row["id"])
        self._join(row["id"], after)
        self._follow_clock(row["personId"])

    def _chain_out(self, row: Row) -> None:
        chain = self._chain(row["personId"])
        link = (instant_key(row["time"]), row["id"])
        if link in chain:
            chain.remove(link)
        self._join(row["previousTimeEntryId"], row["nextTimeEntryId"])
        row.update(previousTimeEntryId=None, nextTimeEntryId=None)
        self._follow_clock(row["personId"])

    def _join(self, before: str | None, after: str | None) -> None:
        index = self._index["TimeEntries"]
        if before is not None:
            index[before]["nextTimeEntryId"] = after
        if after is not None:
            index[after]["previousTimeEntryId"] = before

    def _follow_clock(self, person_id: str) -> None:
        latest = self.latest_entry(person_id)
        shown = self._index["TimeTrackingPeople"].get(person_id)
        person = self._index["People"].get(person_id)
        if shown is not None and person is not None:
            shown["isActive"] = latest is not None and latest["type"] == "In"
            person["latestTimeEntryTime"] = latest and latest["time"]


def _tracking_person(person: Row, latest: Row | None = None) -> Row:
    return {
        "id": person["id"],
        "fullName": person["fullName"],
        "groupId": person["groupId"],
        "isActive": latest is not None and latest["type"] == "In",
    }
