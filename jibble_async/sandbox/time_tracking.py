"""The time-tracking service: time entries, hour entries, who is at work, time off.

That `WhoIsWorkingNow` is there was observed; the names in its rows are those that two programs
read. Time off has no empty note and may lack one of its days, as one program that ran for months
saw it.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Protocol

from jibble_async.sandbox.bodies import check_links, checked, require
from jibble_async.sandbox.company.time_off import overview_of
from jibble_async.sandbox.errors import Refusal, bad_request, not_found
from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.hour_entries import HourEntries
from jibble_async.sandbox.punches import Punches
from jibble_async.sandbox.scalars import format_instant, is_guid, new_guid, parse_instant
from jibble_async.sandbox.schema import TIME_TRACKING_SETS, TYPES, WORKING_NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.odata import ODataService
    from jibble_async.sandbox.rules import Rules

_ADDRESS = re.compile(
    r"/v1/(\w+)(?:\(([^()]*)\)|/(?!LatestTimeEntry)([^/()]+))?(/LatestTimeEntry)?", re.IGNORECASE
)
_PUBLIC = {"TimeTrackingPeople": "People"}
_TIME_OFF_FIELDS = frozenset(
    {"personId", "policyId", "startDate", "endDate", "startTime", "endTime", "note"}
)


class _Writing(Protocol):
    """What writes the rows of a set."""

    def create(self, call: Call, received: Received) -> Row: ...

    def change(self, call: Call, received: Received, row: Row) -> None: ...

    def delete(self, received: Received, row: Row) -> None: ...


class TimeTracking:
    """Answers the time-tracking host.

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
        self._random = Random(f"time off {seed}")  # noqa: S311
        self._written: dict[str, _Writing] = {
            "TimeEntries": Punches(dataset, ledger, clock, rules, seed),
            "HourEntries": HourEntries(dataset, ledger, clock, seed),
        }

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request.

        Raises:
            Refusal: The request is refused with an error body.
        """
        match = _ADDRESS.fullmatch(call.path)
        if match is None:
            raise not_found(call.path)
        asked, *keys, latest = match.groups()
        key = next((each for each in keys if each is not None), None)
        if asked.lower() == "whoisworkingnow" and call.method == "GET" and key is None:
            return Reply(200, self._working(call))
        name = TIME_TRACKING_SETS.get(asked.lower())
        if name is None or (latest and (key is None or name != "TimeTrackingPeople")):
            raise not_found(call.path)
        public = _PUBLIC.get(name, name)
        if key is None:
            return self._many(call, received, name, public, shift)
        if not is_guid(key):
            raise bad_request(f"{key!r} is not a key of {public}.")
        row = self._dataset.index(name).get(key.lower())
        if row is None:
            raise not_found(f"{public}({key})")
        if call.method == "GET":
            if latest:
                return self._latest(call, key.lower())
            return Reply(200, self._odata.entity(call, name, public, row))
        return self._change(call, received, name, row)

    def _change(self, call: Call, received: Received, name: str, row: Row) -> Reply:
        if call.method == "PATCH" and name in self._written:
            self._written[name].change(call, received, row)
        elif call.method == "DELETE" and name in self._written:
            self._written[name].delete(received, row)
        elif call.method == "PATCH" and name == "TimeOffIntervals":
            self._decide(call, received, row)
        else:
            raise _not_allowed(call, name)
        return Reply(204)

    def _many(self, call: Call, received: Received, name: str, public: str, shift: int) -> Reply:
        if call.method == "GET":
            return Reply(200, self._odata.collection(call, name, public, shift=shift))
        if call.method == "POST" and name in self._written:
            row = self._written[name].create(call, received)
            return Reply(201, self._odata.entity(call, name, public, row))
        if call.method == "POST" and name == "TimeOffIntervals":
            return self._ask_for_leave(call, received)
        raise _not_allowed(call, name)

    def _working(self, call: Call) -> Row:
        people = [row for row in self._dataset.rows("TimeTrackingPeople") if row["isActive"]]
        rows = [
            {
                **{key: row[key] for key in ("id", "fullName", "email", "groupId", "timeZone")},
                "personId": row["id"],
                "time": row["latestTimeEntryTime"],
            }
            for row in people
        ]
        return self._odata.computed(call, WORKING_NOW, "WhoIsWorkingNow", rows)

    def _latest(self, call: Call, person_id: str) -> Reply:
        row = self._dataset.latest_entry(person_id)
        if row is None:
            return Reply(204)
        return Reply(200, self._odata.entity(call, "TimeEntries", "TimeEntries", row))

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
            note="",
            createdAt=now,
            updatedAt=now,
        )
        row.update((name, value) for name, value in sent.items() if value is not None)
        self._dataset.add("TimeOffIntervals", row)
        overview = overview_of(row, half_days_open=self._rules.half_days_open)
        self._dataset.add("TimeOffOverview", overview)
        self._ledger.commit(received, "TimeOffIntervals", row["id"], "created")
        return Reply(201, self._odata.entity(call, "TimeOffIntervals", "TimeOffIntervals", row))

    def _decide(self, call: Call, received: Received, row: Row) -> None:
        changes = checked(call.json(), TYPES["TimeOffIntervals"], {"status"})
        if changes.get("status") not in {"Approved", "Rejected", "Cancelled"}:
            raise bad_request("'status' must be Approved, Rejected or Cancelled.")
        changes["updatedAt"] = format_instant(self._clock())
        self._dataset.update("TimeOffIntervals", row["id"], changes)
        self._ledger.commit(received, "TimeOffIntervals", row["id"], "updated")


def _not_allowed(call: Call, name: str) -> Refusal:
    return Refusal(405, "method_not_allowed", f"{call.method} is not allowed on {name}.")
