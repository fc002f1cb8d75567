from __future__ import annotations

from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest

from jibble_async.sandbox import Rules, Sandbox
from tests.sandbox.calling import PLATFORM, WEEK, Caller, VirtualClock

NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"


def person(caller: Caller, place: int = 0) -> str:
    found: str = caller.box.dataset.rows("People")[place]["id"]
    return found


async def create(caller: Caller, service: str, path: str, body: Any) -> tuple[int, Any]:
    status, answer, _ = await caller.send("POST", service, path, body)
    return status, answer


async def test_clocking_in_fills_what_the_person_implies(caller: Caller) -> None:
    activity = caller.box.dataset.rows("Activities")[0]["id"]
    status, entry = await create(
        caller,
        "time_tracking",
        "/v1/TimeEntries",
        {
            "id": NOBODY,
            "personId": person(caller),
            "type": "In",
            "activityId": activity,
            "clientType": "Web",
            "platform": PLATFORM,
            "coordinates": {"latitude": 42, "longitude": -13.5},
        },
    )
    assert status == 201
    assert entry["@odata.context"].endswith("/v1/$metadata#TimeEntries/$entity")
    assert (entry["id"], entry["activityId"], entry["status"]) == (NOBODY, activity, "Active")
    assert entry["time"] == "2026-07-13T09:00:00Z"
    assert (entry["localTime"], entry["offset"]) == ("2026-07-13T13:00:00+04:00", "PT4H")
    assert (entry["belongsToDate"], entry["isManual"]) == ("2026-07-13", False)
    assert entry["platform"]["deviceModel"] is None
    status, latest = await caller.track(f"/v1/People({person(caller)})/LatestTimeEntry")
    assert (status, latest["id"]) == (200, NOBODY)
    _, page = await caller.track("/v1/People?$filter=isActive eq true&$select=id,fullName")
    assert person(caller) in {row["id"] for row in page["value"]}
    assert caller.box.ledger.committed[-1].id == NOBODY
    again = {"id": NOBODY, "personId": person(caller), "type": "Out", "platform": PLATFORM}
    assert (await create(caller, "time_tracking", "/v1/TimeEntries", again))[0] == 409


async def test_leaving_belongs_to_the_day_of_coming(caller: Caller) -> None:
    caller.box.rules.future_refused = False
    for kind, time in (("In", "2026-07-20T18:00:00Z"), ("Out", "2026-07-20T23:00:00.25Z")):
        body = {"personId": person(caller), "type": kind, "time": time, "platform": PLATFORM}
        status, entry = await create(caller, "time_tracking", "/v1/TimeEntries", body)
        assert status == 201
        assert entry["belongsToDate"] == "2026-07-20"
        assert entry["isManual"]
    assert entry["localTime"] == "2026-07-21T03:00:00.25+04:00"


async def test_an_offset_and_a_day_that_are_sent_are_kept(caller: Caller) -> None:
    caller.box.rules.future_refused = caller.box.rules.alternation = False
    body = {
        "platform": PLATFORM,
        "personId": person(caller),
        "type": "1",
        "time": "2026-07-21T02:00:00+02:00",
        "offset": "-PT3H",
        "belongsToDate": "2026-07-19",
    }
    _, entry = await create(caller, "time_tracking", "/v1/TimeEntries", body)
    assert entry["type"] == "Out"
    assert (entry["time"], entry["offset"]) == ("2026-07-21T00:00:00Z", "-PT3H")
    assert entry["localTime"] == "2026-07-20T21:00:00-03:00"
    assert entry["belongsToDate"] == "2026-07-19"


