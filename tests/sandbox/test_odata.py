from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.query_options import parse_options, split
from jibble_async.sandbox.schema import TYPES
from tests.sandbox.calling import WEEK, Caller, VirtualClock

SEED = (
    "/v1/TimeEntries?$count=true&$expand=activity($select=id,name,code),"
    "project($select=id,name,code),person($select=id,groupId,fullname)"
    "&$filter=(belongsToDate eq 2026-07-07 and status ne 'Archived')&$orderby=time asc&$skip=0"
    "&$top=5&$select=id,type,time,localTime,belongsToDate,personId,projectId,activityId,"
    "locationId,note,coordinates,address"
)


async def test_the_documented_request_gets_the_documented_shape(caller: Caller) -> None:
    status, page = await caller.track(SEED)
    assert status == 200
    assert list(page) == ["@odata.context", "@odata.count", "value"]
    assert page["@odata.context"] == (
        f"{caller.box.endpoints['time_tracking']}/v1/$metadata#TimeEntries(id,type,time,localTime,"
        "belongsToDate,personId,projectId,activityId,locationId,note,coordinates,address,"
        "activity(id,name,code),project(id,name,code),person(id,groupId,fullName))"
    )
    truth = [
        row for row in caller.box.ledger.rows("TimeEntries") if row["belongsToDate"] == "2026-07-07"
    ]
    assert page["@odata.count"] == len(truth) > 5
    assert [row["time"] for row in page["value"]] == sorted(row["time"] for row in truth)[:5]
    people = caller.box.dataset.index("People")
    for row in page["value"]:
        assert len(row) == 15
        person = people[row["personId"]]
        assert row["person"] == {key: person[key] for key in ("id", "groupId", "fullName")}
        assert (row["project"] is None) == (row["projectId"] is None)


async def test_the_documented_time_off_request(caller: Caller) -> None:
    status, page = await caller.track(
        "/v1/TimeOffOverview?$count=true&$expand=person($select=fullName,id),"
        "policy($select=name,compensation,kind,id)&$filter=(((startDate ge 2026-07-01 and "
        "startDate le 2026-07-31) or (endDate ge 2026-07-01 and endDate le 2026-07-31)))"
        "&$orderby=startDate desc&$skip=0&$top=20"
    )
    assert status == 200
    assert page["@odata.context"].endswith(
        "#TimeOffOverview(person(fullName,id),policy(name,compensation,kind,id))"
    )
    assert page["value"][0].keys() == {
        *("id", "policyId", "personId", "kind", "startDate", "endDate", "startTime", "endTime"),
        *("status", "note", "duration", "holidays", "person", "policy"),
    }
    starts = [row["startDate"] for row in page["value"]]
    assert starts == sorted(starts, reverse=True)


async def test_nested_expands_have_their_own_options(caller: Caller) -> None:
    _, page = await caller.track(
        "/v1/TimeEntries?$top=30&$select=id&$expand=person($select=id;$expand=group($select=name))"
    )
    assert all(row.keys() == {"id", "person"} for row in page["value"])
    named = [row["person"]["group"] for row in page["value"]]
    assert all(group is None or group.keys() == {"name"} for group in named)
    _, page = await caller.work(
        "/v1/Groups?$expand=members($filter=role ne 'Owner';$orderby=fullName desc;$top=1;"
        "$select=fullName)&$orderby=name"
    )
    shown = [row["members"] for row in page["value"]]
    assert all(len(members) <= 1 for members in shown)
    assert any(shown)


async def test_rows_are_sorted_by_many_keys_null_first(caller: Caller) -> None:
    _, page = await caller.track(
        "/v1/TimeEntries?$orderby=projectId,person/fullName desc,time&$select=id,projectId,time"
        "&$expand=person"
    )
    keys = [(row["projectId"] is not None, row["projectId"] or "") for row in page["value"]]
    assert keys == sorted(keys)
    assert not keys[0][0]
    same = [row["person"]["fullName"] for row in page["value"] if row["projectId"] is None]
    assert same == sorted(same, reverse=True)


async def test_workspace_rows_carry_etags_and_tracking_rows_do_not(caller: Caller) -> None:
    _, people = await caller.work("/v1/People?$select=id")
    assert all(row.keys() == {"@odata.etag", "id"} for row in people["value"])
    _, policies = await caller.work("/v1/TimeOffPolicies")
    _, tracked = await caller.track("/v1/People")
    assert "@odata.etag" not in policies["value"][0]
    assert tracked["value"][0].keys() == TYPES["TimeTrackingPeople"].properties.keys()


async def walk(caller: Caller, path: str) -> tuple[list[str], list[int]]:
    headers = {"Authorization": f"Bearer {caller.bearer}"}
    _, page = await caller.track(path)
    found, sizes = list[str](), list[int]()
    while True:
        found += [row["id"] for row in page["value"]]
        sizes.append(len(page["value"]))
        link = page.get("@odata.nextLink")
        if link is None:
            return found, sizes
        async with caller.session.get(link, headers=headers) as response:
            page = await response.json()


