"""How the old API's host is reached, limited and troubled."""

from __future__ import annotations

import aiohttp
import pytest

from jibble_async.sandbox import LEGACY_QUOTA, Fault, LegacyStore, Quota, Sandbox
from tests.sandbox.calling import WEEK, LegacyCaller, VirtualClock
from tests.sandbox.test_legacy_tokens import grant

PAGE = "/timeentries?filter[order]=date%20ASC&filter[limit]=20&filter[skip]="


async def test_it_is_reached_by_name_too(legacy: LegacyCaller) -> None:
    box = legacy.box
    headers = {"Host": "connect.jibble.io", "Authorization": f"Bearer {box.legacy_token}"}
    async with legacy.session.get(f"{box.url}/api/v1/clients", headers=headers) as response:
        assert response.status == 200
    url = f"{box.url}/oauth/token"
    headers = {"Host": "connect.herokuapp.com:443"}
    async with legacy.session.post(url, json=grant(box), headers=headers) as response:
        assert response.status == 200
    assert [each.service for each in box.ledger.requests] == ["legacy", "legacy-identity"]
    assert box.ledger.requests[0].target == "/api/v1/clients"


async def test_it_does_not_describe_its_sets(legacy: LegacyCaller) -> None:
    headers = {"Authorization": f"Bearer {legacy.bearer}"}
    url = f"{legacy.box.legacy_url}/v1/$metadata"
    async with legacy.session.get(url, headers=headers) as response:
        assert response.status == 404


async def test_brackets_may_be_encoded_or_not(legacy: LegacyCaller) -> None:
    plain = "/timeentries?filter[where][action]=1&filter[order]=date DESC"
    encoded = plain.replace("[", "%5B").replace("]", "%5D").replace(" ", "%20")
    assert await legacy.get(encoded) == await legacy.get(plain.replace(" ", "+"))
    assert legacy.box.ledger.requests[0].target == f"/api/v1{encoded}"


def test_nobody_pays_for_what_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def copied(_: object) -> None:
        raise LookupError("somebody asked")

    monkeypatch.setattr("jibble_async.sandbox.sandbox.organisation_rows", copied)
    box = Sandbox(people=3, **WEEK)
    assert box.legacy_id("People", box.dataset.owner_id)
    assert box.dataset.rows("TimeEntries")
    with pytest.raises(LookupError):
        box.legacy.rows("teams")


async def test_writes_stay_on_their_side(legacy: LegacyCaller) -> None:
    box = legacy.box
    before = len(box.dataset.rows("TimeEntries"))
    await legacy.send("POST", "/timeentries", {"action": 1})
    assert len(box.dataset.rows("TimeEntries")) == before
    assert len(box.legacy.rows("timeentries")) > 0
    box.dataset.rows("Activities").clear()
    assert len((await legacy.get("/activities"))[1]) == 6


async def test_rows_may_be_added_and_removed_from_outside(legacy: LegacyCaller) -> None:
    _, page = await legacy.get("/clients")
    rows = legacy.box.legacy.rows("clients")
    rows.append({**rows[0], "id": "zzzzzzzzzzzzzzzz"})
    assert len((await legacy.get("/clients"))[1]) == len(page) + 1
    del rows[0]
    rows[0]["name"] = "Renamed"
    legacy.box.legacy.touch()
    _, page = await legacy.get("/clients?filter[where][name]=Renamed")
    assert len(page) == 1


async def test_a_question_asked_again_sees_what_was_written(legacy: LegacyCaller) -> None:
    question = "/teams?filter[where][name]=Works"
    assert await legacy.get(question) == (200, [])
    _, team, _ = await legacy.send("POST", "/teams", {"name": "Works"})
    assert await legacy.get(question) == (200, [team])
    await legacy.send("PUT", f"/teams/{team['id']}", {"name": "Plant"})
    assert await legacy.get(question) == (200, [])
    _, team, _ = await legacy.send("PUT", f"/teams/{team['id']}", {"name": "Works"})
    assert await legacy.get(question) == (200, [team])
    await legacy.send("DELETE", f"/teams/{team['id']}")
    assert await legacy.get(question) == (200, [])


async def test_a_hundred_and_fifty_an_hour(legacy: LegacyCaller, clock: VirtualClock) -> None:
    legacy.box.legacy_quota = LEGACY_QUOTA
    answered = []
    for _ in range(151):
        answered.append((await legacy.get("/teams"))[0])
        clock.forward(1)
    assert answered == [200] * 150 + [403]
    status, body, headers = await legacy.send("GET", "/teams")
    assert (status, body) == (403, "")
    assert not any(name.lower().startswith(("x-rate", "retry")) for name in headers)
    clock.forward(3600 - 151 - 0.001)
    assert (await legacy.get("/teams"))[0] == 403
    clock.forward(0.001)
    assert [(await legacy.get("/teams"))[0] for _ in range(2)] == [200, 403]
    clock.forward(1)
    assert (await legacy.get("/teams"))[0] == 200


@pytest.mark.parametrize("form", ["", "{}", '{"meta":{"code":403},"response":{}}'])
async def test_empty_has_three_forms(legacy: LegacyCaller, form: str) -> None:
    legacy.box.legacy_quota = Quota(0, 3600, headers=False, empty_403=True, empty_body=form)
    headers = {"Authorization": f"Bearer {legacy.bearer}"}
    url = f"{legacy.box.legacy_url}/api/v1/teams"
    async with legacy.session.get(url, headers=headers) as response:
        assert (response.status, await response.text()) == (403, form)