async def test_a_server_that_makes_its_own_ids(caller: Caller, clock: VirtualClock) -> None:
    async with Sandbox(people=1, clock=clock, rules=Rules(keeps_client_ids=False), **WEEK) as box:
        other = Caller(box, caller.session)
        await other.authorise()
        body = {"id": NOBODY, "personId": person(other), "type": "In", "platform": PLATFORM}
        replies = [await create(other, "time_tracking", "/v1/TimeEntries", body) for _ in range(2)]
    assert [status for status, _ in replies] == [201, 201]
    assert NOBODY not in {entry["id"] for _, entry in replies}


@pytest.mark.parametrize("form", ["TimeEntries({})", "TimeEntries/{}", "timeentries({})"])
async def test_an_entry_is_archived_by_either_address(caller: Caller, form: str) -> None:
    entry = caller.box.dataset.rows("TimeEntries")[5]
    path = f"/v1/{form.format(entry['id'])}"
    assert (await caller.track(path))[1]["id"] == entry["id"]
    status, body, _ = await caller.send("PATCH", "time_tracking", path, {"status": "Archived"})
    assert (status, body) == (204, "")
    assert entry["status"] == "Archived"
    assert entry["id"] not in {row["id"] for row in caller.box.ledger.rows("TimeEntries")}
    everything = caller.box.ledger.rows("TimeEntries", include_archived=True)
    assert entry["id"] in {row["id"] for row in everything}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"type": "In"}, "personId"),
        ({"personId": NOBODY, "type": "In"}, "personId"),
        ({"personId": "Paul", "type": "In"}, "guid"),
        ({"type": "EndBreak"}, "EndBreak"),
        ({"type": "In", "time": "2026-07-13T09:00:00"}, "time"),
        ({"type": "In", "colour": "red"}, "colour"),
        ({"type": "In", "status": "Archived"}, "status"),
        ({"type": "In", "coordinates": {"lat": 1}}, "lat"),
        ({"type": "In", "activityId": NOBODY}, "activityId"),
        ([], "object"),
    ],
)
async def test_a_wrong_entry_is_refused(caller: Caller, body: Any, says: str) -> None:
    if isinstance(body, dict) and body != {"type": "In"}:
        body = {"personId": person(caller), **body}
    if isinstance(body, dict):
        body = {"platform": PLATFORM, **body}
    before = len(caller.box.dataset.rows("TimeEntries"))
    status, answer = await create(caller, "time_tracking", "/v1/TimeEntries", body)
    assert status == 400
    assert says in answer["error"]["message"]
    assert len(caller.box.dataset.rows("TimeEntries")) == before


async def test_time_off_is_asked_for_and_decided(caller: Caller) -> None:
    policies = {row["name"]: row["id"] for row in caller.box.dataset.rows("TimeOffPolicies")}
    status, leave = await create(
        caller,
        "time_tracking",
        "/v1/TimeOffIntervals",
        {
            "startDate": "2026-08-11",
            "endDate": "2026-08-16",
            "note": "Just a vacation",
            "personId": person(caller),
            "policyId": policies["Vacation Leave"],
        },
    )
    assert status == 201
    assert leave["@odata.context"].endswith("#TimeOffIntervals/$entity")
    assert (leave["kind"], leave["status"], leave["startTime"]) == ("FullDay", "Pending", None)
    assert leave.keys() - {"@odata.context"} == {
        *("policyId", "personId", "organizationId", "createdAt", "updatedAt", "kind", "startTime"),
        *("endTime", "startDate", "endDate", "status", "note", "id", "holidays"),
    }
    path = f"/v1/TimeOffIntervals({leave['id']})"
    status, _, _ = await caller.send("PATCH", "time_tracking", path, {"status": "Approved"})
    assert status == 204
    _, overview = await caller.track(f"/v1/TimeOffOverview?$filter=id eq {leave['id']}")
    assert (overview["value"][0]["status"], overview["value"][0]["duration"]) == ("Approved", 6)
    status, _, _ = await caller.send("PATCH", "time_tracking", path, {"status": "Canceled"})
    assert status == 400
    hours = {"personId": person(caller), "policyId": policies["Errand"]}
    assert (await create(caller, "time_tracking", "/v1/TimeOffIntervals", hours))[0] == 400
    hours |= {"startTime": "2026-08-11T21:00:00Z", "endTime": "2026-08-11T22:00:00Z"}
    status, leave = await create(caller, "time_tracking", "/v1/TimeOffIntervals", hours)
    assert (status, leave["kind"], leave["startDate"]) == (201, "Hours", "2026-08-12")


