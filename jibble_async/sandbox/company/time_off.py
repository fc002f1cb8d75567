"""Leave in the made-up company: vacations, sick days and errands, decided and undecided."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.company.people import shift_start
from jibble_async.sandbox.scalars import format_instant, new_guid

if TYPE_CHECKING:
    from jibble_async.sandbox.company.organisation import Organisation
    from jibble_async.sandbox.entity_types import Row

HALF_DAY = 270
"""Minutes of a shift that somebody has off who runs an errand: its first half."""

_NOTES = ("Just a vacation", "", "Flu", "Doctor's appointment", "")


def leave(organisation: Organisation, *, half_days_open: bool = False) -> list[tuple[Row, Row]]:
    """Each leave as its interval and its overview row, in the order of their start.

    Args:
        organisation: The company.
        half_days_open: See `overview_of`.
    """
    random = Random(f"leave {organisation.seed}")  # noqa: S311
    vacation, sick, errand = organisation.sets()["TimeOffPolicies"]
    days = organisation.days()
    found: list[Row] = []
    for place, person_id in enumerate(organisation.person_ids):
        begins = timedelta(minutes=shift_start(place))
        for _ in range(1 + len(days) // 45):
            kind = random.random()
            start = random.choice(days)
            if kind < 0.4:
                status = random.choice(("Approved", "Approved", "Pending", "Rejected", "Cancelled"))
                length = min(random.randrange(2, 12), (organisation.until - start).days + 1)
                found.append(
                    _leave(organisation, random, person_id, vacation, start, length, status)
                )
            elif kind < 0.7:
                length = min(random.randrange(1, 3), (organisation.until - start).days + 1)
                found.append(
                    _leave(organisation, random, person_id, sick, start, length, "Approved")
                )
            elif kind < 0.85:
                half = _leave(organisation, random, person_id, errand, start, 1, "Approved")
                midnight = datetime.combine(start, time(), organisation.zones[person_id])
                first = midnight.astimezone(UTC) + begins
                half["startTime"] = f"{first:%Y-%m-%dT%H:%M:%SZ}"
                half["endTime"] = f"{first + timedelta(minutes=HALF_DAY):%Y-%m-%dT%H:%M:%SZ}"
                found.append(half)
    found.sort(key=lambda interval: (interval["startDate"], interval["id"]))
    return [(each, overview_of(each, half_days_open=half_days_open)) for each in found]


def absences(pairs: list[tuple[Row, Row]]) -> set[tuple[str, date]]:
    """The person and day of every approved leave of whole days."""
    absent = set[tuple[str, date]]()
    for interval, overview in pairs:
        if interval["status"] == "Approved" and interval["kind"] == "FullDay":
            start = date.fromisoformat(interval["startDate"])
            absent.update(
                (interval["personId"], start + timedelta(days=day))
                for day in range(overview["duration"])
            )
    return absent


def half_days(pairs: list[tuple[Row, Row]]) -> set[tuple[str, date]]:
    """The person and day of every approved leave of the first half of a shift."""
    return {
        (interval["personId"], date.fromisoformat(interval["startDate"]))
        for interval, _ in pairs
        if interval["status"] == "Approved" and interval["kind"] == "Hours"
    }


def overview_of(interval: Row, *, half_days_open: bool = False) -> Row:
    """The overview row of an interval; its duration is a number of days (documented: time-off).

    Args:
        interval: The time off.
        half_days_open: Whether time off of some hours is shown without its last day.
    """
    shown = {
        key: value
        for key, value in interval.items()
        if key not in {"organizationId", "createdAt", "updatedAt"}
    }
    start, end = date.fromisoformat(shown["startDate"]), date.fromisoformat(shown["endDate"])
    whole_days = shown["kind"] == "FullDay"
    shown["duration"] = (end - start).days + 1 if whole_days else 0.5
    if half_days_open and not whole_days:
        shown["endDate"] = None
    return shown


def _leave(
    organisation: Organisation,
    random: Random,
    person_id: str,
    policy: Row,
    start: date,
    length: int,
    status: str,
) -> Row:
    end = start + timedelta(days=length - 1)
    asked = datetime(start.year, start.month, start.day, 9, tzinfo=UTC) - timedelta(
        days=random.randrange(3, 30), seconds=random.randrange(30000)
    )
    return {
        "policyId": policy["id"],
        "personId": person_id,
        "organizationId": organisation.id,
        "createdAt": format_instant(asked),
        "updatedAt": format_instant(asked + timedelta(hours=5)),
        "kind": policy["kind"],
        "startTime": None,
        "endTime": None,
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "status": status,
        "note": random.choice(_NOTES),
        "id": new_guid(random),
        "holidays": [],
    }
