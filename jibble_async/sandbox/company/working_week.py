"""What the people of the made-up company punch: shifts, breaks, changes of work, and slips.

Each person and day has its own seeded source, so a longer period repeats the days of a shorter one.
Nights run over midnight and belong to the day that they began; some Outs are forgotten, some are
automatic, some entries were archived and replaced by hand. Of a day that isn't over, what is still
to come is left out, and one person in four is at work, whatever the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from jibble_async.sandbox.company.people import removed_ids, shift_start
from jibble_async.sandbox.company.time_off import HALF_DAY, absences, half_days
from jibble_async.sandbox.scalars import format_duration, new_guid

if TYPE_CHECKING:
    from jibble_async.sandbox.company.organisation import Organisation
    from jibble_async.sandbox.entity_types import Row

_UTC = timedelta(0)
_DIGITS = (0, 0, 0, 3, 6, 7, 5, 4, 2, 1)
_NOTES = (
    "Just a clock in",
    'Replaced the "blue" valve',
    "Waiting for parts,\nback at ten",
    "Überstunden wegen Inventur",
    "客先訪問",
    "Coffee first ☕",
    "=SUM(A1:A9)",
    "O'Brien signed; 100% done",
    "-",
)
_DEVICES = (
    ("web 3.0", "Windows 10", None, "Reception PC"),
    ("web 3.0", "macOS", "MacbookPro", "TestLaptop"),
    ("android 4.12", "Android 15", "Pixel 9", "Pixel"),
    ("ios 4.12", "iOS 19", "iPhone 17", "Handy"),
)


class _Punch(NamedTuple):
    minute: float
    type: str
    changes_work: bool = False
    automatic: bool = False


def work(
    organisation: Organisation, leaves: list[tuple[Row, Row]], present: datetime | None = None
) -> list[Row]:
    """Every time entry of the period, in the order of their time.

    Args:
        organisation: The company.
        leaves: Its time off; nobody punches on an approved day off.
        present: The instant at which somebody looks; None for later than the whole period.
    """
    entries: list[Row] = []
    for writer, days in _writers(organisation, leaves, present):
        for day, half in days:
            writer.day(day, half=half)
        writer.attend()
        entries.extend(writer.linked())
    entries.sort(key=_order)
    return entries


def latest_entries(
    organisation: Organisation, leaves: list[tuple[Row, Row]], present: datetime | None = None
) -> dict[str, Row]:
    """The latest active entry of each person who worked.

    It is looked for from the end, so that nearly all days need not be written for it.

    Args:
        organisation: The company.
        leaves: Its time off.
        present: As for `work`.
    """
    found: dict[str, Row] = {}
    for writer, days in _writers(organisation, leaves, present):
        for day, half in reversed(days):
            writer.day(day, half=half)
            if writer.active():
                break
        writer.attend()
        active = writer.active()
        if active:
            found[writer.person_id] = max(active, key=_order)
    return found


def _writers(
    organisation: Organisation, leaves: list[tuple[Row, Row]], present: datetime | None
) -> Iterator[tuple[_Writer, list[tuple[date, bool]]]]:
    """Who writes the entries of each person, and the days to write, some of which are half."""
    absent, halves = absences(leaves), half_days(leaves)
    removed = removed_ids(organisation)
    days = organisation.days()
    for place, who in enumerate(organisation.person_ids):
        last = len(days) // 2 if who in removed else len(days)
        there = [(day, (who, day) in halves) for day in days[:last] if (who, day) not in absent]
        today = present and present.astimezone(organisation.zones[who]).date()
        away = who in removed or (who, today) in absent
        yield _Writer(organisation, place, who, present, away=away), there


def _order(row: Row) -> tuple[str, str]:
    return row["time"][:19], row["id"]


class _Writer:
    """Writes the entries of one person.

    Attributes:
        person_id: Whose.
    """

    def __init__(
        self,
        organisation: Organisation,
        place: int,
        person_id: str,
        present: datetime | None,
        *,
        away: bool,
    ) -> None:
        sets = organisation.sets()
        self._organisation = organisation
        self._place = place
        self.person_id = person_id
        self._zone = organisation.zones[person_id]
        self._activities = [row["id"] for row in sets["Activities"]]
        self._projects = [row["id"] for row in sets["Projects"] if row["status"] == "Active"]
        locations = sets["Locations"]
        self._location = locations[place % len(locations)]
        self._platforms = [_platform(_DEVICES[first + place % 2]) for first in (0, 2)]
        self._rows: list[Row] = []
        self._present = present
        self._now = present and f"{present.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        self._away = away

    def day(self, day: date, *, half: bool = False) -> None:
        """Adds the entries that belong to a day, if the person works on it, or its second half."""
        random = Random(f"{self._organisation.seed} {self._place} {day}")  # noqa: S311
        holiday = self._organisation.holidays.get(day)
        free = day.weekday() >= 5 or (holiday is not None and not holiday[1])
        if random.random() < (0.96 if free else 0.03):
            return
        short = holiday is not None and holiday[1]
        begin = shift_start(self._place) + (HALF_DAY if half else 0)
        length = HALF_DAY if half else 300 if short else 540
        punches = _shift(random, begin, length)
        midnight = datetime(day.year, day.month, day.day, tzinfo=self._zone).astimezone(UTC)
        activity, project = self._pick(random)
        for place, punch in enumerate(punches):
            if punch.changes_work:
                activity, project = self._pick(random)
            working = punch.type == "In"
            row = self._entry(
                random,
                midnight + timedelta(seconds=int(punch.minute * 60)),
                day,
                punch,
                activity if working else None,
                project if working else None,
            )
            row["isEndOfDay"] = punch.type == "Out" and place == len(punches) - 1
            if random.random() < 0.02 and not punch.automatic:
                row = self._corrected(random, row)
            self._rows.append(row)
        if punches[-1].automatic:
            first = next(row for row in reversed(self._rows) if row["type"] == "In")
            first["autoClockOutTime"] = self._rows[-1]["localTime"]

    def active(self) -> list[Row]:
        """The active entries, those still to come left out."""
        return [row for row in self._rows if row["status"] == "Active" and self._is_past(row)]

    def _is_past(self, row: Row) -> bool:
        return self._now is None or (
            row["time"][:19] < self._now and row["createdAt"][:19] < self._now
        )

    def attend(self) -> None:
        """Takes away what is still to come, and adds an In of the last hours for one in four."""
        present = self._present
        if present is None:
            return
        self._rows = [row for row in self._rows if self._is_past(row)]
        last = max(self.active(), key=lambda row: (row["time"][:-1], row["id"]), default=None)
        if self._away or (self._place % 4 != 1 and len(self._organisation.person_ids) > 1):
            return
        random = Random(f"{self._organisation.seed} {self._place} {present}")  # noqa: S311
        begun = present.astimezone(UTC) - timedelta(seconds=random.randrange(1200, 3 * 3600))
        if last is not None and (
            last["type"] == "In" or last["time"] >= f"{begun:%Y-%m-%dT%H:%M:%S}"
        ):
            return
        day = begun.astimezone(self._zone).date()
        self._rows.append(self._entry(random, begun, day, _Punch(0, "In"), *self._pick(random)))

    def linked(self) -> list[Row]:
        """The person's entries, active ones chained by their previous and next ids."""
        active = sorted(
            (row for row in self._rows if row["status"] == "Active"),
            key=lambda row: (row["time"][:-1], row["id"]),
        )
        for row, after in pairwise(active):
            row["nextTimeEntryId"] = after["id"]
            after["previousTimeEntryId"] = row["id"]
        return self._rows

    def _pick(self, random: Random) -> tuple[str | None, str | None]:
        activity = random.choice(self._activities) if random.random() < 0.6 else None
        project = random.choice(self._projects) if random.random() < 0.6 else None
        return activity, project

    def _corrected(self, random: Random, wrong: Row) -> Row:
        """Archives an entry and gives its replacement, made by hand some minutes apart."""
        self._rows.append(wrong)
        wrong["status"] = "Archived"
        moment = datetime.fromisoformat(f"{wrong['time'][:19]}+00:00")
        moment += timedelta(seconds=random.randrange(-120, 120))
        fixed = dict(wrong)
        fixed.update(
            id=new_guid(random),
            status="Active",
            time=f"{moment:%Y-%m-%dT%H:%M:%S}Z",
            localTime=moment.astimezone(self._zone).isoformat(),
            isManual=True,
            note="Corrected by the office",
        )
        created = moment + timedelta(hours=20, seconds=random.randrange(3600))
        stamp = f"{created:%Y-%m-%dT%H:%M:%S}.{random.randrange(10**6, 10**7)}Z"
        fixed["createdAt"] = fixed["updatedAt"] = wrong["updatedAt"] = stamp
        return fixed

    def _entry(
        self,
        random: Random,
        moment: datetime,
        day: date,
        punch: _Punch,
        activity_id: str | None,
        project_id: str | None,
    ) -> Row:
        fraction = _fraction(random)
        at = moment.replace(microsecond=0).astimezone(self._zone)
        local, whole = at.isoformat(), moment.isoformat()[:19]
        stamp = f"{whole}.{1_000_000 + random.getrandbits(22)}Z"
        by_phone = random.random() < 0.5
        here = self._location["coordinates"] if by_phone else None
        chance = random.random()
        return {
            "id": new_guid(random),
            "personId": self.person_id,
            "organizationId": self._organisation.id,
            "type": punch.type,
            "clientType": "AutoOut" if punch.automatic else "Mobile" if by_phone else "Web",
            "status": "Active",
            "time": f"{whole}{fraction}Z",
            "localTime": f"{local[:19]}{fraction}{local[19:]}",
            "offset": _offset(at.utcoffset() or _UTC),
            "belongsToDate": day.isoformat(),
            "projectId": project_id,
            "activityId": activity_id,
            "locationId": self._location["id"] if by_phone and chance < 0.7 else None,
            "kioskId": None,
            "breakId": None,
            "note": _NOTES[int(chance * 60)] if chance < 0.15 else "" if chance < 0.6 else None,
            "address": self._location["address"] if by_phone and chance < 0.5 else None,
            "coordinates": here
            and {
                "latitude": round(here["latitude"] + chance / 500, 6),
                "longitude": round(here["longitude"] - chance / 500, 6),
            },
            "picture": None,
            "platform": self._platforms[by_phone],
            "autoClockOutTime": None,
            "clockInOutReminderTime": None,
            "isOffline": by_phone and chance > 0.97,
            "isAutomatic": punch.automatic,
            "isManual": False,
            "isOutsideGeofence": by_phone and 0.7 <= chance < 0.75,
            "isManualLocation": False,
            "isUnusual": chance > 0.99,
            "isEndOfDay": False,
            "isFromSpeedKiosk": False,
            "isLocked": False,
            "isFaceRecognized": None,
            "faceSimilarity": None,
            "previousTimeEntryId": None,
            "nextTimeEntryId": None,
            "createdAt": stamp,
            "updatedAt": stamp,
        }


