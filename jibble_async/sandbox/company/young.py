"""An organisation that begins: a few people, two activities, one project, and nobody worked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from jibble_async.sandbox.company.people import people_rows
from jibble_async.sandbox.settings import zone_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jibble_async.sandbox.company.organisation import Organisation
    from jibble_async.sandbox.entity_types import Row


class Newcomer(NamedTuple):
    """Somebody whom the organisation begins with.

    Args:
        full_name: The name.
        email: The address, if there is one.
        status: `Joined`, or `Removed` for who left again.
        zone: The IANA name of the time zone.
    """

    full_name: str
    email: str | None
    status: str
    zone: str


def begin(organisation: Organisation, newcomers: Sequence[Newcomer]) -> None:
    """Leaves of a company what a young one has.

    Args:
        organisation: The company, of as many people.
        newcomers: Who they are; the first is the owner.
    """
    sets = organisation.sets()
    kept = {"Activities": ("Assembly", "Paperwork"), "Projects": ("Big project",)}
    for name in ("Clients", "Locations", "Projects", "Activities"):
        sets[name] = [row for row in sets[name] if row["name"] in kept.get(name, ())]
    sets["Projects"][0].update(name="Müller GmbH", clientId=None, locationId=None)
    known = {row["id"] for row in sets["Activities"]}
    for group in sets["Groups"]:
        group["activities"] = [link for link in group["activities"] if link["activityId"] in known]
    for person_id, newcomer in zip(organisation.person_ids, newcomers, strict=True):
        organisation.zones[person_id] = ZoneInfo(newcomer.zone)


def newcomer_rows(organisation: Organisation, newcomers: Sequence[Newcomer]) -> list[Row]:
    """A row for each of them, with every property that the wire has.

    Args:
        organisation: The company.
        newcomers: Who they are.
    """
    rows = people_rows(organisation, {})
    founded = organisation.founded
    for row, newcomer in zip(rows, newcomers, strict=True):
        row.update(
            fullName=newcomer.full_name,
            preferredName=None,
            email=newcomer.email,
            status=newcomer.status,
            joinDate=founded,
            invitedAt=None if newcomer.email is None else founded,
            workStartDate=founded[:10],
            removedAt=founded if newcomer.status == "Removed" else None,
            createdAt=founded,
            updatedAt=founded,
        )
        row.update(zone_settings(newcomer.zone))
    return rows
