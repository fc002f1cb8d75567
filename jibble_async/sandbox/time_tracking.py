"""The time-tracking service: time entries, who is clocked in, time off.

A created entry gets its local time and working day from the person's zone; leaving or pausing work
belongs to the day of the entry before. Whether the service keeps an id that the client made, and
that it refuses one it knows with 409, is unknown: the first is a switch, the second assumed.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.bodies import check_links, checked, require
from jibble_async.sandbox.errors import Refusal, bad_request, not_found
from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.scalars import (
    format_duration,
    format_instant,
    is_guid,
    new_guid,
    parse_duration,
    parse_instant,
)
from jibble_async.sandbox.schema import TIME_TRACKING_SETS, TYPES
from jibble_async.sandbox.time_off import overview_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.odata import ODataService
    from jibble_async.sandbox.schema import Row

_ADDRESS = re.compile(r"/v1/(\w+)(?:\(([^()]*)\)(/LatestTimeEntry)?|/([^/()]+))?", re.IGNORECASE)
_PUBLIC = {"TimeTrackingPeople": "People"}
_ENTRY_FIELDS = frozenset(
    {"id", "type", "personId", "clientType", "activityId", "projectId", "locationId", "note"}
    | {"coordinates", "time", "belongsToDate", "offset", "autoClockOutTime", "platform"}
)
_ENTRY_CHANGES = frozenset({"activityId", "projectId", "note", "status"})
_ENTRY_LINKS = {
    "personId": "People",
    "activityId": "Activities",
    "projectId": "Projects",
    "locationId": "Locations",
}
_ENTRY_TYPES = {"0": "In", "1": "Out", "2": "StartBreak"}
_TIME_OFF_FIELDS = frozenset(
    {"personId", "policyId", "startDate", "endDate", "startTime", "endTime", "note"}
)
_PLATFORM = ("clientVersion", "os", "deviceModel", "deviceId", "deviceName", "eventId")


class TimeTracking:
    """Answers the time-tracking host.

    Args:
        dataset: The rows.
        odata: Reads them.
        ledger: Notes commits.
        clock: The present instant.
        seed: For the ids of new rows.
        keeps_client_ids: Whether an entry keeps the id that was sent.
    """

    def __init__(
        self,
        dataset: Dataset,
        odata: ODataService,
        ledger: Ledger,
        clock: Callable[[], datetime],
        seed: int,
        *,
        keeps_client_ids: bool,
    ) -> None:
        self._dataset = dataset
        self._odata = odata
        self._ledger = ledger
        self._clock = clock
        self._random = Random(f"time tracking {seed}")  # noqa: S311
        self._keeps_client_ids = keeps_client_ids

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request.

        Raises:
            Refusal: The request is refused with an error body.
        """
        match = _ADDRESS.fullmatch(call.path)
        name = match and TIME_TRACKING_SETS.get(match[1].lower())
        if match is None or name is None or (match[4] and name != "TimeEntries"):
            raise not_found(call.path)
        public = _PUBLIC.get(name, name)
        key = match[2] if match[2] is not None else match[4]
        if key is None:
            return self._many(call, received, name, public, shift)
        if not is_guid(key):
            raise bad_request(f"{key!r} is not a key of {public}.")
        row = self._dataset.index(name).get(key.lower())
        if row is None:
            raise not_found(f"{public}({key})")
        if match[3] is not None:
            if name != "TimeTrackingPeople" or call.method != "GET":
                raise not_found(call.path)
            return self._latest(call, key.lower())
        if call.method == "GET":
            return Reply(200, self._odata.entity(call, name, public, row))
        if call.method == "PATCH" and name == "TimeEntries":
            return self._change_entry(call, received, row)
        if call.method == "PATCH" and name == "TimeOffIntervals":
            return self._decide(call, received, row)
        raise Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {public}.")

    def _many(self, call: Call, received: Received, name: str, public: str, shift: int) -> Reply:
        if call.method == "GET":
            return Reply(200, self._odata.collection(call, name, public, shift=shift))
        if call.method == "POST" and name == "TimeEntries":
            return self._punch(call, received)
        if call.method == "POST" and name == "TimeOffIntervals":
            return self._ask_for_leave(call, received)
        raise Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {public}.")

    def _latest(self, call: Call, person_id: str) -> Reply:
        row = self._dataset.latest_entry(person_id)
        if row is None:
            return Reply(204)
        return Reply(200, self._odata.entity(call, "TimeEntries", "TimeEntries", row))

    def _punch(self, call: Call, received: Received) -> Reply:
        sent = checked(call.json(), TYPES["TimeEntries"], _ENTRY_FIELDS)
        require(sent, "personId", "type")
        sent["type"] = _ENTRY_TYPES.get(sent["type"], sent["type"])
        if sent["type"] not in _ENTRY_TYPES.values():
            raise bad_request(f"{sent['type']!r} is not a type of time entry.")
        check_links(self._dataset, sent, _ENTRY_LINKS)
        given = sent.pop("id", None)
        entry_id = given if given and self._keeps_client_ids else new_guid(self._random)
        if entry_id in self._dataset.index("TimeEntries"):
            raise Refusal(409, "conflict", f"A time entry with the id {entry_id} exists.")
        row = self._new_entry(entry_id, sent)
        self._dataset.add("TimeEntries", row)
        self._ledger.commit(received, "TimeEntries", entry_id, "created")
        return Reply(201, self._odata.entity(call, "TimeEntries", "TimeEntries", row))

    def _new_entry(self, entry_id: str, sent: Row) -> Row:
        now = format_instant(self._clock())
        time = sent.get("time") or now
        moment = parse_instant(time)
        zone: tzinfo = self._dataset.zone(sent["personId"])
        if sent.get("offset"):
            zone = timezone(parse_duration(sent["offset"]))
        local = moment.astimezone(zone)
        day = local.date().isoformat()
        before = self._dataset.previous_entry(sent["personId"], time)
        if sent["type"] != "In" and before is not None and before["type"] != "Out":
            day = before["belongsToDate"]
        row = TYPES["TimeEntries"].blank()
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
            createdAt=now,
            updatedAt=now,
        )
        if row["platform"] is not None:
            row["platform"] = {name: row["platform"].get(name) for name in _PLATFORM}
        return row

    def _change_entry(self, call: Call, received: Received, row: Row) -> Reply:
        changes = checked(call.json(), TYPES["TimeEntries"], _ENTRY_CHANGES)
        check_links(self._dataset, changes, _ENTRY_LINKS)
        if changes.get("status", "Archived") != "Archived":
            raise bad_request("The status of a time entry can only become 'Archived'.")
        changes["updatedAt"] = format_instant(self._clock())
        self._dataset.update("TimeEntries", row["id"], changes)
        self._ledger.commit(received, "TimeEntries", row["id"], "updated")
        return Reply(204)

    def _ask_for_leave(self, call: Call, received: Received) -> Reply:
        sent = checked(call.json(), TYPES["TimeOffIntervals"], _TIME_OFF_FIELDS)
        require(sent, "personId", "policyId")
        check_links(self._dataset, sent, {"personId": "People", "policyId": "TimeOffPolicies"})
        policy = self._dataset.index("TimeOffPolicies")[sent["policyId"]]
        if policy["kind"] == "FullDay":
            require(sent, "startDate", "endDate")
        else:
            require(sent, "startTime", "endTime")
            zone = self._dataset.zone(sent["personId"])
            for side in ("start", "end"):
                local = parse_instant(sent[f"{side}Time"]).astimezone(zone)
                sent[f"{side}Date"] = local.date().isoformat()
        if sent["startDate"] > sent["endDate"]:
            raise bad_request("'endDate' is before 'startDate'.")
        now = format_instant(self._clock())
        row = TYPES["TimeOffIntervals"].blank()
        row.update(
            id=new_guid(self._random),
            organizationId=self._dataset.organization_id,
            kind=policy["kind"],
            status="Pending",
            createdAt=now,
            updatedAt=now,
        )
        row.update(sent)
        self._dataset.add("TimeOffIntervals", row)
        self._dataset.add("TimeOffOverview", overview_of(row))
        self._ledger.commit(received, "TimeOffIntervals", row["id"], "created")
        return Reply(201, self._odata.entity(call, "TimeOffIntervals", "TimeOffIntervals", row))

    def _decide(self, call: Call, received: Received, row: Row) -> Reply:
        changes = checked(call.json(), TYPES["TimeOffIntervals"], {"status"})
        if changes.get("status") not in {"Approved", "Rejected", "Cancelled"}:
            raise bad_request("'status' must be Approved, Rejected or Cancelled.")
        changes["updatedAt"] = format_instant(self._clock())
        self._dataset.update("TimeOffIntervals", row["id"], changes)
        self._ledger.commit(received, "TimeOffIntervals", row["id"], "updated")
        return Reply(204)


def _fraction(time: str) -> str:
    match = re.search(r"\.\d+", time)
    return match[0][:8].rstrip("0").rstrip(".") if match else ""


def _utc(time: str) -> str:
    return f"{parse_instant(time):%Y-%m-%dT%H:%M:%S}{_fraction(time)}Z"