def _platform(device: tuple[str, str, str | None, str]) -> Row:
    return {
        "clientVersion": device[0],
        "os": device[1],
        "deviceModel": device[2],
        "deviceId": None,
        "deviceName": device[3],
        "eventId": None,
    }


@lru_cache
def _offset(offset: timedelta) -> str:
    return format_duration(offset)


def _shift(random: Random, start: int, planned: int) -> list[_Punch]:
    """The punches of one shift, in minutes from the day's midnight, in order."""
    begin = start + random.gauss(0, 9)
    length = planned + random.gauss(0, 15)
    lunch = begin + length * 0.45 + random.uniform(-10, 10)
    punches = [_Punch(begin, "In", changes_work=True), _Punch(lunch, "StartBreak")]
    punches.append(_Punch(lunch + random.uniform(25, 40), "In"))
    if random.random() < 0.6:
        coffee = begin + length * 0.78 + random.uniform(-10, 10)
        punches += [_Punch(coffee, "StartBreak"), _Punch(coffee + random.uniform(8, 15), "In")]
    for share in (0.2, 0.32, 0.64, 0.92):
        if random.random() < 0.4:
            change = begin + length * share + random.uniform(-4, 4)
            punches.append(_Punch(change, "In", changes_work=True))
    punches.sort()
    ending = random.random()
    if ending >= 0.02:
        automatic = ending < 0.04
        end = begin + length + (60 if automatic else 0)
        punches.append(_Punch(end, "Out", automatic=automatic))
    return punches


def _fraction(random: Random) -> str:
    """A fraction of 0 to 7 digits as .NET writes it, without trailing zeros."""
    digits = _DIGITS[int(random.random() * 10)]
    if digits == 0:
        return ""
    head = int(random.random() * 10 ** (digits - 1))
    return f".{10 * head + 1 + int(random.random() * 9):0{digits}d}"
