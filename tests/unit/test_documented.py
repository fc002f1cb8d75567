"""The documented token is asked for and understood, and each set of the workspace is there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from jibble_async import ClientCredentials, Endpoints, TimeEntry
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.tokens import Token, Tokens
from jibble_async.core.wire import Reply
from jibble_async.odata.tokens import claims_of, grant_of
from tests.unit import documented
from tests.unit.recording import RecordingClient, target


def assert_carries(entity: Any, document: dict[str, Any]) -> None:
    """Every field of a JSON document is an attribute of the entity, with that value."""
    names = {field.encode_name: field.name for field in msgspec.structs.fields(entity)}
    for key, value in document.items():
        if key.startswith("@"):
            continue
        assert key in names, f"{type(entity).__name__} has no place for {key!r}"
        found = getattr(entity, names[key])
        match value:
            case dict():
                assert_carries(found, document[key])
            case [dict(), *_]:
                for item, part in zip(found, document[key], strict=True):
                    assert_carries(item, part)
            case _:
                assert _as_found(value, found) == found, key


def _as_found(value: Any, found: Any) -> Any:
    """A JSON value as the type that the entity has for it."""
    match found:
        case datetime():
            expected = datetime.fromisoformat(value)
            # A seventh digit of a second is rounded.
            return found if abs(found - expected) <= timedelta(microseconds=1) else expected
        case date():
            return date.fromisoformat(value)
        case timedelta():
            return msgspec.convert(value, timedelta)
        case _:
            return value


def test_a_field_without_a_place_would_be_noticed() -> None:
    entity = TimeEntry(id="1", note="x")
    assert_carries(entity, {"id": "1", "note": "x", "@odata.etag": "y"})
    entity = TimeEntry(id="1", note="x", time=datetime(2024, 6, 13, tzinfo=UTC))
    for document in (
        {"id": "1", "brandNew": None},
        {"note": "y"},
        {"address": "x"},
        {"time": "2024-06-13T00:00:00.00001Z"},
    ):
        with pytest.raises(AssertionError):
            assert_carries(entity, document)


async def test_a_token() -> None:
    requests: list[Request] = []

    async def exchange(request: Request) -> Reply:
        requests.append(request)
        return Reply(200, {}, msgspec.json.encode(documented.TOKEN_ANSWER))

    pair = ClientCredentials(documented.TOKEN_FORM["client_id"], "CLIENT_SECRET")
    tokens = Tokens(grant_of(pair, Endpoints().identity), exchange, Clock(), lambda _: None)
    bearer = await tokens.get()
    (request,) = requests
    assert (request.operation.method, request.url.host) == ("POST", documented.TOKEN_HOST)
    assert target(request) == documented.TOKEN_TARGET
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.body is not None
    form = parse_qs(request.body.decode(), strict_parsing=True)
    assert form == {name: [value] for name, value in documented.TOKEN_FORM.items()}

    answer = documented.TOKEN_ANSWER
    assert bearer.authorization == f"{answer['token_type']} {answer['access_token']}"
    claims = claims_of(bearer.token)
    assert claims.organization_id == answer["organizationId"]
    assert claims.person_id == answer["personId"]
    token = msgspec.convert(answer, Token)
    assert token.lifetime == answer["expires_in"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("organizations", "/v1/Organizations"),
        ("people", "/v1/People"),
        ("groups", "/v1/Groups"),
        ("activities", "/v1/Activities"),
        ("projects", "/v1/Projects"),
        ("clients", "/v1/Clients"),
        ("locations", "/v1/Locations"),
    ],
)
async def test_the_sets_of_the_workspace(name: str, path: str) -> None:
    key = "3cf11f61-76ad-418a-8783-103b66b22fde"
    client = RecordingClient({"value": []}, {"id": key})
    resource = getattr(client, name)
    await resource.list().collect()
    assert (await resource.get(key)).id == key
    listed, got = client.requests
    assert listed.url.host == got.url.host == "workspace.prod.jibble.io"
    assert listed.url.raw_path == path
    assert target(got) == f"{path}({key})"
