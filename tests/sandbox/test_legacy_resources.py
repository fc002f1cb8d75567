"""Every documented request of the old API, against the documented answers."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async.sandbox import Sandbox
from tests.legacy.documented import ACTIVITY, CLIENT, ENTRY, MEMBER, POWER_UP, TEAM
from tests.sandbox.calling import WEEK, LegacyCaller

CUSTOM_ENTRY = {
    name: {"app": "internal-system", "myId": 123, "synched": True} if name == "meta" else value
    for name, value in ENTRY.items()
}
EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("clients", CLIENT),
    ("activites", ACTIVITY),
    ("activities", ACTIVITY),
    ("teams", TEAM),
    ("teammembers", MEMBER),
    ("powerups", POWER_UP),
    ("timeentries", ENTRY),
]


def shape(value: Any, key: str = "") -> Any:
    """Keys in order, the length of ids and the form of instants; what else a text says is free."""
    if isinstance(value, dict):
        free = key in {"meta", "customData"}
        return {} if free else {name: shape(part, name) for name, part in value.items()}
    if isinstance(value, str) and key == "id":
        assert value.isalnum()
        return len(value)
    if isinstance(value, str) and key in {"date", "updated_at", "created_at"}:
        return "".join("9" if letter.isdigit() else letter for letter in value)
    return type(value)


def keys(row: dict[str, Any]) -> list[str]:
    return [name for name in row if name not in {"activity", "client"}]


async def first(legacy: LegacyCaller, path: str) -> dict[str, Any]:
    query = "?filter[where][notes][like]=." if path == "timeentries" else ""
    status, rows = await legacy.get(f"/{path}{query}")
    assert status == 200
    row: dict[str, Any] = rows[0]
    return row


async def create(legacy: LegacyCaller, path: str, **body: Any) -> dict[str, Any]:
    status, row, _ = await legacy.send("POST", f"/{path}", body)
    assert status == 200, row
    made: dict[str, Any] = row
    return made


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[path for path, _ in EXAMPLES])
async def test_rows_are_shaped_like_the_examples(
    legacy: LegacyCaller, path: str, example: dict[str, Any]
) -> None:
    row = await first(legacy, path)
    shown = {name: row[name] for name in keys(row)}
    assert keys(row) == [*example]
    assert shape(shown) == shape(example)
    for spelling in (path, f"{path}/{row['id']}.json", f"{path}/{row['id']}/"):
        status, body, headers = await legacy.send("GET", f"/{spelling}")
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        assert spelling == path or body == row
    for spelling in (f"{path}/", f"{path}.json"):
        assert isinstance((await legacy.get(f"/{spelling}"))[1], list)


CREATIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("clients", {"name": "GoodCar", "team": "TEAM"}, CLIENT),
    (
        "activites",
        {
            "name": "Development",
            "description": "Software services",
            "color": "#a8a8a8",
            "team": "TEAM",
        },
        ACTIVITY,
    ),
    ("teams", {"name": "GoodCar"}, TEAM),
    ("powerups", {"powerUpId": "slack", "isEnabled": True, "team": "TEAM"}, POWER_UP),
    ("timeentries", {"action": 1, "notes": "sample note", "person": "PERSON"}, ENTRY),
    (
        "timeentries",
        {"action": 1, "notes": "n", "customData": {"myId": 123, "anotherField": "hello"}},
        {"customData" if name == "meta" else name: part for name, part in CUSTOM_ENTRY.items()},
    ),
]


@pytest.mark.parametrize("as_form", [False, True])
@pytest.mark.parametrize(
    ("path", "body", "example"), CREATIONS, ids=[path for path, _, _ in CREATIONS]
)
async def test_creations(
    legacy: LegacyCaller, path: str, body: dict[str, Any], example: dict[str, Any], as_form: bool
) -> None:
    ids = {
        "TEAM": (await first(legacy, "teams"))["id"],
        "PERSON": (await first(legacy, "teammembers"))["id"],
    }
    sent = {key: ids.get(str(value), value) for key, value in body.items()}
    if as_form:
        form = {key: str(value).lower() for key, value in sent.items() if key == "isEnabled"}
        for key, value in sent.items():
            if isinstance(value, dict):
                form.update((f"{key}[{name}]", str(part)) for name, part in value.items())
            else:
                form.setdefault(key, str(value))
        status, row, _ = await legacy.send("POST", f"/{path}", data=form)
    else:
        status, row, _ = await legacy.send("POST", f"/{path}", sent)
    assert status == 200
    assert shape(row) == shape(example)
    assert [*row] == [*example]
    assert row["updated_at"] == "2026-07-13T09:00:00.000Z"
    for key, value in sent.items():
        shown = row[key]["id"] if key in {"team", "person"} else row[key]
        if as_form and key == "customData":
            value = {name: str(part) for name, part in value.items()}
        assert shown == value
    assert await legacy.get(f"/{path}/{row['id']}") == (200, row)
    committed = legacy.box.ledger.committed[-1]
    assert (committed.id, committed.change) == (row["id"], "created")


UPDATES = [
    ("clients", {"name": "GoodCar"}),
    ("activites", {"name": "Development"}),
    ("activities", {"name": "D", "description": "Software services", "color": "#a8a8a8"}),
    ("teams", {"name": "Developers"}),
    ("teammembers", {"firstName": "Chris"}),
    ("teammembers", {"lastName": "Smith"}),
    ("powerups", {"isEnabled": False}),
    ("timeentries", {"notes": "short note"}),
]


@pytest.mark.parametrize(("path", "body"), UPDATES)
async def test_updates_change_what_they_name(
    legacy: LegacyCaller, path: str, body: dict[str, Any]
) -> None:
    row = await first(legacy, path)
    status, changed, _ = await legacy.send("PUT", f"/{path}/{row['id']}", body)
    assert status == 200
    assert changed == {**row, **body, "updated_at": "2026-07-13T09:00:00.000Z"}
    assert await legacy.get(f"/{path}/{row['id']}") == (200, changed)
    assert legacy.box.ledger.committed[-1].change == "updated"


async def test_an_entry_can_be_given_work_and_lose_it(legacy: LegacyCaller) -> None:
    activity = (await first(legacy, "activities"))["id"]
    client = (await first(legacy, "clients"))["id"]
    row = await create(legacy, "timeentries", action=2, date="2026-07-10T10:00:00+02:00")
    assert row["date"] == "2026-07-10T08:00:00.000Z"
    assert "notes" not in row
    path = f"/timeentries/{row['id']}"
    _, changed, _ = await legacy.send("PUT", path, {"activity": activity, "client": client})
    assert (changed["activity"], changed["client"]) == ({"id": activity}, {"id": client})
    _, changed, _ = await legacy.send("PUT", path, {"activity": None})
    assert "activity" not in changed
    assert changed["client"] == {"id": client}


@pytest.mark.parametrize("path", ["clients", "activites", "teams", "teammembers", "timeentries"])
async def test_deletions_are_for_good(legacy: LegacyCaller, path: str) -> None:
    row = await first(legacy, path)
    target = f"/{path}/{row['id']}"
    assert (await legacy.send("DELETE", target))[:2] == (200, {"status": "success"})
    status, body = await legacy.get(target)
    assert (status, body["error"]["code"]) == (404, "MODEL_NOT_FOUND")
    assert body["error"]["message"].endswith(f'id "{row["id"]}".')
    assert (await legacy.send("DELETE", target))[0] == 404
    assert row["id"] not in {each["id"] for each in (await legacy.get(f"/{path}"))[1]}
    assert len(legacy.box.ledger.committed) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/teammembers"),
        ("DELETE", "/powerups/16BUnh9VfO"),
        ("PATCH", "/clients/1dkzv9nQTjLvK8OD"),
        ("DELETE", "/clients"),
        ("PUT", "/clients"),
        ("GET", "/people"),
        ("GET", "/clients/count/all"),
        ("GET", ""),
    ],
)
async def test_there_is_no_such_method(legacy: LegacyCaller, method: str, path: str) -> None:
    status, body, _ = await legacy.send(method, path, {})
    assert status == 404
    assert body == {
        "error": {
            "statusCode": 404,
            "name": "Error",
            "message": f"There is no method to handle {method} /api/v1{path}",
        }
    }


@pytest.mark.parametrize(
    ("path", "body", "codes"),
    [
        ("clients", {}, {"name": "presence", "team": "presence"}),
        ("clients", {"name": "", "team": "nobody"}, {"name": "presence", "team": "invalid"}),
        ("clients", {"name": 5, "team": "TEAM"}, {"name": "invalid"}),
        ("clients", {"name": "a", "team": {"id": "TEAM"}}, {"team": "invalid"}),
        ("activities", {"name": "a", "team": "TEAM"}, {"color": "presence"}),
        (
            "activities",
            {"name": "a", "team": "TEAM", "color": "#008CFF"},
            {"color": "uniqueness"},
        ),
        ("teams", {"name": "a", "workingHours": "many"}, {"workingHours": "invalid"}),
        ("powerups", {"powerUpId": "x", "isEnabled": 1, "team": "TEAM"},
         {"powerUpId": "invalid", "isEnabled": "invalid"}),
        ("timeentries", {}, {"action": "presence"}),
        ("timeentries", {"action": 3}, {"action": "invalid"}),
        ("timeentries", {"action": True}, {"action": "invalid"}),
        ("timeentries", {"action": 1, "person": "nobody"}, {"person": "invalid"}),
        ("timeentries", {"action": 1, "date": "soon"}, {"date": "invalid"}),
        ("timeentries", {"action": 1, "customData": "x"}, {"customData": "invalid"}),
        ("timeentries", {"action": 1, "id": "1PkkzOnseXDvldOE"}, {"id": "unknown-property"}),
        ("timeentries", {"action": 1, "personId": "x"}, {"personId": "unknown-property"}),
    ],
)  # fmt: skip
async def test_a_body_that_is_not_valid(
    legacy: LegacyCaller, path: str, body: dict[str, Any], codes: dict[str, str]
) -> None:
    if body.get("team") == "TEAM":
        body = {**body, "team": (await first(legacy, "teams"))["id"]}
    status, answer, _ = await legacy.send("POST", f"/{path}", body)
    assert status == 422
    error = answer["error"]
    assert [*error] == ["statusCode", "name", "message", "details"]
    assert error["name"] == "ValidationError"
    assert error["details"]["codes"] == {name: [code] for name, code in codes.items()}
    assert not legacy.box.ledger.committed


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("timeentries", {"action": 2}),
        ("timeentries", {"date": "2026-07-10"}),
        ("timeentries", {"person": "x"}),
        ("timeentries", {"customData": {}}),
        ("teams", {"workingHours": 7}),
        ("clients", {"team": "x"}),
        ("clients", {"name": None}),
        ("powerups", {"powerUpId": "slack"}),
        ("teammembers", {"email": "a@example.com"}),
    ],
)
async def test_what_put_does_not_take(
    legacy: LegacyCaller, path: str, body: dict[str, Any]
) -> None:
    row = await first(legacy, path)
    assert (await legacy.send("PUT", f"/{path}/{row['id']}", body))[0] == 422
    assert await legacy.get(f"/{path}/{row['id']}") == (200, row)


async def test_a_body_that_is_not_an_object(legacy: LegacyCaller) -> None:
    kind = {"Content-Type": "application/json"}
    for data in (b"[]", b"{", b'"text"'):
        url = f"{legacy.box.legacy_url}/api/v1/clients"
        headers = {**kind, "Authorization": f"Bearer {legacy.bearer}"}
        async with legacy.session.post(url, data=data, headers=headers) as response:
            assert response.status == 400
            assert (await response.json())["error"]["name"] == "SyntaxError"


async def test_the_organisation_through_the_old_api(legacy: LegacyCaller) -> None:
    box = legacy.box
    entries = {row["id"]: row for row in box.legacy.wire("timeentries")}
    active = [row for row in box.dataset.rows("TimeEntries") if row["status"] != "Archived"]
    assert {box.legacy_id("TimeEntries", row["id"]) for row in active} == entries.keys()
    projects = box.dataset.index("Projects")
    for row in active:
        shown = entries[box.legacy_id("TimeEntries", row["id"])]
        assert shown["action"] == (1 if row["type"] == "In" else 2)
        assert shown["person"] == {"id": box.legacy_id("People", row["personId"])}
        assert shown["date"][:19] == row["time"][:19]
        assert (shown.get("notes")) == row["note"]
        activity = row["activityId"] and {"id": box.legacy_id("Activities", row["activityId"])}
        assert shown.get("activity") == activity
        client = row["projectId"] and projects[row["projectId"]]["clientId"]
        assert shown.get("client") == (client and {"id": box.legacy_id("Clients", client)})
        assert None not in shown.values()
    assert {row["meta"]["app"] for row in entries.values()} >= {"web", "ios"}
    assert all(isinstance(row["meta"].get("appVer", ""), str) for row in entries.values())
    _, members = await legacy.get("/teammembers?filter[where][role]=team_owner")
    _, teams = await legacy.get("/teams")
    assert [member["user"] for member in members] == [team["owner"] for team in teams]
    people = box.dataset.rows("People")
    full = {box.legacy_id("People", row["id"]): row["fullName"] for row in people}
    for member in box.legacy.wire("teammembers"):
        assert f"{member['firstName']} {member['lastName']}" == full[member["id"]]


async def test_who_left_is_absent_and_what_they_punched_is_not() -> None:
    box = Sandbox(people=14, seed=3, **WEEK)
    gone = next(row for row in box.dataset.rows("People") if row["status"] == "Removed")
    legacy_id = box.legacy_id("People", gone["id"])
    assert legacy_id not in box.legacy.index("teammembers")
    assert any(row["person"] == legacy_id for row in box.legacy.rows("timeentries"))
