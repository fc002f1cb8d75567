"""Time entries written: made, changed, archived and deleted, and what is refused of it.

A created entry gets its local time and working day from the person's zone; leaving or pausing work
belongs to the day of the entry before. That a `platform` is required, and that a moment to come, a
second Out in a row, anything in a locked period and a `localTime` are refused, was observed; so was
that a deletion is for good. That a known id is a 409 is assumed.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.bodies import check_links, checked, require
from jibble_async.sandbox.errors import Invalid, Refusal, bad_request
from jibble_async.sandbox.scalars import (
    format_duration,
    format_instant,
    new_guid,
    parse_duration,
    parse_instant,
)
from jibble_async.sandbox.schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.exchange import Call
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.rules import Rules

_ENTRY = TYPES["TimeEntries"]
_FLAGS = frozenset(
    {"isManual", "isOffline", "isAutomatic", "isOutsideGeofence", "isManualLocation", "isUnusual"}
    | {"isEndOfDay", "isFromSpeedKiosk", "isFaceRecognized"}
)
_FIELDS = _FLAGS | frozenset(
    {"id", "type", "personId", "clientType", "activityId", "projectId", "locationId", "note"}
    | {"coordinates", "time", "belongsToDate", "offset", "autoClockOutTime", "platform", "status"}
)
_CHANGES = frozenset({"activityId", "projectId", "note", "status"})
_PLATFORM = ("clientVersion", "os", "deviceModel", "deviceId", "deviceName", "eventId")
_LINKS = {
    "personId": "People",
    "activityId": "Activities",
    "projectId": "Projects",
    "locationId": "Locations",
}


class Punches:
    """Writes the time entries of a dataset.

    Args:
        dataset: The rows.
        ledger: Notes commits.
        clock: The present instant.
        rules: What is refused.
        seed: For the ids of new rows.
    """

    def __init__(
        self,
        dataset: Dataset,
        ledger: Ledger,
        clock: Callable[[], datetime],
        rules: Rules,
        seed: int,
    ) -> None:
        self._dataset = dataset
        self._ledger = ledger
        self._clock = clock
        self._rules = rules
        self._random = Random(f"time tracking {seed}")  # noqa: S311

    def create(self, call: Call, received: Received) -> Row:
        """The entry that a body makes.

        Raises:
            Refusal: The body is refused.
        """
        sent = self._kept(self._sent(call.json()))
        given = sent.pop("id", None)
        entry_id = given if given and self._rules.keeps_client_ids else new_guid(self._random)
        if entry_id in self._dataset.index("TimeEntries"):
            raise Refusal(409, "conflict", f"A time entry with the id {entry_id} exists.")
        before = self._before(sent)
        row = self._row(entry_id, sent, before)
        self._refuse_locked(row["belongsToDate"])
        self._dataset.add("TimeEntries", row)
        self._ledger.commit(received, "TimeEntries", entry_id, "created")
        return row

    def change(self, call: Call, received: Received, row: Row) -> None:
        """Changes an entry as a body says.

        Raises:
            Refusal: The body is refused.
        """
        changes = checked(call.json(), _ENTRY, _CHANGES)
        check_links(self._dataset, changes, _LINKS)
        if changes.get("status", "Archived") != "Archived":
            raise bad_request("The status of a time entry can only become 'Archived'.")
        self._refuse_locked(row["belongsToDate"])
        changes["updatedAt"] = format_instant(self._clock())
        self._dataset.update("TimeEntries", row["id"], changes)
        self._ledger.commit(received, "TimeEntries", row["id"], "updated")

    def delete(self, received: Received, row: Row) -> None:
        """Deletes an entry for good.

        Raises:
            Refusal: It belongs to a locked period.
        """
        self._refuse_locked(row["belongsToDate"])
        self._dataset.remove("TimeEntries", row["id"])
        self._ledger.commit(received, "TimeEntries", row["id"], "deleted")

    def _sent(self, body: Row) -> Row:
        if "localTime" in body:
            raise bad_request("Value cannot be null. (Parameter 'nullableType')")
        if self._rules.platform_required and body.get("platform") is None:
            raise Invalid("Platform", "The Platform field is required.")
        sent = checked(body, _ENTRY, _FIELDS)
        require(sent, "personId", "type")
        if sent.get("status", "Active") != "Active":
            raise bad_request("The status of a new time entry can only be 'Active'.")
        check_links(self._dataset, sent, _LINKS)
        return sent

    def _kept(self, sent: Row) -> Row:
        """What the server takes over of what was sent."""
        kept = {"all": sent.get("time"), "nothing": None}
        if sent.get("time") and self._rules.keeps_time == "seconds":
            kept["seconds"] = f"{parse_instant(sent['time']):%Y-%m-%dT%H:%M:%S}Z"
        sent["time"] = kept.get(self._rules.keeps_time)
        if not self._rules.keeps_platform:
            sent["platform"] = None
        if not self._rules.keeps_days:
            sent["belongsToDate"] = sent["offset"] = None
        return sent

    def _before(self, sent: Row) -> Row | None:
        """The person's entry before a new one, which may follow it."""
        now = self._clock()
        time = sent.get("time") or format_instant(now)
        if self._rules.future_refused and parse_instant(time) > now:
            raise Invalid("Time", "The time of an entry cannot be in the future.")
        first = self._rules.refused_before
        if first is not None and parse_instant(time).date() < first:
            raise Invalid("Time", f"The time of an entry cannot be before {first}.")
        person = self._dataset.index("People")[sent["personId"]]
        if not self._rules.removed_punch and person["status"] == "Removed":
            raise Invalid("PersonId", "The person has been removed.")
        before = self._dataset.previous_entry(sent["personId"], time)
        twice = before is not None and before["type"] == sent["type"] == "Out"
        if self._rules.alternation and twice:
            raise Invalid("Type", "The person is clocked out already.")
        return before

    def _refuse_locked(self, day: str) -> None:
        locked = self._rules.locked_until
        if locked is not None and day <= locked.isoformat():
            raise Invalid("BelongsToDate", "The pay period of this day is locked.")

    def _row(self, entry_id: str, sent: Row, before: Row | None) -> Row:
        now = format_instant(self._clock())
        time = sent.get("time") or now
        zone: tzinfo = self._dataset.zone(sent["personId"])
        if sent.get("offset"):
            zone = timezone(parse_duration(sent["offset"]))
        local = parse_instant(time).astimezone(zone)
        day = local.date().isoformat()
        if sent["type"] != "In" and before is not None and before["type"] != "Out":
            day = before["belongsToDate"]
        row = _ENTRY.blank()
        row.update(
            organizationId=self._dataset.organization_id,
            clientType="Web",
            isManual=bool(sent.get("time")),
            isFaceRecognized=None,
        )
        row.update(sent)
        row.update(
            id=entry_id,
            status="Active",
            time=_utc(time),
            localTime=f"{local:%Y-%m-%dT%H:%M:%S}{_fraction(time)}{local.isoformat()[-6:]}",
            offset=format_duration(local.utcoffset() or timedelta(0)),
            belongsToDate=sent.get("belongsToDate") or day,
            platform=shown_platform(sent.get("platform")),
            createdAt=now,
            updatedAt=now,
        )
        return row


def shown_platform(sent: Row | None) -> Row | None:
    """A platform as rows show it: with every documented property, and with others if sent."""
    return None if sent is None else {**dict.fromkeys(_PLATFORM), **sent}


def _fraction(time: str) -> str:
    match = re.search(r"\.\d+", time)
    return match[0][:8].rstrip("0").rstrip(".") if match else ""


def _utc(time: str) -> str:
    return f"{parse_instant(time):%Y-%m-%dT%H:%M:%S}{_fraction(time)}Z"
