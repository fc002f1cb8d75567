"""The workspace service: the organisation's sets, and writes of people, work and places."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from jibble_async.sandbox.bodies import check_links, checked, require
from jibble_async.sandbox.errors import Invalid, Refusal, bad_request, not_found
from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.scalars import format_instant, is_guid, new_guid
from jibble_async.sandbox.schema import HOLIDAY, PERSON_SCHEDULE, TYPES, WORKSPACE_SETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.odata import ODataService
    from jibble_async.sandbox.rules import Rules

_ADDRESS = re.compile(r"/v1/(\w+)(?:\(([^()]*)\)|/([^/()]+))?")
_INVITE = "IPersonSetting/SendInviteEmail"


class _Writes(NamedTuple):
    """What may be written to a set."""

    required: tuple[str, ...]
    fields: frozenset[str]
    links: dict[str, str]


def _writes(required: str, fields: str, **links: str) -> _Writes:
    return _Writes(tuple(required.split()), frozenset(f"{required} {fields}".split()), links)


_WRITES = {
    "People": _writes(
        "fullName",
        "email code preferredName phoneNumber countryCode groupId scheduleId positionId "
        "employmentTypeId status role",
        groupId="Groups",
        scheduleId="Schedules",
        positionId="Positions",
        employmentTypeId="EmploymentTypes",
    ),
    "Projects": _writes(
        "name",
        "description code clientId locationId status",
        clientId="Clients",
        locationId="Locations",
    ),
    "Clients": _writes("name", "code status"),
    "Locations": _writes("name", "address code coordinates geoFence status"),
    "Activities": _writes("name", "code description color status"),
    "Groups": _writes("name", "scheduleId calendarId status", scheduleId="Schedules"),
}


class Workspace:
    """Answers the workspace host.

    Args:
        dataset: The rows.
        odata: Reads them.
        ledger: Notes commits.
        clock: The present instant.
        rules: What is refused.
        seed: For the ids of new rows.
    """

    def __init__(
        self,
        dataset: Dataset,
        odata: ODataService,
        ledger: Ledger,
        clock: Callable[[], datetime],
        rules: Rules,
        seed: int,
    ) -> None:
        self._dataset = dataset
        self._odata = odata
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self._random = Random(f"workspace {seed}")  # noqa: S311
        self.restricted: set[str] = set()

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request.

        Raises:
            Refusal: The request is refused with an error body.
        """
        match = _ADDRESS.fullmatch(call.path)
        if match is None:
            raise not_found(call.path)
        asked, *keys = match.groups()
        key = next((each for each in keys if each is not None), None)
        if asked.lower() == "personholidays" and call.method == "GET":
            return self._holidays(call, key)
        if asked.lower() == "personschedule" and call.method == "GET":
            return self._schedule(call, key)
        name = WORKSPACE_SETS.get(asked.lower())
        if name is None:
            raise not_found(call.path)
        if key is None:
            if call.method == "GET":
                return Reply(200, self._odata.collection(call, name, name, shift=shift))
            if call.method == "POST" and name in _WRITES and self._creatable(name):
                return self._create(call, received, name)
        else:
            if not is_guid(key):
                raise bad_request(f"{key!r} is not a key of {name}.")
            return self._one(call, received, name, key.lower())
        raise Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {asked}.")

    def _creatable(self, name: str) -> bool:
        return self._rules.catalog_writable or name not in {"Activities", "Groups"}

    def _one(self, call: Call, received: Received, name: str, key: str) -> Reply:
        row = self._dataset.index(name).get(key)
        if row is None:
            raise not_found(f"{name}({key})")
        if call.method == "GET":
            return Reply(200, self._odata.entity(call, name, name, row))
        if call.method == "PATCH" and name in _WRITES:
            return self._change(call, received, name, row)
        if call.method == "DELETE" and name == "People":
            self._dataset.remove(name, key)
            self._ledger.commit(received, name, key, "deleted")
            return Reply(204)
        raise Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {name}.")

    def _create(self, call: Call, received: Received, name: str) -> Reply:
        if name in self.restricted:
            message = f"The current subscription does not allow {TYPES[name].name} entities."
            raise Refusal(402, "feature_restricted_subscription", message)
        body = call.json()
        invited = body.pop(_INVITE, False) if name == "People" else False
        writes = _WRITES[name]
        changes = checked(body, TYPES[name], writes.fields)
        require(changes, *writes.required)
        check_links(self._dataset, changes, writes.links)
        if name == "People":
            self._require_room(changes)
        row = TYPES[name].blank()
        now = format_instant(self._clock())
        row.update(
            id=new_guid(self._random),
            organizationId=self._dataset.organization_id,
            createdAt=now,
            updatedAt=now,
            status="Active",
        )
        if name == "People":
            row.update(
                status="PendingInvitation" if invited else "NotInvited",
                invitedAt=now if invited else None,
                role="Member",
                workStartDate=now[:10],
            )
        elif name == "Locations":
            row["address"] = ""
        row.update(changes)
        _add_radius(row)
        self._dataset.add(name, row)
        self._ledger.commit(received, name, row["id"], "created")
        return Reply(201, self._odata.entity(call, name, name, row))

    def _change(self, call: Call, received: Received, name: str, row: Row) -> Reply:
        writes = _WRITES[name]
        changes = checked(call.json(), TYPES[name], writes.fields)
        check_links(self._dataset, changes, writes.links)
        for required in writes.required:
            if required in changes:
                require(changes, required)
        now = format_instant(self._clock())
        if name == "People":
            self._require_room(changes, row)
        if name == "People" and "status" in changes:
            changes["removedAt"] = now if changes["status"] == "Removed" else None
        _add_radius(changes)
        self._dataset.update(name, row["id"], {**changes, "updatedAt": now})
        self._ledger.commit(received, name, row["id"], "updated")
        return Reply(204)

    def _require_room(self, changes: Row, row: Row | None = None) -> None:
        """Refuses an address that somebody has, and a person for whom there is no seat."""
        others = [each for each in self._dataset.rows("People") if each is not row]
        email = (changes.get("email") or "").casefold()
        if email and self._rules.unique_emails:
            taken = {(each["email"] or "").casefold() for each in others}
            if email in taken:
                raise Invalid("Email", "The email address is taken.")
        sits = row is not None and row["status"] != "Removed"
        stays_away = changes.get("status", row and row["status"]) == "Removed"
        seats = self._rules.seats
        if seats is None or sits or stays_away:
            return
        if sum(each["status"] != "Removed" for each in others) >= seats:
            message = f"All {seats} seats of the subscription are used."
            raise Refusal(402, "feature_restricted_subscription", message)

    def _holidays(self, call: Call, argument: str | None) -> Reply:
        person = self._person("PersonHolidays", argument)
        rows = [
            {key: day[key] for key in HOLIDAY.properties}
            for day in self._dataset.rows("CalendarDays")
            if day["calendarId"] == person["calendarId"]
        ]
        return Reply(200, self._odata.rows_of(call, HOLIDAY, "PersonHolidays", rows))

    def _schedule(self, call: Call, argument: str | None) -> Reply:
        person = self._person("PersonSchedule", argument)
        default = (row for row in self._dataset.rows("Schedules") if row["default"])
        named = self._dataset.index("Schedules").get(person["scheduleId"])
        row = next(default, None) if person["scheduleId"] is None else named
        if row is None:
            return Reply(204)
        context = f"{call.base}/v1/$metadata#Jibble.Common.Model.PersonSchedule"
        shown = {key: row[key] for key in PERSON_SCHEDULE.properties}
        return Reply(200, {"@odata.context": context, **shown})

    def _person(self, function: str, argument: str | None) -> Row:
        """The person whose id is a function's argument."""
        name, _, person_id = (argument or "").partition("=")
        if name.strip().lower() != "personid" or not is_guid(person_id.strip()):
            raise bad_request(f"{function} needs personId=<guid>.")
        person = self._dataset.index("People").get(person_id.strip().lower())
        if person is None:
            raise not_found(f"The person {person_id}")
        return person


def _add_radius(row: Row) -> None:
    fence = row.get("geoFence")
    if fence is not None:
        metres = 0.3048 if fence.get("units") == "Feet" else 1.0
        row["geoFence"] = {**fence, "radiusInMeters": fence.get("radius", 0) * metres}