async def test_people_come_change_and_go(caller: Caller) -> None:
    body = {"fullName": "Zoë O'Neill", "email": "zoe@example.com"}
    invited = {**body, "IPersonSetting/SendInviteEmail": True}
    status, added = await create(caller, "workspace", "/v1/People", invited)
    assert (status, added["status"]) == (201, "PendingInvitation")
    path = f"/v1/People({added['id']})"
    group = caller.box.dataset.rows("Groups")[1]["id"]
    change = {"groupId": group, "preferredName": "Z"}
    assert (await caller.send("PATCH", "workspace", path, change))[0] == 204
    assert (await caller.track(path))[1]["groupId"] == group
    status, _, _ = await caller.send("PATCH", "workspace", path, {"status": "Removed"})
    assert status == 204
    assert (await caller.work(path))[1]["removedAt"] == "2026-07-13T09:00:00.0000000Z"
    assert added["id"] not in {row["id"] for row in caller.box.ledger.rows("People")}
    assert (await caller.send("DELETE", "workspace", path))[0] == 204
    assert (await caller.work(path))[0] == (await caller.track(path))[0] == 404
    assert [each.change for each in caller.box.ledger.committed] == [
        "created",
        "updated",
        "updated",
        "deleted",
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Projects", {"name": "Bridge", "description": "over the river"}),
        ("Clients", {"name": "Somebody"}),
        ("Activities", {"name": "Welding", "color": "FF8800"}),
        ("Groups", {"name": "Welders"}),
        (
            "Locations",
            {
                "name": "Yard",
                "address": "Here",
                "coordinates": {"latitude": 1.5, "longitude": 2},
                "geoFence": {"radius": 100, "units": "Feet"},
            },
        ),
    ],
)
async def test_work_is_created_and_archived(caller: Caller, name: str, body: Any) -> None:
    if name in {"Activities", "Groups"}:
        assert (await create(caller, "workspace", f"/v1/{name}", body))[0] == 405
        caller.box.rules.catalog_writable = True
    status, added = await create(caller, "workspace", f"/v1/{name}", body)
    assert (status, added["status"], added["name"]) == (201, "Active", body["name"])
    path = f"/v1/{name}({added['id']})"
    assert (await caller.send("PATCH", "workspace", path, {"status": "Archived"}))[0] == 204
    _, shown = await caller.work(path)
    assert shown["status"] == "Archived"
    assert shown["@odata.etag"].startswith('W/"')
    if name == "Locations":
        assert shown["geoFence"]["radiusInMeters"] == pytest.approx(30.48)
    assert (await create(caller, "workspace", f"/v1/{name}", {}))[0] == 400
    assert (await caller.send("DELETE", "workspace", path))[0] == 405


async def test_a_plan_may_not_include_clients(caller: Caller) -> None:
    caller.box.restricted.add("Clients")
    status, answer = await create(caller, "workspace", "/v1/Clients", {"name": "x"})
    assert (status, answer["error"]["code"]) == (402, "feature_restricted_subscription")


async def test_holidays_of_a_person(caller: Caller) -> None:
    status, page = await caller.work(f"/v1/PersonHolidays(personId={person(caller)})")
    assert status == 200
    assert {"date": "2026-09-07", "name": "Founders' Day", "isShortDay": True, "rules": []} in page[
        "value"
    ]
    assert (await caller.work(f"/v1/PersonHolidays(personId={NOBODY})"))[0] == 404
    assert (await caller.work("/v1/PersonHolidays(person=1)"))[0] == 400


