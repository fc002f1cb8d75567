from __future__ import annotations

from typing import Any

import pytest

from jibble_async.sandbox import LegacyRules, Sandbox
from tests.sandbox.calling import LegacyCaller, VirtualClock

# The documentation's example of an answer.
ANSWER = {
    "access_token": "XXfakeAccessTokenOfThirtyFourChars",
    "expires_in": 1209600,
    "scope": "basic",
    "refresh_token": "YYfakeRefreshTokenThirtyFourChars1",
    "token_type": "Bearer",
}


def grant(box: Sandbox, **changes: str) -> dict[str, str]:
    body = {"grant_type": "password", **box.legacy_credentials._asdict(), "scope": "basic"}
    body.update(changes)
    return {name: value for name, value in body.items() if value}


def renewal(box: Sandbox, token: str) -> dict[str, str]:
    client = box.legacy_credentials
    return {
        "grant_type": "refresh_token",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "refresh_token": token,
    }


@pytest.mark.parametrize("as_form", [False, True])
async def test_the_password_grant(legacy: LegacyCaller, as_form: bool) -> None:
    body = grant(legacy.box)
    status, answer = await (
        legacy.ask_token(None, data=body) if as_form else legacy.ask_token(body)
    )
    assert status == 200
    assert [*answer] == [*ANSWER]
    assert {**answer, "access_token": "", "refresh_token": ""} == {
        **ANSWER,
        "access_token": "",
        "refresh_token": "",
    }
    assert len(answer["access_token"]) == len(answer["refresh_token"]) == 34
    legacy.bearer = answer["access_token"]
    assert (await legacy.get("/clients"))[0] == 200
    ledger = legacy.box.ledger
    assert [each.service for each in ledger.token_requests] == ["legacy-identity"]
    assert [each.authorized for each in ledger.requests] == [False, True]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"password": "wrong"}, 403, "invalid_grant"),
        ({"username": "nobody@example.com"}, 403, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"password": ""}, 400, "invalid_request"),
        ({"username": ""}, 400, "invalid_request"),
        ({"client_id": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
        ({"scope": "admin"}, 403, "access_denied"),
    ],
)
async def test_what_the_token_host_refuses(
    legacy: LegacyCaller, changes: dict[str, str], status: int, error: str
) -> None:
    answered, body = await legacy.ask_token(grant(legacy.box, **changes))
    assert (answered, body["error"], [*body]) == (status, error, ["error", "error_description"])


async def test_a_renewal_is_good_once_and_a_switch(legacy: LegacyCaller) -> None:
    box = legacy.box
    _, granted = await legacy.ask_token(grant(box))
    status, renewed = await legacy.ask_token(renewal(box, granted["refresh_token"]))
    assert (status, [*renewed]) == (200, [*ANSWER])
    assert renewed["access_token"] != granted["access_token"]
    status, body = await legacy.ask_token(renewal(box, granted["refresh_token"]))
    assert (status, body["error"]) == (403, "invalid_grant")
    box.legacy_rules.refresh = False
    status, body = await legacy.ask_token(renewal(box, renewed["refresh_token"]))
    assert (status, body["error"]) == (400, "unsupported_grant_type")


async def test_the_token_host_has_one_path_and_takes_objects(legacy: LegacyCaller) -> None:
    assert (await legacy.ask_token([]))[0] == 400
    async with legacy.session.get(legacy.box.legacy_token_url) as response:
        assert response.status == 404
    async with legacy.session.post(f"{legacy.box.legacy_token_url}/x", json={}) as response:
        assert response.status == 404


async def test_a_bearer_that_is_missing_or_unknown(legacy: LegacyCaller) -> None:
    for bearer in ("", "nonsense"):
        legacy.bearer = bearer
        status, body, headers = await legacy.send("GET", "/clients")
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert body["error"]["code"] == "AUTHORIZATION_REQUIRED"
    assert not any(each.authorized for each in legacy.box.ledger.requests)


async def test_a_bearer_that_has_expired(legacy: LegacyCaller, clock: VirtualClock) -> None:
    expired: dict[str, Any] = {
        "error": "invalid_grant",
        "error_description": "Access token is expired",
    }
    clock.forward(1_209_599)
    assert (await legacy.get("/clients"))[0] == 200
    clock.forward(1)
    assert await legacy.get("/clients") == (403, expired)
    _, granted = await legacy.ask_token(grant(legacy.box))
    legacy.bearer = granted["access_token"]
    assert (await legacy.get("/clients"))[0] == 200
    await legacy.box.expire_tokens()
    assert await legacy.get("/clients") == (403, expired)


async def test_lifetimes_may_be_told_wrongly_and_may_be_endless(
    legacy: LegacyCaller, clock: VirtualClock
) -> None:
    box = legacy.box
    box.legacy_rules.token_lifetime, box.legacy_rules.reported_lifetime = 5, 2**31 - 1
    _, granted = await legacy.ask_token(grant(box))
    assert granted["expires_in"] == 2**31 - 1
    clock.forward(6)
    legacy.bearer = granted["access_token"]
    assert (await legacy.get("/clients"))[0] == 403
    endless = Sandbox(people=1, legacy_rules=LegacyRules(token_lifetime=1e18))
    assert len(endless.legacy_token) == 34


async def test_the_current_tokens_are_not_good_here(legacy: LegacyCaller) -> None:
    box = legacy.box
    form = {
        "grant_type": "client_credentials",
        "client_id": box.client_id,
        "client_secret": box.client_secret,
    }
    async with legacy.session.post(
        f"{box.endpoints['identity']}/connect/token", data=form
    ) as response:
        legacy.bearer = (await response.json())["access_token"]
    assert (await legacy.get("/clients"))[0] == 401