@pytest.mark.parametrize("counted", [False, True])
async def test_whether_refused_calls_count(
    legacy: LegacyCaller, clock: VirtualClock, counted: bool
) -> None:
    legacy.box.legacy_quota = Quota(
        1, 10, headers=False, kind="sliding", empty_403=True, counts_refused=counted
    )
    answered = []
    for _ in range(4):
        answered.append((await legacy.get("/teams"))[0])
        clock.forward(6)
    assert answered == ([200, 403, 403, 403] if counted else [200, 403, 200, 403])


@pytest.mark.parametrize("counted", [False, True])
async def test_whether_tokens_count(legacy: LegacyCaller, counted: bool) -> None:
    box = legacy.box
    box.legacy_quota = Quota(1, 10, headers=False, kind="sliding", empty_403=True)
    box.legacy_rules.tokens_count = counted
    assert (await legacy.ask_token(grant(box)))[0] == 200
    assert (await legacy.get("/teams"))[0] == (403 if counted else 200)


async def test_the_limits_of_the_two_apis_are_apart(legacy: LegacyCaller) -> None:
    legacy.box.quota = Quota(0, 10)
    assert (await legacy.get("/teams"))[0] == 200
    assert legacy.box.quota is not legacy.box.legacy_quota


async def test_one_record_may_be_forbidden_whatever_the_rate(legacy: LegacyCaller) -> None:
    _, clients = await legacy.get("/clients")
    closed, opened = clients[0]["id"], clients[1]["id"]
    legacy.box.faults.add(Fault("empty_403", path=f"/clients/{closed}", times=None))
    for _ in range(2):
        assert await legacy.get(f"/clients/{closed}") == (403, "")
        assert (await legacy.get("/teams?filter[limit]=1"))[0] == 200
        assert (await legacy.get(f"/clients/{opened}"))[0] == 200


async def test_tokens_are_spared_unless_they_are_meant(legacy: LegacyCaller) -> None:
    box = legacy.box
    box.faults.add(Fault("status", status=503, body="{}", times=None))
    assert (await legacy.ask_token(grant(box)))[0] == 200
    assert (await legacy.get("/clients"))[0] == 503
    box.faults.clear()
    box.faults.add(Fault("status", service="legacy-identity", status=503, body="{}"))
    assert (await legacy.ask_token(grant(box)))[0] == 503


async def test_refusals_by_script_have_the_bodies_of_this_host(legacy: LegacyCaller) -> None:
    faults = legacy.box.faults
    faults.add(Fault("denied_403", service="legacy"))
    faults.add(Fault("unauthorized", service="legacy"))
    denial = {"statusCode": 403, "name": "Error", "message": "Access Denied"}
    assert await legacy.get("/clients") == (403, {"error": {**denial, "code": "ACCESS_DENIED"}})
    status, body = await legacy.get("/clients")
    assert (status, body["error"]["statusCode"]) == (401, 401)
    assert (await legacy.get("/clients"))[0] == 200


@pytest.mark.parametrize(
    ("kind", "committed"), [("drop_before", 0), ("reset_before", 0), ("drop_after", 1)]
)
async def test_a_lost_connection_commits_as_its_kind_says(
    legacy: LegacyCaller, kind: str, committed: int
) -> None:
    legacy.box.faults.add(Fault(kind, method="POST"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await legacy.send("POST", "/timeentries", {"action": 1})
    assert len(legacy.box.ledger.committed) == committed


async def test_bodies_that_are_cut(legacy: LegacyCaller) -> None:
    faults = legacy.box.faults
    faults.add(Fault("invalid_json"))
    with pytest.raises(ValueError, match="delimiter"):
        await legacy.get("/clients")
    faults.add(Fault("truncate"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await legacy.get("/clients")
    faults.add(Fault("drip", size=50))
    assert (await legacy.get("/clients"))[0] == 200
    faults.add(Fault("bad_row", field="updated_at", value="yesterday"))
    assert (await legacy.get("/clients"))[1][0]["updated_at"] == "yesterday"
    faults.add(Fault("empty_page"))
    assert await legacy.get("/clients") == (200, [])


async def test_rows_change_between_pages(legacy: LegacyCaller) -> None:
    _, first = await legacy.get(PAGE + "0")

    def remove_the_first(store: LegacyStore) -> None:
        store.remove("timeentries", first[0]["id"])

    legacy.box.faults.add(Fault("mutate", service="legacy", change=remove_the_first))
    _, second = await legacy.get(PAGE + "19")
    _, again = await legacy.get(PAGE + "18")
    assert second[0] not in first
    assert again[0] == first[-1]


async def test_pushed_in_rows_repeat(legacy: LegacyCaller) -> None:
    pages = [(await legacy.get(PAGE + "0"))[1]]
    legacy.box.faults.add(Fault("duplicate_rows", service="legacy", rows=2))
    for skip in (20, 40):
        encoded = f"{PAGE}{skip}".replace("[", "%5B").replace("]", "%5D")
        pages.append((await legacy.get(encoded))[1])
    assert pages[1][:2] == pages[0][-2:]
    assert pages[2][0] not in pages[1]
