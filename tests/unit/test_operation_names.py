"""What calls are told and counted as: labels with few values, and no id in them."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from jibble_legacy.resources.catalog import LegacyCatalog

from jibble_async.api.base_client import resources_of
from jibble_async.api.custom import custom_operation
from jibble_async.api.listing import Routes
from jibble_async.client import JibbleClient
from jibble_async.core.operation import Operation, Safety, build
from tests.meta.test_public import operations
from tests.unit.recording import RecordingClient

# Of no resource.
OWN = {"token", "metadata", "ping", "request", "paginate"}
GUID = "7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10"
RESOURCES = [
    (name, resource)
    for catalog in (JibbleClient, LegacyCatalog)
    for name, resource in resources_of(catalog).items()
]


@pytest.mark.parametrize(("name", "resource"), RESOURCES, ids=lambda value: str(value))
def test_the_operations_of_a_resource_have_the_name_that_clients_offer_it_by(
    name: str, resource: Any
) -> None:
    routes: Routes | None = getattr(resource, "routes", None)
    for operation in () if routes is None else msgspec.structs.astuple(routes):
        assert operation.name.partition(".")[0] == name


def test_every_operation_is_called_by_a_resource_and_its_method() -> None:
    names = {operation.name for operation in operations().values()}
    for name in names - OWN - {"migration.read"}:
        resource, _, method = name.partition(".")
        homes = [each for home, each in RESOURCES if home == resource]
        assert homes, name
        # What all routes have may be what no method asks for so far.
        common = method in {"get", "create", "update", "delete"}
        assert common or any(hasattr(each, method) for each in homes), name
    assert len(names) < 120


def test_no_path_that_is_shown_has_an_id() -> None:
    for operation in operations().values():
        assert re.fullmatch(r"[/A-Za-z0-9$(){}=]*", operation.template)


async def test_what_is_asked_for_by_an_id_is_shown_without_it() -> None:
    client = RecordingClient(*[b'{"value":[]}'] * 9)
    await client.people.holidays(GUID).collect()
    await client.people.remove(GUID)
    await client.time_entries.archive(GUID)
    told = [(each.operation.name, each.operation.template) for each in client.requests]
    assert told == [
        ("people.holidays", "/v1/PersonHolidays(personId={id})"),
        ("people.remove", "/v1/People({id})"),
        ("time_entries.archive", "/v1/TimeEntries/{id}"),
    ]
    assert GUID in client.requests[0].url.path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/People", "/v1/People"),
        (f"/v1/People({GUID})", "/v1/People({id})"),
        (f"/v1/People({GUID})/LatestTimeEntry", "/v1/People({id})/LatestTimeEntry"),
        (f"/v1/PersonSchedule(personId={GUID})", "/v1/PersonSchedule({id})"),
        ("/v1/People('ann@example.com')", "/v1/People({id})"),
        (f"/v1/TimeEntries/{GUID}", "/v1/TimeEntries/{id}"),
        ("/v1/TimeEntries/$count", "/v1/TimeEntries/$count"),
        ("/v1/$metadata", "/v1/$metadata"),
        ("/v1/$ann", "/v1/{id}"),
        ("/v1/People/", "/v1/People"),
        ("/api/v1/teammembers/5b3Fxyz", "/api/v1/teammembers/{id}"),
        # An id of the old API may have no digit.
        ("/api/v1/teammembers/abcdefgh", "/api/v1/teammembers/{id}"),
        ("/api/v1/teams/abc/members/def", "/api/v1/teams/{id}/members/{id}"),
        ("/v1/People2", "/v1/{id}"),
        (f"/v1/{GUID}", "/v1/{id}"),
        (f"/v1/{'x' * 60}", "/v1/{id}"),
        ("/v1/People(1)(2)", "/v1/People({id})"),
        ("/v1/People(1)/ann@x", "/v1/People({id})/{id}"),
    ],
)
def test_a_path_of_the_callers_own_is_shown_without_ids(path: str, shown: str) -> None:
    operation = custom_operation("GET", "workspace", path, None)
    assert (operation.template, operation.path) == (shown, path)
    assert build(operation, "https://x.example").url.path == path


def test_an_operation_under_another_name_is_the_same() -> None:
    operation = Operation("workspace", "GET", "/v1/People({id})", Safety.READ, name="people.get")
    other = operation.called("schedule").of_one("a").of_one("b")
    assert (other.name, other.path, other.template) == (
        "people.schedule",
        "/v1/People(a)",
        "/v1/People({id})",
    )
