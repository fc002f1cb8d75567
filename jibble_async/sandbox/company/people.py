"""The people of the made-up company: names from many places, roles, invitations, departures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.scalars import format_instant, new_guid
from jibble_async.sandbox.schema import TYPES
from jibble_async.sandbox.settings import zone_settings

if TYPE_CHECKING:
    from jibble_async.sandbox.company.organisation import Organisation
    from jibble_async.sandbox.entity_types import Row

_GIVEN = (
    "Paul", "Aisha", "Jürgen", "Siobhán", "明", "Priya", "João", "Fatima", "Björk", "Peter",
    "Zoë", "Kwame", "Sofía", "Rashid", "Anne-Marie", "Dmitri", "Noor", "Łukasz", "Grace", "Hiro",
)  # fmt: skip
_FAMILY = (
    "Oak", "O'Neill", "Müller", "Al-Farsi", "山田", "Krishnan", "da Silva", "Solz", "D'Angelo",
    "Kowalczyk", "Çelik", "Ng", "Fernández", "Smith", "Jónsdóttir", "Osei", "Rao",
)  # fmt: skip
# In minutes after midnight, in the order of the schedules.
_STARTS = (8 * 60, 13 * 60, 22 * 60, 3 * 60 + 40)
_COUNTRIES = ("AE", "DE", "BR", "IN", "US")


def removed_ids(organisation: Organisation) -> set[str]:
    """The people who have left: one in twenty, never the owner."""
    return set(organisation.person_ids[13::20])


def schedule_place(place: int) -> int:
    """Which schedule the person at a place has; half of them work mornings."""
    return (0, 1, 0, 3, 1, 0, 2, 0, 1, 0)[place % 10]


def shift_start(place: int) -> int:
    """When the shifts of the person at a place begin, in minutes after midnight."""
    return _STARTS[schedule_place(place)]


def names_of(place: int) -> tuple[str, str]:
    """The given and the family name of the person at a place."""
    family = _FAMILY[(place * 7 + place // len(_GIVEN)) % len(_FAMILY)]
    return _GIVEN[place % len(_GIVEN)], family


def address_of(place: int) -> str:
    """The e-mail address of the person at a place."""
    return f"person{place + 1}@example.com"


def people_rows(organisation: Organisation, latest: dict[str, str]) -> list[Row]:
    """A row for each person, with every property that the wire has.

    Args:
        organisation: The company.
        latest: The time of a person's latest active entry, by id.
    """
    random = Random(f"people {organisation.seed}")  # noqa: S311
    removed = removed_ids(organisation)
    return [
        _person(organisation, random, place, person_id, latest.get(person_id), person_id in removed)
        for place, person_id in enumerate(organisation.person_ids)
    ]


def _person(
    organisation: Organisation,
    random: Random,
    place: int,
    person_id: str,
    latest: str | None,
    removed: bool,
) -> Row:
    sets = organisation.sets()
    given, family = names_of(place)
    joined = datetime(organisation.since.year - 1, 1, 15, 7, 0, tzinfo=UTC) + timedelta(
        days=random.randrange(300), microseconds=random.randrange(10**6)
    )
    left = datetime.combine(organisation.since, joined.time(), UTC) + timedelta(
        days=(organisation.until - organisation.since).days // 2
    )
    group = sets["Groups"][place % len(sets["Groups"])]
    # The first schedule is the default one, which somebody without a schedule of his own has.
    schedule = sets["Schedules"][schedule_place(place)]
    joining = format_instant(joined)
    person = TYPES["People"].blank()
    person.update(
        id=person_id,
        organizationId=organisation.id,
        groupId=None if place % 11 == 10 else group["id"],
        positionId=sets["Positions"][place % len(sets["Positions"])]["id"],
        employmentTypeId=sets["EmploymentTypes"][0 if place % 6 else 1]["id"],
        scheduleId=None if place % 10 == 5 else schedule["id"],
        calendarId=sets["Calendars"][0]["id"],
        payPeriodDefinitionId=sets["PayPeriodDefinitions"][0]["id"],
        userId=new_guid(random),
        joinDate=joining,
        email=address_of(place),
        phoneNumber=None if place % 3 else f"+155501{place % 10000:04d}",
        countryCode=_COUNTRIES[place % len(_COUNTRIES)],
        fullName=f"{given} {family}",
        preferredName=given if place % 4 == 0 else None,
        role="Owner" if place == 0 else "Admin" if place % 25 == 1 else "Member",
        status="Removed" if removed else "PendingInvitation" if place % 17 == 16 else "Joined",
        code=f"E-{place + 1:04d}",
        invitedAt=joining,
        removedAt=format_instant(left) if removed else None,
        workStartDate=joined.date().isoformat(),
        latestTimeEntryTime=latest,
        managers=[{"unitId": person_id, "managerId": organisation.person_ids[0]}]
        if place % 9 == 8
        else [],
        managedUnits=[
            link
            for each in sets["Groups"]
            for link in each["managers"]
            if link["managerId"] == person_id
        ],
        createdAt=joining,
        updatedAt=format_instant(left) if removed else joining,
    )
    person.update(zone_settings(organisation.zones[person_id].key))
    return person