@pytest.fixture
async def capped(clock: VirtualClock) -> AsyncIterator[Caller]:
    async with (
        Sandbox(people=4, clock=clock, page_cap=20, next_links=True, **WEEK) as box,
        aiohttp.ClientSession() as session,
    ):
        calling = Caller(box, session)
        await calling.authorise()
        yield calling


async def test_links_lead_through_every_row(capped: Caller) -> None:
    truth = [row["id"] for row in capped.box.dataset.rows("TimeEntries")]
    found, sizes = await walk(capped, "/v1/TimeEntries?$orderby=time")
    assert sorted(found) == sorted(truth)
    assert set(sizes[:-1]) == {20}
    found, sizes = await walk(capped, "/v1/TimeEntries?$filter=note ne 'a+b''c'&$top=45&$skip=1")
    assert sizes == [20, 20, 5]
    assert found == [row["id"] for row in capped.box.dataset.rows("TimeEntries")][1:46]


async def test_a_cap_without_links_is_silent(caller: Caller, clock: VirtualClock) -> None:
    async with Sandbox(people=4, clock=clock, page_cap=7, **WEEK) as box:
        other = Caller(box, caller.session)
        await other.authorise()
        _, page = await other.track("/v1/TimeEntries?$top=100&$count=true")
        assert len(page["value"]) == 7 < page["@odata.count"]
        assert "@odata.nextLink" not in page


async def test_the_service_may_be_chosen_by_host(caller: Caller) -> None:
    headers = {"Authorization": f"Bearer {caller.bearer}", "Host": "time-tracking.prod.jibble.io"}
    url = f"{caller.box.url}/v1/People?$top=1"
    async with caller.session.get(url, headers=headers) as response:
        page = await response.json()
    assert page["@odata.context"] == "http://time-tracking.prod.jibble.io/v1/$metadata#People"
    received = caller.box.ledger.requests[-1]
    assert (received.service, received.target) == ("time-tracking", "/v1/People?$top=1")


async def test_rows_added_from_outside_are_served(caller: Caller) -> None:
    path = "/v1/Activities?$count=true&$filter=name eq 'New'"
    assert (await caller.work(path))[1]["@odata.count"] == 0
    rows = caller.box.dataset.rows("Activities")
    rows.append({**rows[0], "id": "5d3b37e7-64a8-411a-9a1e-056c149a13fc", "name": "New"})
    assert (await caller.work(path))[1]["@odata.count"] == 1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("$top=-1", "$top"),
        ("$top=ten", "$top"),
        ("$skip=1.5", "$skip"),
        ("$count=yes", "$count"),
        ("$top=1&$top=2", "$top"),
        ("$tops=1", "$tops"),
        ("$select=", "$select"),
        ("$select=id,nothing", "nothing"),
        ("$expand=nobody", "nobody"),
        ("$expand=personId", "personId"),
        ("$expand=person($top=1)", "$select"),
        ("$expand=person($select=id", "balanced"),
        ("$expand=person(select=id)", "select"),
        ("$expand=person,,project", "empty"),
        ("$orderby=time down", "down"),
        ("$orderby=coordinates", "coordinates"),
        ("$orderby=person", "person"),
        ("$filter=time ge 2026-07-07T00:00:00+02:00", "parsed"),
    ],
)
async def test_a_wrong_query_is_a_400_that_names_it(caller: Caller, query: str, says: str) -> None:
    url = f"{caller.box.endpoints['time_tracking']}/v1/TimeEntries?{query.replace(' ', '%20')}"
    headers = {"Authorization": f"Bearer {caller.bearer}"}
    async with caller.session.get(url, headers=headers) as response:
        body: dict[str, Any] = await response.json()
    assert response.status == 400
    assert says in body["error"]["message"]
    assert body["error"]["innererror"]["trace"]


def test_options_are_form_decoded() -> None:
    options = parse_options("%24filter=note+eq+'a%2Bb'&%24top=5&plain=1")
    assert (options.filter, options.top) == ("note eq 'a+b'", 5)


def test_lists_are_cut_outside_parentheses_and_quotes() -> None:
    assert split("a($filter=b eq 'x,(';$top=1),c", ",") == ["a($filter=b eq 'x,(';$top=1)", "c"]
    with pytest.raises(Refusal):
        split("a),b(", ",")


async def test_what_fails_in_the_middle_fails_again(caller: Caller) -> None:
    rows = caller.box.dataset.rows("Groups")
    rows[0]["kiosks"], rows[1]["kiosks"] = [5], ["text"]
    caller.box.dataset.touch()
    for _ in range(2):
        status, answer = await caller.work("/v1/Groups?$filter=kiosks/any(k: k gt 1)")
        assert status == 400
        assert "does not fit" in answer["error"]["message"]
