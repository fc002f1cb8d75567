"""Every documented request of the old API is made by a call, and its answer read in full."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from jibble_legacy import (
    LegacyClient,
    LegacyTimeEntry,
    PasswordGrant,
    PowerUp,
    Team,
    TeamClient,
    TeamMember,
)
from jibble_legacy import fields as legacy_fields
from jibble_legacy.resources.punches import NONCE

from jibble_async import Activity, EntryType, Expression, TimeEntry, fields, raw_filter
from tests.legacy import documented
from tests.legacy.documented import ID, OTHER
from tests.support.legacy import legacy_at
from tests.support.raw_server import RawServer, Script, json_reply

Call = Callable[[LegacyClient], Coroutine[Any, Any, Any]]
EXAMPLES: dict[str, dict[str, Any]] = {
    "clients": documented.CLIENT,
    "activites": documented.ACTIVITY,
    "activities": documented.ACTIVITY,
    "teams": documented.TEAM,
    "teammembers": documented.MEMBER,
    "powerups": documented.POWER_UP,
    "timeentries": documented.ENTRY,
}
RESOURCES: dict[str, Callable[[LegacyClient], Any]] = {
    "clients": lambda legacy: legacy.clients,
    "activites": lambda legacy: legacy.activities,
    "activities": lambda legacy: legacy.activities,
    "teams": lambda legacy: legacy.organizations,
    "teammembers": lambda legacy: legacy.people,
    "powerups": lambda legacy: legacy.power_ups,
    "timeentries": lambda legacy: legacy.time_entries,
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


ENTITIES: dict[str, Any] = {
    "clients": TeamClient(
        id="1dkzv9nQTjLvK8OD",
        name="Client 1",
        organization_id="FC6xFnSAYx",
        updated_at=moment("2018-06-23T05:31:21.989Z"),
    ),
    "activities": Activity(
        id="1hHkD0gDd2",
        name="Research and Development",
        description="",
        color="55C9BD",
        organization_id="FC6xFnSAYx",
        updated_at=moment("2018-06-21T13:12:24.401Z"),
        created_at=moment("2016-05-10T16:32:25.375Z"),
    ),
    "teams": Team(
        id="1C6xFnSAYx",
        name="Teeyoot 1",
        working_hours=8,
        first_weekday=1,
        subscription_plan_type="power",
        first_month=0,
        member_sort_order="firstName",
        owner_id="tcHNNMhfyK",
        subscription_plan_id="4r46JqzFIZ",
        updated_at=moment("2018-06-23T06:21:33.315Z"),
    ),
    "teammembers": TeamMember(
        id="1fDfeKfPrx",
        full_name="Jaclyn Ting-Un",
        first_name="Jaclyn",
        last_name="Ting-Un",
        email="jaclyn@example.com",
        role="team_owner",
        organization_id="FC6xFnSAYx",
        user_id="cCOzuUDtsp",
        updated_at=moment("2018-06-24T15:54:27.723Z"),
        created_at=moment("2016-03-28T05:30:19.013Z"),
    ),
    "powerups": PowerUp(
        id="16BUnh9VfO",
        organization_id="FC6xFnSAYx",
        is_enabled=True,
        power_up_id="billing",
        updated_at=moment("2018-06-21T13:08:05.827Z"),
        created_at=moment("2016-05-06T08:34:13.546Z"),
    ),
    "timeentries": LegacyTimeEntry(
        id="1PkkzOnseXDvldOE",
        person_id="907MKj9OKo",
        type=EntryType.IN,
        meta={"app": "public-api"},
        time=moment("2018-06-24T12:16:59.490Z"),
        note="work on the client app",
        updated_at=moment("2018-06-24T15:54:20.533Z"),
        created_at=moment("2018-06-24T15:54:20.533Z"),
    ),
}
ENTITIES["activites"] = ENTITIES["activities"]


def client_of(server: RawServer, name: str) -> LegacyClient:
    spelling: Any = "activites" if name == "activites" else "activities"
    return legacy_at(server.url, activities_path=spelling)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_getting_one(server: RawServer, name: str) -> None:
    server.answer = Script(json_reply(EXAMPLES[name]))
    async with client_of(server, name) as legacy:
        entity = await RESOURCES[name](legacy).get(ID)
    assert entity == ENTITIES[name]
    (heard,) = server.heard
    assert (heard.method, heard.target) == ("GET", f"/api/v1/{name}/{ID}")
    assert heard.headers["authorization"] == "Bearer the-token"


@pytest.mark.parametrize("name", EXAMPLES)
async def test_listing(server: RawServer, name: str) -> None:
    server.answer = Script(json_reply([EXAMPLES[name]]))
    async with client_of(server, name) as legacy:
        rows = await RESOURCES[name](legacy).list(page_size=None).collect()
    assert rows == [ENTITIES[name]]
    (heard,) = server.heard
    assert (heard.method, heard.target) == ("GET", f"/api/v1/{name}")


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "powerups"])
async def test_deleting(server: RawServer, name: str) -> None:
    server.answer = Script(json_reply(documented.DELETED))
    async with client_of(server, name) as legacy:
        await RESOURCES[name](legacy).delete(ID)
    (heard,) = server.heard
    assert (heard.method, heard.target, heard.body) == ("DELETE", f"/api/v1/{name}/{ID}", b"")


LISTS: dict[str, Callable[[LegacyClient], Any]] = {
    "/api/v1/clients?filter[include]=team": lambda legacy: legacy.clients.list(
        expand=["team"], page_size=None
    ),
    "/api/v1/timeentries?filter[include]=person": lambda legacy: legacy.time_entries.list(
        expand=["person"], page_size=None
    ),
    "/api/v1/timeentries?filter[include]=activity": lambda legacy: legacy.time_entries.list(
        expand=["activity"], page_size=None
    ),
    "/api/v1/timeentries?filter[order]=date DESC": lambda legacy: legacy.time_entries.list(
        order_by=fields(TimeEntry).time.desc(), page_size=None
    ),
    "/api/v1/timeentries?filter[order]=date ASC": lambda legacy: legacy.time_entries.list(
        order_by="time", page_size=None
    ),
    f"/api/v1/timeentries?filter[where][team]={ID}&filter[where][action]=1": (
        lambda legacy: legacy.time_entries.list(
            where=(fields(TimeEntry).organization_id == ID)
            & (fields(TimeEntry).type == EntryType.IN),
            page_size=None,
        )
    ),
    f"/api/v1/timeentries?filter[where][activity]={ID}": lambda legacy: legacy.time_entries.list(
        where=fields(TimeEntry).activity_id == ID, page_size=None
    ),
}

E = legacy_fields(LegacyTimeEntry)
CONDITIONS: dict[str, Expression] = {
    f"[team][like]={ID}": raw_filter(f"filter[where][team][like]={ID}"),
    "[date][eq]=2018-05-18T12:16:59.490Z": raw_filter(
        "filter[where][date][eq]=2018-05-18T12:16:59.490Z"
    ),
    f"[activity][neq]={ID}": E.activity_id != ID,
    "[action][gt]=1": raw_filter("filter[where][action][gt]=1"),
    "[action][lt]=1": raw_filter("filter[where][action][lt]=1"),
    "[meta.appVer]=1": E.meta.key("appVer") == "1",
    "[meta.appVer][gte]=1": E.meta.key("appVer") >= "1",
    "[meta.appVer][lte]=1": E.meta.key("appVer") <= "1",
    "[meta.appVer][[between][0]]=1&filter[where][meta.appVer][[between][1]]=2": raw_filter(
        "filter[where][meta.appVer][[between][0]]=1&filter[where][meta.appVer][[between][1]]=2"
    ),
}


@pytest.mark.parametrize("condition", CONDITIONS)
async def test_conditions(server: RawServer, condition: str) -> None:
    server.answer = Script(json_reply([]))
    async with legacy_at(server.url) as legacy:
        pager = legacy.time_entries.list(where=CONDITIONS[condition], page_size=None)
        assert await pager.collect() == []
    (heard,) = server.heard
    assert unquote(heard.target) == f"/api/v1/timeentries?filter[where]{condition}"


@pytest.mark.parametrize("target", LISTS)
async def test_options_of_a_list(server: RawServer, target: str) -> None:
    server.answer = Script(json_reply([]))
    async with legacy_at(server.url) as legacy:
        assert await LISTS[target](legacy).collect() == []
    assert [unquote(heard.target) for heard in server.heard] == [target]


async def test_the_second_page(server: RawServer) -> None:
    rows = [documented.CLIENT | {"id": f"client{number}"} for number in range(100)]
    server.answer = Script(json_reply(rows), json_reply([]))
    async with legacy_at(server.url) as legacy:
        assert len(await legacy.clients.list().collect()) == 100
    first, second = (unquote(heard.target) for heard in server.heard)
    assert first == "/api/v1/clients?filter[limit]=100"
    assert second == "/api/v1/clients?filter[limit]=100&filter[skip]=100"


WRITES: list[tuple[str, str, dict[str, Any], Call, dict[str, Any]]] = [
    (
        "POST",
        "clients",
        {"name": "GoodCar", "team": ID},
        lambda legacy: legacy.clients.create("GoodCar", ID),
        documented.CLIENT,
    ),
    (
        "PUT",
        f"clients/{ID}",
        {"name": "GoodCar"},
        lambda legacy: legacy.clients.update(ID, name="GoodCar"),
        documented.CLIENT,
    ),
    (
        "POST",
        "activities",
        {
            "name": "Development",
            "description": "Software services",
            "color": "#a8a8a8",
            "team": ID,
        },
        lambda legacy: legacy.activities.create(
            "Development", "a8a8a8", ID, description="Software services"
        ),
        documented.ACTIVITY,
    ),
    (
        "PUT",
        f"activities/{ID}",
        {"name": "Development"},
        lambda legacy: legacy.activities.update(ID, name="Development"),
        documented.ACTIVITY,
    ),
    (
        "POST",
        "teams",
        {"name": "GoodCar"},
        lambda legacy: legacy.organizations.create("GoodCar"),
        documented.TEAM,
    ),
    (
        "POST",
        "teams",
        {"name": "Programmers", "workingHours": 8},
        lambda legacy: legacy.organizations.create("Programmers", working_hours=8),
        documented.TEAM,
    ),
    (
        "PUT",
        f"teams/{ID}",
        {"name": "Developers"},
        lambda legacy: legacy.organizations.update(ID, name="Developers"),
        documented.TEAM,
    ),
    (
        "PUT",
        f"teammembers/{ID}",
        {"firstName": "Chris"},
        lambda legacy: legacy.people.update(ID, first_name="Chris"),
        documented.MEMBER,
    ),
    (
        "POST",
        "powerups",
        {"powerUpId": "XXX321YYY", "isEnabled": True, "team": ID},
        lambda legacy: legacy.power_ups.create("XXX321YYY", ID),
        documented.POWER_UP,
    ),
    (
        "PUT",
        f"powerups/{ID}",
        {"isEnabled": False},
        lambda legacy: legacy.power_ups.update(ID, is_enabled=False),
        documented.POWER_UP,
    ),
    (
        "PUT",
        f"timeentries/{ID}",
        {"notes": "short note"},
        lambda legacy: legacy.time_entries.update(ID, note="short note"),
        documented.ENTRY,
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "call", "answer"),
    WRITES,
    ids=[f"{method} {path}" for method, path, *_ in WRITES],
)
async def test_writing(
    server: RawServer,
    method: str,
    path: str,
    body: dict[str, Any],
    call: Call,
    answer: dict[str, Any],
) -> None:
    server.answer = Script(json_reply(answer))
    async with legacy_at(server.url) as legacy:
        entity = await call(legacy)
    (heard,) = server.heard
    assert (heard.method, heard.target) == (method, f"/api/v1/{path}")
    assert heard.headers["content-type"] == "application/json"
    assert json.loads(heard.body) == body
    assert entity == ENTITIES[path.partition("/")[0]]


async def test_a_punch(server: RawServer) -> None:
    server.answer = Script(json_reply(documented.CREATED_ENTRY))
    async with legacy_at(server.url) as legacy:
        entry = await legacy.time_entries.clock_in(ID, note="sample note")
    assert entry.custom_data == {"app": "internal-system", "myId": 123, "synched": True}
    (heard,) = server.heard
    assert (heard.method, heard.target) == ("POST", "/api/v1/timeentries")
    sent = json.loads(heard.body)
    # The mark by which the punch is found again is all that is added.
    assert list(sent.pop("customData")) == [NONCE]
    assert sent == {"action": 1, "notes": "sample note", "person": ID}


async def test_everything_that_a_punch_may_say(server: RawServer) -> None:
    server.answer = Script(json_reply(documented.CREATED_ENTRY))
    async with legacy_at(server.url) as legacy:
        await legacy.time_entries.create(
            None,
            EntryType.OUT,
            moment("2018-05-18T12:16:59.490Z"),
            activity_id=OTHER,
            client_id=ID,
            note="some short note",
            custom_data={"myId": 123, "anotherField": "hello"},
        )
    sent = json.loads(server.heard[0].body)
    assert sent.pop("customData").items() >= {"myId": 123, "anotherField": "hello"}.items()
    assert sent == {
        "action": 2,
        "activity": OTHER,
        "client": ID,
        "notes": "some short note",
        "date": "2018-05-18T12:16:59.490Z",
    }


async def test_the_request_for_a_token(server: RawServer) -> None:
    server.token_answer = Script(json_reply(documented.TOKEN_ANSWER))
    given = {name: text for name, text in documented.TOKEN_REQUEST.items() if name != "grant_type"}
    grant = PasswordGrant(**given, token_url=f"{server.url}/oauth/connect/token")
    server.answer = Script(json_reply([documented.CLIENT]))
    async with legacy_at(server.url, auth=grant) as legacy:
        await legacy.clients.list(page_size=None).collect()
    (heard,) = server.heard_tokens
    assert (heard.method, heard.target) == ("POST", "/oauth/connect/token")
    assert heard.headers["content-type"] == "application/json"
    assert json.loads(heard.body) == documented.TOKEN_REQUEST
    assert "authorization" not in heard.headers
    bearer = server.heard[0].headers["authorization"]
    assert bearer == f"Bearer {documented.TOKEN_ANSWER['access_token']}"