@pytest.mark.parametrize(
    ("service", "path", "status"),
    [
        ("workspace", "/v1/Members", 404),
        ("workspace", "/v1/TimeEntries", 404),
        ("workspace", f"/v1/People({NOBODY})", 404),
        ("workspace", "/v1/People(1)", 400),
        ("workspace", "/v2/People", 404),
        ("workspace", "/v1/People/1", 400),
        ("time_tracking", "/v1/Webhooks", 404),
        ("time_tracking", f"/v1/TimeEntries/{NOBODY}", 404),
        ("time_tracking", f"/v1/People/{NOBODY}", 404),
        ("time_tracking", f"/v1/TimeEntries({NOBODY})/LatestTimeEntry", 404),
        ("time_attendance", "/v1/DailyTimesheets", 404),
        ("identity", "/connect/other", 404),
    ],
)
async def test_what_is_not_there(caller: Caller, service: str, path: str, status: int) -> None:
    assert (await caller.send("GET", service, path))[0] == status


async def test_the_ledger_knows_every_request(caller: Caller) -> None:
    await caller.work("/v1/People?$select=id&$top=2")
    await caller.track("/v1/Nothing")
    ledger = caller.box.ledger
    assert [each.number for each in ledger.requests] == [1, 2, 3]
    assert [each.status for each in ledger.requests] == [200, 200, 404]
    assert ledger.requests[1].target == "/v1/People?$select=id&$top=2"
    assert ledger.count(service="workspace", method="GET", path="People") == 1
    assert ledger.count(path="TimeEntries") == 0
    assert len(ledger.token_requests) == 1
    assert caller.bearer not in repr(ledger.requests)
    some = ledger.rows("TimeEntries", since=date(2026, 7, 7), until=date(2026, 7, 8))
    assert {row["belongsToDate"] for row in some} == {"2026-07-07", "2026-07-08"}


async def test_the_environment_points_here(caller: Caller) -> None:
    environment = caller.box.environment()
    assert environment["JIBBLE_CLIENT_SECRET"] == caller.box.client_secret
    assert environment["JIBBLE_TIME_TRACKING_URL"] == f"{caller.box.url}/time-tracking"
    assert environment["JIBBLE_LEGACY_URL"] == caller.box.legacy_url
    assert len(environment) == 8


@pytest.mark.parametrize("service", ["workspace", "time_tracking", "time_attendance"])
async def test_a_service_describes_its_sets(caller: Caller, service: str) -> None:
    status, text, headers = await caller.send("GET", service, "/v1/$metadata")
    assert (status, headers["Content-Type"]) == (200, "application/xml")
    edm = "{http://docs.oasis-open.org/odata/ns/edm}"
    (schema,) = ElementTree.fromstring(text).iter(f"{edm}Schema")
    sets = {
        each.attrib["Name"]: each.attrib["EntityType"] for each in schema.iter(f"{edm}EntitySet")
    }
    types = {each.attrib["Name"]: each for each in schema.iter(f"{edm}EntityType")}
    for name, entity_type in sets.items():
        described = types[entity_type.removeprefix("Jibble.Sandbox.")]
        names = {each.attrib["Name"] for each in described.iter(f"{edm}Property")}
        is_open = described.get("OpenType") == "true"
        query = "?date=2026-07-06" if service == "time_attendance" else "?$top=1"
        status, page, _ = await caller.send("GET", service, f"/v1/{name}{query}")
        assert status == 200
        shown = {each for row in page["value"] for each in row if each[0] != "@"}
        assert {each for each in shown if not is_open or "/" not in each} <= names
    for led_to in schema.iter(f"{edm}NavigationProperty"):
        target = led_to.attrib["Type"].removeprefix("Collection(").removesuffix(")")
        assert target.removeprefix("Jibble.Sandbox.") in types
